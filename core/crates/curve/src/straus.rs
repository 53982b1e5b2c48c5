//! Small multiples of few points, by Straus' method: every digit looks its multiple up, and no bucket has to be weighed.

use crate::G1Affine;
use crate::buckets::Groups;
use crate::digits::Recoding;
use crate::sums::Orbits;

/// Points, and for each a factor a + bζ.
pub(crate) type WeightedPoints<'a> = (&'a [G1Affine], &'a [(u128, u128)]);

/// The multiples of points by all representatives of a recoding.
pub(crate) struct Multiples {
    /// The points themselves, then block after block their multiples by one representative.
    pub(crate) orbits: Orbits,
    points: usize,
    /// The block of each representative.
    blocks: Vec<usize>,
}

impl Multiples {
    pub(crate) fn new(recoding: &Recoding, mut orbits: Orbits) -> Self {
        let steps = Step::all(recoding);
        let (points, mut blocks, mut next) = (orbits.count(), vec![0; steps.len()], 1);
        let rounds = steps.iter().map(|step| step.round).max().unwrap_or(0);
        for round in 1..=rounds {
            let made: Vec<usize> = (0..steps.len()).filter(|number| steps[*number].round == round).collect();
            let mut groups = Groups::new(made.len() * points, 2 * made.len() * points);
            for (block, number) in made.iter().enumerate() {
                for point in 0..points {
                    for (source, unit) in steps[*number].parts {
                        groups.insert(block * points + point, blocks[source] * points + point, unit);
                    }
                }
            }
            orbits.append(orbits.sum(&groups).to_orbits());
            for number in made {
                (blocks[number], next) = (next, next + 1);
            }
        }
        Self { orbits, points, blocks }
    }

    /// Where among the orbits the multiple of a point by a representative is.
    #[inline]
    pub(crate) fn place(&self, point: usize, representative: usize) -> usize {
        self.blocks[representative] * self.points + point
    }
}

/// How a multiple is made: as the sum of two smaller ones, each a unit times a representative.
pub(crate) struct Step {
    /// Numbers of representatives, and powers of ζ: 0 or 1.
    pub(crate) parts: [(usize, u8); 2],
    /// 0 for the point itself; parts have smaller ones.
    pub(crate) round: u32,
}

impl Step {
    /// For each representative.
    pub(crate) fn all(recoding: &Recoding) -> Vec<Self> {
        let representatives = recoding.representatives();
        representatives.iter().map(|representative| Self::new(*representative, representatives)).collect()
    }

    /// a + bζ = (⌈a/2⌉ + ⌊b/2⌋ζ) + (⌊a/2⌋ + ⌈b/2⌉ζ): with a + bζ, both have least norm in their classes.
    fn new((a, b): (u8, u8), representatives: &[(u8, u8)]) -> Self {
        let find = |(a, b): (u8, u8)| {
            let (turned, unit) = if a == 0 { ((b, 0), 1) } else { ((a, b), 0) };
            let number = representatives.iter().position(|other| *other == turned);
            (number.expect("halves of representatives are representatives"), unit)
        };
        if (a, b) == (1, 0) {
            return Self { parts: [find((a, b)); 2], round: 0 };
        }
        let parts = [find((a.div_ceil(2), b / 2)), find((a / 2, b.div_ceil(2)))];
        Self { parts, round: u32::from(a + b).next_power_of_two().trailing_zeros() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::endomorphism::EIGENVALUE;
    use crate::group_sums::Addend;
    use crate::{Engine, Scalar};

    #[test]
    fn multiples_are_those_of_the_representatives() {
        let mut bytes = [0; 32];
        bytes[16..].copy_from_slice(&EIGENVALUE.to_be_bytes());
        let zeta = Scalar::from_be_bytes(&bytes).unwrap();
        let generator = G1Affine::generator();
        for (engine, window) in Engine::supported().flat_map(|engine| [(engine, 3), (engine, 4)]) {
            let recoding = Recoding::of(window);
            let multiples = Multiples::new(recoding, Orbits::new(engine, &[generator, -generator]));
            assert_eq!(multiples.orbits.count(), 2 * recoding.representatives().len());
            let mut each = Groups::new(multiples.orbits.count(), 0);
            let mut expected = Vec::new();
            for (number, (a, b)) in recoding.representatives().iter().enumerate() {
                let factor = Scalar::from(u64::from(*a)) + Scalar::from(u64::from(*b)) * zeta;
                for (point, factor) in [factor, -factor].iter().enumerate() {
                    each.insert(2 * number + point, multiples.place(point, number), 0);
                    expected.push(generator.multiply_secret(factor).to_affine());
                }
            }
            let found = multiples.orbits.sum(&each).into_addends();
            assert!(found.iter().map(Addend::point).eq(expected));
        }
    }
}
