//! Small multiples of few points, by Straus' method: every digit looks its multiple up, and no bucket has to be weighed.

use crate::buckets::Groups;
use crate::digits::Recoding;
use crate::endomorphism::Orbit;

/// The multiples of points by all representatives of a recoding, for each point in turn.
pub(crate) fn multiples(recoding: &Recoding, points: &[Orbit]) -> Vec<Orbit> {
    let representatives = recoding.representatives();
    let steps: Vec<Step> = representatives.iter().map(|(a, b)| Step::new((*a, *b), representatives)).collect();
    let mut multiples: Vec<Orbit> = points.iter().flat_map(|point| core::iter::repeat_n(*point, steps.len())).collect();
    let rounds = steps.iter().map(|step| step.round).max().unwrap_or(0);
    for round in 1..=rounds {
        let made: Vec<usize> = (0..multiples.len()).filter(|at| steps[at % steps.len()].round == round).collect();
        let mut groups = Groups::new(made.len(), 2 * made.len());
        for (group, at) in made.iter().enumerate() {
            let number = at % steps.len();
            for (source, unit) in steps[number].parts {
                groups.insert(group, at - number + source, unit);
            }
        }
        let sums = groups.sum(|source, unit, place| multiples[source].write_image(unit, place));
        for (at, sum) in made.into_iter().zip(sums) {
            multiples[at] = Orbit::from(sum);
        }
    }
    multiples
}

/// How a multiple is made: as the sum of two smaller ones, each a unit times a representative.
struct Step {
    parts: [(usize, u8); 2],
    /// 0 for the point itself; parts have smaller ones.
    round: u32,
}

impl Step {
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
    use crate::{G1Affine, Scalar};

    #[test]
    fn multiples_are_those_of_the_representatives() {
        let mut bytes = [0; 32];
        bytes[16..].copy_from_slice(&EIGENVALUE.to_be_bytes());
        let zeta = Scalar::from_be_bytes(&bytes).unwrap();
        let generator = G1Affine::generator();
        for window in [3, 4] {
            let recoding = Recoding::of(window);
            let multiples = multiples(recoding, &[Orbit::from(Addend::from(&generator))]);
            assert_eq!(multiples.len(), recoding.representatives().len());
            for (multiple, (a, b)) in multiples.iter().zip(recoding.representatives()) {
                let factor = Scalar::from(u64::from(*a)) + Scalar::from(u64::from(*b)) * zeta;
                assert_eq!(multiple.point().point(), generator.multiply_secret(&factor).to_affine());
            }
        }
    }
}
