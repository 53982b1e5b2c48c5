//! The modulus in limbs of 52 bits, and what follows from it.

use crate::field::MODULUS;

/// Limbs of an element.
pub(super) const LIMBS: usize = 8;
/// Bits of a limb.
pub(super) const RADIX_BITS: u32 = 52;
pub(super) const MASK: u64 = (1 << RADIX_BITS) - 1;
/// Elements of a vector.
pub(crate) const LANES: usize = 8;

/// p.
pub(super) const P: [u64; LIMBS] = split(&MODULUS);
/// 64·p, what differences get to stay positive; its limbs are longer than 52 bits.
pub(super) const P64: [u64; LIMBS] = times_64(&P);
/// −1/p mod 2^52.
pub(super) const P_INVERSE: u64 = negated_inverse(P[0]);
/// R mod p: the element 1.
pub(super) const ONE: [u64; LIMBS] = split(&power_of_two(416));
/// What brings the Montgomery form of `blst`, with R' = 2^384, into ours: R²/R'.
pub(super) const FROM_BLST: [u64; LIMBS] = split(&power_of_two(2 * 416 - 384));
/// And back: R'.
pub(super) const TO_BLST: [u64; LIMBS] = split(&power_of_two(384));
/// What brings integers into Montgomery form: R².
pub(super) const FROM_INTEGER: [u64; LIMBS] = split(&power_of_two(2 * 416));
/// And back: the integer 1.
pub(super) const INTEGER_ONE: [u64; LIMBS] = split(&[1, 0, 0, 0, 0, 0]);
/// ⌊2^52 / (P[7] + 1)⌋: an estimate, never too large, of how often p goes into a value from its last limb.
pub(super) const QUOTIENT: u64 = (1 << RADIX_BITS) / (P[7] + 1);

/// 384 bits as limbs of 52.
pub(super) const fn split(limbs: &[u64; 6]) -> [u64; LIMBS] {
    let mut out = [0; LIMBS];
    let mut i = 0;
    while i < LIMBS {
        let (at, offset) = (i * RADIX_BITS as usize / 64, i as u32 * RADIX_BITS % 64);
        out[i] = limbs[at] >> offset;
        if offset + RADIX_BITS > 64 && at + 1 < 6 {
            out[i] |= limbs[at + 1] << (64 - offset);
        }
        out[i] &= MASK;
        i += 1;
    }
    out
}

/// Limbs of 52 bits of a value below 2^384 as limbs of 64.
pub(super) fn joined(limbs: &[u64; LIMBS]) -> [u64; 6] {
    let mut out = [0; 6];
    for (i, limb) in limbs.iter().enumerate() {
        let (at, offset) = (i * RADIX_BITS as usize / 64, i as u32 * RADIX_BITS % 64);
        out[at] |= limb << offset;
        if offset + RADIX_BITS > 64 && at + 1 < 6 {
            out[at + 1] |= limb >> (64 - offset);
        }
    }
    out
}

const fn times_64(limbs: &[u64; LIMBS]) -> [u64; LIMBS] {
    let (mut out, mut i) = (*limbs, 0);
    while i < LIMBS {
        out[i] <<= 6;
        i += 1;
    }
    out
}

/// 2^exponent mod p.
pub(super) const fn power_of_two(exponent: u32) -> [u64; 6] {
    let mut value = [1, 0, 0, 0, 0, 0];
    let mut doublings = 0;
    while doublings < exponent {
        value = doubled(&value);
        if !is_below(&value, &MODULUS) {
            value = difference(&value, &MODULUS);
        }
        doublings += 1;
    }
    value
}

/// Twice a value below p, which leaves three bits of room.
const fn doubled(value: &[u64; 6]) -> [u64; 6] {
    let (mut out, mut i) = ([value[0] << 1, 0, 0, 0, 0, 0], 1);
    while i < 6 {
        out[i] = value[i] << 1 | value[i - 1] >> 63;
        i += 1;
    }
    out
}

pub(super) const fn is_below(a: &[u64; 6], b: &[u64; 6]) -> bool {
    let mut i = 6;
    while i > 0 {
        i -= 1;
        if a[i] != b[i] {
            return a[i] < b[i];
        }
    }
    false
}

pub(super) const fn difference(a: &[u64; 6], b: &[u64; 6]) -> [u64; 6] {
    let (mut out, mut borrow, mut i) = ([0; 6], false, 0);
    while i < 6 {
        let (less, first) = a[i].overflowing_sub(b[i]);
        let (less, second) = less.overflowing_sub(borrow as u64);
        (out[i], borrow) = (less, first || second);
        i += 1;
    }
    out
}

/// −1/odd mod 2^52, by Newton's iteration: each step doubles the bits that are right.
const fn negated_inverse(odd: u64) -> u64 {
    let (mut inverse, mut step) = (1_u64, 0);
    while step < 6 {
        inverse = inverse.wrapping_mul(2_u64.wrapping_sub(odd.wrapping_mul(inverse)));
        step += 1;
    }
    inverse.wrapping_neg() & MASK
}
