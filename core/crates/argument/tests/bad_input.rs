//! Every kind of bad input: its code, the step or the row, and a message that says what was expected.

mod support;

use argument::{ArgumentError, Code, Integer, Opening, Row, Setup, Statement, prove, verify};
use curve::MODULUS_BYTES;
use support::example::{CONTEXT, Example, example, layout, openings, replaced, with};
use support::{Seeded, integer, opening, row};

/// One refusal: what is told beside the code.
struct Told {
    step: Option<u8>,
    row: Option<usize>,
    expected: &'static str,
}

fn assert_refused<T>(outcome: Result<T, ArgumentError>, code: Code, told: &Told) {
    let error = outcome.err().expect("this is bad input");
    assert_eq!((error.code, error.step, error.row), (code, told.step, told.row), "{error}");
    assert!(error.message.contains(told.expected), "{error}");
    assert!(error.to_string().starts_with(code.as_str()), "{error}");
}

fn check(proof: &[u8]) -> Result<(), ArgumentError> {
    let Example { statement, inputs, .. } = example();
    verify(Setup::global().unwrap(), statement, inputs, CONTEXT, proof)
}

#[test]
fn proofs() {
    let (points, scalars) = layout();
    let told = |step, expected| Told { step: Some(step), row: None, expected };
    let Example { statement, inputs, proof } = example();
    assert_refused(check(&proof[1..]), Code::ProofLength, &told(3, "got 623 bytes; a proof of this statement has 624"));
    let (mut infinity, mut outside, mut off_curve) = ([0; 48], [0; 48], [0; 48]);
    infinity[0] = 0xc0;
    (outside[0], outside[47]) = (0x80, 4);
    (off_curve[0], off_curve[47]) = (0x80, 1);
    for (bytes, code, expected) in [
        ([0; 48], Code::PointEncoding, "not the compressed encoding of a point"),
        ([0xff; 48], Code::PointEncoding, "not the compressed encoding of a point"),
        (off_curve, Code::PointEncoding, "not the compressed encoding of a point"),
        (outside, Code::PointNotInSubgroup, "outside the subgroup of order r; use points of G1"),
        (infinity, Code::PointAtInfinity, "infinity; commit with fresh random blindings"),
    ] {
        assert_refused(check(&with(points[2], &bytes)), code, &told(4, expected));
        let commitments = [inputs[0], bytes];
        let outcome = verify(Setup::global().unwrap(), statement, &commitments, CONTEXT, proof);
        assert_refused(outcome, code, &told(2, expected));
    }
    let unreduced = with(scalars[0], &MODULUS_BYTES);
    assert_refused(check(&unreduced), Code::ScalarRange, &told(5, "not below the order r"));
    let changed = replaced(proof, scalars[0] + 31, &[proof[scalars[0] + 31] ^ 1]);
    assert_refused(check(&changed), Code::ProofInvalid, &told(8, "does not show this statement"));
    let outcome = verify(Setup::global().unwrap(), statement, &inputs[..1], CONTEXT, proof);
    let expected = "got 1 commitments; send one for each of the 2 inputs";
    assert_refused(outcome, Code::CommitmentCount, &told(2, expected));
}

#[test]
fn statements() {
    let told = |row, expected| Told { step: Some(1), row, expected };
    let refused = |n, vectors, rows, code, told: &Told| assert_refused(Statement::new(n, vectors, 1, rows), code, told);
    let one = |bits, weights: &[&[(u32, i128)]]| vec![row(bits, 0, weights)];
    refused(300, 1, one(8, &[&[(0, 1)]]), Code::StatementShape, &told(None, "n must be 256, 512, 1024 or 2048"));
    let bits = told(Some(0), "bits must be a multiple of 8 from 8 to 128");
    refused(256, 1, one(12, &[&[(0, 1)]]), Code::StatementShape, &bits);
    refused(256, 1, one(8, &[&[(256, 1)]]), Code::StatementShape, &told(Some(0), "every index must be below n"));
    let order = told(Some(0), "indices must rise strictly");
    refused(256, 1, one(8, &[&[(2, 1), (1, 1)]]), Code::StatementNotCanonical, &order);
    refused(256, 1, one(8, &[&[(2, 1), (2, 1)]]), Code::StatementNotCanonical, &order);
    let zero = told(Some(0), "leave weights of zero out");
    refused(256, 1, one(8, &[&[(2, 0)]]), Code::StatementNotCanonical, &zero);
    let weight = told(Some(0), "a weight reaches 2^64; use a coarser unit");
    refused(256, 1, one(8, &[&[(0, 1 << 64)]]), Code::StatementWeightRange, &weight);
    let constant = Row { bits: 8, constant: integer(&format!("0x4{}", "0".repeat(47))), weights: vec![vec![]] };
    let told_constant = told(Some(0), "the constant reaches 2^190; use a coarser unit");
    refused(256, 1, vec![constant], Code::StatementConstantRange, &told_constant);
    let unbound = told(Some(0), "no row binds entry 7 of auxiliary vector 1; add an earlier row");
    refused(256, 2, one(8, &[&[], &[(7, 2)]]), Code::StatementUnboundAuxiliary, &unbound);
    let huge = (1 << 64) - 1;
    let chain = vec![
        row(128, 0, &[&[], &[(0, 1)]]),
        row(8, 0, &[&[], &[(0, huge), (1, 1)]]),
        row(8, 0, &[&[], &[(1, huge), (2, 1)]]),
    ];
    refused(256, 2, chain, Code::StatementWrap, &told(Some(2), "could reach 2^253 and wrap around"));
}

#[test]
fn openings_of_the_prover() {
    let told = |row, expected| Told { step: None, row, expected };
    let new = |n, entries: &[(u32, i128)], blinding| {
        Opening::new(n, entries.iter().map(|(index, value)| (*index, Integer::from(*value))), blinding)
    };
    let size = told(None, "n must be 256, 512, 1024 or 2048");
    assert_refused(new(300, &[], &[1; 32]), Code::StatementShape, &size);
    assert_refused(new(256, &[(256, 1)], &[1; 32]), Code::EntryRange, &told(None, "an index is not below n"));
    for first in [0, 1] {
        let twice = new(256, &[(3, first), (3, 5)], &[1; 32]);
        assert_refused(twice, Code::EntryRange, &told(None, "an index is given twice"));
    }
    let unreduced = told(None, "not below the order r");
    assert_refused(new(256, &[], &MODULUS_BYTES), Code::ScalarRange, &unreduced);
    let setup = Setup::global().unwrap();
    let statement = Statement::new(256, 1, 1, vec![row(8, 0, &[&[(0, 1)]]), row(8, 0, &[&[(1, 1)]])]).unwrap();
    let count = told(None, "give 1 openings of length 256");
    assert_refused(prove(setup, &statement, &[], b""), Code::OpeningCount, &count);
    let large = opening(256, &[(0, 1 << 63)], &mut Seeded(1));
    let range = told(None, "an entry of an input vector reaches 2^63");
    assert_refused(prove(setup, &statement, &[&large], b""), Code::EntryRange, &range);
}

#[test]
fn a_false_witness_names_its_first_row_to_the_prover_and_nobody_else() {
    let setup = Setup::global().unwrap();
    let statement =
        Statement::new(256, 1, 1, vec![row(8, 0, &[&[(0, 1)]]), row(8, 0, &[&[(1, 1)]]), row(8, 0, &[&[(2, 1)]])]);
    let statement = statement.unwrap();
    let secret = opening(256, &[(0, 255), (1, 777_256), (2, 888_256)], &mut Seeded(1));
    let told = Told { step: None, row: Some(1), expected: "not in [0, 2^8); nothing was proven" };
    let outcome = prove(setup, &statement, &[&secret], b"");
    let message = outcome.clone().unwrap_err().to_string();
    assert_refused(outcome, Code::RowNotSatisfied, &told);
    assert!(!message.contains("777256") && !message.contains("888256"));
    // What a verifier is told of a proof that does not hold names no row.
    assert_eq!(check(&with(layout().0[9], &example().proof[..48])).unwrap_err().row, None);
}

#[test]
fn a_context_may_have_any_length() {
    let setup = Setup::global().unwrap();
    let (Example { statement, inputs, .. }, openings) = (example(), openings());
    let references: Vec<_> = openings.iter().collect();
    for length in [0, 1, 63, 64, 65, 1 << 20] {
        let context = vec![0x5a; length];
        let proof = prove(setup, statement, &references, &context).unwrap();
        assert_eq!(verify(setup, statement, inputs, &context, &proof), Ok(()), "{length}");
    }
}

#[test]
fn codes_are_the_same_for_ever() {
    let codes: Vec<&str> = Code::ALL.iter().map(|code| code.as_str()).collect();
    let known = [
        "STATEMENT_SHAPE",
        "STATEMENT_NOT_CANONICAL",
        "STATEMENT_WEIGHT_RANGE",
        "STATEMENT_CONSTANT_RANGE",
        "STATEMENT_UNBOUND_AUXILIARY",
        "STATEMENT_WRAP",
        "COMMITMENT_COUNT",
        "POINT_ENCODING",
        "POINT_NOT_IN_SUBGROUP",
        "POINT_AT_INFINITY",
        "SCALAR_RANGE",
        "PROOF_LENGTH",
        "CHALLENGE_IN_DOMAIN",
        "PROOF_INVALID",
        "ENTRY_RANGE",
        "OPENING_COUNT",
        "ROW_NOT_SATISFIED",
        "RANDOMNESS_UNAVAILABLE",
        "SETUP_DIGEST_MISMATCH",
    ];
    assert!(known.iter().all(|code| codes.contains(code)));
}
