//! Section 2, no wrap-around: an analysis that makes every row speak about integers.
//!
//! Rows are proven modulo r, so a row says something about integers only while none of its values can reach r/2. Entries
//! of auxiliary vectors are arbitrary field elements until a row with weight ±1 binds them: without that rule
//! x = 2^(−1) mod r would prove 2x − 1 = 0.

use crate::error::{ArgumentError, Code};
use crate::integer::Integer;
use crate::statement::Row;

const WEIGHT_BITS: u32 = 64;
const CONSTANT_BITS: usize = 190;
const WRAP_BITS: usize = 253;

/// An entry of an input vector lies below 2^63.
pub(crate) const INPUT_BITS: usize = 63;

/// Refuses rows that could wrap around modulo r.
///
/// # Errors
/// `STATEMENT_WEIGHT_RANGE`, `STATEMENT_CONSTANT_RANGE`, `STATEMENT_UNBOUND_AUXILIARY`, `STATEMENT_WRAP`.
pub(crate) fn check(n: usize, vectors: usize, inputs: usize, rows: &[Row]) -> Result<(), ArgumentError> {
    for (number, row) in rows.iter().enumerate() {
        check_sizes(number, row)?;
    }
    let mut bounds = Bounds::new(n, vectors, inputs);
    for (number, row) in rows.iter().enumerate() {
        bounds.bind(number, row)?;
    }
    for (number, row) in rows.iter().enumerate() {
        if let Some((vector, index)) = bounds.first_unbound(row) {
            let message = format!(
                "no row binds entry {index} of auxiliary vector {vector}; \
                 add an earlier row in which it is the only unbound one, with weight 1 or -1"
            );
            return Err(ArgumentError::in_row(Code::StatementUnboundAuxiliary, number, message));
        }
    }
    rows.iter().enumerate().try_for_each(|(number, row)| check_wrap(number, &bounds.of_row(row, None)))
}

fn check_sizes(number: usize, row: &Row) -> Result<(), ArgumentError> {
    if row.weights.iter().flatten().any(|(_, weight)| weight.unsigned_abs() >> WEIGHT_BITS != 0) {
        let message = "a weight reaches 2^64; use a coarser unit";
        return Err(ArgumentError::in_row(Code::StatementWeightRange, number, message));
    }
    if row.constant.bit_length() > CONSTANT_BITS {
        let message = "the constant reaches 2^190; use a coarser unit";
        return Err(ArgumentError::in_row(Code::StatementConstantRange, number, message));
    }
    Ok(())
}

fn check_wrap(number: usize, bound: &Integer) -> Result<(), ArgumentError> {
    if bound.bit_length() > WRAP_BITS {
        let message = "a value could reach 2^253 and wrap around; use smaller weights or shorter chains of bindings";
        return Err(ArgumentError::in_row(Code::StatementWrap, number, message));
    }
    Ok(())
}

/// What is known about the absolute values of entries.
struct Bounds {
    n: usize,
    inputs: usize,
    input: Integer,
    auxiliary: Vec<Option<Integer>>,
}

impl Bounds {
    fn new(n: usize, vectors: usize, inputs: usize) -> Self {
        let auxiliary = vec![None; n * (vectors - inputs)];
        Self { n, inputs, input: Integer::power_of_two(INPUT_BITS), auxiliary }
    }

    fn position(&self, vector: usize, index: u32) -> usize {
        (vector - self.inputs) * self.n + index as usize
    }

    fn of_entry(&self, vector: usize, index: u32) -> Option<&Integer> {
        if vector < self.inputs { Some(&self.input) } else { self.auxiliary[self.position(vector, index)].as_ref() }
    }

    /// The unbound entries of a row with their weights.
    fn unbound<'a>(&'a self, row: &'a Row) -> impl Iterator<Item = (usize, u32, i128)> + 'a {
        entries(row, self.inputs).filter(|(vector, index, _)| self.of_entry(*vector, *index).is_none())
    }

    fn first_unbound(&self, row: &Row) -> Option<(usize, u32)> {
        self.unbound(row).next().map(|(vector, index, _)| (vector, index))
    }

    fn sole_unbound(&self, row: &Row) -> Option<(usize, u32, i128)> {
        let mut unbound = self.unbound(row);
        let first = unbound.next()?;
        unbound.next().is_none().then_some(first)
    }

    /// A row with exactly one unbound entry, of weight ±1, binds it.
    fn bind(&mut self, number: usize, row: &Row) -> Result<(), ArgumentError> {
        let Some((vector, index, weight)) = self.sole_unbound(row) else { return Ok(()) };
        if weight.unsigned_abs() != 1 {
            return Ok(());
        }
        let bound = self.of_row(row, Some((vector, index)));
        check_wrap(number, &bound)?;
        let position = self.position(vector, index);
        self.auxiliary[position] = Some(bound);
        Ok(())
    }

    /// |b| + 2^bits + Σ |w| · bound over the entries of a row, one of them left out; every other one is bound.
    fn of_row(&self, row: &Row, without: Option<(usize, u32)>) -> Integer {
        let mut total = row.constant.magnitude();
        total.add(&Integer::power_of_two(row.bits as usize));
        for (vector, index, weight) in entries(row, 0).filter(|(vector, index, _)| Some((*vector, *index)) != without) {
            let bound = self.of_entry(vector, index).expect("rows are measured once their entries are bound");
            total.add_product(weight.abs(), bound);
        }
        total
    }
}

/// (vector, index, weight) of a row, from a vector on.
fn entries(row: &Row, first_vector: usize) -> impl Iterator<Item = (usize, u32, i128)> {
    let vectors = row.weights.iter().enumerate().skip(first_vector);
    vectors.flat_map(|(vector, terms)| terms.iter().map(move |(index, weight)| (vector, *index, *weight)))
}
