//! Section 2: statements, their canonical form and digest.

use curve::{SCALAR_BYTES, Scalar};
use sha2::{Digest, Sha256};

use crate::digit_runs::DigitRun;
use crate::error::{ArgumentError, Code};
use crate::integer::Integer;
use crate::intervals;
use crate::proof::ProofBytes;
use crate::setup::DOMAIN_SIZES;
use crate::sparse_rows::SparseRows;

/// Digits are base 256: rows take a whole number of bytes.
pub(crate) const DIGIT_BITS: u32 = 8;

const MAX_ROW_BITS: u32 = 128;

/// The most digits that a row can take.
pub(crate) const MAX_DIGITS: usize = (MAX_ROW_BITS / DIGIT_BITS) as usize;

const MAX_COLUMNS: usize = 64;
const MAX_CELLS: usize = 1 << 16;

/// One weight: the index of an entry and what it is multiplied with.
pub type Term = (u32, i128);

/// One row: 0 ≤ constant + Σ weight · entry < 2^bits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// A multiple of 8 from 8 to 128.
    pub bits: u32,
    /// |constant| < 2^190.
    pub constant: Integer,
    /// One list per vector, indices strictly rising, 0 < |weight| < 2^64.
    pub weights: Vec<Vec<Term>>,
}

impl Row {
    /// How many digits the row takes.
    pub(crate) fn digits(&self) -> usize {
        (self.bits / DIGIT_BITS) as usize
    }
}

/// A well-formed statement, prepared: its shape and canonical form are right, no row can wrap around modulo r, and all
/// that proofs of it share is computed.
///
/// This is the object to keep: made once per policy snapshot (0.4 ms for 16 rows over 256 entries), it holds the digest
/// and the rows without their zeros in flat storage, and interval analysis is behind it. It is immutable and cannot be
/// cloned; any number of verifications on any number of threads read the same one, behind a reference or an `Arc`:
///
/// ```compile_fail,E0277
/// fn copy(_: impl Clone) {}
/// fn of(statement: argument::Statement) { copy(statement) }
/// ```
#[derive(Debug)]
pub struct Statement {
    n: usize,
    vectors: usize,
    inputs: usize,
    columns: usize,
    heads: Vec<RowHead>,
    weights: SparseRows,
    digit_runs: Vec<DigitRun>,
    digest: [u8; 32],
}

/// A row but for its weights.
#[derive(Debug)]
pub(crate) struct RowHead {
    /// How many digits the row takes.
    pub(crate) digits: usize,
    pub(crate) constant: Integer,
    /// The constant in the field.
    pub(crate) residue: Scalar,
}

impl RowHead {
    fn new(row: &Row) -> Self {
        Self { digits: row.digits(), constant: row.constant, residue: row.constant.to_scalar() }
    }

    /// How many bits the row's value has.
    pub(crate) fn bits(&self) -> usize {
        self.digits * DIGIT_BITS as usize
    }
}

/// A weight as an element of the field.
fn residue(weight: i128) -> Scalar {
    let magnitude = Scalar::from(u64::try_from(weight.unsigned_abs()).expect("weights lie below 2^64"));
    if weight.is_negative() { -magnitude } else { magnitude }
}

impl Statement {
    /// Checks everything that makes a statement well-formed, and computes its digest once.
    ///
    /// # Errors
    /// `STATEMENT_SHAPE`, `STATEMENT_NOT_CANONICAL`, `STATEMENT_WEIGHT_RANGE`, `STATEMENT_CONSTANT_RANGE`,
    /// `STATEMENT_UNBOUND_AUXILIARY`, `STATEMENT_WRAP`; always at step 1.
    pub fn new(n: usize, vectors: usize, inputs: usize, rows: Vec<Row>) -> Result<Self, ArgumentError> {
        Self::check(n, vectors, inputs, &rows).map_err(|error| error.at_step(1))?;
        let heads: Vec<RowHead> = rows.iter().map(RowHead::new).collect();
        Ok(Self {
            n,
            vectors,
            inputs,
            columns: columns(n, &rows),
            digest: digest(n, vectors, inputs, &rows, &heads),
            weights: SparseRows::new(&rows),
            digit_runs: DigitRun::all(n, heads.iter().map(|head| head.digits)),
            heads,
        })
    }

    fn check(n: usize, vectors: usize, inputs: usize, rows: &[Row]) -> Result<(), ArgumentError> {
        check_shape(n, vectors, inputs, rows)?;
        check_canonical(n, rows)?;
        intervals::check(n, vectors, inputs, rows)
    }

    /// The length of every vector.
    pub fn n(&self) -> usize {
        self.n
    }

    /// V, all vectors.
    pub fn vectors(&self) -> usize {
        self.vectors
    }

    /// How many of the vectors the verifier is given.
    pub fn inputs(&self) -> usize {
        self.inputs
    }

    /// How many vectors the prover commits to in the proof.
    pub fn auxiliary(&self) -> usize {
        self.vectors - self.inputs
    }

    /// c, the digit columns.
    pub fn columns(&self) -> usize {
        self.columns
    }

    /// How many rows there are.
    pub fn row_count(&self) -> usize {
        self.heads.len()
    }

    /// Width and constant of every row.
    pub(crate) fn heads(&self) -> &[RowHead] {
        &self.heads
    }

    /// The weights of every row.
    pub(crate) fn weights(&self) -> &SparseRows {
        &self.weights
    }

    /// Where the digits of every row lie.
    pub(crate) fn digit_runs(&self) -> &[DigitRun] {
        &self.digit_runs
    }

    /// SHA-256 of the canonical form.
    pub fn digest(&self) -> &[u8; 32] {
        &self.digest
    }

    /// The length of every proof of this statement.
    pub fn proof_length(&self) -> usize {
        ProofBytes::length(self.auxiliary(), self.columns)
    }
}

fn columns(n: usize, rows: &[Row]) -> usize {
    rows.iter().map(Row::digits).sum::<usize>().div_ceil(n).max(1)
}

fn check_shape(n: usize, vectors: usize, inputs: usize, rows: &[Row]) -> Result<(), ArgumentError> {
    require_shape(DOMAIN_SIZES.contains(&n), "n must be 256, 512, 1024 or 2048")?;
    require_shape(vectors >= 1, "give at least one vector")?;
    require_shape((1..=vectors).contains(&inputs), "the number of inputs must be 1 to the number of vectors")?;
    require_shape(vectors <= MAX_CELLS / n, "n times the number of vectors must not exceed 65536")?;
    require_shape(!rows.is_empty(), "give at least one row")?;
    for (number, row) in rows.iter().enumerate() {
        let whole = row.bits.is_multiple_of(DIGIT_BITS) && (DIGIT_BITS..=MAX_ROW_BITS).contains(&row.bits);
        require_row_shape(whole, number, "bits must be a multiple of 8 from 8 to 128")?;
        require_row_shape(row.weights.len() == vectors, number, "give one list of weights per vector")?;
    }
    require_shape(columns(n, rows) <= MAX_COLUMNS, "the digits must fit 64 columns; split the statement")
}

fn check_canonical(n: usize, rows: &[Row]) -> Result<(), ArgumentError> {
    for (number, row) in rows.iter().enumerate() {
        for terms in &row.weights {
            let inside = terms.iter().all(|(index, _)| (*index as usize) < n);
            require_row_shape(inside, number, "every index must be below n")?;
            let rising = terms.windows(2).all(|pair| pair[0].0 < pair[1].0);
            require_canonical(rising, number, "indices must rise strictly")?;
            require_canonical(terms.iter().all(|(_, weight)| *weight != 0), number, "leave weights of zero out")?;
        }
    }
    Ok(())
}

fn require_shape(condition: bool, rule: &str) -> Result<(), ArgumentError> {
    if condition { Ok(()) } else { Err(ArgumentError::new(Code::StatementShape, rule)) }
}

fn require_row_shape(condition: bool, row: usize, rule: &str) -> Result<(), ArgumentError> {
    if condition { Ok(()) } else { Err(ArgumentError::in_row(Code::StatementShape, row, rule)) }
}

fn require_canonical(condition: bool, row: usize, rule: &str) -> Result<(), ArgumentError> {
    if condition { Ok(()) } else { Err(ArgumentError::in_row(Code::StatementNotCanonical, row, rule)) }
}

fn digest(n: usize, vectors: usize, inputs: usize, rows: &[Row], heads: &[RowHead]) -> [u8; 32] {
    let mut hash = Sha256::new_with_prefix(b"marginproof/statement/v1");
    for number in [n, vectors, inputs, rows.len()] {
        hash.update(u32_bytes(number));
    }
    for (row, head) in rows.iter().zip(heads) {
        hash.update([u8::try_from(row.bits).expect("at most 128 bits")]);
        hash.update(head.residue.to_be_bytes());
        for terms in &row.weights {
            let mut bytes = Vec::with_capacity(4 + terms.len() * (4 + SCALAR_BYTES));
            bytes.extend(u32_bytes(terms.len()));
            for (index, weight) in terms {
                bytes.extend(index.to_be_bytes());
                bytes.extend(residue(*weight).to_be_bytes());
            }
            hash.update(bytes);
        }
    }
    hash.finalize().into()
}

fn u32_bytes(number: usize) -> [u8; 4] {
    u32::try_from(number).expect("the checks of the shape bound every count").to_be_bytes()
}
