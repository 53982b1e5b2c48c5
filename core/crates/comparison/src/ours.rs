//! The argument on examples of the size that the peers get.

use argument::proof::EncodedPoint;
use argument::{Claim, Integer, Opening, Row, Setup, Statement, prove, verify, verify_batch};

/// A few bytes that vary from entry to entry; what they are does not matter.
fn spread(number: usize) -> i128 {
    (number as i128 * 0x9e37_79b9 % 0x000f_ffff) | 1
}

/// A statement with an opening, its commitment and one proof.
pub struct Example {
    statement: Statement,
    opening: Opening,
    commitment: EncodedPoint,
    proof: Vec<u8>,
}

impl Example {
    /// Rows of `bits` bits. Up to 256 rows weigh every one of the n entries, more of them one entry each.
    pub fn new(n: usize, rows: usize, bits: u32) -> Self {
        let weights = |row: usize| -> Vec<(u32, i128)> {
            if rows > 256 { vec![(row as u32, 1)] } else { (0..n).map(|at| (at as u32, spread(row + at))).collect() }
        };
        let constant = if rows > 256 { Integer::ZERO } else { Integer::from(1_i128 << 62) };
        let rows = (0..rows).map(|row| Row { bits, constant, weights: vec![weights(row)] }).collect();
        let statement = Statement::new(n, 1, 1, rows).expect("well-formed");
        let values = (0..n).map(|at| (at as u32, Integer::from(spread(at) << 8)));
        let opening = Opening::new(n, values, &[7; 32]).expect("in range");
        let commitment = opening.commitment(setup()).expect("not zero");
        let proof = make(&statement, &opening, b"");
        Self { statement, opening, commitment, proof }
    }

    pub fn prove(&self) {
        make(&self.statement, &self.opening, b"");
    }

    pub fn verify(&self) {
        verify(setup(), &self.statement, &[self.commitment], b"", &self.proof).expect("a good proof");
    }

    pub fn proof_bytes(&self) -> usize {
        self.proof.len()
    }

    /// Distinct proofs of this statement.
    pub fn batch(&self, size: usize) -> Batch<'_> {
        let contexts: Vec<_> = (0..size as u64).map(u64::to_be_bytes).collect();
        let proofs = contexts.iter().map(|context| make(&self.statement, &self.opening, context)).collect();
        Batch { example: self, contexts, proofs }
    }
}

/// Many proofs to verify together.
pub struct Batch<'a> {
    example: &'a Example,
    contexts: Vec<[u8; 8]>,
    proofs: Vec<Vec<u8>>,
}

impl Batch<'_> {
    pub fn verify(&self) {
        let commitments = [self.example.commitment];
        let claims: Vec<_> = self
            .contexts
            .iter()
            .zip(&self.proofs)
            .map(|(context, proof)| Claim {
                statement: &self.example.statement,
                commitments: &commitments,
                context,
                proof,
            })
            .collect();
        assert!(verify_batch(setup(), &claims).is_empty(), "good proofs");
    }
}

/// What the prepared bases for n take.
pub fn table_mebibytes(n: usize) -> f64 {
    setup().table_bytes(n) as f64 / f64::from(1 << 20)
}

fn setup() -> &'static Setup {
    Setup::global().expect("the pinned setup")
}

fn make(statement: &Statement, opening: &Opening, context: &[u8]) -> Vec<u8> {
    prove(setup(), statement, &[opening], context).expect("a true statement")
}
