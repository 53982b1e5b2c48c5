//! One accepted proof with every kind of element, and what an attacker can compute beside it.

use std::sync::{Mutex, PoisonError};

use argument::proof::EncodedPoint;
use argument::{Challenges, Code, Effort, Opening, Row, Setup, Statement, challenges, prove_seeded, verify};
use curve::{Engine, G1, G1_BYTES, G1Affine, Scalar, linear_combination};

use super::{Seeded, opening, row};

/// A statement with two digit columns, two inputs, one auxiliary vector.
pub struct Example {
    pub statement: Statement,
    pub inputs: Vec<EncodedPoint>,
    pub proof: Vec<u8>,
}

pub const CONTEXT: &[u8] = b"venue-a|epoch-1";

pub type Verdict = Result<(), (Code, Option<u8>)>;

pub const INVALID: Verdict = Err((Code::ProofInvalid, Some(8)));

pub fn rows() -> Vec<Row> {
    let mut rows = vec![
        row(64, 0, &[&[(1, -1)], &[], &[(0, 1)]]),
        row(64, 0, &[&[(1, 1)], &[], &[(0, 1)]]),
        row(96, 1000, &[&[(0, 2)], &[(3, 1)], &[(0, -7)]]),
    ];
    rows.extend((0..20).map(|at| row(128, 1 << 80, &[&[(at, 5)], &[(at, -3)], &[]])));
    rows
}

pub fn openings() -> Vec<Opening> {
    let mut rng = Seeded(11);
    [&[(0, 500), (1, -20)][..], &[(3, 40)], &[(0, 20)]].map(|entries| opening(256, entries, &mut rng)).into()
}

pub fn example() -> &'static Example {
    static EXAMPLE: std::sync::OnceLock<Example> = std::sync::OnceLock::new();
    EXAMPLE.get_or_init(|| {
        let setup = Setup::global().unwrap();
        let statement = Statement::new(256, 3, 2, rows()).unwrap();
        assert_eq!((statement.columns(), statement.auxiliary()), (2, 1));
        let openings = openings();
        let references: Vec<_> = openings.iter().collect();
        let proof = prove_seeded(setup, &statement, &references, CONTEXT, &Effort::default(), [3; 32]).unwrap();
        let inputs = openings[..2].iter().map(|opening| opening.commitment(setup).unwrap()).collect();
        Example { statement, inputs, proof }
    })
}

pub fn verdict(statement: &Statement, inputs: &[EncodedPoint], context: &[u8], proof: &[u8]) -> Verdict {
    verify(Setup::global().unwrap(), statement, inputs, context, proof).map_err(|error| (error.code, error.step))
}

pub fn verdict_of_proof(proof: &[u8]) -> Verdict {
    let example = example();
    verdict(&example.statement, &example.inputs, CONTEXT, proof)
}

/// Offsets of the points and of the scalars of the example's proof, by section 5.
pub fn layout() -> (Vec<usize>, Vec<usize>) {
    let leading = 1 + 2 + 1 + 2 + 3;
    let scalars = 48 * leading;
    let mut points: Vec<usize> = (0..leading).map(|at| 48 * at).collect();
    points.extend([scalars + 96, scalars + 96 + 48]);
    (points, (0..3).map(|at| scalars + 32 * at).collect())
}

/// The example's proof with other bytes at an offset.
pub fn with(at: usize, bytes: &[u8]) -> Vec<u8> {
    replaced(&example().proof, at, bytes)
}

pub fn replaced(proof: &[u8], at: usize, bytes: &[u8]) -> Vec<u8> {
    let mut proof = proof.to_vec();
    proof[at..at + bytes.len()].copy_from_slice(bytes);
    proof
}

/// β, γ, α, y, z, v, u in the order drawn.
pub fn in_order(drawn: Challenges) -> [Scalar; 7] {
    [drawn.beta, drawn.gamma, drawn.alpha, drawn.y, drawn.z, drawn.v, drawn.u]
}

/// The challenges of the example with other commitments, context or proof.
pub fn drawn(inputs: &[EncodedPoint], context: &[u8], proof: &[u8]) -> [Scalar; 7] {
    in_order(challenges(&example().statement, inputs, context, proof).unwrap())
}

/// [τ^i]₁ for the first powers, from the public setup.
pub fn powers_of_tau(count: usize) -> Vec<G1Affine> {
    let bytes: &[u8] = include_bytes!("../../data/setup.bin");
    bytes
        .chunks_exact(G1_BYTES)
        .take(count)
        .map(|point| G1Affine::from_bytes(point.try_into().unwrap()).unwrap())
        .collect()
}

/// [factor · (τ − point)]₁.
pub fn line(factor: Scalar, point: Scalar) -> G1 {
    linear_combination(&powers_of_tau(2), &[-(factor * point), factor])
}

/// The encoding of an encoded point plus another point.
pub fn moved(encoded: &[u8], by: &G1) -> EncodedPoint {
    let point = G1Affine::from_bytes(encoded.try_into().unwrap()).unwrap();
    (G1::from(point) + *by).to_affine().unwrap().to_bytes()
}

/// Runs a test with each engine that this processor has, one after another.
pub fn with_each_engine(test: impl Fn()) {
    static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
    let _turn = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    let before = Engine::active();
    for engine in [Engine::Scalar, Engine::Vector].into_iter().filter(|engine| engine.is_supported()) {
        assert!(engine.select());
        test();
    }
    assert!(before.select());
}
