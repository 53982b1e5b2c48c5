//! Sums of groups of points: groups are cut into pieces, and pieces of about the same length are laid side by side.

use zeroize::Zeroize;

use super::columns::Columns;
use super::modulus::LANES;
use super::point::Affine8;
use super::stored::{Stored, StoredPoint};
use crate::buckets::Groups;

/// So many rows are added up together: they stay in the cache, and their inversions cost little.
const ROWS: usize = 1024;
/// How many rows ahead points are asked for: tables do not fit into the nearest caches.
const AHEAD: u32 = 8;
/// Pieces are not cut shorter.
const LEAST_PIECE: usize = 64;

/// The sum of each group, infinity for empty groups.
#[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
pub(super) fn sum_groups<S: Stored>(points: &[S], groups: &Groups, is_point: impl Fn(u32) -> bool) -> Vec<StoredPoint> {
    let mut sums = vec![StoredPoint::default(); groups.lengths().len()];
    let members = groups.members().iter().filter(|member| is_point(member.source));
    let members = members.map(|member| (member.group, S::entry(member.source, member.unit)));
    let mut parts = sum_members(points, &Members::new(sums.len(), members), &mut sums);
    while !parts.is_empty() {
        let (groups, points): (Vec<u32>, Vec<StoredPoint>) = parts.into_iter().unzip();
        let members = Members::new(sums.len(), groups.into_iter().zip(0..));
        parts = sum_members(&points, &members, &mut sums);
    }
    sums
}

/// Sums of groups that need not be cut, and those of parts of the others, which belong to the groups they are given
/// with.
#[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
fn sum_members<S: Stored>(points: &[S], members: &Members, sums: &mut [StoredPoint]) -> Vec<(u32, StoredPoint)> {
    let pieces = members.pieces();
    let mut parts = Vec::new();
    let mut columns = Columns::with_capacity(ROWS.min(members.entries.len() / LANES + pieces.len()));
    let mut waiting = pieces.as_slice();
    while let Some(longest) = waiting.first() {
        let sets = (ROWS / longest.length as usize).max(1);
        let (batch, rest) = waiting.split_at(waiting.len().min(sets * LANES));
        waiting = rest;
        columns.clear();
        for set in batch.chunks(LANES) {
            load(&mut columns, points, &members.entries, set);
        }
        for (set, (row, present)) in batch.chunks(LANES).zip(columns.sum()) {
            for (lane, (piece, sum)) in set.iter().zip(row.store()).enumerate() {
                match (present >> lane & 1, piece.is_whole) {
                    (0, _) => {}
                    (_, true) => sums[piece.group as usize] = sum,
                    (_, false) => parts.push((piece.group, sum)),
                }
            }
        }
    }
    parts
}

/// Loads up to eight pieces as a set of columns; the first is the longest, the last the shortest.
#[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
fn load<S: Stored>(columns: &mut Columns, points: &[S], entries: &[u32], pieces: &[Piece]) {
    columns.begin_set();
    let lanes: [Piece; LANES] = core::array::from_fn(|lane| pieces[lane.min(pieces.len() - 1)]);
    let shortest = if pieces.len() == LANES { lanes[LANES - 1].length } else { 0 };
    for row in 0..lanes[0].length {
        let present = if row < shortest { u8::MAX } else { lanes_longer_than(row, pieces) };
        let mut here = [0; LANES];
        for (entry, piece) in here.iter_mut().zip(&lanes) {
            let place = |row: u32| (piece.start + row.min(piece.length - 1)) as usize;
            *entry = entries[place(row)];
            S::prefetch(points, entries[place(row + AHEAD)]);
        }
        columns.push(Affine8::load(points, &here), present);
    }
}

fn lanes_longer_than(row: u32, pieces: &[Piece]) -> u8 {
    pieces.iter().rev().fold(0, |mask, piece| mask << 1 | u8::from(row < piece.length))
}

/// Entries of points, sorted by group: digits, which may be secret, and which are wiped when dropped.
struct Members {
    entries: Vec<u32>,
    /// Where each group ends; it begins where the one before it ends.
    ends: Vec<u32>,
}

impl Drop for Members {
    fn drop(&mut self) {
        self.entries.zeroize();
        self.ends.zeroize();
    }
}

/// Some members of one group.
#[derive(Clone, Copy, Default)]
struct Piece {
    group: u32,
    start: u32,
    length: u32,
    /// It is the group.
    is_whole: bool,
}

impl Members {
    /// From pairs of group and entry.
    fn new(groups: usize, members: impl Iterator<Item = (u32, u32)> + Clone) -> Self {
        let mut ends = vec![0; groups];
        for (group, _) in members.clone() {
            ends[group as usize] += 1;
        }
        begin_at_sums(&mut ends);
        let mut entries = vec![0; members.clone().count()];
        for (group, entry) in members {
            let end = &mut ends[group as usize];
            entries[*end as usize] = entry;
            *end += 1;
        }
        Self { entries, ends }
    }

    /// Cuts long groups into pieces, so that eight lanes are busy whatever the groups are like; the longest come first.
    fn pieces(&self) -> Vec<Piece> {
        let starts = [0].into_iter().chain(self.ends.iter().copied());
        let groups = starts.zip(&self.ends).enumerate().filter(|(_, (start, end))| start < end);
        let (total, count) = (self.entries.len(), groups.clone().count().max(1));
        let longest = (2 * total.div_ceil(count)).min((total / LANES).max(LEAST_PIECE));
        let pieces = groups.flat_map(|(group, (start, end))| {
            (start..*end).step_by(longest).map(move |from| {
                let length = (*end - from).min(longest as u32);
                Piece { group: group as u32, start: from, length, is_whole: length == *end - start }
            })
        });
        let mut places = vec![0; longest + 1];
        for piece in pieces.clone() {
            places[longest - piece.length as usize] += 1;
        }
        let mut sorted = vec![Piece::default(); begin_at_sums(&mut places) as usize];
        for piece in pieces {
            let place = &mut places[longest - piece.length as usize];
            sorted[*place as usize] = piece;
            *place += 1;
        }
        sorted
    }
}

/// Replaces counts by the sums of all counts before them; tells the sum of all.
fn begin_at_sums(counts: &mut [u32]) -> u32 {
    let mut total = 0;
    for count in counts {
        (*count, total) = (total, total + *count);
    }
    total
}
