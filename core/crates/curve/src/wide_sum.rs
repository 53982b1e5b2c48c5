//! Σ weightᵢ · elementᵢ for integer weights below 2^64: products are added up unreduced and reduced once at the end.

use blst::blst_fr;

use crate::{Scalar, limbs};

/// Room for 2^64 products of an element below 2^255 and a weight below 2^64.
const LIMBS: usize = 6;

const ELEMENT_LIMBS: usize = 4;

/// A sum being built.
#[derive(Clone, Copy, Debug, Default)]
pub struct WideSum([u64; LIMBS]);

impl WideSum {
    /// Σ weight · element over a run of terms.
    #[inline]
    pub fn of<'a>(terms: impl IntoIterator<Item = (u64, &'a Scalar)>) -> Self {
        let mut sum = Self::default();
        for (weight, element) in terms {
            sum.add(weight, element);
        }
        sum
    }

    /// Adds weight · element.
    #[inline]
    pub fn add(&mut self, weight: u64, element: &Scalar) {
        let (low, high) = self.0.split_at_mut(ELEMENT_LIMBS);
        let mut carry = 0;
        for (limb, factor) in low.iter_mut().zip(element.0.l) {
            let sum = u128::from(factor) * u128::from(weight) + u128::from(*limb) + carry;
            *limb = sum as u64;
            carry = sum >> u64::BITS;
        }
        let (sum, overflow) = high[0].overflowing_add(carry as u64);
        high[0] = sum;
        high[1] += u64::from(overflow);
    }

    /// The sum in the field. Elements are kept in Montgomery form, and a sum of integer multiples of them is their sum
    /// in that form: only the reduction modulo r is missing.
    pub fn reduce(&self) -> Scalar {
        let [low @ .., high0, high1] = self.0;
        // What lies above 2^256 enters as an integer and comes out in Montgomery form: times 2^256 modulo r.
        Scalar::from_limbs([high0, high1, 0, 0]) + Scalar(blst_fr { l: limbs::reduce(low) })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn slowly(terms: &[(u64, Scalar)]) -> Scalar {
        terms.iter().map(|(weight, element)| Scalar::from(*weight) * *element).sum()
    }

    fn sum(terms: &[(u64, Scalar)]) -> Scalar {
        WideSum::of(terms.iter().map(|(weight, element)| (*weight, element))).reduce()
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn sums_are_those_of_the_field(raw in proptest::collection::vec((any::<u64>(), any::<[u64; 8]>()), 0..40)) {
            let terms: Vec<(u64, Scalar)> = raw
                .iter()
                .map(|(weight, wide)| {
                    let bytes: Vec<u8> = wide.iter().flat_map(|word| word.to_be_bytes()).collect();
                    (*weight, Scalar::from_wide_be_bytes(&bytes.try_into().unwrap()))
                })
                .collect();
            prop_assert_eq!(sum(&terms), slowly(&terms));
        }
    }

    #[test]
    fn the_largest_terms_fit() {
        // −1/2^256 is kept as r − 1, the largest limbs of all.
        let largest = -(Scalar::from(2).pow(256).invert().unwrap());
        for element in [largest, -Scalar::one()] {
            let terms = vec![(u64::MAX, element); 65_536];
            assert_eq!(sum(&terms), slowly(&terms));
            assert_eq!(sum(&terms[..1]), slowly(&terms[..1]));
        }
        assert_eq!(sum(&[]), Scalar::ZERO);
        assert_eq!(sum(&[(0, largest), (1, Scalar::ZERO)]), Scalar::ZERO);
    }
}
