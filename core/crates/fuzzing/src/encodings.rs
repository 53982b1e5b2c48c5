//! Decoders of a fixed length: what they take has this one encoding, and they take exactly what the definition says.

use arbitrary::Unstructured;
use argument::{Integer, add_commitments};
use curve::signatures::{SigningKey, aggregate};
use curve::{G1, G1_BYTES, G1Affine, G2_BYTES, G2Affine, MODULUS_BYTES, PointError, SCALAR_BYTES, Scalar};

use crate::groups::{encoded_point, flip_bits};

pub(crate) fn run(bytes: &mut Unstructured<'_>) -> arbitrary::Result<()> {
    match bytes.int_in_range(0..=4_u8)? {
        0 => g1(&encoded_point(bytes)?),
        1 => g2(bytes)?,
        2 => scalar(&bytes.arbitrary()?),
        3 => wide_scalar(&bytes.arbitrary()?),
        _ => integer(&bytes.arbitrary()?),
    }
    Ok(())
}

/// Accepted are exactly canonical encodings of points of order r.
fn g1(encoded: &[u8; G1_BYTES]) {
    let decoded = G1Affine::from_bytes(encoded);
    let unchecked = G1Affine::from_pinned_bytes(encoded);
    assert_eq!(add_commitments(&[*encoded]).is_ok(), decoded.is_ok());
    match decoded {
        Ok(point) => {
            assert_eq!(point.to_bytes(), *encoded);
            assert_eq!(unchecked, Ok(point));
            assert!((G1::from(point).multiply_secret(&-Scalar::one()) + &point).is_infinity());
        }
        Err(PointError::NotInSubgroup) => assert!(matches!(unchecked, Ok(_) | Err(PointError::NotInSubgroup))),
        Err(error) => assert_eq!(unchecked, Err(error)),
    }
}

/// The decoder of the setup and that of signatures take the same points.
fn g2(bytes: &mut Unstructured<'_>) -> arbitrary::Result<()> {
    let key = SigningKey::from_bytes(&[1; SCALAR_BYTES]).expect("a secret below r");
    let mut encoded: [u8; G2_BYTES] = key.sign(&bytes.arbitrary::<[u8; 4]>()?);
    match bytes.int_in_range(0..=2_u8)? {
        0 => encoded = bytes.arbitrary()?,
        1 => flip_bits(bytes, &mut encoded)?,
        _ => (),
    }
    let decoded = G2Affine::from_bytes(&encoded);
    assert_eq!(decoded.is_ok(), aggregate(&[encoded]).is_ok());
    assert!(decoded.is_err() || encoded[0] & 0xc0 == 0x80);
    Ok(())
}

/// Accepted are exactly the integers below r.
fn scalar(encoded: &[u8; SCALAR_BYTES]) {
    let decoded = Scalar::from_be_bytes(encoded);
    assert_eq!(decoded.is_ok(), *encoded < MODULUS_BYTES);
    if let Ok(scalar) = decoded {
        assert_eq!(scalar.to_be_bytes(), *encoded);
        assert_eq!(scalar.is_zero(), *encoded == [0; SCALAR_BYTES]);
    }
}

/// high · 2^256 + low, where each half is reduced alone.
fn wide_scalar(encoded: &[u8; 2 * SCALAR_BYTES]) {
    let half = |bytes: &[u8]| {
        let mut wide = [0; 2 * SCALAR_BYTES];
        wide[SCALAR_BYTES..].copy_from_slice(bytes);
        Scalar::from_wide_be_bytes(&wide)
    };
    let (high, low) = encoded.split_at(SCALAR_BYTES);
    let shift = Scalar::from(1 << 32).pow(8);
    assert_eq!(Scalar::from_wide_be_bytes(encoded), half(high) * shift + half(low));
}

fn integer(encoded: &[u8; Integer::BYTES]) {
    let value = Integer::from_le_bytes(encoded);
    assert_eq!(value.to_le_bytes(), *encoded);
    assert_eq!(value.is_zero(), value.bit_length() == 0);
    assert!(value.bit_length() <= 8 * Integer::BYTES);
    assert_eq!(value.to_i128().map(Integer::from), (value.to_i128().is_some()).then_some(value));
    let sign = if value.is_negative() { -Scalar::one() } else { Scalar::one() };
    assert_eq!(value.to_scalar(), sign * value.magnitude().to_scalar());
}
