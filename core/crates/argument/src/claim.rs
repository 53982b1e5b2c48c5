//! One proof and what it is to show. The points of many claims are decoded together, which is faster than one by one.

use curve::{G1Affine, PointError};

use crate::error::ArgumentError;
use crate::proof::{EncodedPoint, ProofBytes};
use crate::statement::Statement;

/// One proof and what it is to show.
#[derive(Clone, Copy, Debug)]
pub struct Claim<'a> {
    /// The statement.
    pub statement: &'a Statement,
    /// Commitments of the inputs, in order.
    pub commitments: &'a [EncodedPoint],
    /// Everything the proof must be tied to.
    pub context: &'a [u8],
    /// The proof.
    pub proof: &'a [u8],
}

/// What became of an encoded point. It is judged later, at the step that it belongs to.
pub(crate) type DecodedPoint = Result<G1Affine, PointError>;

/// A claim whose bytes are decoded, and not judged yet.
pub(crate) struct DecodedClaim<'a> {
    pub(crate) claim: Claim<'a>,
    /// The elements of the proof; an error when it has the wrong length.
    pub(crate) proof: Result<ProofBytes, ArgumentError>,
    /// The commitments and the points of the proof, in order: nothing where there is not one commitment per input, and
    /// the commitments alone where the proof has the wrong length.
    pub(crate) points: Vec<DecodedPoint>,
}

impl<'a> DecodedClaim<'a> {
    /// Decodes all points of all claims at once. What one claim holds never touches the others.
    pub(crate) fn decode_each(claims: &[Claim<'a>]) -> Vec<Self> {
        let proofs: Vec<_> = claims.iter().map(|claim| ProofBytes::split(claim.statement, claim.proof)).collect();
        let encoded: Vec<_> = claims.iter().zip(&proofs).map(|(claim, proof)| encoded_points(claim, proof)).collect();
        let mut decoded = G1Affine::decode_each(&encoded.concat()).into_iter();
        let join = |((claim, proof), encoded): ((&Claim<'a>, _), Vec<EncodedPoint>)| {
            let points = decoded.by_ref().take(encoded.len()).collect();
            Self { claim: *claim, proof, points }
        };
        claims.iter().zip(proofs).zip(encoded).map(join).collect()
    }
}

/// Whatever need not be looked at is not decoded: an attacker would choose it.
fn encoded_points(claim: &Claim<'_>, proof: &Result<ProofBytes, ArgumentError>) -> Vec<EncodedPoint> {
    if claim.commitments.len() != claim.statement.inputs() {
        return Vec::new();
    }
    claim.commitments.iter().chain(proof.iter().flat_map(ProofBytes::points)).copied().collect()
}
