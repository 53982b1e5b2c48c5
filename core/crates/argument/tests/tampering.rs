//! Nothing that was changed is accepted: elements of proofs, commitments, contexts, statements.

mod support;

use argument::proof::{EncodedPoint, ProofBytes};
use argument::{Code, Statement, challenges};
use curve::{G1, G1Affine, MODULUS_BYTES, Scalar};
use proptest::prelude::*;
use support::example::{
    CONTEXT, Example, INVALID, example, layout, rows, verdict, verdict_of_proof, with, with_each_engine,
};

#[test]
fn the_untouched_proof_is_accepted() {
    let (points, scalars) = layout();
    assert_eq!(points.len() * 48 + scalars.len() * 32, example().proof.len());
    assert_eq!(verdict_of_proof(&example().proof), Ok(()));
}

#[test]
fn every_point_is_needed() {
    let other = G1Affine::generator().to_bytes();
    for at in layout().0 {
        assert_eq!(verdict_of_proof(&with(at, &other)), INVALID, "{at}");
        let original = G1Affine::from_bytes(example().proof[at..at + 48].try_into().unwrap()).unwrap();
        let doubled = (G1::from(original) + &original).to_affine().unwrap().to_bytes();
        assert_eq!(verdict_of_proof(&with(at, &doubled)), INVALID, "{at}");
        assert_eq!(verdict_of_proof(&with(at, &(-original).to_bytes())), INVALID, "{at}");
    }
}

#[test]
fn every_scalar_is_needed() {
    for at in layout().1 {
        let original = Scalar::from_be_bytes(example().proof[at..at + 32].try_into().unwrap()).unwrap();
        for other in [original + Scalar::one(), -original, Scalar::ZERO] {
            assert_eq!(verdict_of_proof(&with(at, &other.to_be_bytes())), INVALID, "{at}");
        }
    }
}

#[test]
fn elements_may_not_change_places() {
    let (points, scalars) = layout();
    for pair in points.windows(2) {
        let proof = &example().proof;
        let (first, second) = (proof[pair[0]..pair[0] + 48].to_vec(), proof[pair[1]..pair[1] + 48].to_vec());
        let mut swapped = with(pair[0], &second);
        swapped[pair[1]..pair[1] + 48].copy_from_slice(&first);
        assert_eq!(verdict_of_proof(&swapped), INVALID);
    }
    let proof = &example().proof;
    let mut swapped = with(scalars[0], &proof[scalars[1]..scalars[1] + 32]);
    swapped[scalars[1]..scalars[1] + 32].copy_from_slice(&proof[scalars[0]..scalars[0] + 32]);
    assert_eq!(verdict_of_proof(&swapped), INVALID);
}

#[test]
fn points_are_decoded_strictly_at_step_4() {
    with_each_engine(|| {
        let mut infinity = [0; 48];
        infinity[0] = 0xc0;
        let (mut outside, mut off_curve) = ([0; 48], [0; 48]);
        (outside[0], outside[47]) = (0x80, 4);
        (off_curve[0], off_curve[47]) = (0x80, 1);
        for at in layout().0 {
            let refused =
                |bytes: &[u8], code| assert_eq!(verdict_of_proof(&with(at, bytes)), Err((code, Some(4))), "{at}");
            refused(&infinity, Code::PointAtInfinity);
            refused(&outside, Code::PointNotInSubgroup);
            refused(&off_curve, Code::PointEncoding);
            refused(&[0; 48], Code::PointEncoding);
            refused(&[0xff; 48], Code::PointEncoding);
            refused(&[example().proof[at] ^ 0x80], Code::PointEncoding);
        }
    });
}

#[test]
fn a_point_of_small_order_makes_no_second_proof() {
    with_each_engine(|| {
        // (0, 2) has order 3: added to W_ωz it would survive a check that only clears the cofactor of the pairing's inputs.
        let mut order_three = [0; 48];
        order_three[0] = 0x80;
        assert_eq!(G1Affine::from_bytes(&order_three), Err(curve::PointError::NotInSubgroup));
        for at in layout().0 {
            assert_eq!(verdict_of_proof(&with(at, &order_three)), Err((Code::PointNotInSubgroup, Some(4))));
        }
    });
}

#[test]
fn scalars_are_decoded_strictly_at_step_5() {
    for at in layout().1 {
        for bytes in [MODULUS_BYTES, [0xff; 32]] {
            assert_eq!(verdict_of_proof(&with(at, &bytes)), Err((Code::ScalarRange, Some(5))));
        }
    }
}

#[test]
fn lengths_are_exact() {
    let proof = &example().proof;
    let refused = Err((Code::ProofLength, Some(3)));
    for length in [0, 1, proof.len() - 48, proof.len() - 1] {
        assert_eq!(verdict_of_proof(&proof[..length]), refused);
    }
    assert_eq!(verdict_of_proof(&[proof.as_slice(), &[0]].concat()), refused);
    assert_eq!(verdict_of_proof(&[proof.as_slice(), proof].concat()), refused);
}

#[test]
fn context_statement_and_commitments_are_bound() {
    let Example { statement, inputs, proof } = example();
    for context in [&b""[..], b"venue-b|epoch-1", b"venue-a|epoch-1 ", b"venue-a|epoch-"] {
        assert_eq!(verdict(statement, inputs, context, proof), INVALID);
    }
    for change in 0..4 {
        let mut changed = rows();
        match change {
            0 => changed[2].constant = argument::Integer::from(1001),
            1 => changed[2].weights[0] = vec![(0, 3)],
            2 => changed[2].bits = 104,
            _ => changed.swap(3, 4),
        }
        let other = Statement::new(256, 3, 2, changed).unwrap();
        assert_eq!(verdict(&other, inputs, CONTEXT, proof), INVALID, "{change}");
    }
    let swapped = [inputs[1], inputs[0]];
    assert_eq!(verdict(statement, &swapped, CONTEXT, proof), INVALID);
    let other = G1Affine::generator().to_bytes();
    assert_eq!(verdict(statement, &[inputs[0], other], CONTEXT, proof), INVALID);
}

#[test]
fn input_commitments_are_checked_at_step_2() {
    let Example { statement, inputs, proof } = example();
    let refused = |commitments: &[EncodedPoint], code| {
        assert_eq!(verdict(statement, commitments, CONTEXT, proof), Err((code, Some(2))));
    };
    refused(&[], Code::CommitmentCount);
    refused(&inputs[..1], Code::CommitmentCount);
    refused(&[inputs[0], inputs[1], inputs[1]], Code::CommitmentCount);
    let (mut infinity, mut outside) = ([0; 48], [0; 48]);
    infinity[0] = 0xc0;
    (outside[0], outside[47]) = (0x80, 4);
    refused(&[inputs[0], infinity], Code::PointAtInfinity);
    refused(&[outside, inputs[1]], Code::PointNotInSubgroup);
    refused(&[[0; 48], inputs[1]], Code::PointEncoding);
}

#[test]
fn challenges_of_a_wrong_length_or_count_are_refused() {
    let Example { statement, inputs, proof } = example();
    assert_eq!(challenges(statement, inputs, CONTEXT, &proof[1..]).unwrap_err().code, Code::ProofLength);
    assert_eq!(challenges(statement, &inputs[1..], CONTEXT, proof).unwrap_err().code, Code::CommitmentCount);
}

#[test]
fn proofs_split_and_join() {
    let Example { statement, proof, .. } = example();
    assert_eq!(ProofBytes::split(statement, proof).unwrap().join(), *proof);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_flipped_bit_is_refused(at in 0..8 * 624_usize) {
        let proof = &example().proof;
        prop_assert_eq!(proof.len(), 624);
        prop_assert!(verdict_of_proof(&with(at / 8, &[proof[at / 8] ^ (1 << (at % 8))])).is_err());
    }

    #[test]
    fn any_bytes_give_a_verdict(bytes in proptest::collection::vec(any::<u8>(), 624), commitment in any::<[u8; 24]>()) {
        prop_assert!(verdict_of_proof(&bytes).is_err());
        let doubled: EncodedPoint = [commitment, commitment].concat().try_into().unwrap();
        let Example { statement, proof, .. } = example();
        prop_assert!(verdict(statement, &[doubled, doubled], CONTEXT, proof).is_err());
    }
}
