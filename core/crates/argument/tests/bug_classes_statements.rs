//! Classes of faults in what is proven, as docs/bug-classes.md numbers them.

mod support;

use argument::{Claim, Code, Opening, Row, Setup, Statement, prove, verify_batch};
use support::example::{CONTEXT, Example, INVALID, Verdict, example, openings, rows, verdict};
use support::{Seeded, opening, row};

#[test]
fn packed_digits_no_row_pays_for_its_neighbour() {
    // The digits of all rows lie side by side: 256 would be digit 0 and a carry into the row after it.
    let setup = Setup::global().unwrap();
    let two = |first: i128, second: i128| {
        let statement = Statement::new(
            256,
            1,
            1,
            vec![row(8, first, &[&[(0, 1)]]), row(8, second, &[&[(1, 1)]]), row(16, 0, &[&[(2, 1)]])],
        );
        prove(setup, &statement.unwrap(), &[&opening(256, &[], &mut Seeded(1))], b"")
            .map_err(|error| (error.code, error.row))
    };
    assert!(two(255, 255).is_ok());
    assert_eq!(two(256, 0), Err((Code::RowNotSatisfied, Some(0))));
    assert_eq!(two(256, -1), Err((Code::RowNotSatisfied, Some(0))));
    assert_eq!(two(0, 256), Err((Code::RowNotSatisfied, Some(1))));
    assert_eq!(two(-1, 0), Err((Code::RowNotSatisfied, Some(0))));
}

#[test]
fn sum_wraps_no_total_reaches_the_modulus() {
    // 256 entries below 2^63 with weights below 2^64 stay below 2^135; the constant is what could come near r.
    let all: Vec<(u32, i128)> = (0..256).map(|at| (at, (1 << 64) - 1)).collect();
    assert!(Statement::new(256, 1, 1, vec![row(128, 0, &[&all])]).is_ok());
    // Liabilities that add up over vectors: a chain of totals, each the double of the one before, ends before r.
    let totals = |length: u32| {
        let mut rows = vec![row(128, 0, &[&[], &[(0, 1)]])];
        rows.extend((1..length).map(|at| row(8, 0, &[&[], &[(at - 1, -2), (at, 1)]])));
        Statement::new(256, 2, 1, rows).map(|_| ()).map_err(|error| (error.code, error.row))
    };
    assert_eq!(totals(124), Ok(()));
    assert_eq!(totals(125), Err((Code::StatementWrap, Some(124))));
}

#[test]
fn unconstrained_witness_every_vector_is_the_committed_one() {
    // One vector at a time is another than the committed one; the rows hold for it as well.
    let setup = Setup::global().unwrap();
    let Example { statement, inputs, .. } = example();
    for which in 0..2 {
        let mut others = openings();
        others[which] = opening(256, &[(0, 500 + 30 * which as i128)], &mut Seeded(77));
        let references: Vec<_> = others.iter().collect();
        let proof = prove(setup, statement, &references, CONTEXT).unwrap();
        assert_eq!(verdict(statement, inputs, CONTEXT, &proof), INVALID, "vector {which}");
    }
}

#[test]
fn prover_chosen_parameters_a_proof_carries_none() {
    let Example { inputs, proof, .. } = example();
    let judged = |n, vectors, inputs_count, rows: Vec<Row>, inputs: &[_]| -> Verdict {
        verdict(&Statement::new(n, vectors, inputs_count, rows).unwrap(), inputs, CONTEXT, proof)
    };
    let all = |change: fn(&mut Row)| {
        let mut rows = rows();
        rows.iter_mut().for_each(change);
        rows
    };
    assert_eq!(judged(256, 3, 2, rows(), inputs), Ok(()));
    // Another n with as many columns; fewer rows; narrower rows; wider rows; another number of columns, of vectors.
    let wide = [rows(), vec![row(128, 1 << 80, &[&[(0, 5)], &[(0, -3)], &[]]); 24]].concat();
    assert_eq!(judged(512, 3, 2, wide, inputs), INVALID);
    assert_eq!(judged(256, 3, 2, rows()[..22].to_vec(), inputs), INVALID);
    assert_eq!(judged(256, 3, 2, all(|row| row.bits -= 8), inputs), INVALID);
    assert_eq!(judged(256, 3, 2, all(|row| row.bits = 128), inputs), INVALID);
    let length = Err((Code::ProofLength, Some(3)));
    assert_eq!(judged(512, 3, 2, rows(), inputs), length);
    assert_eq!(judged(256, 3, 2, [rows(), rows()].concat(), inputs), length);
    assert_eq!(judged(256, 4, 2, all(|row| row.weights.push(vec![])), inputs), length);
}

#[test]
fn empty_lists_prove_nothing() {
    assert_eq!(Statement::new(256, 1, 1, vec![]).unwrap_err().code, Code::StatementShape);
    assert_eq!(Statement::new(256, 1, 0, vec![row(8, 0, &[&[(0, 1)]])]).unwrap_err().code, Code::StatementShape);
    assert_eq!(Statement::new(256, 0, 0, vec![row(8, 0, &[])]).unwrap_err().code, Code::StatementShape);
    // Lists of unequal length are never cut to the shorter one.
    assert_eq!(Statement::new(256, 2, 2, vec![row(8, 0, &[&[(0, 1)]])]).unwrap_err().code, Code::StatementShape);
    let Example { statement, inputs, proof } = example();
    for commitments in [&inputs[..0], &inputs[..1], &inputs.repeat(2)] {
        assert_eq!(verdict(statement, commitments, CONTEXT, proof), Err((Code::CommitmentCount, Some(2))));
    }
    assert_eq!(verdict(statement, inputs, CONTEXT, &[]), Err((Code::ProofLength, Some(3))));
    // A batch answers for each claim by its position, so an empty one says nothing about any proof.
    let setup = Setup::global().unwrap();
    assert_eq!(verify_batch(setup, &[]), []);
    let empty = Claim { statement, commitments: &[], context: CONTEXT, proof: &[] };
    assert_eq!(verify_batch(setup, &[empty; 3]).len(), 3);
}

#[test]
fn stub_verifier_random_bytes_are_no_proof() {
    // Valid encodings throughout: points of the curve's subgroup in place of points, small numbers in place of scalars.
    let Example { statement, inputs, .. } = example();
    let points: Vec<_> = (0..11)
        .map(|seed| opening(256, &[], &mut Seeded(seed)).commitment(Setup::global().unwrap()).unwrap())
        .collect();
    let (scalars, tail) = ([[0_u8; 32]; 3].concat(), points[9..].concat());
    assert_eq!(verdict(statement, inputs, CONTEXT, &[points[..9].concat(), scalars, tail].concat()), INVALID);
}

#[test]
fn boundaries_of_entries_are_those_of_the_rows() {
    // x ≥ threshold as the row 0 ≤ x − threshold < 2^bits: one below, on it, the last one above, one more.
    let setup = Setup::global().unwrap();
    let threshold = 1_000_000;
    let statement = Statement::new(256, 1, 1, vec![row(16, -threshold, &[&[(7, 1)]])]).unwrap();
    let refused = Err((Code::RowNotSatisfied, Some(0)));
    for (value, expected) in
        [(threshold - 1, refused), (threshold, Ok(())), (threshold + 65_535, Ok(())), (threshold + 65_536, refused)]
    {
        let secret: Opening = opening(256, &[(7, value)], &mut Seeded(3));
        let outcome = prove(setup, &statement, &[&secret], b"").map(|_| ()).map_err(|error| (error.code, error.row));
        assert_eq!(outcome, expected, "{value}");
    }
}
