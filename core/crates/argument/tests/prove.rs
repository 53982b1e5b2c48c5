//! Fresh proofs.

mod support;

use argument::{Code, Integer, Setup, prove, verify};
use support::{Seeded, cases};

#[test]
fn fresh_proofs_of_every_valid_case_are_accepted() {
    let setup = Setup::global().unwrap();
    for case in cases().into_iter().filter(|case| case.valid) {
        let statement = case.statement().unwrap();
        let openings = case.openings();
        let references: Vec<_> = openings.iter().collect();
        let bytes = prove(setup, &statement, &references, &case.context(), &mut Seeded(1)).unwrap();
        verify(setup, &statement, &case.commitments()[..case.inputs], &case.context(), &bytes).unwrap();
    }
}
