//! Compressed points decoded in all lanes, with every check that `blst` makes for one.

use super::field::Fp8;
use super::modulus::{LANES, is_below};
use super::point::Affine8;
use super::{square_root, subgroup};
use crate::field::MODULUS;
use crate::{G1_BYTES, G1Affine, PointError};

/// Decodes each point as [`G1Affine::from_bytes`] would.
///
/// # Safety
/// The processor has the features of the vector engine.
#[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
pub(crate) fn decode(encoded: &[[u8; G1_BYTES]]) -> Vec<Result<G1Affine, PointError>> {
    let mut decoded = Vec::with_capacity(encoded.len());
    let mut rest = encoded;
    while !rest.is_empty() {
        // Two vectors hide each other's latency; half a vector is as slow as a whole one, and slower than one point alone.
        let (block, later) = rest.split_at(match rest.len() {
            2..=LANES => rest.len(),
            length if length == LANES + 1 => LANES,
            length => length.min(2 * LANES),
        });
        match block {
            [single] => decoded.push(G1Affine::from_bytes(single)),
            _ if block.len() <= LANES => decode_block([block], &mut decoded),
            _ => decode_block(block.split_at(LANES).into(), &mut decoded),
        }
        rest = later;
    }
    decoded
}

/// What an encoding says before any arithmetic.
#[derive(Clone, Copy)]
struct Compressed {
    /// The x-coordinate, below p.
    x: [u64; 6],
    /// Whether y is the larger one of the two roots as integers.
    larger: bool,
}

impl Compressed {
    const COMPRESSED: u8 = 0x80;
    const INFINITY: u8 = 0x40;
    const LARGER: u8 = 0x20;
    /// Stands in a lane that has nothing to decode.
    const NOTHING: Self = Self { x: [0; 6], larger: false };

    fn parse(bytes: &[u8; G1_BYTES]) -> Result<Self, PointError> {
        let flags = bytes[0];
        if flags & Self::COMPRESSED == 0 {
            return Err(PointError::Encoding);
        }
        if flags & Self::INFINITY != 0 {
            let canonical = flags == Self::COMPRESSED | Self::INFINITY && bytes[1..].iter().all(|byte| *byte == 0);
            return Err(if canonical { PointError::Infinity } else { PointError::Encoding });
        }
        let mut x = [0; 6];
        for (limb, chunk) in x.iter_mut().rev().zip(bytes.as_chunks().0) {
            *limb = u64::from_be_bytes(*chunk);
        }
        x[5] &= u64::MAX >> 3;
        if !is_below(&x, &MODULUS) {
            return Err(PointError::Encoding);
        }
        Ok(Self { x, larger: flags & Self::LARGER != 0 })
    }
}

/// Decodes up to eight points for each of the vectors.
#[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
fn decode_block<const N: usize>(blocks: [&[[u8; G1_BYTES]]; N], decoded: &mut Vec<Result<G1Affine, PointError>>) {
    let parsed = blocks
        .map(|block| core::array::from_fn(|lane| block.get(lane).map_or(Ok(Compressed::NOTHING), Compressed::parse)));
    let (points, on_curve) = decompress(parsed.map(|lanes| lanes.map(|point| point.unwrap_or(Compressed::NOTHING))));
    let in_g1 = subgroup::in_g1(&points);
    for (i, block) in blocks.into_iter().enumerate() {
        let lanes = parsed[i].into_iter().zip(points[i].to_points()).enumerate();
        decoded.extend(lanes.take(block.len()).map(|(lane, (parsed, point))| {
            let set = |mask: u8| mask >> lane & 1 == 1;
            match parsed {
                Err(error) => Err(error),
                Ok(_) if !set(on_curve[i]) => Err(PointError::Encoding),
                Ok(_) if !set(in_g1[i]) => Err(PointError::NotInSubgroup),
                Ok(_) => Ok(point),
            }
        }));
    }
}

/// y with y² = x³ + 4 and the sign asked for, and in which lanes there is one. Coordinates below 64·p.
#[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
fn decompress<const N: usize>(compressed: [[Compressed; LANES]; N]) -> ([Affine8; N], [u8; N]) {
    let four = Fp8::one().shifted::<2>().carried();
    let x = compressed.map(|lanes| Fp8::from_integers(&lanes.map(|point| point.x)));
    let squares = x.map(|x| x.square().mul(&x).add(&four));
    let roots = square_root::root_candidates(&squares);
    let on_curve = core::array::from_fn(|i| roots[i].square().sub(&squares[i]).zeros());
    let points = core::array::from_fn(|i| {
        let wanted = compressed[i].iter().rev().fold(0, |mask, point| mask << 1 | u8::from(point.larger));
        // y > (p − 1)/2 iff twice y is p or more, which leaves an odd number: 2y − p.
        let larger = roots[i].add(&roots[i]).odd();
        Affine8 { x: x[i], y: roots[i] }.negated_where(larger ^ wanted)
    });
    (points, on_curve)
}

#[cfg(test)]
mod tests;
