//! The setup: powers of τ of the Ethereum KZG ceremony, pinned by their digest, and the bases made of them.

use std::sync::OnceLock;

use curve::{Domain, FixedBase, G1, G1_BYTES, G1Affine, G2_BYTES, G2Affine, PreparedG2, SecretBase};
use sha2::{Digest, Sha256};

use crate::error::{ArgumentError, Code};
use crate::table_cache::TableSettings;

/// SHA-256 of all G1 powers followed by all G2 powers, compressed, in order.
pub const SETUP_DIGEST: [u8; 32] = [
    0xbf, 0xe6, 0xbd, 0xe3, 0x28, 0x61, 0x34, 0x7b, 0xe6, 0x6b, 0xd8, 0xaf, 0x2f, 0x1b, 0xe0, 0x7c, 0x54, 0x19, 0x71,
    0xb4, 0x6e, 0xb4, 0x85, 0xcf, 0xa4, 0x03, 0xeb, 0x1a, 0x2e, 0x84, 0x66, 0x95,
];

/// Sizes of the domain that networks may fix.
pub const DOMAIN_SIZES: [usize; 4] = [256, 512, 1024, 2048];

/// How many multiples Z_H·X^j a basis holds: blinding coefficients and the top of the quotient.
pub(crate) const TAIL: usize = 4;

const G1_POWERS: usize = 4096;
#[cfg(test)]
const G2_POWERS: usize = 65;

/// [τ^i]₁ for i < 4096, then [τ^i]₂ for i ≤ 64; every point was checked when `scripts/build_setup.py` wrote the file,
/// and the tests check them again.
static SETUP_BYTES: &[u8] = include_bytes!("../data/setup.bin");

/// The pinned setup.
#[derive(Debug)]
pub struct Setup {
    g1_powers: &'static [u8],
    generator_g2: PreparedG2,
    tau_g2: PreparedG2,
    tables: TableSettings,
    domains: [OnceLock<Domain>; DOMAIN_SIZES.len()],
    bases: [OnceLock<Basis>; DOMAIN_SIZES.len()],
}

impl Setup {
    /// The setup compiled in, with tables as the environment has them; its digest is checked the first time.
    ///
    /// # Errors
    /// `SETUP_DIGEST_MISMATCH`.
    pub fn global() -> Result<&'static Self, ArgumentError> {
        static GLOBAL: OnceLock<Result<Setup, ArgumentError>> = OnceLock::new();
        GLOBAL.get_or_init(|| Self::new(TableSettings::from_environment())).as_ref().map_err(Clone::clone)
    }

    /// The setup compiled in, with tables of its own.
    ///
    /// # Errors
    /// `SETUP_DIGEST_MISMATCH`.
    pub fn new(tables: TableSettings) -> Result<Self, ArgumentError> {
        Self::load(SETUP_BYTES, tables)
    }

    fn load(bytes: &'static [u8], tables: TableSettings) -> Result<Self, ArgumentError> {
        if Sha256::digest(bytes).as_slice() != SETUP_DIGEST {
            return Err(mismatch());
        }
        let (g1_powers, g2_powers) = bytes.split_at(G1_POWERS * G1_BYTES);
        let (g2_powers, []) = g2_powers.as_chunks::<G2_BYTES>() else { return Err(mismatch()) };
        Ok(Self {
            g1_powers,
            generator_g2: PreparedG2::from(&G2Affine::from_bytes(&g2_powers[0])?),
            tau_g2: PreparedG2::from(&G2Affine::from_bytes(&g2_powers[1])?),
            tables,
            domains: Default::default(),
            bases: Default::default(),
        })
    }

    /// [1]₂ and [τ]₂.
    pub(crate) fn g2(&self) -> (&PreparedG2, &PreparedG2) {
        (&self.generator_g2, &self.tau_g2)
    }

    /// The domain of n elements; n is one of [`DOMAIN_SIZES`].
    pub(crate) fn domain(&self, n: usize) -> &Domain {
        self.domains[position(n)].get_or_init(|| Domain::new(n))
    }

    /// Bytes that the prepared basis for n takes; makes it if it was not needed yet.
    pub fn table_bytes(&self, n: usize) -> usize {
        let basis = self.basis(n);
        size_of_val(basis.lagrange()) + basis.table().bytes() + basis.hiding().bytes()
    }

    /// The basis for n, read or made at its first use: committing and proving need it, verifying does not.
    pub(crate) fn basis(&self, n: usize) -> &Basis {
        self.bases[position(n)].get_or_init(|| Basis::new(self.domain(n), self.g1_powers, &self.tables))
    }
}

fn mismatch() -> ArgumentError {
    ArgumentError::new(
        Code::SetupDigestMismatch,
        "the setup compiled in is not the pinned one; rebuild marginproof-core",
    )
}

/// Where n stands among [`DOMAIN_SIZES`].
pub(crate) fn position(n: usize) -> usize {
    DOMAIN_SIZES.iter().position(|size| *size == n).expect("statements and openings admit these sizes only")
}

/// What every polynomial of the argument is committed with: [L_i(τ)]₁ for i < n, and [Z_H(τ)·τ^j]₁ for j < 4.
#[derive(Debug)]
pub(crate) struct Basis {
    lagrange: Vec<G1Affine>,
    table: FixedBase,
    hiding: SecretBase,
}

impl Basis {
    fn new(domain: &Domain, g1_powers: &[u8], tables: &TableSettings) -> Self {
        let (encoded, _) = g1_powers.as_chunks();
        let n = domain.size();
        let table = tables.read(n).unwrap_or_else(|| {
            let made = FixedBase::new(&lagrange_points(domain, &encoded[..n]), tables.window);
            tables.write(n, &made);
            made
        });
        let vanishing: Vec<G1> = (0..TAIL).map(|j| decode(&encoded[n + j]) + -decode(&encoded[j])).collect();
        let vanishing = G1::batch_to_affine(&vanishing).expect("τ is no root of unity");
        Self { lagrange: table.points(), table, hiding: SecretBase::new(&vanishing) }
    }

    /// [L_i(τ)]₁, prepared for factors of any size.
    pub(crate) fn table(&self) -> &FixedBase {
        &self.table
    }

    /// [L_i(τ)]₁.
    pub(crate) fn lagrange(&self) -> &[G1Affine] {
        &self.lagrange
    }

    /// [Z_H(τ)·τ^j]₁ for j < 4, which only blindings are multiplied with: 0.5 MiB, 1.2 MiB for the vector engine.
    pub(crate) fn hiding(&self) -> &SecretBase {
        &self.hiding
    }
}

fn decode(bytes: &[u8; G1_BYTES]) -> G1 {
    G1Affine::from_pinned_bytes(bytes).expect("the digest pins valid points").into()
}

fn lagrange_points(domain: &Domain, powers: &[[u8; G1_BYTES]]) -> Vec<G1Affine> {
    let mut points: Vec<G1> = powers.iter().map(decode).collect();
    domain.lagrange_points(&mut points);
    G1::batch_to_affine(&points).expect("τ is no root of unity")
}

#[cfg(test)]
mod tests {
    use curve::{Scalar, linear_combination, pairings_agree};

    use super::*;
    use crate::{Claim, Integer, Opening, Row, Statement, prove, verify, verify_batch};

    fn decoded() -> (Vec<G1Affine>, Vec<G2Affine>) {
        let (g1, g2) = SETUP_BYTES.split_at(G1_POWERS * G1_BYTES);
        (
            g1.as_chunks().0.iter().map(|bytes| G1Affine::from_bytes(bytes).unwrap()).collect(),
            g2.as_chunks().0.iter().map(|bytes| G2Affine::from_bytes(bytes).unwrap()).collect(),
        )
    }

    #[test]
    fn every_point_is_in_its_subgroup_and_powers_are_consecutive() {
        let (g1, g2) = decoded();
        assert_eq!((g1.len(), g2.len()), (G1_POWERS, G2_POWERS));
        assert_eq!(g1[0], G1Affine::generator());
        assert_eq!(g2[0], G2Affine::generator());
        // One random combination shows all G1 powers consecutive: Σ cᵢ τ^(i+1) against τ · Σ cᵢ τ^i.
        let challenge = Scalar::from_wide_be_bytes(&[0x5a; 64]);
        let factors = challenge.powers(G1_POWERS - 1);
        let low = linear_combination(&g1[..G1_POWERS - 1], &factors);
        let high = linear_combination(&g1[1..], &factors);
        let g2: Vec<PreparedG2> = g2.iter().map(PreparedG2::from).collect();
        assert!(pairings_agree(&low, &g2[1], &high, &g2[0]));
        assert!(!pairings_agree(&low, &g2[1], &low, &g2[0]));
        for (power, encoded) in g2.iter().zip(&g1) {
            assert!(pairings_agree(&g1[0].into(), power, &(*encoded).into(), &g2[0]));
        }
    }

    #[test]
    fn other_bytes_are_refused() {
        let mut bytes = SETUP_BYTES.to_vec();
        bytes[100_000] ^= 1;
        let error = Setup::load(bytes.leak(), TableSettings::default()).unwrap_err();
        assert_eq!(error.code, Code::SetupDigestMismatch);
        assert_eq!(
            Setup::load(&SETUP_BYTES[1..], TableSettings::default()).unwrap_err().code,
            Code::SetupDigestMismatch
        );
    }

    #[test]
    fn lagrange_points_sum_to_the_generator() {
        let basis = Setup::global().unwrap().basis(256);
        let ones = vec![Scalar::one(); 256];
        assert_eq!(linear_combination(basis.lagrange(), &ones).to_affine(), Some(G1Affine::generator()));
    }

    #[test]
    fn who_only_verifies_makes_none_of_the_provers_bases() {
        let row = Row { bits: 8, constant: Integer::ZERO, weights: vec![vec![(0, 1)]] };
        let statement = Statement::new(256, 1, 1, vec![row]).unwrap();
        let opening = Opening::new(256, [(0, Integer::from(7))], &[1; 32]).unwrap();
        let prover = Setup::global().unwrap();
        let commitments = [opening.commitment(prover).unwrap()];
        let proof = prove(prover, &statement, &[&opening], b"").unwrap();
        let verifier = Setup::new(TableSettings::default()).unwrap();
        verify(&verifier, &statement, &commitments, b"", &proof).unwrap();
        let claim = Claim { statement: &statement, commitments: &commitments, context: b"", proof: &proof };
        assert!(verify_batch(&verifier, &[claim, claim]).is_empty());
        assert!(verifier.bases.iter().all(|basis| basis.get().is_none()));
        assert!(prover.bases[0].get().is_some());
    }
}
