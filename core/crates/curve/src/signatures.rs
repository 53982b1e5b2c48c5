//! BLS signatures, minimal public keys, with proof of possession (the ciphersuite of Ethereum).

use blst::BLST_ERROR;
use blst::min_pk::{AggregatePublicKey, AggregateSignature, PublicKey, SecretKey, Signature};
use rand_core::TryCryptoRng;
use zeroize::Zeroizing;

use crate::{G1_BYTES, G2_BYTES, SCALAR_BYTES, Scalar};

const SIGNATURE_SUITE: &[u8] = b"BLS_SIG_BLS12381G2_XMD:SHA-256_SSWU_RO_POP_";
const POSSESSION_SUITE: &[u8] = b"BLS_POP_BLS12381G2_XMD:SHA-256_SSWU_RO_POP_";

/// Why a key or a signature was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SignatureError {
    /// Bytes of a key of the wrong length, zero or not below r, off the curve, outside the subgroup or infinity.
    Key,
    /// Bytes that are no signature, or a signature of something else or by somebody else.
    Signature,
    /// Not a proof of possession of this key.
    Possession,
    /// An empty list.
    Empty,
    /// The source of randomness failed.
    Randomness,
}

/// A secret key. It is wiped when dropped.
#[derive(Clone)]
pub struct SigningKey(SecretKey);

impl core::fmt::Debug for SigningKey {
    /// Shows nothing of the secret.
    fn fmt(&self, formatter: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        formatter.write_str("SigningKey(…)")
    }
}

impl SigningKey {
    /// A fresh key from a source of randomness alone: no secret exists yet that could be mixed in, and signing draws
    /// nothing at all.
    ///
    /// # Errors
    /// [`SignatureError::Randomness`] if the source fails, [`SignatureError::Key`] if it yields zero, which no working
    /// one does.
    pub fn generate<R: TryCryptoRng + ?Sized>(source: &mut R) -> Result<Self, SignatureError> {
        let mut wide = Zeroizing::new([0; 2 * SCALAR_BYTES]);
        source.try_fill_bytes(&mut *wide).map_err(|_| SignatureError::Randomness)?;
        let secret = Zeroizing::new(Scalar::from_wide_be_bytes(&wide));
        Self::from_bytes(&*Zeroizing::new(secret.to_be_bytes()))
    }

    /// Decodes 32 bytes, big-endian: not zero and below r.
    ///
    /// # Errors
    /// [`SignatureError::Key`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, SignatureError> {
        SecretKey::from_bytes(bytes).map(Self).map_err(|_| SignatureError::Key)
    }

    /// The 32 bytes of the secret, big-endian.
    pub fn to_bytes(&self) -> Zeroizing<[u8; SCALAR_BYTES]> {
        Zeroizing::new(self.0.to_bytes())
    }

    /// The compressed public key.
    pub fn public_key(&self) -> [u8; G1_BYTES] {
        self.0.sk_to_pk().to_bytes()
    }

    /// Signs a message; deterministic and in constant time.
    pub fn sign(&self, message: &[u8]) -> [u8; G2_BYTES] {
        self.0.sign(message, SIGNATURE_SUITE, &[]).to_bytes()
    }

    /// Shows that the holder of this key knows it: a signature of the public key under a ciphersuite of its own.
    pub fn prove_possession(&self) -> [u8; G2_BYTES] {
        self.0.sign(&self.public_key(), POSSESSION_SUITE, &[]).to_bytes()
    }
}

/// Checks one signature.
///
/// # Errors
/// [`SignatureError::Key`] or [`SignatureError::Signature`].
pub fn verify(public_key: &[u8], message: &[u8], signature: &[u8]) -> Result<(), SignatureError> {
    let key = decode_key(public_key)?;
    check(&key, message, signature, SIGNATURE_SUITE)
}

/// Checks a signature aggregated over one message. The caller has checked possession of every key.
///
/// # Errors
/// [`SignatureError::Empty`], [`SignatureError::Key`] or [`SignatureError::Signature`].
pub fn verify_aggregate<K: AsRef<[u8]>>(
    public_keys: &[K],
    message: &[u8],
    signature: &[u8],
) -> Result<(), SignatureError> {
    if public_keys.is_empty() {
        return Err(SignatureError::Empty);
    }
    let keys = public_keys.iter().map(|key| decode_key(key.as_ref())).collect::<Result<Vec<_>, _>>()?;
    let references: Vec<&PublicKey> = keys.iter().collect();
    let sum = AggregatePublicKey::aggregate(&references, false).map_err(|_| SignatureError::Key)?.to_public_key();
    // Keys that cancel out would make anything verify.
    sum.validate().map_err(|_| SignatureError::Key)?;
    check(&sum, message, signature, SIGNATURE_SUITE)
}

/// Checks a proof of possession.
///
/// # Errors
/// [`SignatureError::Key`] or [`SignatureError::Possession`].
pub fn verify_possession(public_key: &[u8], proof: &[u8]) -> Result<(), SignatureError> {
    let key = decode_key(public_key)?;
    check(&key, public_key, proof, POSSESSION_SUITE).map_err(|_| SignatureError::Possession)
}

/// The sum of signatures.
///
/// # Errors
/// [`SignatureError::Empty`], or [`SignatureError::Signature`] when one of them is malformed or they cancel out.
pub fn aggregate<S: AsRef<[u8]>>(signatures: &[S]) -> Result<[u8; G2_BYTES], SignatureError> {
    if signatures.is_empty() {
        return Err(SignatureError::Empty);
    }
    let decoded = signatures.iter().map(|bytes| decode_signature(bytes.as_ref())).collect::<Result<Vec<_>, _>>()?;
    let references: Vec<&Signature> = decoded.iter().collect();
    let sum = AggregateSignature::aggregate(&references, false).map_err(|_| SignatureError::Signature)?.to_signature();
    sum.validate(true).map_err(|_| SignatureError::Signature)?;
    Ok(sum.to_bytes())
}

/// Canonical, on the curve, in the subgroup, not infinity. The length is checked here because `blst` also takes the
/// uncompressed form, which would give a second encoding.
fn decode_key(bytes: &[u8]) -> Result<PublicKey, SignatureError> {
    if bytes.len() != G1_BYTES {
        return Err(SignatureError::Key);
    }
    PublicKey::key_validate(bytes).map_err(|_| SignatureError::Key)
}

/// As [`decode_key`], for signatures.
fn decode_signature(bytes: &[u8]) -> Result<Signature, SignatureError> {
    if bytes.len() != G2_BYTES {
        return Err(SignatureError::Signature);
    }
    Signature::sig_validate(bytes, true).map_err(|_| SignatureError::Signature)
}

fn check(key: &PublicKey, message: &[u8], signature: &[u8], suite: &[u8]) -> Result<(), SignatureError> {
    let decoded = decode_signature(signature)?;
    match decoded.verify(false, message, suite, &[], key, false) {
        BLST_ERROR::BLST_SUCCESS => Ok(()),
        _ => Err(SignatureError::Signature),
    }
}
