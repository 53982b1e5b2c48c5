//! Points and scalars as the outside would send them: mostly right, sometimes nearly, sometimes not at all.

use arbitrary::Unstructured;
use curve::{G1, G1_BYTES, G1Affine, SCALAR_BYTES, Scalar};

/// x = 0 gives a point of order 3, x = 4 one outside the subgroup, 0xc0 infinity.
const SPECIAL: [(u8, u8); 3] = [(0x80, 0), (0x80, 4), (0xc0, 0)];

/// A multiple of the generator, by any scalar that is not 0.
pub(crate) fn point(bytes: &mut Unstructured<'_>) -> arbitrary::Result<G1Affine> {
    let factor = scalar(bytes)?;
    let nonzero = if factor.is_zero() { Scalar::one() } else { factor };
    Ok(G1::from(G1Affine::generator()).multiply_secret(&nonzero).to_affine().expect("r is prime"))
}

/// Any scalar; small ones and those next to r as often as all others.
pub(crate) fn scalar(bytes: &mut Unstructured<'_>) -> arbitrary::Result<Scalar> {
    Ok(match bytes.int_in_range(0..=2_u8)? {
        0 => Scalar::from(bytes.arbitrary::<u64>()?),
        1 => -Scalar::from(bytes.arbitrary::<u64>()?),
        _ => Scalar::from_wide_be_bytes(&bytes.arbitrary::<[u8; 2 * SCALAR_BYTES]>()?),
    })
}

/// 48 bytes that may be a point.
pub(crate) fn encoded_point(bytes: &mut Unstructured<'_>) -> arbitrary::Result<[u8; G1_BYTES]> {
    match bytes.int_in_range(0..=3_u8)? {
        0 => bytes.arbitrary(),
        1 => {
            let (first, last) = *bytes.choose(&SPECIAL)?;
            let mut encoded = [0; G1_BYTES];
            (encoded[0], encoded[G1_BYTES - 1]) = (first, last);
            Ok(encoded)
        }
        2 => Ok(point(bytes)?.to_bytes()),
        _ => {
            let mut encoded = point(bytes)?.to_bytes();
            flip_bits(bytes, &mut encoded)?;
            Ok(encoded)
        }
    }
}

/// Flips one to three bits; nothing of an empty slice.
pub(crate) fn flip_bits(bytes: &mut Unstructured<'_>, target: &mut [u8]) -> arbitrary::Result<()> {
    for _ in 0..bytes.int_in_range(1..=3_u8)? {
        if let Some(last) = target.len().checked_sub(1) {
            target[bytes.int_in_range(0..=last)?] ^= 1 << bytes.int_in_range(0..=7_u8)?;
        }
    }
    Ok(())
}
