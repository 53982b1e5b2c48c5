//! Σ weightᵢ · elementᵢ for small integer weights: products are added up unreduced and reduced once at the end.

use blst::{blst_fr, blst_lendian_from_scalar, blst_scalar, blst_scalar_from_le_bytes};

use crate::Scalar;
use crate::scalar::SCALAR_BYTES;

/// Room for 2^64 products of an element below 2^255 and a weight below 2^64.
const LIMBS: usize = 6;

/// A sum being built; positive and negative weights apart.
#[derive(Clone, Copy, Debug, Default)]
pub struct WideSum {
    positive: [u64; LIMBS],
    negative: [u64; LIMBS],
}

impl WideSum {
    /// Adds weight · element.
    ///
    /// # Panics
    /// When |weight| ≥ 2^64, which is a mistake in the calling program.
    #[inline]
    pub fn add(&mut self, weight: i128, element: &Scalar) {
        let magnitude = u64::try_from(weight.unsigned_abs()).expect("weights lie below 2^64");
        let limbs = if weight < 0 { &mut self.negative } else { &mut self.positive };
        let mut carry = 0;
        for (at, limb) in limbs.iter_mut().enumerate() {
            let product = element.0.l.get(at).map_or(0, |factor| u128::from(*factor) * u128::from(magnitude));
            let sum = product + u128::from(*limb) + carry;
            *limb = sum as u64;
            carry = sum >> u64::BITS;
        }
    }

    /// The sum in the field.
    pub fn reduce(&self) -> Scalar {
        reduced(&self.positive) - reduced(&self.negative)
    }
}

/// Elements are kept in Montgomery form, and a sum of integer multiples of them is their sum in that form: only the
/// reduction modulo r is missing.
fn reduced(limbs: &[u64; LIMBS]) -> Scalar {
    let mut wide = [0; 8 * LIMBS];
    for (bytes, limb) in wide.as_chunks_mut().0.iter_mut().zip(limbs) {
        *bytes = limb.to_le_bytes();
    }
    let (mut integer, mut bytes) = (blst_scalar::default(), [0; SCALAR_BYTES]);
    // SAFETY: reads the 48 bytes it is told to and writes one scalar, reduced modulo r; its result only says whether
    // that is zero, which is allowed here.
    unsafe { blst_scalar_from_le_bytes(&mut integer, wide.as_ptr(), wide.len()) };
    // SAFETY: reads one scalar, writes exactly 32 bytes.
    unsafe { blst_lendian_from_scalar(bytes.as_mut_ptr(), &integer) };
    let mut element = blst_fr::default();
    for (limb, bytes) in element.l.iter_mut().zip(bytes.as_chunks().0) {
        *limb = u64::from_le_bytes(*bytes);
    }
    Scalar(element)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn slowly(terms: &[(i128, Scalar)]) -> Scalar {
        let scaled = |(weight, element): &(i128, Scalar)| {
            let magnitude = Scalar::from(u64::try_from(weight.unsigned_abs()).unwrap());
            if *weight < 0 { -(magnitude * *element) } else { magnitude * *element }
        };
        terms.iter().map(scaled).sum()
    }

    fn sum(terms: &[(i128, Scalar)]) -> Scalar {
        let mut sum = WideSum::default();
        for (weight, element) in terms {
            sum.add(*weight, element);
        }
        sum.reduce()
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn sums_are_those_of_the_field(raw in proptest::collection::vec((any::<u64>(), any::<bool>(), any::<[u64; 8]>()), 0..40)) {
            let terms: Vec<(i128, Scalar)> = raw
                .iter()
                .map(|(magnitude, negative, wide)| {
                    let bytes: Vec<u8> = wide.iter().flat_map(|word| word.to_be_bytes()).collect();
                    let weight = i128::from(*magnitude);
                    let element = Scalar::from_wide_be_bytes(&bytes.try_into().unwrap());
                    (if *negative { -weight } else { weight }, element)
                })
                .collect();
            prop_assert_eq!(sum(&terms), slowly(&terms));
        }
    }

    #[test]
    fn the_largest_terms_fit() {
        let last = -Scalar::one();
        let most = i128::from(u64::MAX);
        let terms: Vec<(i128, Scalar)> = (0..65_536).map(|at| (if at % 2 == 0 { most } else { -most }, last)).collect();
        assert_eq!(sum(&terms), slowly(&terms));
        assert_eq!(sum(&terms[..1]), slowly(&terms[..1]));
        assert_eq!(sum(&[]), Scalar::ZERO);
        assert_eq!(sum(&[(0, last), (1, Scalar::ZERO)]), Scalar::ZERO);
    }
}
