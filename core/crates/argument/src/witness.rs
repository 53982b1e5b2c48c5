//! The prover's side of the rows: plain integers first, digits after.

use zeroize::Zeroizing;

use crate::commitment::Opening;
use crate::error::{ArgumentError, Code};
use crate::integer::Integer;
use crate::statement::Statement;

/// The value of every row in plain integers.
///
/// # Errors
/// `OPENING_COUNT` unless there is one opening of length n per vector.
pub fn row_values(statement: &Statement, openings: &[&Opening]) -> Result<Zeroizing<Vec<Integer>>, ArgumentError> {
    check_openings(statement, openings)?;
    let values = (0..statement.row_count()).map(|row| row_value(statement, row, openings));
    Ok(Zeroizing::new(values.collect()))
}

fn row_value(statement: &Statement, row: usize, openings: &[&Opening]) -> Integer {
    let mut sum = statement.heads()[row].constant;
    for weights in statement.weights().row(row) {
        let values = openings[weights.vector].values();
        for (index, magnitude) in weights.terms() {
            let weight = if weights.negative { -i128::from(magnitude) } else { i128::from(magnitude) };
            sum.add_product(weight, &values[index]);
        }
    }
    sum
}

fn check_openings(statement: &Statement, openings: &[&Opening]) -> Result<(), ArgumentError> {
    if openings.len() != statement.vectors() || openings.iter().any(|opening| opening.n() != statement.n()) {
        let message =
            format!("give {} openings of length {}, inputs then auxiliary", statement.vectors(), statement.n());
        return Err(ArgumentError::new(Code::OpeningCount, message));
    }
    Ok(())
}

/// The digits of all rows, after every check that the statement is true for these openings.
///
/// # Errors
/// `OPENING_COUNT`; `ENTRY_RANGE` for an input entry of 2^63 or more; `ROW_NOT_SATISFIED`, naming the first false row.
pub(crate) fn digit_columns(
    statement: &Statement,
    openings: &[&Opening],
) -> Result<Zeroizing<Vec<Vec<u8>>>, ArgumentError> {
    let values = row_values(statement, openings)?;
    for opening in &openings[..statement.inputs()] {
        opening.check_input_range()?;
    }
    let mut digits = Zeroizing::new(Vec::with_capacity(statement.columns() * statement.n()));
    for (number, (row, value)) in statement.heads().iter().zip(values.iter()).enumerate() {
        if value.is_negative() || value.bit_length() > row.bits() {
            let message = format!("its value is not in [0, 2^{}); nothing was proven", row.bits());
            return Err(ArgumentError::in_row(Code::RowNotSatisfied, number, message));
        }
        digits.extend(value.digits().take(row.digits));
    }
    digits.resize(statement.columns() * statement.n(), 0);
    Ok(Zeroizing::new(digits.chunks_exact(statement.n()).map(<[u8]>::to_vec).collect()))
}
