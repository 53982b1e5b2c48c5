//! Points in memory, in the engine's own form.

use super::field::Fp8;
use super::lanes::Record;
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
pub(super) trait Stored {
    /// The entry for ζ^unit times the point of this number.
    fn entry(number: u32, unit: u8) -> u32;
    fn abscissa(points: &[Self], entry: u32) -> &Record
    where
        Self: Sized;
    fn ordinate(points: &[Self], entry: u32) -> &Record
    where
        Self: Sized;
    /// Whether y changes its sign.
    fn is_negative(entry: u32) -> bool;
}

impl Stored for StoredPoint {
    /// Points alone have no other images.
    #[inline]
    fn entry(number: u32, unit: u8) -> u32 {
        debug_assert_eq!(unit, 0, "only the point itself is stored");
        number
    }

    #[inline]
    fn abscissa(points: &[Self], entry: u32) -> &Record {
        &points[entry as usize].x
    }

    #[inline]
    fn ordinate(points: &[Self], entry: u32) -> &Record {
        &points[entry as usize].y
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
    fn abscissa(points: &[Self], entry: u32) -> &Record {
        &points[(entry >> 3) as usize].abscissas[(entry >> 1 & 3) as usize]
    }

    #[inline]
    fn ordinate(points: &[Self], entry: u32) -> &Record {
        &points[(entry >> 3) as usize].y
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
            let (x, y) = (eight.x.reduced().store(), eight.y.reduced().store());
            stored.extend(x.into_iter().zip(y).take(chunk.len()).map(|(x, y)| Self { x, y }));
        }
        stored
    }

    #[inline]
    pub(super) fn is_infinity(&self) -> bool {
        self.x == Record::default()
    }

    /// The points for the rest of the crate.
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    pub(super) fn to_addends(points: &[Self]) -> Vec<Addend> {
        let mut addends = Vec::with_capacity(points.len());
        for chunk in points.chunks(LANES) {
            let eight = Affine8::load(core::array::from_fn(|lane| lane.min(chunk.len() - 1) as u32), chunk);
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
        self.abscissas[0] == Record::default()
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
    /// The images that entries name.
    #[inline]
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    pub(super) fn load<S: Stored>(entries: [u32; LANES], points: &[S]) -> Self {
        let eight = Self {
            x: Fp8::load(entries.map(|entry| S::abscissa(points, entry))),
            y: Fp8::load(entries.map(|entry| S::ordinate(points, entry))),
        };
        let signs = entries.map(|entry| u8::from(S::is_negative(entry)));
        let negative = signs.iter().enumerate().fold(0, |mask, (lane, sign)| mask | sign << lane);
        if negative == 0 { eight } else { eight.negated_where(negative) }
    }

    #[inline]
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    pub(super) fn reduced(&self) -> Self {
        Self { x: self.x.reduced(), y: self.y.reduced() }
    }

    /// Stores the lanes, as many as there are places; coordinates are below 1.01·p.
    #[inline]
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    pub(super) fn store<'a>(&self, points: &mut [StoredPoint], places: impl IntoIterator<Item = &'a u32>) {
        let (x, y) = (self.x.store(), self.y.store());
        for (lane, place) in places.into_iter().enumerate() {
            points[*place as usize] = StoredPoint { x: x[lane], y: y[lane] };
        }
    }
}
