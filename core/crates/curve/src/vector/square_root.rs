//! Square roots in all lanes: p ≡ 3 (mod 4), so a^((p+1)/4) is a root of a wherever a has one.
//!
//! The chain of squarings is long and every one waits for the last. Two vectors at once hide that: the functions take
//! arrays of vectors and go step by step through all of them.

use super::field::Fp8;
use crate::field::MODULUS;

/// (p + 1)/4.
const EXPONENT: [u64; 6] = quarter_of_next(&MODULUS);
const EXPONENT_BITS: usize = 379;
/// Most bits of the exponent that one multiplication takes in.
const WINDOW: usize = 5;
const ODD_POWERS: usize = 1 << (WINDOW - 1);

/// a^((p+1)/4): a square root of a, or of −a where a has none.
#[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
pub(super) fn root_candidates<const N: usize>(a: &[Fp8; N]) -> [Fp8; N] {
    let powers = odd_powers(a);
    let mut roots = [Fp8::one(); N];
    let mut rest = EXPONENT_BITS;
    while rest > 0 {
        let (width, value) = window(rest);
        for _ in 0..width {
            roots = roots.map(|root| root.square());
        }
        if value > 0 {
            roots = products(&roots, &powers[value / 2]);
        }
        rest -= width;
    }
    roots
}

/// a, a³, a⁵, …
#[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
fn odd_powers<const N: usize>(a: &[Fp8; N]) -> [[Fp8; N]; ODD_POWERS] {
    let square = a.map(|element| element.square());
    let mut powers = [*a; ODD_POWERS];
    for i in 1..ODD_POWERS {
        powers[i] = products(&powers[i - 1], &square);
    }
    powers
}

#[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
fn products<const N: usize>(a: &[Fp8; N], b: &[Fp8; N]) -> [Fp8; N] {
    core::array::from_fn(|i| a[i].mul(&b[i]))
}

/// How many of the lowest `rest` bits of the exponent come next, and their value: a zero, or what begins and ends with
/// a one.
fn window(rest: usize) -> (usize, usize) {
    let bit = |at: usize| (EXPONENT[at / 64] >> (at % 64) & 1) as usize;
    if bit(rest - 1) == 0 {
        return (1, 0);
    }
    let width = WINDOW.min(rest);
    let value = (rest - width..rest).rev().fold(0, |value, at| 2 * value + bit(at));
    let zeros = value.trailing_zeros() as usize;
    (width - zeros, value >> zeros)
}

/// (n + 1)/4 for n ≡ 3 (mod 4) whose lowest word is not full.
const fn quarter_of_next(limbs: &[u64; 6]) -> [u64; 6] {
    let mut next = *limbs;
    next[0] += 1;
    let (mut out, mut i) = ([0; 6], 0);
    while i < 6 {
        out[i] = next[i] >> 2 | if i < 5 { next[i + 1] << 62 } else { 0 };
        i += 1;
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_make_up_the_exponent() {
        assert_eq!(EXPONENT[5] >> (EXPONENT_BITS - 1 - 5 * 64), 1);
        let (mut rest, mut made) = (EXPONENT_BITS, [0_u64; 6]);
        while rest > 0 {
            let (width, value) = window(rest);
            assert!(value < 2 * ODD_POWERS && (value == 0 || value % 2 == 1));
            rest -= width;
            for place in 0..width {
                made[(rest + place) / 64] |= (value as u64 >> place & 1) << ((rest + place) % 64);
            }
        }
        assert_eq!(made, EXPONENT);
    }
}
