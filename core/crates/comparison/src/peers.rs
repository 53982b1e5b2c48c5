//! Range proofs of other hands: m values of 64 bits in one proof.

use bulletproofs::{BulletproofGens, PedersenGens, RangeProof};
use curve25519_dalek::ristretto::{CompressedRistretto, RistrettoPoint};
use curve25519_dalek::scalar::Scalar;
use merlin::Transcript;
use peer_rand::thread_rng;
use tari_bulletproofs_plus::commitment_opening::CommitmentOpening;
use tari_bulletproofs_plus::generators::pedersen_gens::ExtensionDegree;
use tari_bulletproofs_plus::range_parameters::RangeParameters;
use tari_bulletproofs_plus::range_proof::VerifyAction;
use tari_bulletproofs_plus::range_statement::RangeStatement;
use tari_bulletproofs_plus::range_witness::RangeWitness;
use tari_bulletproofs_plus::ristretto::{RistrettoRangeProof, create_pedersen_gens_with_extension_degree};

/// How many values a proof holds in every comparison.
pub const PEER_VALUES: usize = 16;

const BITS: usize = 64;
const LABEL: &[u8] = b"comparison";

fn value(number: usize) -> u64 {
    (number as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

/// Bulletproofs.
pub struct Dalek {
    generators: (PedersenGens, BulletproofGens),
    values: Vec<u64>,
    blindings: Vec<Scalar>,
    proof: RangeProof,
    commitments: Vec<CompressedRistretto>,
}

impl Dalek {
    pub fn new(count: usize) -> Self {
        let generators = (PedersenGens::default(), BulletproofGens::new(BITS, count));
        let values: Vec<u64> = (0..count).map(value).collect();
        let blindings: Vec<Scalar> = (0..count).map(|_| Scalar::random(&mut thread_rng())).collect();
        let (proof, commitments) = dalek_proof(&generators, &values, &blindings);
        Self { generators, values, blindings, proof, commitments }
    }

    pub fn prove(&self) {
        dalek_proof(&self.generators, &self.values, &self.blindings);
    }

    pub fn proof_bytes(&self) -> usize {
        self.proof.to_bytes().len()
    }

    pub fn verify(&self) {
        let (pedersen, bulletproof) = &self.generators;
        self.proof
            .verify_multiple(bulletproof, pedersen, &mut Transcript::new(LABEL), &self.commitments, BITS)
            .expect("a good proof");
    }
}

fn dalek_proof(
    (pedersen, bulletproof): &(PedersenGens, BulletproofGens),
    values: &[u64],
    blindings: &[Scalar],
) -> (RangeProof, Vec<CompressedRistretto>) {
    RangeProof::prove_multiple(bulletproof, pedersen, &mut Transcript::new(LABEL), values, blindings, BITS)
        .expect("values of 64 bits")
}

/// Bulletproofs+: proofs of different values, to verify alone or together.
pub struct Tari {
    statements: Vec<TariStatement>,
    witnesses: Vec<RangeWitness>,
    proofs: Vec<RistrettoRangeProof>,
}

type TariStatement = RangeStatement<RistrettoPoint>;

impl Tari {
    /// `batch` proofs of `count` values each.
    pub fn new(count: usize, batch: usize) -> Self {
        let pedersen = create_pedersen_gens_with_extension_degree(ExtensionDegree::DefaultPedersen);
        let parameters = RangeParameters::init(BITS, count, pedersen).expect("a power of two");
        let made = (0..batch).map(|number| tari_instance(&parameters, count, number));
        let (statements, witnesses): (Vec<_>, Vec<_>) = made.unzip();
        let proofs = statements.iter().zip(&witnesses).map(|(statement, witness)| tari_proof(statement, witness));
        Self { proofs: proofs.collect(), statements, witnesses }
    }

    pub fn prove(&self) {
        tari_proof(&self.statements[0], &self.witnesses[0]);
    }

    pub fn proof_bytes(&self) -> usize {
        self.proofs[0].to_bytes().len()
    }

    /// Verifies the first `count` together.
    pub fn verify(&self, count: usize) {
        let (statements, proofs) = (&self.statements[..count], &self.proofs[..count]);
        let mut transcripts = vec![Transcript::new(LABEL); count];
        RistrettoRangeProof::verify_batch(&mut transcripts, statements, proofs, VerifyAction::VerifyOnly)
            .expect("good proofs");
    }
}

fn tari_instance(
    parameters: &RangeParameters<RistrettoPoint>,
    count: usize,
    number: usize,
) -> (TariStatement, RangeWitness) {
    let (mut commitments, mut openings) = (Vec::new(), Vec::new());
    for at in 0..count {
        let (value, blinding) = (value(number * count + at), Scalar::random(&mut thread_rng()));
        let commitment = parameters.pc_gens().commit(&Scalar::from(value), &[blinding]);
        commitments.push(commitment.expect("one blinding"));
        openings.push(CommitmentOpening::new(value, vec![blinding]));
    }
    let witness = RangeWitness::init(openings).expect("as many openings as values");
    let statement = RangeStatement::init(parameters.clone(), commitments, vec![None; count], None);
    (statement.expect("as many commitments as values"), witness)
}

fn tari_proof(statement: &TariStatement, witness: &RangeWitness) -> RistrettoRangeProof {
    let mut transcript = Transcript::new(LABEL);
    RistrettoRangeProof::prove_with_rng(&mut transcript, statement, witness, &mut thread_rng())
        .expect("values of 64 bits")
}
