//! Multiples of points by secret digits, eight windows at once: the same steps for every digit, as in
//! [`crate::secret_base`]. Every entry is loaded, masks decide what is kept, and the addition is complete.

use core::arch::x86_64::{_mm512_cmpeq_epi64_mask, _mm512_mask_mov_epi64, _mm512_set1_epi64};

use zeroize::{Zeroize, Zeroizing};

use super::field::Fp8;
use super::lanes::{self, Record};
use super::modulus::{LANES, LIMBS};
use super::point::{Affine8, Point8};
use crate::{G1, G1Affine};

/// Tables of windows, in groups of eight: lane i of an entry belongs to window i of its group.
#[derive(Debug)]
pub(crate) struct Windows {
    entries: Vec<Entry>,
    /// Entries of each window: the multiples by 1, 2, ….
    length: usize,
}

/// Eight points, limb by limb. Coordinates are below 1.01·p.
#[derive(Clone, Copy, Debug)]
struct Entry {
    x: [Record; LIMBS],
    y: [Record; LIMBS],
}

impl Windows {
    /// Rearranges tables of `length` multiples each, one after the other; nothing where the processor lacks the
    /// features.
    pub(crate) fn new(multiples: &[G1Affine], length: usize) -> Option<Self> {
        if !super::is_supported() {
            return None;
        }
        let windows = multiples.chunks_exact(length);
        let groups = windows.len().div_ceil(LANES);
        let mut entries = Vec::with_capacity(groups * length);
        for group in 0..groups {
            for number in 0..length {
                // Lanes beyond the last window get what is never selected.
                let window = |lane: usize| windows.clone().nth(group * LANES + lane).unwrap_or(&multiples[..length]);
                let points = core::array::from_fn(|lane| window(lane)[number]);
                // SAFETY: the processor has the features.
                entries.push(unsafe { Entry::new(&points) });
            }
        }
        Some(Self { entries, length })
    }

    /// The memory that the tables take.
    pub(crate) fn bytes(&self) -> usize {
        size_of_val(self.entries.as_slice())
    }

    /// The sum of one entry of each of the first windows: that of |digit|, with its sign; none for 0.
    pub(crate) fn sum(&self, digits: &[i8]) -> G1 {
        // SAFETY: the processor has the features, or there would be no windows.
        let lanes = unsafe { self.sum_lanes(digits) };
        lanes.into_iter().fold(G1::infinity(), |sum, lane| sum + lane)
    }

    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    fn sum_lanes(&self, digits: &[i8]) -> [G1; LANES] {
        let mut sum = Point8::infinity();
        for (digits, entries) in digits.chunks(LANES).zip(self.entries.chunks_exact(self.length)) {
            sum = sum.add(&select(entries, digits));
        }
        sum.to_points()
    }
}

impl Entry {
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    fn new(points: &[G1Affine; LANES]) -> Self {
        let eight = Affine8::from_points(points);
        Self { x: eight.x.reduced().limbs(), y: eight.y.reduced().limbs() }
    }
}

/// The entries that digits name, one for each lane; no digit counts as 0.
#[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
fn select(entries: &[Entry], digits: &[i8]) -> Point8 {
    let mut magnitudes = Zeroizing::new([0; LANES]);
    let mut negative = 0;
    for (lane, digit) in digits.iter().enumerate() {
        let sign = digit >> (i8::BITS - 1);
        magnitudes[lane] = i64::from((digit ^ sign) - sign).cast_unsigned();
        negative |= (sign as u8 & 1) << lane;
    }
    let mut record = Record(*magnitudes);
    let wanted = lanes::load(&record);
    record.0.zeroize();
    let zero = _mm512_cmpeq_epi64_mask(wanted, _mm512_set1_epi64(0));
    let (mut x, mut y) = (Fp8::zero(), Fp8::zero());
    for (entry, number) in entries.iter().zip(1..) {
        let mask = _mm512_cmpeq_epi64_mask(wanted, _mm512_set1_epi64(number));
        for limb in 0..LIMBS {
            x.0[limb] = _mm512_mask_mov_epi64(x.0[limb], mask, lanes::load(&entry.x[limb]));
            y.0[limb] = _mm512_mask_mov_epi64(y.0[limb], mask, lanes::load(&entry.y[limb]));
        }
    }
    let point = Affine8 { x, y }.negated_where(negative);
    // Infinity is (0, 1, 0).
    Point8 { x: point.x, y: Fp8::select(zero, &point.y, &Fp8::one()), z: Fp8::select(zero, &Fp8::one(), &Fp8::zero()) }
}
