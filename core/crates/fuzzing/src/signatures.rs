//! BLS signatures: nothing but the right signature of the right message by the right key is taken.

use arbitrary::Unstructured;
use curve::SCALAR_BYTES;
use curve::signatures::{SigningKey, aggregate, verify, verify_aggregate, verify_possession};

use crate::groups::flip_bits;

pub(crate) fn run(bytes: &mut Unstructured<'_>) -> arbitrary::Result<()> {
    let secret =
        if bytes.ratio(7, 8)? { bytes.arbitrary::<[u8; SCALAR_BYTES]>()?.to_vec() } else { bytes.arbitrary()? };
    let message: Vec<u8> = bytes.arbitrary()?;
    let Ok(key) = SigningKey::from_bytes(&secret) else { return anything(bytes, &message) };
    assert_eq!(key.to_bytes().as_slice(), secret);
    let (public, signature) = (key.public_key(), key.sign(&message));
    assert_eq!(verify(&public, &message, &signature), Ok(()));
    let (mut other_key, mut other_message, mut other_signature) =
        (public.to_vec(), message.clone(), signature.to_vec());
    let target = bytes.choose_index(3)?;
    mutate(bytes, [&mut other_key, &mut other_message, &mut other_signature][target])?;
    let same = (&public[..], &message, &signature[..]) == (&other_key, &other_message, &other_signature);
    assert_eq!(verify(&other_key, &other_message, &other_signature).is_ok(), same);
    assert_eq!(verify_aggregate(&[&other_key], &other_message, &other_signature).is_ok(), same);
    assert_eq!(aggregate(&[signature]), Ok(signature));
    // Signature and possession have ciphersuites of their own: one never passes for the other.
    assert!(
        verify_possession(&public, &signature).is_err() && verify(&public, &public, &key.prove_possession()).is_err()
    );
    Ok(())
}

fn mutate(bytes: &mut Unstructured<'_>, target: &mut Vec<u8>) -> arbitrary::Result<()> {
    match bytes.int_in_range(0..=2_u8)? {
        0 => flip_bits(bytes, target)?,
        1 => target.truncate(bytes.int_in_range(0..=target.len())?),
        _ => target.push(bytes.arbitrary()?),
    }
    Ok(())
}

/// Keys and signatures of any bytes.
fn anything(bytes: &mut Unstructured<'_>, message: &[u8]) -> arbitrary::Result<()> {
    let (keys, signatures): (Vec<Vec<u8>>, Vec<Vec<u8>>) = bytes.arbitrary()?;
    let signature = signatures.first().map_or(&[][..], Vec::as_slice);
    assert!(verify_aggregate(&keys, message, signature).is_err());
    for key in &keys {
        assert!(verify(key, message, signature).is_err() && verify_possession(key, signature).is_err());
    }
    if let Ok(sum) = aggregate(&signatures) {
        assert_eq!(aggregate(&[sum]), Ok(sum));
    }
    Ok(())
}
