//! Sums and differences modulo r on limbs, little-endian: the calls into C took twice the time of the sums themselves.
//!
//! Without branches, as elements may be secret.

const LIMBS: usize = 4;

type Limbs = [u64; LIMBS];

/// The order r.
const MODULUS: Limbs = [0xffff_ffff_0000_0001, 0x53bd_a402_fffe_5bfe, 0x3339_d808_09a1_d805, 0x73ed_a753_299d_7d48];

/// a + b modulo r, for both below r.
#[inline]
pub(crate) fn add(a: Limbs, b: Limbs) -> Limbs {
    // r < 2^255: there is no carry out.
    let (sum, _) = add_whole(a, b);
    subtract_modulus(sum)
}

/// a − b modulo r, for both below r.
#[inline]
pub(crate) fn subtract(a: Limbs, b: Limbs) -> Limbs {
    let (difference, negative) = subtract_whole(a, b);
    let (raised, _) = add_whole(difference, MODULUS);
    select(negative, raised, difference)
}

/// Any limbs modulo r.
#[inline]
pub(crate) fn reduce(limbs: Limbs) -> Limbs {
    // 2^256 < 3r.
    subtract_modulus(subtract_modulus(limbs))
}

/// r less, unless that is negative.
#[inline]
fn subtract_modulus(limbs: Limbs) -> Limbs {
    let (less, negative) = subtract_whole(limbs, MODULUS);
    select(negative, limbs, less)
}

/// The sum modulo 2^256, and whether that is less than the sum.
#[inline]
fn add_whole(a: Limbs, b: Limbs) -> (Limbs, bool) {
    let mut sum = a;
    let mut carry = false;
    for (limb, addend) in sum.iter_mut().zip(b) {
        let (partial, first) = limb.overflowing_add(addend);
        let (full, second) = partial.overflowing_add(u64::from(carry));
        (*limb, carry) = (full, first | second);
    }
    (sum, carry)
}

/// The difference modulo 2^256, and whether it is negative.
#[inline]
fn subtract_whole(a: Limbs, b: Limbs) -> (Limbs, bool) {
    let mut difference = a;
    let mut borrow = false;
    for (limb, subtrahend) in difference.iter_mut().zip(b) {
        let (partial, first) = limb.overflowing_sub(subtrahend);
        let (full, second) = partial.overflowing_sub(u64::from(borrow));
        (*limb, borrow) = (full, first | second);
    }
    (difference, borrow)
}

/// `a` where the condition holds, else `b`.
#[inline]
fn select(condition: bool, a: Limbs, b: Limbs) -> Limbs {
    let mask = u64::from(condition).wrapping_neg();
    core::array::from_fn(|at| (a[at] & mask) | (b[at] & !mask))
}

#[cfg(test)]
mod tests {
    use blst::{blst_fr, blst_fr_add, blst_fr_sub};
    use proptest::prelude::*;

    use super::*;

    const ZERO: Limbs = [0; LIMBS];
    const LAST: Limbs = [MODULUS[0] - 1, MODULUS[1], MODULUS[2], MODULUS[3]];

    fn check(a: Limbs, b: Limbs) {
        let (left, right) = (blst_fr { l: a }, blst_fr { l: b });
        let (mut sum, mut difference) = (blst_fr::default(), blst_fr::default());
        // SAFETY: each call reads two field elements and writes one.
        unsafe {
            blst_fr_add(&mut sum, &left, &right);
            blst_fr_sub(&mut difference, &left, &right);
        }
        assert_eq!(add(a, b), sum.l, "{a:x?} + {b:x?}");
        assert_eq!(subtract(a, b), difference.l, "{a:x?} - {b:x?}");
    }

    #[test]
    fn sums_and_differences_at_the_edges_are_those_of_the_library() {
        let middle = [MODULUS[0] / 2 + (1 << 63), MODULUS[1] / 2, MODULUS[2] / 2, MODULUS[3] / 2];
        let edges = [ZERO, [1, 0, 0, 0], [u64::MAX, 0, 0, 0], [0, u64::MAX, u64::MAX, 0], middle, LAST];
        for a in edges {
            for b in edges {
                check(a, b);
            }
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(2_000) })]

        #[test]
        fn sums_and_differences_are_those_of_the_library(a in any::<Limbs>(), b in any::<Limbs>()) {
            check(reduce(a), reduce(b));
        }
    }

    #[test]
    fn every_multiple_of_the_modulus_is_taken_off() {
        let (twice, carry) = add_whole(MODULUS, MODULUS);
        assert!(!carry);
        assert_eq!((reduce(MODULUS), reduce(LAST)), (ZERO, LAST));
        assert_eq!((reduce(twice), reduce(subtract_whole(twice, [1, 0, 0, 0]).0)), (ZERO, LAST));
        let (rest, _) = subtract_whole(ZERO, twice); // 2^256 − 2r
        assert_eq!(reduce([u64::MAX; LIMBS]), subtract_whole(rest, [1, 0, 0, 0]).0);
    }
}
