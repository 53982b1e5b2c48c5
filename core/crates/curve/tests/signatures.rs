//! BLS signatures: what is accepted, and each way of being refused.

use curve::signatures::{SignatureError, SigningKey, aggregate, verify, verify_aggregate, verify_possession};
use proptest::prelude::*;
use rand_core::{TryCryptoRng, TryRng};

fn key(seed: u8) -> SigningKey {
    SigningKey::from_bytes(&[seed; 32]).unwrap()
}

const INFINITE_KEY: [u8; 48] = {
    let mut bytes = [0; 48];
    bytes[0] = 0xc0;
    bytes
};
const INFINITE_SIGNATURE: [u8; 96] = {
    let mut bytes = [0; 96];
    bytes[0] = 0xc0;
    bytes
};

#[test]
fn signatures_bind_key_and_message() {
    let signature = key(1).sign(b"message");
    assert_eq!(verify(&key(1).public_key(), b"message", &signature), Ok(()));
    assert_eq!(verify(&key(1).public_key(), b"messagf", &signature), Err(SignatureError::Signature));
    assert_eq!(verify(&key(2).public_key(), b"message", &signature), Err(SignatureError::Signature));
    assert_eq!(verify(&key(1).public_key(), b"", &key(1).sign(b"")), Ok(()));
}

#[test]
fn the_published_vector_of_the_ciphersuite() {
    // Ethereum consensus specifications, bls/sign, case of the first private key and message of 32 zero bytes.
    let secret = bytes("263dbd792f5b1be47ed85f8938c0f29586af0d3ac7b977f21c278fe1462040e3");
    let expected = bytes(
        "b6ed936746e01f8ecf281f020953fbf1f01debd5657c4a383940b020b26507f6076334f91e2366c96e9ab279fb5158090352ea1c5b0c9274504f4f0e7053af24802e51e4568d164fe986834f41e55c8e850ce1f98458c0cfc9ab380b55285a55",
    );
    assert_eq!(SigningKey::from_bytes(&secret).unwrap().sign(&[0; 32]).to_vec(), expected);
}

fn bytes(text: &str) -> Vec<u8> {
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap()).collect()
}

#[test]
fn secret_keys_are_checked() {
    let mut below = curve::MODULUS_BYTES;
    assert!(SigningKey::from_bytes(&below).is_err());
    below[31] = 0;
    assert_eq!(*SigningKey::from_bytes(&below).unwrap().to_bytes(), below);
    assert!(SigningKey::from_bytes(&[0; 32]).is_err());
    assert!(SigningKey::from_bytes(&[1; 31]).is_err());
    assert!(SigningKey::from_bytes(&[1; 33]).is_err());
    assert_eq!(format!("{:?}", key(7)), "SigningKey(…)");
}

/// Zeros, or nothing at all.
struct Broken {
    fails: bool,
}

impl TryRng for Broken {
    type Error = core::fmt::Error;

    fn try_next_u32(&mut self) -> Result<u32, Self::Error> {
        rand_core::utils::next_word_via_fill(self)
    }

    fn try_next_u64(&mut self) -> Result<u64, Self::Error> {
        rand_core::utils::next_word_via_fill(self)
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Self::Error> {
        bytes.fill(0);
        if self.fails { Err(core::fmt::Error) } else { Ok(()) }
    }
}

impl TryCryptoRng for Broken {}

#[test]
fn no_key_comes_from_a_broken_source() {
    assert_eq!(SigningKey::generate(&mut Broken { fails: true }).err(), Some(SignatureError::Randomness));
    assert_eq!(SigningKey::generate(&mut Broken { fails: false }).err(), Some(SignatureError::Key));
}

#[test]
fn public_keys_are_checked() {
    let signature = key(1).sign(b"m");
    let good = key(1).public_key();
    let mut outside = [0; 48];
    (outside[0], outside[47]) = (0x80, 4);
    let mut no_flag = good;
    no_flag[0] &= 0x7f;
    for bad in [&INFINITE_KEY[..], &outside, &no_flag, &good[..47], &[&good[..], &[0; 48]].concat(), &[]] {
        assert_eq!(verify(bad, b"m", &signature), Err(SignatureError::Key));
        assert_eq!(verify_aggregate(&[&good[..], bad], b"m", &signature), Err(SignatureError::Key));
        assert_eq!(verify_possession(bad, &signature), Err(SignatureError::Key));
    }
    // The infinite key would accept the infinite signature of anything.
    assert_eq!(verify(&INFINITE_KEY, b"m", &INFINITE_SIGNATURE), Err(SignatureError::Key));
}

#[test]
fn uncompressed_encodings_are_refused() {
    let compressed = key(1).public_key();
    let uncompressed = blst::min_pk::PublicKey::from_bytes(&compressed).unwrap().serialize();
    let signature = key(1).sign(b"m");
    assert_eq!(verify(&uncompressed, b"m", &signature), Err(SignatureError::Key));
    let long = blst::min_pk::Signature::from_bytes(&signature).unwrap().serialize();
    assert_eq!(verify(&compressed, b"m", &long), Err(SignatureError::Signature));
}

#[test]
fn signature_points_are_checked() {
    let good = key(1).sign(b"m");
    // x = 2 is on the curve of G2, outside the subgroup.
    let outside = (1..=255)
        .map(|x| {
            let mut bytes = [0; 96];
            (bytes[0], bytes[95]) = (0x80, x);
            bytes
        })
        .find(|bytes| curve::G2Affine::from_bytes(bytes) == Err(curve::PointError::NotInSubgroup))
        .unwrap();
    for bad in [&INFINITE_SIGNATURE[..], &outside, &good[..95], &[0; 96], &[]] {
        assert_eq!(verify(&key(1).public_key(), b"m", bad), Err(SignatureError::Signature));
        assert_eq!(aggregate(&[&good[..], bad]), Err(SignatureError::Signature));
    }
}

#[test]
fn aggregates_of_one_message() {
    let keys: Vec<SigningKey> = (1..4).map(key).collect();
    let signatures: Vec<_> = keys.iter().map(|key| key.sign(b"m")).collect();
    let public: Vec<_> = keys.iter().map(SigningKey::public_key).collect();
    let sum = aggregate(&signatures).unwrap();
    assert_eq!(verify_aggregate(&public, b"m", &sum), Ok(()));
    assert_eq!(verify_aggregate(&public, b"n", &sum), Err(SignatureError::Signature));
    assert_eq!(verify_aggregate(&public[1..], b"m", &sum), Err(SignatureError::Signature));
    assert_eq!(verify_aggregate(&public, b"m", &aggregate(&signatures[1..]).unwrap()), Err(SignatureError::Signature));
    // Who signs twice counts twice: the caller refuses lists with duplicates.
    let twice = aggregate(&[signatures[0], signatures[0]]).unwrap();
    assert_eq!(verify_aggregate(&[public[0], public[0]], b"m", &twice), Ok(()));
    assert_eq!(verify_aggregate::<[u8; 48]>(&[], b"m", &sum), Err(SignatureError::Empty));
    assert_eq!(aggregate::<[u8; 96]>(&[]), Err(SignatureError::Empty));
}

#[test]
fn keys_and_signatures_that_cancel_out_are_refused() {
    let (signature, public) = (key(1).sign(b"m"), key(1).public_key());
    let (mut opposite_signature, mut opposite_key) = (signature, public);
    opposite_signature[0] ^= 0x20;
    opposite_key[0] ^= 0x20;
    assert_eq!(aggregate(&[signature, opposite_signature]), Err(SignatureError::Signature));
    assert_eq!(verify_aggregate(&[public, opposite_key], b"m", &signature), Err(SignatureError::Key));
}

#[test]
fn possession_is_no_signature_and_binds_the_key() {
    let proof = key(1).prove_possession();
    assert_eq!(verify_possession(&key(1).public_key(), &proof), Ok(()));
    assert_eq!(verify_possession(&key(2).public_key(), &proof), Err(SignatureError::Possession));
    let signed = key(1).sign(&key(1).public_key());
    assert_eq!(verify_possession(&key(1).public_key(), &signed), Err(SignatureError::Possession));
    assert_eq!(verify(&key(1).public_key(), &key(1).public_key(), &proof), Err(SignatureError::Signature));
    assert_eq!(verify_possession(&key(1).public_key(), &INFINITE_SIGNATURE), Err(SignatureError::Possession));
    assert_eq!(verify_possession(&key(1).public_key(), b""), Err(SignatureError::Possession));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes_give_a_verdict(
        public in proptest::collection::vec(any::<u8>(), 0..100),
        signature in proptest::collection::vec(any::<u8>(), 0..200),
    ) {
        prop_assert!(verify(&public, b"m", &signature).is_err());
        prop_assert!(verify(&key(1).public_key(), b"m", &signature).is_err());
        prop_assert!(aggregate(&[&signature]).is_err());
        prop_assert!(verify_possession(&public, &signature).is_err());
    }
}
