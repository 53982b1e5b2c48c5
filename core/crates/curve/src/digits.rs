//! Factors as digits: Eisenstein integers of least norm modulo a power of two.
//!
//! A factor a + bζ (see [`crate::endomorphism`]) is read as Σ dₖ·2^(wk) with dₖ = unit·representative, the units being the
//! powers of ζ. Units cost nothing, so a digit of 2w bits needs only (4^w − 1)/6 buckets or table entries, about a third
//! of what signs alone would leave.

use std::collections::HashMap;
use std::sync::OnceLock;

/// Windows that factors can be read with, in bits of each half.
pub(crate) const LEAST_WINDOW: u32 = 3;
/// The recoding table has 4^w entries.
pub(crate) const GREATEST_WINDOW: u32 = 7;

/// Halves of factors lie below X² < 2^128.
pub(crate) const HALF_BITS: u32 = 128;

/// With so many bits to spare the last digit is at most 2^(w−2), which is of least norm and carries nothing.
const SPARE_BITS: u32 = 2;

/// How factors are read with one window.
#[derive(Debug)]
pub(crate) struct Recoding {
    window: u32,
    /// By the residues of both halves.
    digits: Vec<Digit>,
    /// Digits up to units: a + bζ with a > 0 and b ≥ 0.
    representatives: Vec<(u8, u8)>,
}

/// One residue class modulo 2^w, by its element of least norm.
#[derive(Clone, Copy, Debug, Default)]
struct Digit {
    /// 0 for the digit 0, else one more than the position of its representative.
    number: u16,
    unit: u8,
    /// What the halves keep for the next digit.
    carries: (u8, u8),
}

/// A digit that is not 0: ζ^unit · representative · 2^(w·position).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Term {
    pub(crate) position: usize,
    pub(crate) representative: usize,
    pub(crate) unit: u8,
}

impl Recoding {
    /// For windows of so many bits.
    ///
    /// # Panics
    /// When there is no such window, which is a mistake in the calling program.
    pub(crate) fn of(window: u32) -> &'static Self {
        static TABLES: [OnceLock<Recoding>; (GREATEST_WINDOW - LEAST_WINDOW + 1) as usize] =
            [const { OnceLock::new() }; (GREATEST_WINDOW - LEAST_WINDOW + 1) as usize];
        assert!((LEAST_WINDOW..=GREATEST_WINDOW).contains(&window), "no window of this size");
        TABLES[(window - LEAST_WINDOW) as usize].get_or_init(|| Self::new(window))
    }

    fn new(window: u32) -> Self {
        let size = 1_i32 << window;
        let residues = (0..size).flat_map(|a| (0..size).map(move |b| (a, b)));
        let mut numbers = HashMap::new();
        let digits = residues.map(|residue| Digit::reduce(residue, size, &mut numbers)).collect();
        let mut representatives = vec![(0, 0); numbers.len()];
        for (representative, number) in numbers {
            representatives[usize::from(number) - 1] = representative;
        }
        Self { window, digits, representatives }
    }

    /// w.
    pub(crate) fn window(&self) -> u32 {
        self.window
    }

    /// How many digits a factor has whose halves have so many bits.
    pub(crate) fn positions(&self, half_bits: u32) -> usize {
        (half_bits + SPARE_BITS).div_ceil(self.window) as usize
    }

    /// Digits up to units: (a, b) for a + bζ, a > 0, b ≥ 0.
    pub(crate) fn representatives(&self) -> &[(u8, u8)] {
        &self.representatives
    }

    /// The digits that are not 0 of a factor a + bζ, in order; a and b as [`crate::endomorphism::split`] gives them.
    pub(crate) fn terms(&self, (a, b): (u128, u128)) -> Terms<'_> {
        Terms { recoding: self, a, b, position: 0 }
    }
}

impl Digit {
    /// The class of a + bζ; a new representative is given the next number.
    fn reduce((a, b): (i32, i32), size: i32, numbers: &mut HashMap<(u8, u8), u16>) -> Self {
        let reduced = |(carry_a, carry_b): (u8, u8)| (a - size * i32::from(carry_a), b - size * i32::from(carry_b));
        let candidates = [(0, 0), (0, 1), (1, 0), (1, 1)];
        let carries = candidates.into_iter().min_by_key(|carries| norm(reduced(*carries))).expect("four candidates");
        let (mut rest, mut unit) = (reduced(carries), 0);
        if rest == (0, 0) {
            return Self { number: 0, unit, carries };
        }
        while rest.0 <= 0 || rest.1 < 0 {
            rest = (rest.0 + rest.1, -rest.0); // divided by ζ, as 1/ζ = 1 − ζ
            unit += 1;
        }
        let next = numbers.len() as u16 + 1;
        let number = *numbers.entry((rest.0 as u8, rest.1 as u8)).or_insert(next);
        Self { number, unit, carries }
    }
}

/// |a + bζ|².
fn norm((a, b): (i32, i32)) -> i32 {
    a * a + a * b + b * b
}

/// The digits of one factor.
pub(crate) struct Terms<'a> {
    recoding: &'a Recoding,
    a: u128,
    b: u128,
    position: usize,
}

impl Iterator for Terms<'_> {
    type Item = Term;

    #[inline]
    fn next(&mut self) -> Option<Term> {
        let window = self.recoding.window;
        let mask = (1 << window) - 1;
        while self.a | self.b != 0 {
            let residues = (self.a & mask) << window | self.b & mask;
            let digit = self.recoding.digits[residues as usize];
            self.a = (self.a >> window) + u128::from(digit.carries.0);
            self.b = (self.b >> window) + u128::from(digit.carries.1);
            let position = self.position;
            self.position += 1;
            if digit.number != 0 {
                return Some(Term { position, representative: usize::from(digit.number) - 1, unit: digit.unit });
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::Scalar;
    use crate::endomorphism::{EIGENVALUE, split};

    const WINDOWS: core::ops::RangeInclusive<u32> = LEAST_WINDOW..=GREATEST_WINDOW;

    fn scalar(integer: u128) -> Scalar {
        let mut bytes = [0; 32];
        bytes[16..].copy_from_slice(&integer.to_be_bytes());
        Scalar::from_be_bytes(&bytes).unwrap()
    }

    /// Σ ζ^unit · representative · 2^(w·position), with ζ as a scalar.
    fn value(recoding: &Recoding, halves: (u128, u128)) -> Scalar {
        let zeta = scalar(EIGENVALUE);
        let term = |term: Term| {
            assert!(term.position < recoding.positions(HALF_BITS));
            let (a, b) = recoding.representatives()[term.representative];
            let representative = Scalar::from(u64::from(a)) + Scalar::from(u64::from(b)) * zeta;
            let place = Scalar::from(2).pow(u64::from(recoding.window()) * term.position as u64);
            zeta.pow(u64::from(term.unit)) * representative * place
        };
        recoding.terms(halves).map(term).sum()
    }

    #[test]
    fn short_factors_have_no_digit_beyond_their_positions() {
        for (window, bits) in WINDOWS.flat_map(|window| (1..=HALF_BITS).map(move |bits| (window, bits))) {
            let recoding = Recoding::of(window);
            let largest = u128::MAX >> (HALF_BITS - bits);
            // One digit over and over: what it carries runs through to the end.
            let repeated = (0..1_u128 << window).map(|digit| {
                (0..bits).step_by(window as usize).fold(0, |value, place| value | digit << place) & largest
            });
            let halves: Vec<u128> = repeated.chain([largest, largest / 3, largest - largest / 9]).collect();
            for (a, b) in halves.iter().flat_map(|a| halves.iter().step_by(1 << (window - 3)).map(move |b| (*a, *b))) {
                assert!(recoding.terms((a, b)).all(|term| term.position < recoding.positions(bits)));
            }
        }
    }

    #[test]
    fn representatives_are_few_and_distinct_up_to_units() {
        for window in WINDOWS {
            let recoding = Recoding::of(window);
            let size = 1_usize << window;
            // Classes on the border of the hexagon have several elements of least norm: these are not all merged.
            let least = (size * size - 1) / 6;
            assert!((least..least + size).contains(&recoding.representatives().len()));
            assert!(recoding.representatives().iter().all(|(a, b)| *a > 0 && usize::from(*a.max(b)) <= size / 2));
        }
        assert_eq!(Recoding::of(3).representatives()[0], (1, 0));
    }

    #[test]
    fn halves_at_the_edges_are_read() {
        let last = EIGENVALUE - 1;
        let third = u128::MAX / 3; // 0101…
        for window in WINDOWS {
            let recoding = Recoding::of(window);
            assert_eq!(recoding.terms((0, 0)).count(), 0);
            for halves in [(1, 0), (0, 1), (last, 0), (0, last), (last, last), (third, third), (third, last)] {
                assert_eq!(value(recoding, halves), scalar(halves.0) + scalar(halves.1) * scalar(EIGENVALUE));
            }
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn digits_add_up_to_their_factor(window in WINDOWS, seed in any::<[u8; 32]>()) {
            let mut wide = [0; 64];
            wide[32..].copy_from_slice(&seed);
            let factor = Scalar::from_wide_be_bytes(&wide);
            prop_assert_eq!(value(Recoding::of(window), split(&factor)), factor);
        }
    }
}
