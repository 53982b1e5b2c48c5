//! Points in memory, in the engine's own form.

use super::field::Fp8;
use super::lanes::{self, Record};
use super::modulus::LANES;
use super::point::Affine8;
use crate::G1Affine;
use crate::endomorphism::CUBE_ROOT;
use crate::field::Fp;
use crate::group_sums::Addend;

/// A point, or infinity, which has x = 0 as nothing else in G1: 128 bytes. Coordinates are below 1.01·p.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct StoredPoint {
    x: Record,
    y: Record,
}

/// A point with its images under the endomorphism: x, βx, β²x and y; 256 bytes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct StoredOrbit {
    abscissas: [Record; 3],
    y: Record,
}

/// Where points are read from. An entry says which one, and which image of it.
pub(super) trait Stored: Sized {
    /// The entry for ζ^unit times the point of this number.
    fn entry(number: u32, unit: u8) -> u32;
    /// Where the coordinates are.
    fn records(points: &[Self], entry: u32) -> (&Record, &Record);
    /// Whether y changes its sign.
    fn is_negative(entry: u32) -> bool;

    /// Asks for a point that will be needed soon.
    #[inline]
    fn prefetch(points: &[Self], entry: u32) {
        let (x, y) = Self::records(points, entry);
        lanes::prefetch(x);
        lanes::prefetch(y);
    }
}

impl Stored for StoredPoint {
    /// Points alone have no other images.
    #[inline]
    fn entry(number: u32, unit: u8) -> u32 {
        debug_assert_eq!(unit, 0, "only the point itself is stored");
        number
    }

    #[inline]
    fn records(points: &[Self], entry: u32) -> (&Record, &Record) {
        let point = &points[entry as usize];
        (&point.x, &point.y)
    }

    #[inline]
    fn is_negative(_: u32) -> bool {
        false
    }
}

impl Stored for StoredOrbit {
    /// ζ(x, y) = (βx, −y).
    #[inline]
    fn entry(number: u32, unit: u8) -> u32 {
        number << 3 | u32::from(unit % 3) << 1 | u32::from(unit % 2)
    }

    #[inline]
    fn records(points: &[Self], entry: u32) -> (&Record, &Record) {
        let orbit = &points[(entry >> 3) as usize];
        (&orbit.abscissas[(entry >> 1 & 3) as usize], &orbit.y)
    }

    #[inline]
    fn is_negative(entry: u32) -> bool {
        entry & 1 == 1
    }
}

impl StoredPoint {
    /// Converts points, eight at a time.
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    pub(super) fn from_points(points: &[G1Affine]) -> Vec<Self> {
        let mut stored = Vec::with_capacity(points.len());
        for chunk in points.chunks(LANES) {
            let eight = Affine8::from_points(&core::array::from_fn(|lane| chunk[lane.min(chunk.len() - 1)]));
            stored.extend(eight.store().into_iter().take(chunk.len()));
        }
        stored
    }

    #[inline]
    pub(super) fn is_infinity(&self) -> bool {
        self.x.is_zero()
    }

    /// The points for the rest of the crate.
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    pub(super) fn to_addends(points: &[Self]) -> Vec<Addend> {
        let mut addends = Vec::with_capacity(points.len());
        for chunk in points.chunks(LANES) {
            let eight = Affine8::load(chunk, &core::array::from_fn(|lane| lane.min(chunk.len() - 1) as u32));
            let (x, y) = (eight.x.to_blst(), eight.y.to_blst());
            let lanes = x.into_iter().zip(y).take(chunk.len());
            addends.extend(lanes.map(|(x, y)| Addend { x: Fp(x), y: Fp(y) }));
        }
        addends
    }
}

impl StoredOrbit {
    #[inline]
    pub(super) fn is_infinity(&self) -> bool {
        self.abscissas[0].is_zero()
    }

    /// Multiplies the abscissas, eight at a time.
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    pub(super) fn from_stored(points: &[StoredPoint]) -> Vec<Self> {
        let cube_root = Fp8::splat(&CUBE_ROOT.0);
        let mut orbits = Vec::with_capacity(points.len());
        for chunk in points.chunks(LANES) {
            let x = Fp8::load(core::array::from_fn(|lane| &chunk[lane.min(chunk.len() - 1)].x));
            let turned = x.mul(&cube_root);
            let (once, twice) = (turned.reduced().store(), turned.mul(&cube_root).reduced().store());
            let orbit = |(lane, point): (usize, &StoredPoint)| Self {
                abscissas: [point.x, once[lane], twice[lane]],
                y: point.y,
            };
            orbits.extend(chunk.iter().enumerate().map(orbit));
        }
        orbits
    }
}

impl Affine8 {
    /// The images that entries name. Coordinates are below 64·p.
    #[inline]
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    pub(super) fn load<S: Stored>(points: &[S], entries: &[u32; LANES]) -> Self {
        let (mut x, mut y, mut negative) = (Fp8::zero().0, Fp8::zero().0, 0);
        for lane in 0..LANES {
            let records = S::records(points, entries[lane]);
            (x[lane], y[lane]) = (lanes::load(records.0), lanes::load(records.1));
            negative |= u8::from(S::is_negative(entries[lane])) << lane;
        }
        let (x, y) = (Fp8(lanes::transposed(x)), Fp8(lanes::transposed(y)));
        if negative == 0 { Self { x, y } } else { Self { x, y: Fp8::select(negative, &y, &y.neg()) } }
    }

    /// One stored point for each lane; coordinates are below 1.01·p.
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    pub(super) fn store(&self) -> [StoredPoint; LANES] {
        let (x, y) = (self.x.reduced().store(), self.y.reduced().store());
        core::array::from_fn(|lane| StoredPoint { x: x[lane], y: y[lane] })
    }
}
