//! Sums of groups of points: every level adds the points of all groups in pairs, and so halves the groups.

use super::modulus::LANES;
use super::point::Affine8;
use super::slopes::{Pair, Slopes};
use super::stored::{Stored, StoredPoint};
use crate::buckets::{Groups, Member};

/// The sum of each group, infinity for empty groups.
#[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
pub(super) fn sum_groups<S: Stored>(points: &[S], groups: &Groups, is_point: impl Fn(u32) -> bool) -> Vec<StoredPoint> {
    let mut remaining = Remaining::new::<S>(groups, is_point);
    let mut slopes = Slopes::new();
    remaining.match_up();
    let mut sums = vec![StoredPoint::default(); remaining.items.len()];
    remaining.add_into(points, &mut slopes, &mut sums);
    remaining.copy_singles(points, &mut sums);
    remaining.drop_cancelled(&slopes.cancelled);
    while remaining.match_up() {
        remaining.add(&mut slopes, &mut sums);
        remaining.drop_cancelled(&slopes.cancelled);
    }
    let mut of_groups = vec![StoredPoint::default(); groups.lengths().len()];
    for item in &remaining.items {
        of_groups[item.group as usize] = sums[item.entry as usize];
    }
    of_groups
}

/// A point still to be added to the others of its group.
#[derive(Clone, Copy, Default)]
struct Item {
    group: u32,
    entry: u32,
}

/// The points that are left of all groups, those of one group side by side.
struct Remaining {
    items: Vec<Item>,
    /// Neighbours, to be added now.
    pairs: Vec<Pair>,
    /// Which item stands for each pair: the others are alone in their groups, or the last of an odd number.
    places: Vec<u32>,
}

impl Remaining {
    /// Sorts the members of all groups; infinity is left out.
    fn new<S: Stored>(groups: &Groups, is_point: impl Fn(u32) -> bool) -> Self {
        let is_present = |member: &&Member| is_point(member.source);
        let mut places = vec![0_u32; groups.lengths().len()];
        for member in groups.members().iter().filter(is_present) {
            places[member.group as usize] += 1;
        }
        let mut total = 0;
        for place in &mut places {
            (*place, total) = (total, total + *place);
        }
        let mut items = vec![Item::default(); total as usize];
        for member in groups.members().iter().filter(is_present) {
            let place = &mut places[member.group as usize];
            items[*place as usize] = Item { group: member.group, entry: S::entry(member.source, member.unit) };
            *place += 1;
        }
        Self { items, pairs: Vec::new(), places: Vec::new() }
    }

    /// Makes pairs of neighbours in each group, and one item of each pair; false when there is none.
    ///
    /// Lengths of groups look random: nothing here branches on them.
    fn match_up(&mut self) -> bool {
        let most = self.items.len() / 2 + 1;
        self.pairs.resize(most, Pair::default());
        self.places.resize(most, 0);
        let (mut kept, mut paired) = (0, 0);
        let (mut last, mut last_waits) = (Item::default(), false);
        for at in 0..self.items.len() {
            let item = self.items[at];
            let matches = last_waits & (item.group == last.group);
            self.pairs[paired] = [last.entry, item.entry];
            self.places[paired] = (kept as u32).wrapping_sub(1);
            paired += usize::from(matches);
            self.items[kept] = item;
            kept += usize::from(!matches);
            (last, last_waits) = (item, !matches);
        }
        self.items.truncate(kept);
        self.pairs.truncate(paired);
        self.places.truncate(paired);
        paired > 0
    }

    /// Adds pairs of points from elsewhere.
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    fn add_into<S: Stored>(&mut self, points: &[S], slopes: &mut Slopes, sums: &mut [StoredPoint]) {
        slopes.prepare(points, &self.pairs);
        for places in self.places.chunks(LANES) {
            slopes.next_sums(points, &self.pairs).store(sums, places);
        }
    }

    /// Adds pairs of sums; the sum takes the place of its first part.
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    fn add(&mut self, slopes: &mut Slopes, sums: &mut [StoredPoint]) {
        slopes.prepare(sums, &self.pairs);
        for pairs in self.pairs.chunks(LANES) {
            let eight = slopes.next_sums(sums, &self.pairs);
            eight.store(sums, pairs.iter().map(|[first, _]| first));
        }
    }

    /// Copies points without a partner; from now on, items say which sum they are.
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    fn copy_singles<S: Stored>(&mut self, points: &[S], sums: &mut [StoredPoint]) {
        let mut paired = self.places.iter().copied().peekable();
        let (mut places, mut entries) = (Vec::new(), Vec::new());
        for (place, item) in self.items.iter_mut().enumerate() {
            let place = place as u32;
            if paired.next_if_eq(&place).is_none() {
                places.push(place);
                entries.push(item.entry);
            }
            item.entry = place;
        }
        for (entries, places) in entries.chunks(LANES).zip(places.chunks(LANES)) {
            let eight = core::array::from_fn(|lane| entries[lane.min(entries.len() - 1)]);
            Affine8::load(eight, points).reduced().store(sums, places);
        }
    }

    /// Takes out pairs of opposite points.
    fn drop_cancelled(&mut self, cancelled: &[u32]) {
        if cancelled.is_empty() {
            return;
        }
        let mut gone = cancelled.iter().map(|pair| self.places[*pair as usize]).peekable();
        let mut place = 0..;
        self.items.retain(|_| gone.next_if(|gone| place.next() == Some(*gone)).is_none());
    }
}
