//! The known answers: digests, commitments, challenges and verdicts of every case.

mod support;

use argument::{Code, Setup, challenges, verify};
use support::{Case, cases};

#[test]
fn digests_and_commitments_agree() {
    let setup = Setup::global().unwrap();
    for case in cases() {
        let Some(expected) = &case.statement_digest else { continue };
        let statement = case.statement().unwrap();
        assert_eq!(support::hex(statement.digest()), *expected, "{}", case.name);
        for (opening, commitment) in case.openings().iter().zip(case.commitments()) {
            assert_eq!(opening.commitment(setup).unwrap(), commitment, "{}", case.name);
        }
    }
}

#[test]
fn challenges_agree() {
    for case in cases() {
        let Some(expected) = &case.challenges else { continue };
        let statement = case.statement().unwrap();
        let inputs = &case.commitments()[..case.inputs];
        let drawn = challenges(&statement, inputs, &case.context(), &case.proof()).unwrap();
        let named = [
            ("beta", drawn.beta),
            ("gamma", drawn.gamma),
            ("alpha", drawn.alpha),
            ("y", drawn.y),
            ("z", drawn.z),
            ("v", drawn.v),
            ("u", drawn.u),
        ];
        for (name, challenge) in named {
            assert_eq!(challenge.to_be_bytes(), support::field_bytes(&expected[name]), "{}: {name}", case.name);
        }
    }
}

#[test]
fn verdicts_agree_with_code_and_step() {
    let setup = Setup::global().unwrap();
    let verdict = |case: &Case| {
        let statement = case.statement().map_err(|error| (error.code, error.step))?;
        verify(setup, &statement, &case.commitments()[..case.inputs], &case.context(), &case.proof())
            .map_err(|error| (error.code, error.step))
    };
    let all = cases();
    assert_eq!(all.len(), 16);
    for case in &all {
        let expected = expected_refusal(&case.name).map_or(Ok(()), |(code, step)| Err((code, Some(step))));
        assert_eq!(expected.is_ok(), case.valid, "{}", case.name);
        assert_eq!(verdict(case), expected, "{}", case.name);
    }
}

fn expected_refusal(name: &str) -> Option<(Code, u8)> {
    let (_, fault) = name.split_once(": ")?;
    Some(match fault {
        "a scalar not reduced modulo r" => (Code::ScalarRange, 5),
        "point at infinity" => (Code::PointAtInfinity, 4),
        "point outside the subgroup" => (Code::PointNotInSubgroup, 4),
        "one byte too long" => (Code::ProofLength, 3),
        "2x - 1 = 0" => (Code::StatementUnboundAuxiliary, 1),
        _ => (Code::ProofInvalid, 8),
    })
}
