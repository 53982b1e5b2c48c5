//! Classes of faults in decoders and counts, as docs/bug-classes.md numbers them.

mod support;

use argument::proof::EncodedPoint;
use argument::{Claim, Code, Integer, Opening, Row, Setup, Statement, add_commitments, verify_batch};
use curve::{G1Affine, MODULUS_BYTES};
use support::example::{
    CONTEXT, Example, INVALID, example, layout, replaced, verdict, verdict_of_proof, with, with_each_engine,
};
use support::row;

const INFINITY: EncodedPoint = {
    let mut bytes = [0; 48];
    bytes[0] = 0xc0;
    bytes
};

/// p, big-endian.
const FIELD: EncodedPoint = [
    0x1a, 0x01, 0x11, 0xea, 0x39, 0x7f, 0xe6, 0x9a, 0x4b, 0x1b, 0xa7, 0xb6, 0x43, 0x4b, 0xac, 0xd7, 0x64, 0x77, 0x4b,
    0x84, 0xf3, 0x85, 0x12, 0xbf, 0x67, 0x30, 0xd2, 0xa0, 0xf6, 0xb0, 0xf6, 0x24, 0x1e, 0xab, 0xff, 0xfe, 0xb1, 0x53,
    0xff, 0xff, 0xb9, 0xfe, 0xff, 0xff, 0xff, 0xff, 0xaa, 0xab,
];

/// The sum of two big-endian integers of the same length, and the carry.
fn sum<const LENGTH: usize>(a: &[u8; LENGTH], b: &[u8; LENGTH]) -> ([u8; LENGTH], u16) {
    let (mut out, mut carry) = ([0; LENGTH], 0);
    for at in (0..LENGTH).rev() {
        let wide = u16::from(a[at]) + u16::from(b[at]) + carry;
        (out[at], carry) = (wide as u8, wide >> 8);
    }
    (out, carry)
}

#[test]
fn zero_zero_a_proof_of_identities_is_no_proof() {
    with_each_engine(|| {
        let (points, scalars) = layout();
        let mut all = example().proof.clone();
        for at in &points {
            all = replaced(&all, *at, &INFINITY);
        }
        assert_eq!(verdict_of_proof(&all), Err((Code::PointAtInfinity, Some(4))));
        for at in &scalars {
            all = replaced(&all, *at, &[0; 32]);
        }
        assert_eq!(verdict_of_proof(&all), Err((Code::PointAtInfinity, Some(4))));
        let Example { statement, inputs, .. } = example();
        assert_eq!(verdict(statement, &[INFINITY; 2], CONTEXT, &all), Err((Code::PointAtInfinity, Some(2))));
        assert_eq!(verdict(statement, inputs, CONTEXT, &[0; 624]), Err((Code::PointEncoding, Some(4))));
        assert_eq!(add_commitments(&[INFINITY]).unwrap_err().code, Code::PointAtInfinity);
    });
}

#[test]
fn infinity_in_a_batch_spoils_no_other_claim() {
    with_each_engine(|| {
        let Example { statement, inputs, proof } = example();
        let good = Claim { statement, commitments: inputs, context: CONTEXT, proof };
        for at in layout().0 {
            let infinite = with(at, &INFINITY);
            let bad = Claim { proof: &infinite, ..good };
            let refused = verify_batch(Setup::global().unwrap(), &[good, bad, good]);
            let named: Vec<_> =
                refused.into_iter().map(|(position, error)| (position, error.code, error.step)).collect();
            assert_eq!(named, [(1, Code::PointAtInfinity, Some(4))]);
        }
    });
}

#[test]
fn aliasing_a_scalar_plus_the_order_is_refused() {
    for at in layout().1 {
        let scalar: [u8; 32] = example().proof[at..at + 32].try_into().unwrap();
        let (alias, carry) = sum(&scalar, &MODULUS_BYTES);
        assert_eq!(carry, 0);
        assert_eq!(verdict_of_proof(&with(at, &alias)), Err((Code::ScalarRange, Some(5))), "{at}");
    }
}

#[test]
fn aliasing_every_point_has_one_encoding() {
    with_each_engine(|| {
        let mut aliased = 0;
        for at in layout().0 {
            let encoded: EncodedPoint = example().proof[at..at + 48].try_into().unwrap();
            for flags in 0..8_u8 {
                let mut other = encoded;
                other[0] = (encoded[0] & 0x1f) | (flags << 5);
                let expected = match other[0] ^ encoded[0] {
                    0 => Ok(()),
                    0x20 => INVALID, // −P, another point
                    _ => Err((Code::PointEncoding, Some(4))),
                };
                assert_eq!(verdict_of_proof(&with(at, &other)), expected, "point at {at}, flags {flags:03b}");
            }
            let (flags, mut x) = (encoded[0] & 0xe0, encoded);
            x[0] &= 0x1f;
            let (mut unreduced, _) = sum(&x, &FIELD);
            if unreduced[0] < 0x20 {
                unreduced[0] |= flags;
                aliased += 1;
                assert_eq!(
                    verdict_of_proof(&with(at, &unreduced)),
                    Err((Code::PointEncoding, Some(4))),
                    "x + p at {at}"
                );
            }
        }
        assert!(aliased > 0, "about a quarter of all x leave room for x + p");
    });
}

#[test]
fn trailing_bytes_no_second_encoding_of_a_proof() {
    let proof = &example().proof;
    let refused = Err((Code::ProofLength, Some(3)));
    for extra in [&[0][..], &[0xff; 31], &[0; 32], &[0; 48], proof] {
        assert_eq!(verdict_of_proof(&[proof, extra].concat()), refused);
        assert_eq!(verdict_of_proof(&[extra, proof].concat()), refused);
    }
    // The first point in its uncompressed form of 96 bytes, the length made up for at the end or not.
    let long = [&[0; 96][..], &proof[48..]].concat();
    assert_eq!(verdict_of_proof(&long), refused);
    assert_eq!(verdict_of_proof(&long[..proof.len()]), Err((Code::PointEncoding, Some(4))));
}

#[test]
fn malleability_nobody_makes_a_second_proof_of_a_first() {
    let (points, scalars) = layout();
    for at in points {
        let encoded = example().proof[at..at + 48].try_into().unwrap();
        let negated = (-G1Affine::from_bytes(&encoded).unwrap()).to_bytes();
        assert_eq!(verdict_of_proof(&with(at, &negated)), INVALID);
    }
    for at in scalars {
        let scalar = curve::Scalar::from_be_bytes(example().proof[at..at + 32].try_into().unwrap()).unwrap();
        assert_eq!(verdict_of_proof(&with(at, &(-scalar).to_be_bytes())), INVALID);
    }
}

#[test]
fn oversized_counts_are_refusals_and_no_panics() {
    let one = |bits| vec![row(bits, 0, &[&[(0, 1)]])];
    for bits in [0, 1, 64 + 1, 128 + 8, 1 << 31, u32::MAX] {
        assert_eq!(Statement::new(256, 1, 1, one(bits)).unwrap_err().code, Code::StatementShape, "{bits}");
    }
    for (n, vectors, inputs, limit) in [
        (256, usize::MAX, 1, "n times the number of vectors must not exceed 65536"),
        (2048, 33, 33, "n times the number of vectors must not exceed 65536"),
        (usize::MAX, 1, 1, "n must be 256, 512, 1024 or 2048"),
        (256, 1, usize::MAX, "the number of inputs must be 1 to the number of vectors"),
    ] {
        let refused = Statement::new(n, vectors, inputs, one(8)).unwrap_err();
        assert_eq!((refused.code, &refused.message[..]), (Code::StatementShape, limit));
    }
    assert_eq!(
        Statement::new(256, 1, 1, vec![row(8, 0, &[&[(0, 1)]]); 1_000_000]).unwrap_err().code,
        Code::StatementShape
    );
    let Example { statement, inputs, proof } = example();
    let many = inputs.repeat(500_000);
    assert_eq!(verdict(statement, &many, CONTEXT, proof), Err((Code::CommitmentCount, Some(2))));
    assert_eq!(Opening::new(256, [(u32::MAX, Integer::from(1))], &[1; 32]).unwrap_err().code, Code::EntryRange);
    let context = vec![7; 10_000_000];
    assert_eq!(verdict(statement, inputs, &context, proof), INVALID);
}

#[test]
fn work_for_an_attacker_cheap_checks_come_first() {
    // Every fault at once: the first step whose fault is left answers, so that no point is decoded before the counts.
    let Example { statement, inputs, .. } = example();
    let (points, scalars) = layout();
    let mut broken = with(points[3], &INFINITY);
    broken = replaced(&broken, scalars[1], &[0xff; 32]);
    let long = [&broken[..], &[0; 1_000_000]].concat();
    assert_eq!(verdict(statement, &[INFINITY], CONTEXT, &long), Err((Code::CommitmentCount, Some(2))));
    assert_eq!(verdict(statement, &[INFINITY; 2], CONTEXT, &long), Err((Code::PointAtInfinity, Some(2))));
    assert_eq!(verdict(statement, inputs, CONTEXT, &long), Err((Code::ProofLength, Some(3))));
    assert_eq!(verdict(statement, inputs, CONTEXT, &broken), Err((Code::PointAtInfinity, Some(4))));
    let scalar = with(scalars[1], &[0xff; 32]);
    assert_eq!(verdict(statement, inputs, CONTEXT, &scalar), Err((Code::ScalarRange, Some(5))));
    // A statement is refused before its rows are read.
    let unordered = Row { bits: 9, constant: Integer::ZERO, weights: vec![vec![(5, 0), (5, 0)]] };
    assert_eq!(Statement::new(300, 1, 1, vec![unordered]).unwrap_err().message, "n must be 256, 512, 1024 or 2048");
}
