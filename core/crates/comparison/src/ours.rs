//! The argument on examples that anybody can make again: numbers are drawn from a fixed sequence and fill their range.

use std::num::NonZeroUsize;
use std::thread::available_parallelism;

use argument::proof::EncodedPoint;
use argument::{
    Claim, Effort, Integer, Opening, Row, Setup, Statement, challenges, prove_with, verify, verify_batch_with,
};

const WEIGHT_BITS: u32 = 20;
const WEIGHTED_ENTRY_BITS: u32 = 40;
const VALUE_BITS: u32 = 64;

/// What an example shows about its vector.
#[derive(Clone, Copy)]
pub enum Rows {
    /// So many rows of so many bits, each of which weighs every entry.
    Weighted { count: usize, bits: u32 },
    /// So many entries lie in 0 … 2^64 − 1, one to a row: a plain range proof.
    Values { count: usize },
}

/// How many threads a call may take.
#[derive(Clone, Copy)]
pub enum Threads {
    One,
    /// As many as there are cores.
    All,
}

impl Threads {
    pub fn count(self) -> NonZeroUsize {
        match self {
            Self::One => NonZeroUsize::MIN,
            Self::All => available_parallelism().unwrap_or(NonZeroUsize::MIN),
        }
    }

    fn effort(self) -> Effort<'static> {
        Effort::on_threads(self.count())
    }
}

/// A statement with an opening, its commitment and one proof.
pub struct Example {
    rows: Vec<Row>,
    statement: Statement,
    values: Vec<i128>,
    opened: Opened,
    proof: Vec<u8>,
}

/// A vector under one blinding.
struct Opened {
    opening: Opening,
    commitment: EncodedPoint,
}

impl Example {
    /// An example over a vector of n entries.
    pub fn new(n: usize, rows: Rows) -> Self {
        let bits = match rows {
            Rows::Weighted { .. } => WEIGHTED_ENTRY_BITS,
            // An entry of an input vector lies below 2^63.
            Rows::Values { .. } => VALUE_BITS - 1,
        };
        let values: Vec<i128> = (0..n).map(|at| drawn(at, bits)).collect();
        let rows: Vec<Row> = match rows {
            Rows::Weighted { count, bits } => (0..count).map(|row| weighted(row, bits, &values)).collect(),
            Rows::Values { count } => (0..count).map(value).collect(),
        };
        let statement = Statement::new(n, 1, 1, rows.clone()).expect("well-formed");
        let opened = Opened::new(&values, 7);
        let proof = make(&statement, &opened.opening, Threads::All);
        Self { rows, statement, values, opened, proof }
    }

    pub fn prove(&self, threads: Threads) {
        make(&self.statement, &self.opened.opening, threads);
    }

    pub fn verify(&self) {
        verify(setup(), &self.statement, &[self.opened.commitment], b"", &self.proof).expect("a good proof");
    }

    /// Analyses and hashes the rows again, as is done once for each policy snapshot.
    pub fn prepare(&self) {
        Statement::new(self.values.len(), 1, 1, self.rows.clone()).expect("well-formed");
    }

    /// The commitment that the prover makes again of what it opens.
    pub fn commit(&self) {
        self.opened.opening.commitment(setup()).expect("not zero");
    }

    pub fn proof_bytes(&self) -> usize {
        self.proof.len()
    }

    /// Proofs of this statement about different commitments, as of many accounts under one policy.
    pub fn batch(&self, size: usize) -> Batch<'_> {
        let opened = (0..size).map(|number| Opened::new(&self.values, number as u64 + 1));
        let entries = opened.map(|opened| (opened.commitment, make(&self.statement, &opened.opening, Threads::All)));
        Batch { statement: &self.statement, entries: entries.map(|(c, proof)| ([c], proof)).collect() }
    }
}

impl Opened {
    fn new(values: &[i128], blinding: u64) -> Self {
        let entries = values.iter().enumerate().map(|(at, value)| (at as u32, Integer::from(*value)));
        let mut bytes = [0x55; 32];
        bytes[24..].copy_from_slice(&blinding.to_be_bytes());
        let opening = Opening::new(values.len(), entries, &bytes).expect("in range");
        let commitment = opening.commitment(setup()).expect("not zero");
        Self { opening, commitment }
    }
}

/// Many proofs to verify together.
pub struct Batch<'a> {
    statement: &'a Statement,
    entries: Vec<([EncodedPoint; 1], Vec<u8>)>,
}

impl Batch<'_> {
    /// Verifies the first `count`.
    pub fn verify(&self, count: usize, threads: Threads) {
        let claim = |(commitments, proof)| Claim { statement: self.statement, commitments, context: b"", proof };
        let claims: Vec<_> = self.entries[..count].iter().map(|(c, proof)| claim((c, proof))).collect();
        let refused = verify_batch_with(setup(), &claims, &threads.effort()).expect("nobody ends it");
        assert!(refused.is_empty(), "good proofs");
    }

    /// Draws the challenges of the first `count`.
    pub fn replay(&self, count: usize) {
        for (commitments, proof) in &self.entries[..count] {
            challenges(self.statement, commitments, b"", proof).expect("of the right length");
        }
    }
}

/// What the prepared bases for n take.
pub fn table_mebibytes(n: usize) -> f64 {
    setup().table_bytes(n) as f64 / f64::from(1 << 20)
}

/// A row over every entry; its constant puts its value anywhere in the range, so that no digit is zero by design.
fn weighted(row: usize, bits: u32, values: &[i128]) -> Row {
    let weights: Vec<_> =
        (0..values.len()).map(|at| (at as u32, drawn(row * values.len() + at, WEIGHT_BITS) + 1)).collect();
    let sum: i128 = weights.iter().zip(values).map(|((_, weight), value)| weight * value).sum();
    Row { bits, constant: Integer::from(drawn(row, bits) - sum), weights: vec![weights] }
}

fn value(at: usize) -> Row {
    Row { bits: VALUE_BITS, constant: Integer::ZERO, weights: vec![vec![(at as u32, 1)]] }
}

/// The number at a place of the sequence (SplitMix64, two words), cut to so many bits.
fn drawn(place: usize, bits: u32) -> i128 {
    let word = |counter: u64| {
        let mut word = counter.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        u128::from(word ^ (word >> 31))
    };
    let place = 2 * place as u64;
    let wide = word(place + 1) << 64 | word(place + 2);
    (wide >> (u128::BITS - bits)) as i128
}

fn setup() -> &'static Setup {
    Setup::global().expect("the pinned setup")
}

fn make(statement: &Statement, opening: &Opening, threads: Threads) -> Vec<u8> {
    prove_with(setup(), statement, &[opening], b"", &threads.effort()).expect("a true statement")
}
