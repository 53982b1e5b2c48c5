//! Linear combinations of a few points that never change with secret factors, in constant time.
//!
//! Nothing that the processor does depends on the factors: each is cut into signed windows by arithmetic alone, every
//! entry of a window's table is read and all but one masked out, and each window costs one addition, whose formula
//! takes equal points, opposite points and infinity without a branch. Some three times as fast as
//! [`G1Affine::multiply_secret`], which must double what it is given.

use std::sync::OnceLock;

use blst::{blst_fp_cneg, blst_p1_add_or_double_affine, blst_p1_affine};
use subtle::ConstantTimeEq;
use zeroize::{Zeroize, Zeroizing};

use crate::g1::SCALAR_BITS;
use crate::scalar::SCALAR_BYTES;
use crate::{Engine, G1, G1Affine, Scalar, vector};

const WINDOW_BITS: usize = 6;

/// A window holds the multiples by 1 to 32: the digits are signed.
const WINDOW: usize = 1 << (WINDOW_BITS - 1);

/// One bit more than a factor has takes the carry.
const WINDOWS: usize = (SCALAR_BITS + 1).div_ceil(WINDOW_BITS);

const DIGIT_MASK: u16 = (1 << WINDOW_BITS) - 1;

/// Added to a digit it reaches the next window when the digit is above half of it.
const CARRY_FROM: i8 = WINDOW as i8 - 1;

/// Points with their multiples j·64^k, for 1 ≤ j ≤ 32 and k < 43: 129 KiB each.
#[derive(Debug)]
pub struct SecretBase {
    multiples: Vec<G1Affine>,
    /// The same for the vector engine, made when it first needs them: 172 KiB for each point.
    vector_windows: OnceLock<vector::Windows>,
}

impl SecretBase {
    /// Computes the multiples: some 0.7 ms for each point.
    pub fn new(points: &[G1Affine]) -> Self {
        let mut multiples = Vec::with_capacity(points.len() * WINDOWS * WINDOW);
        for point in points {
            let mut unit = G1::from(*point);
            for _ in 0..WINDOWS {
                let mut multiple = G1::infinity();
                for _ in 0..WINDOW {
                    multiple += unit;
                    multiples.push(multiple);
                }
                unit = multiple + multiple;
            }
        }
        let multiples = G1::batch_to_affine(&multiples).expect("small multiples of points of large prime order");
        Self { multiples, vector_windows: OnceLock::new() }
    }

    /// The memory that the multiples take: those for the vector engine count from when it first needs them.
    pub fn bytes(&self) -> usize {
        size_of_val(self.multiples.as_slice()) + self.vector_windows.get().map_or(0, vector::Windows::bytes)
    }

    /// Σ factorᵢ · pointᵢ over the first points, as many as there are factors. How many is no secret.
    ///
    /// # Panics
    /// When there are more factors than points, which is a mistake in the calling program.
    pub fn combine(&self, factors: &[Scalar]) -> G1 {
        self.combine_with(Engine::active(), factors)
    }

    fn combine_with(&self, engine: Engine, factors: &[Scalar]) -> G1 {
        let windows = self.multiples.as_chunks::<WINDOW>().0;
        assert!(factors.len() * WINDOWS <= windows.len(), "no more factors than points");
        let mut digits = Zeroizing::new(Vec::with_capacity(factors.len() * WINDOWS));
        for factor in factors {
            digits.extend_from_slice(&*Zeroizing::new(signed_digits(factor)));
        }
        match engine {
            Engine::Scalar => digits
                .iter()
                .zip(windows)
                .fold(G1::infinity(), |sum, (digit, window)| add(&sum, &select(window, *digit))),
            Engine::Vector => self.vector_windows().sum(&digits),
        }
    }

    fn vector_windows(&self) -> &vector::Windows {
        let make = || vector::Windows::new(&self.multiples, WINDOW).expect("a processor that runs the engine");
        self.vector_windows.get_or_init(make)
    }
}

/// Digits of [−31, 32], least significant first.
fn signed_digits(factor: &Scalar) -> [i8; WINDOWS] {
    let mut bytes = [0; SCALAR_BYTES + 1];
    let mut integer = factor.to_le_bytes();
    bytes[..SCALAR_BYTES].copy_from_slice(&integer);
    integer.zeroize();
    let mut carry = 0;
    let digits = core::array::from_fn(|window| {
        let (byte, shift) = (window * WINDOW_BITS / 8, window * WINDOW_BITS % 8);
        let both = u16::from_le_bytes([bytes[byte], bytes[byte + 1]]);
        let digit = (both >> shift & DIGIT_MASK) as i8 + carry;
        carry = (digit + CARRY_FROM) >> WINDOW_BITS;
        digit - (carry << WINDOW_BITS)
    });
    bytes.zeroize();
    digits
}

/// The entry |digit| with the sign of the digit; all zeros, which addition takes for infinity, for 0.
fn select(window: &[G1Affine; WINDOW], digit: i8) -> blst_p1_affine {
    let sign = digit >> (i8::BITS - 1);
    let magnitude = ((digit ^ sign) - sign) as u8;
    let mut entry = blst_p1_affine::default();
    for (candidate, number) in window.iter().zip(1_u8..) {
        let mask = u64::from(number.ct_eq(&magnitude).unwrap_u8()).wrapping_neg();
        take(&mut entry.x.l, &candidate.0.x.l, mask);
        take(&mut entry.y.l, &candidate.0.y.l, mask);
    }
    let y = entry.y;
    // SAFETY: reads one field element and writes another; 0 stays 0.
    unsafe { blst_fp_cneg(&mut entry.y, &y, sign != 0) };
    entry
}

/// Copies limbs into zeros where the mask is all ones.
fn take(limbs: &mut [u64; 6], from: &[u64; 6], mask: u64) {
    for (limb, other) in limbs.iter_mut().zip(from) {
        *limb |= other & mask;
    }
}

/// Not [`core::ops::Add`] of [`G1Affine`], which is never infinity.
fn add(sum: &G1, entry: &blst_p1_affine) -> G1 {
    let mut out = G1::infinity();
    // SAFETY: reads two points and writes one; complete for equal and opposite points and infinity on both sides.
    unsafe { blst_p1_add_or_double_affine(&mut out.0, &sum.0, entry) };
    out
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::linear_combination;

    fn points(count: u64) -> Vec<G1Affine> {
        (1..=count)
            .map(|number| G1Affine::generator().multiply_secret(&Scalar::from(number)).to_affine().unwrap())
            .collect()
    }

    /// What both engines agree on.
    fn combine(base: &SecretBase, factors: &[Scalar]) -> G1 {
        let sum = base.combine_with(Engine::Scalar, factors);
        assert!(Engine::supported().all(|engine| base.combine_with(engine, factors) == sum));
        sum
    }

    fn slowly(points: &[G1Affine], factors: &[Scalar]) -> G1 {
        let products = points.iter().zip(factors).map(|(point, factor)| point.multiply_secret(factor));
        products.fold(G1::infinity(), |sum, product| sum + product)
    }

    /// Around the half and the whole of every window, where carries begin and end, and both ends of the field.
    fn edges() -> Vec<Scalar> {
        let mut edges = vec![Scalar::ZERO, -Scalar::one()];
        let half = WINDOW as u64;
        for power in Scalar::from(2 * half).powers(WINDOWS) {
            for digit in [1, half - 1, half, half + 1, 2 * half - 1] {
                let value = power * Scalar::from(digit);
                edges.extend([value, value - Scalar::one(), value + Scalar::one(), -value]);
            }
        }
        edges
    }

    #[test]
    fn factors_at_the_edges_of_windows() {
        let points = points(1);
        let base = SecretBase::new(&points);
        for factor in edges() {
            assert!(combine(&base, &[factor]) == points[0].multiply_secret(&factor));
        }
    }

    #[test]
    fn every_digit_is_selected_with_its_sign() {
        let base = SecretBase::new(&points(1));
        let window = base.multiples.first_chunk::<WINDOW>().unwrap();
        for digit in -(WINDOW as i8) + 1..=WINDOW as i8 {
            let magnitude = Scalar::from(u64::from(digit.unsigned_abs()));
            let expected = points(1)[0].multiply_secret(&if digit < 0 { -magnitude } else { magnitude });
            assert!(add(&G1::infinity(), &select(window, digit)) == expected, "{digit}");
        }
    }

    #[test]
    fn equal_and_opposite_points_add_up() {
        let point = points(1)[0];
        let base = SecretBase::new(&[point, point, -point]);
        let (one, two) = (Scalar::one(), Scalar::from(2));
        assert!(combine(&base, &[one, one]) == point.multiply_secret(&two));
        assert!(combine(&base, &[one, one, two]).is_infinity());
        assert!(combine(&base, &[one, Scalar::ZERO, one]).is_infinity());
        assert!(combine(&base, &[]).is_infinity());
    }

    #[test]
    #[should_panic(expected = "no more factors than points")]
    fn more_factors_than_points() {
        SecretBase::new(&points(1)).combine(&[Scalar::one(); 2]);
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn combinations_are_those_of_single_multiplications(wide in proptest::collection::vec(any::<[u64; 8]>(), 0..=4)) {
            let factors: Vec<Scalar> = wide
                .iter()
                .map(|words| Scalar::from_wide_be_bytes(words.map(u64::to_be_bytes).as_flattened().try_into().unwrap()))
                .collect();
            let points = points(4);
            let sum = combine(&SecretBase::new(&points), &factors);
            prop_assert!(sum == slowly(&points, &factors));
            prop_assert!(sum == linear_combination(&points[..factors.len()], &factors));
        }
    }
}
