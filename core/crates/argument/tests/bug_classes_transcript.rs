//! Classes of faults in Fiat–Shamir transcripts, as docs/bug-classes.md numbers them.

mod support;

use argument::{Code, Statement, challenges};
use curve::{Domain, Scalar};
use support::example::{
    CONTEXT, Example, INVALID, drawn, example, in_order, layout, line, moved, replaced, rows, verdict, verdict_of_proof,
};

/// Whether every challenge differs.
fn all_differ(before: &[Scalar; 7], after: &[Scalar; 7]) -> bool {
    before.iter().zip(after).all(|(before, after)| before != after)
}

#[test]
fn frozen_heart_every_byte_of_every_commitment_is_absorbed() {
    let Example { inputs, proof, .. } = example();
    let original = drawn(inputs, CONTEXT, proof);
    for number in 0..inputs.len() {
        for at in 0..48 {
            let mut changed = inputs.clone();
            changed[number][at] ^= 1;
            assert!(all_differ(&original, &drawn(&changed, CONTEXT, proof)), "input {number}, byte {at}");
        }
    }
    // The auxiliary commitment stands first in the proof.
    for at in 0..48 {
        let changed = replaced(proof, at, &[proof[at] ^ 1]);
        assert!(all_differ(&original, &drawn(inputs, CONTEXT, &changed)), "auxiliary commitment, byte {at}");
    }
}

#[test]
fn frozen_heart_every_part_of_the_statement_is_absorbed() {
    let Example { statement, inputs, proof } = example();
    let original = in_order(challenges(statement, inputs, CONTEXT, proof).unwrap());
    let changes: [fn(&mut Vec<argument::Row>); 8] = [
        |rows| rows[2].constant = argument::Integer::from(1001),
        |rows| rows[2].constant = argument::Integer::from(-1000),
        |rows| rows[2].bits = 104,
        |rows| rows[2].weights[0] = vec![(0, 3)],
        |rows| rows[2].weights[0] = vec![(0, -2)],
        |rows| rows[2].weights[0] = vec![(1, 2)],
        |rows| rows[2].weights[1] = vec![],
        |rows| rows.swap(3, 4),
    ];
    for (number, change) in changes.iter().enumerate() {
        let mut changed = rows();
        change(&mut changed);
        let other = Statement::new(256, 3, 2, changed).unwrap();
        let after = in_order(challenges(&other, inputs, CONTEXT, proof).unwrap());
        assert!(all_differ(&original, &after), "change {number}");
        assert_eq!(verdict(&other, inputs, CONTEXT, proof), INVALID, "change {number}");
    }
}

#[test]
fn weak_fiat_shamir_every_byte_of_the_context_is_absorbed() {
    let Example { inputs, proof, .. } = example();
    let context: Vec<u8> = (0..=255).collect();
    let original = drawn(inputs, &context, proof);
    for at in 0..context.len() {
        let mut changed = context.clone();
        changed[at] ^= 0x80;
        assert!(all_differ(&original, &drawn(inputs, &changed, proof)), "byte {at}");
    }
    for length in [0, 1, 255] {
        assert!(all_differ(&original, &drawn(inputs, &context[..length], proof)), "length {length}");
    }
    assert!(all_differ(&original, &drawn(inputs, &[&context[..], &[0]].concat(), proof)));
}

#[test]
fn missing_component_every_byte_of_the_proof_changes_the_next_challenges_and_no_earlier_one() {
    let Example { inputs, proof, .. } = example();
    let original = drawn(inputs, CONTEXT, proof);
    let (points, scalars) = layout();
    // The first challenge after each element: 0 β, 3 y, 4 z, 5 v, 6 u.
    let first_after = [0, 0, 0, 0, 3, 3, 3, 3, 4, 6, 6];
    let elements = points.into_iter().map(|at| at..at + 48).zip(first_after);
    for (element, first) in elements.chain(scalars.into_iter().map(|at| at..at + 32).zip([5; 3])) {
        for at in element {
            let after = drawn(inputs, CONTEXT, &replaced(proof, at, &[proof[at] ^ 1]));
            for (number, (before, after)) in original.iter().zip(&after).enumerate() {
                assert_eq!(before == after, number < first, "byte {at}, challenge {number}");
            }
        }
    }
}

#[test]
fn one_challenge_for_two_uses_all_seven_differ() {
    let Example { inputs, proof, .. } = example();
    let drawn = drawn(inputs, CONTEXT, proof);
    for (number, challenge) in drawn.iter().enumerate() {
        assert!(!drawn[..number].contains(challenge), "challenge {number}");
    }
}

/// Where W_z and W_ωz stand, and z, ωz of the example.
fn openings() -> ([usize; 2], [Scalar; 2]) {
    let Example { inputs, proof, .. } = example();
    let (points, _) = layout();
    let z = drawn(inputs, CONTEXT, proof)[4];
    ([points[9], points[10]], [z, Domain::new(256).generator() * z])
}

#[test]
fn last_challenge_two_openings_cannot_cancel_out() {
    // (τ − z)·D + u·(τ − ωz)·D' = 0 for D = −u·s·(τ − ωz), D' = s·(τ − z): whoever knew u could move both openings.
    let Example { inputs, proof, .. } = example();
    let ([at_z, at_next], [z, next]) = openings();
    let u_of = |proof: &[u8]| drawn(inputs, CONTEXT, proof)[6];
    let one = Scalar::one();
    let with_z = |proof: &[u8], factor| replaced(proof, at_z, &moved(&proof[at_z..at_z + 48], &line(factor, next)));
    let with_next =
        |proof: &[u8], factor| replaced(proof, at_next, &moved(&proof[at_next..at_next + 48], &line(factor, z)));
    // Nothing absorbed: u is that of the honest proof.
    assert_eq!(verdict_of_proof(&with_z(&with_next(proof, one), -u_of(proof))), INVALID);
    // W_z not absorbed: first W_ωz, then u, then W_z.
    let first = with_next(proof, one);
    assert_eq!(verdict_of_proof(&with_z(&first, -u_of(&first))), INVALID);
    // W_ωz not absorbed: the other way round.
    let first = with_z(proof, one);
    assert_eq!(verdict_of_proof(&with_next(&first, -u_of(&first).invert().unwrap())), INVALID);
}

#[test]
fn vector_lengths_no_element_moves_to_a_neighbouring_list() {
    let Example { statement, inputs, proof } = example();
    // The auxiliary commitment as a third input: the points and the rows are the same, the statement is another.
    let all_inputs = Statement::new(256, 3, 3, rows()).unwrap();
    let moved = [&inputs[..], &[proof[..48].try_into().unwrap()]].concat();
    assert_eq!(verdict(&all_inputs, &moved, CONTEXT, &proof[48..]), INVALID);
    let before = in_order(challenges(statement, inputs, CONTEXT, proof).unwrap());
    let after = in_order(challenges(&all_inputs, &moved, CONTEXT, &proof[48..]).unwrap());
    assert!(all_differ(&before, &after));
    // An input as a second auxiliary vector: not even the statement stands, for nothing bounds its entries.
    assert_eq!(Statement::new(256, 3, 1, rows()).unwrap_err().code, Code::StatementUnboundAuxiliary);
    // A weight of one vector as a weight of the next one.
    let mut shifted = rows();
    shifted[3].weights = vec![vec![], vec![(0, 5)], vec![]];
    shifted[4].weights = vec![vec![(0, 5)], vec![], vec![]];
    let mut apart = shifted.clone();
    apart[3].weights.swap(0, 1);
    let digest = |rows| *Statement::new(256, 3, 2, rows).unwrap().digest();
    assert_ne!(digest(shifted), digest(apart));
}
