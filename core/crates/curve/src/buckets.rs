//! Points by group, and buckets weighed with their digits: the steps of a linear combination around [`sum_groups`].

use blst::blst_p1_double;
use zeroize::Zeroize;

use crate::G1;
use crate::digits::Recoding;
use crate::group_sums::{Addend, sum_groups};
use crate::sums::Sums;

/// Which images of which points form which group. Groups are digits, which may be secret: wiped when dropped.
pub(crate) struct Groups {
    members: Vec<Member>,
    lengths: Vec<usize>,
}

impl Drop for Groups {
    fn drop(&mut self) {
        self.members.zeroize();
        self.lengths.zeroize();
    }
}

/// ζ^unit times the point at `source`.
#[derive(Zeroize)]
pub(crate) struct Member {
    pub(crate) group: u32,
    pub(crate) source: u32,
    pub(crate) unit: u8,
}

impl Groups {
    /// So many empty groups.
    pub(crate) fn new(groups: usize, expected_members: usize) -> Self {
        Self { members: Vec::with_capacity(expected_members), lengths: vec![0; groups] }
    }

    #[inline]
    pub(crate) fn insert(&mut self, group: usize, source: usize, unit: u8) {
        self.lengths[group] += 1;
        self.members.push(Member { group: group as u32, source: source as u32, unit });
    }

    /// In the order in which they were inserted.
    pub(crate) fn members(&self) -> &[Member] {
        &self.members
    }

    /// How many members each group has.
    pub(crate) fn lengths(&self) -> &[usize] {
        &self.lengths
    }

    /// The sum of each group, where `write_image(source, unit, place)` writes a point.
    pub(crate) fn sum(&self, write_image: impl Fn(usize, u8, &mut Addend)) -> Vec<Addend> {
        let mut free: Vec<usize> = Vec::with_capacity(self.lengths().len());
        let mut end = 0;
        for length in self.lengths() {
            free.push(end);
            end += length;
        }
        let mut points = vec![Addend::default(); end];
        for member in self.members() {
            let place = &mut free[member.group as usize];
            write_image(member.source as usize, member.unit, &mut points[*place]);
            *place += 1;
        }
        sum_groups(&mut points, &self.lengths)
    }
}

/// Σ representative·bucket for each set of buckets, bit by bit: w points for each set, to be weighed with 1, 2, 4, ….
///
/// A set has one bucket for each representative of the recoding, in their order.
pub(crate) fn weigh(recoding: &Recoding, buckets: &Sums) -> Sums {
    let representatives = recoding.representatives();
    let half = 1 << (recoding.window() - 1); // neither part of a representative is greater
    let sets = buckets.count() / representatives.len();
    // Buckets with the same a, then those with the same b.
    let mut parts = Groups::new(sets * 2 * half, 2 * buckets.count());
    for set in 0..sets {
        for (number, (a, b)) in representatives.iter().enumerate() {
            let bucket = set * representatives.len() + number;
            if buckets.is_infinity(bucket) {
                continue;
            }
            parts.insert(2 * half * set + usize::from(*a) - 1, bucket, 0);
            if *b > 0 {
                parts.insert(2 * half * set + half + usize::from(*b) - 1, bucket, 0);
            }
        }
    }
    let parts = buckets.sum(&parts);
    let width = recoding.window() as usize;
    let mut bits = Groups::new(sets * width, parts.count() * width / 2);
    for part in 0..parts.count() {
        let (set, unit, value) = (part / (2 * half), part / half % 2, part % half + 1);
        for bit in (0..width).filter(|bit| value >> bit & 1 == 1) {
            bits.insert(set * width + bit, part, unit as u8);
        }
    }
    parts.to_orbits().sum(&bits)
}

/// Σ 2^(doublings·k) · pointₖ.
pub(crate) fn weigh_by_place(points: &[Addend], doublings: u32) -> G1 {
    let mut sum = G1::infinity();
    for point in points.iter().rev() {
        if !sum.is_infinity() {
            for _ in 0..doublings {
                sum = double(&sum);
            }
        }
        if let Some(point) = point.point() {
            sum += &point;
        }
    }
    sum
}

/// Twice the point.
pub(crate) fn double(point: &G1) -> G1 {
    let mut out = G1::infinity();
    // SAFETY: reads one point and writes another.
    unsafe { blst_p1_double(&mut out.0, &point.0) };
    out
}
