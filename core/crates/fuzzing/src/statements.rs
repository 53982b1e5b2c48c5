//! Statements of arbitrary rows: refused at step 1, or well-formed and then free of every attack that step 1 stops.

use std::collections::BTreeSet;

use arbitrary::Unstructured;
use argument::{Integer, Opening, Row, Statement, row_values};

use crate::rows::{one_of, row};

pub(crate) fn run(bytes: &mut Unstructured<'_>) -> arbitrary::Result<()> {
    let n = one_of(bytes, &[256, 256, 512, 1024, 2048])?;
    let vectors: usize = one_of(bytes, &[1, 2, 3])?;
    let inputs = one_of(bytes, &[1, vectors, vectors.saturating_sub(1)])?;
    let lists = vectors.min(4);
    let rows = (0..bytes.int_in_range(0..=12_u8)?).map(|_| row(bytes, lists)).collect::<arbitrary::Result<Vec<_>>>()?;
    // A row written once may stand many times: that is how few bytes reach many columns.
    let times = if bytes.ratio(1, 16)? { bytes.int_in_range(1..=200)? } else { 1 };
    let rows: Vec<Row> = rows.iter().flat_map(|row| std::iter::repeat_n(row.clone(), times)).collect();
    match Statement::new(n, vectors, inputs, rows.clone()) {
        Ok(statement) => well_formed(&statement, &rows),
        Err(error) => {
            assert_eq!(error.step, Some(1));
            assert!(error.row.is_none_or(|row| row < rows.len()));
        }
    }
    Ok(())
}

fn well_formed(statement: &Statement, rows: &[Row]) {
    let digits: usize = rows.iter().map(|row| row.bits as usize / 8).sum();
    assert_eq!(statement.row_count(), rows.len());
    assert_eq!(statement.columns(), digits.div_ceil(statement.n()));
    let length = 48 * (statement.auxiliary() + 2 * statement.columns() + 6) + 32 * (statement.columns() + 1);
    assert_eq!(statement.proof_length(), length);
    every_auxiliary_entry_has_a_row_of_its_own(statement.inputs(), rows);
    for entry in [(1_i128 << 63) - 1, 1 - (1 << 63)] {
        no_row_wraps(statement, entry);
    }
}

/// 2x − 1 = 0 has a solution modulo r: an entry is an integer only where some row holds it with weight ±1.
fn every_auxiliary_entry_has_a_row_of_its_own(inputs: usize, rows: &[Row]) {
    let entries = |row: &'_ Row| -> Vec<(usize, u32, i128)> {
        let vectors = row.weights.iter().enumerate().skip(inputs);
        vectors.flat_map(|(vector, terms)| terms.iter().map(move |(at, weight)| (vector, *at, *weight))).collect()
    };
    let all: Vec<_> = rows.iter().flat_map(entries).collect();
    let unit: BTreeSet<_> = all.iter().filter(|term| term.2.abs() == 1).map(|term| (term.0, term.1)).collect();
    assert!(all.iter().all(|term| unit.contains(&(term.0, term.1))));
}

/// The largest inputs, every weight pulling the same way, keep all rows below 2^253.
fn no_row_wraps(statement: &Statement, entry: i128) {
    let opening = |at: usize| {
        let entries = (0..statement.n() as u32).map(|index| (index, Integer::from(entry)));
        let used = if at < statement.inputs() { statement.n() } else { 0 };
        Opening::new(statement.n(), entries.take(used), &[1; 32]).expect("an input of the largest entries")
    };
    let openings: Vec<Opening> = (0..statement.vectors()).map(opening).collect();
    let references: Vec<&Opening> = openings.iter().collect();
    let values = row_values(statement, &references).expect("one opening per vector");
    assert!(values.iter().all(|value| value.bit_length() <= 253));
}
