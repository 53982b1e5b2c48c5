//! Points and their sums, in the form of the engine that adds them up: the seam between the two engines.

use crate::buckets::Groups;
use crate::endomorphism::Orbit;
use crate::group_sums::Addend;
use crate::{Engine, G1Affine, vector};

/// Points or infinity, with their images under the endomorphism.
#[derive(Debug)]
pub(crate) enum Orbits {
    Scalar(Vec<Orbit>),
    Vector(vector::Orbits),
}

/// Points or infinity: sums of groups.
#[derive(Debug)]
pub(crate) enum Sums {
    Scalar(Vec<Addend>),
    Vector(vector::Sums),
}

impl Orbits {
    /// # Panics
    /// When this processor cannot run the engine, which is never active then.
    pub(crate) fn new(engine: Engine, points: &[G1Affine]) -> Self {
        match engine {
            Engine::Scalar => Self::Scalar(points.iter().map(|point| Orbit::from(Addend::from(point))).collect()),
            Engine::Vector => Self::Vector(vector::Orbits::new(points).expect("a processor that runs the engine")),
        }
    }

    pub(crate) fn count(&self) -> usize {
        match self {
            Self::Scalar(orbits) => orbits.len(),
            Self::Vector(orbits) => orbits.count(),
        }
    }

    /// The sums of groups of images.
    pub(crate) fn sum(&self, groups: &Groups) -> Sums {
        match self {
            Self::Scalar(orbits) => {
                Sums::Scalar(groups.sum(|number, unit, place| orbits[number].write_image(unit, place)))
            }
            Self::Vector(orbits) => Sums::Vector(orbits.sum(groups)),
        }
    }

    /// Puts others of the same engine after these.
    pub(crate) fn append(&mut self, others: Self) {
        match (self, others) {
            (Self::Scalar(own), Self::Scalar(mut others)) => own.append(&mut others),
            (Self::Vector(own), Self::Vector(others)) => own.append(others),
            _ => unreachable!("orbits of one computation belong to one engine"),
        }
    }
}

impl Sums {
    pub(crate) fn count(&self) -> usize {
        match self {
            Self::Scalar(sums) => sums.len(),
            Self::Vector(sums) => sums.count(),
        }
    }

    pub(crate) fn is_infinity(&self, number: usize) -> bool {
        match self {
            Self::Scalar(sums) => sums[number].is_infinity(),
            Self::Vector(sums) => sums.is_infinity(number),
        }
    }

    /// The sums of groups of these sums; every member counts as it is (its unit is 0).
    pub(crate) fn sum(&self, groups: &Groups) -> Self {
        match self {
            Self::Scalar(sums) => Self::Scalar(groups.sum(|number, _, place| *place = sums[number])),
            Self::Vector(sums) => Self::Vector(sums.sum(groups)),
        }
    }

    pub(crate) fn to_orbits(&self) -> Orbits {
        match self {
            Self::Scalar(sums) => Orbits::Scalar(sums.iter().copied().map(Orbit::from).collect()),
            Self::Vector(sums) => Orbits::Vector(sums.to_orbits()),
        }
    }

    pub(crate) fn into_addends(self) -> Vec<Addend> {
        match self {
            Self::Scalar(sums) => sums,
            Self::Vector(sums) => sums.to_addends(),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::Scalar;

    /// Sums of images of small multiples of the generator (0 leaves a gap in a table of sums): both engines agree to
    /// the bit, on sums of points and on sums of sums.
    fn compare(groups: &[Vec<(i64, u8)>]) {
        const LARGEST: i64 = 5;
        let factors: Vec<i64> = (-LARGEST..=LARGEST).filter(|factor| *factor != 0).collect();
        let points: Vec<G1Affine> = factors.iter().map(|factor| multiple(*factor)).collect();
        let mut of_points = Groups::new(groups.len(), 0);
        let mut of_sums = Groups::new(groups.len(), 0);
        for (group, members) in groups.iter().enumerate() {
            for (factor, unit) in members {
                let number = factors.iter().position(|other| other == factor);
                number.into_iter().for_each(|number| of_points.insert(group, number, *unit));
                of_sums.insert(group, factor.unsigned_abs() as usize % groups.len(), *unit);
            }
        }
        let results = Engine::supported().map(|engine| {
            let sums = Orbits::new(engine, &points).sum(&of_points);
            let infinite: Vec<bool> = (0..sums.count()).map(|number| sums.is_infinity(number)).collect();
            let again = sums.to_orbits().sum(&of_sums).into_addends();
            (infinite, sums.into_addends(), again)
        });
        let results: Vec<_> = results.collect();
        assert!(results.iter().all(|result| *result == results[0]));
    }

    fn multiple(factor: i64) -> G1Affine {
        let point = G1Affine::generator().multiply_secret(&Scalar::from(factor.unsigned_abs())).to_affine();
        let point = point.expect("not infinity");
        if factor < 0 { -point } else { point }
    }

    #[test]
    fn engines_agree_on_special_cases() {
        let repeated = |member: (i64, u8), count: usize| vec![member; count];
        compare(&[vec![]]);
        for count in [1, 2, 7, 8, 9, 15, 16, 17, 300] {
            // Equal points double all the way; opposite ones leave nothing, at once or later.
            compare(&[repeated((3, 0), count), vec![], repeated((2, 5), count)]);
            compare(&[[(3, 2), (-3, 2)].repeat(count), [(1, 0), (1, 3)].repeat(count)]);
            compare(&[[(1, 0), (1, 0), (-1, 0), (-1, 0)].repeat(count), repeated((4, 4), 1)]);
            // 1 + ζ² + ζ⁴ = 0
            compare(&[[(2, 0), (2, 2), (2, 4)].repeat(count), [(5, 1), (0, 0), (4, 1)].repeat(count)]);
        }
    }

    #[test]
    fn engines_agree_on_many_points() {
        // More than are added up together; groups of all lengths, so that lanes end at all places.
        let member = |group: i64, at: i64| ((group * at * at + at) % 11 - 5, ((group + at * at) % 6) as u8);
        let groups: Vec<_> = (0..500).map(|group| (0..group % 61).map(|at| member(group, at)).collect()).collect();
        compare(&groups);
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 128, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn engines_agree(
            groups in proptest::collection::vec(proptest::collection::vec((-5_i64..=5, 0_u8..6), 0..40), 1..20),
        ) {
            compare(&groups);
        }
    }
}
