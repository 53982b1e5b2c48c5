//! Decoding in lanes against decoding one by one, which is that of `blst`.

use proptest::prelude::*;

use super::*;
use crate::{Engine, G1, Scalar};

/// The primes of the cofactor 3 · 11² · 10177² · 859267² · 52437899².
const COFACTOR_PRIMES: [u64; 5] = [3, 11, 10177, 859_267, 52_437_899];

/// Compares what each of the encodings gives, in lists of one, of less and of more than a vector, and of more than two.
fn check(encoded: &[[u8; G1_BYTES]]) {
    if !Engine::Vector.is_supported() {
        eprintln!("this processor has no AVX-512 IFMA: nothing to compare");
        return;
    }
    let expected: Vec<_> = encoded.iter().map(G1Affine::from_bytes).collect();
    for length in [1, 7, 9, 16, 17, encoded.len()] {
        for (encoded, expected) in encoded.chunks(length).zip(expected.chunks(length)) {
            // SAFETY: the processor has the features.
            assert_eq!(unsafe { decode(encoded) }, expected);
        }
    }
}

fn multiple(factor: u64) -> [u8; G1_BYTES] {
    let point = G1Affine::generator().multiply_secret(&Scalar::from(factor));
    point.to_affine().expect("a factor that is not 0").to_bytes()
}

/// An encoding with these flags in its three highest bits, and this number.
fn flagged(flags: u8, mut number: [u8; G1_BYTES]) -> [u8; G1_BYTES] {
    number[0] = number[0] & 0x1f | flags << 5;
    number
}

/// p plus a small number, big-endian.
fn near_modulus(distance: i64) -> [u8; G1_BYTES] {
    let mut bytes = [0; G1_BYTES];
    for (chunk, limb) in bytes.rchunks_exact_mut(8).zip(MODULUS) {
        chunk.copy_from_slice(&limb.to_be_bytes());
    }
    let lowest = MODULUS[0].checked_add_signed(distance).expect("no carry");
    bytes[40..].copy_from_slice(&lowest.to_be_bytes());
    bytes
}

/// A point of the curve with a small x, wherever it lies.
fn curve_point(x: u64) -> Option<G1Affine> {
    let mut number = [0; G1_BYTES];
    number[40..].copy_from_slice(&x.to_be_bytes());
    G1Affine::from_pinned_bytes(&flagged(0b100, number)).ok()
}

/// `factor` times a point of the curve, with additions that are right outside G1 too.
fn multiplied(point: G1, factor: &[u8]) -> G1 {
    let bits = factor.iter().flat_map(|byte| (0..8).rev().map(move |bit| byte >> bit & 1));
    bits.fold(G1::infinity(), |sum, bit| if bit == 1 { sum + sum + point } else { sum + sum })
}

/// Points outside G1 whose order is one of the primes, for each prime.
fn points_of_cofactor_order() -> Vec<G1Affine> {
    let order_of = |prime: u64| {
        (1..).filter_map(curve_point).find_map(|point| {
            let start = multiplied(G1::from(point), &crate::MODULUS_BYTES);
            let others = COFACTOR_PRIMES.into_iter().filter(|other| *other != prime);
            let powers = others.flat_map(|other| if other == 3 { vec![other] } else { vec![other; 2] });
            let rest = powers.fold(start, |point, other| multiplied(point, &other.to_be_bytes()));
            assert!(multiplied(multiplied(rest, &prime.to_be_bytes()), &prime.to_be_bytes()).is_infinity());
            rest.to_affine().filter(|_| multiplied(rest, &prime.to_be_bytes()).is_infinity())
        })
    };
    COFACTOR_PRIMES.into_iter().map(|prime| order_of(prime).expect("the curve has points of this order")).collect()
}

#[test]
fn every_flag_and_every_edge_is_judged_as_one_by_one() {
    let mut garbage = [0; G1_BYTES];
    let mut numbers = vec![garbage, [0xff; G1_BYTES], multiple(1), multiple(2)];
    numbers.extend((-3..=3).map(near_modulus));
    for byte in 0..G1_BYTES {
        garbage = [0; G1_BYTES];
        garbage[byte] = 1;
        numbers.push(garbage);
    }
    let encoded: Vec<_> = numbers.iter().flat_map(|number| (0..8).map(|flags| flagged(flags, *number))).collect();
    check(&encoded);
    let expected = [
        (flagged(0b110, [0; G1_BYTES]), PointError::Infinity),
        (flagged(0b111, [0; G1_BYTES]), PointError::Encoding),
        (flagged(0b100, [0; G1_BYTES]), PointError::NotInSubgroup), // x = 0, order 3
        (flagged(0b100, near_modulus(0)), PointError::Encoding),
        (flagged(0b000, multiple(2)), PointError::Encoding),
    ];
    for (encoded, error) in expected {
        assert_eq!(G1Affine::from_bytes(&encoded), Err(error));
    }
}

#[test]
fn bits_of_a_good_encoding_are_flipped() {
    let good = multiple(77);
    let encoded: Vec<_> = (0..8 * G1_BYTES)
        .map(|bit| {
            let mut flipped = good;
            flipped[bit / 8] ^= 1 << (bit % 8);
            flipped
        })
        .collect();
    check(&encoded);
}

#[test]
fn points_of_other_orders_are_outside() {
    let strangers = points_of_cofactor_order();
    let mut encoded = Vec::new();
    for (number, stranger) in strangers.iter().enumerate() {
        for factor in [1_u64, 2, 3, 5, 0xd201_0000_0001_0000] {
            let multiple = multiplied(G1::from(*stranger), &factor.to_be_bytes());
            let moved = multiple + G1Affine::generator().multiply_secret(&Scalar::from(factor + number as u64));
            encoded.extend([multiple, -multiple, moved].iter().filter_map(G1::to_affine).map(|point| point.to_bytes()));
        }
    }
    let sums = strangers.iter().scan(G1::infinity(), |sum, point| {
        *sum += point;
        Some(*sum)
    });
    encoded.extend(sums.filter_map(|sum| sum.to_affine()).map(|point| point.to_bytes()));
    assert!(encoded.iter().filter(|bytes| G1Affine::from_bytes(bytes) == Err(PointError::NotInSubgroup)).count() > 70);
    check(&encoded);
}

#[test]
fn one_bad_point_never_touches_its_neighbours() {
    let stranger = (1..).find_map(curve_point).expect("half of all numbers are an x").to_bytes();
    assert_eq!(G1Affine::from_bytes(&stranger), Err(PointError::NotInSubgroup));
    for bad in [stranger, [0; G1_BYTES], flagged(0b110, [0; G1_BYTES]), flagged(0b100, near_modulus(0))] {
        for place in 0..19 {
            let mut encoded: Vec<_> = (1..20).map(multiple).collect();
            encoded[place] = bad;
            check(&encoded);
        }
    }
}

#[test]
fn a_hundred_thousand_random_numbers_are_judged_as_one_by_one() {
    if !Engine::Vector.is_supported() {
        eprintln!("this processor has no AVX-512 IFMA: nothing to compare");
        return;
    }
    // x steps through the field by a number without pattern; half of them are on the curve.
    let mut number = 1_u128;
    let mut encoded = Vec::new();
    for _ in 0..100_000 {
        let mut bytes = [0; G1_BYTES];
        for chunk in bytes.chunks_mut(8) {
            number = number.wrapping_mul(0xda94_2042_e4dd_58b5_2e46_8f3b_0a5d_1c33).wrapping_add(1);
            chunk.copy_from_slice(&((number >> 64) as u64).to_be_bytes());
        }
        encoded.push(flagged(0b100 | (number & 1) as u8, bytes));
    }
    let expected: Vec<_> = encoded.iter().map(G1Affine::from_bytes).collect();
    // SAFETY: the processor has the features.
    assert_eq!(unsafe { decode(&encoded) }, expected);
    for error in [PointError::Encoding, PointError::NotInSubgroup] {
        assert!(expected.iter().filter(|found| **found == Err(error)).count() > 30_000);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn mixtures_are_judged_as_one_by_one(
        kinds in proptest::collection::vec((0_u8..4, any::<[u8; 32]>(), any::<u16>()), 1..40),
    ) {
        let encoded: Vec<_> = kinds.into_iter().map(|(kind, seed, small)| {
            let good = multiple(u64::from(small) + 1);
            let mut spread = [0; G1_BYTES];
            spread[..32].copy_from_slice(&seed);
            match kind {
                0 => good,
                1 => flagged(seed[0] >> 5, good),
                2 => flagged(0b100, spread),
                _ => {
                    let mut changed = good;
                    changed[usize::from(seed[0]) % G1_BYTES] ^= seed[1];
                    changed
                }
            }
        }).collect();
        check(&encoded);
    }
}
