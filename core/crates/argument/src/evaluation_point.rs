//! Points outside H, with what evaluating and dividing there needs.

use curve::{Domain, Scalar, batch_divide};

/// A point outside H.
pub(crate) struct EvaluationPoint<'a> {
    domain: &'a Domain,
    /// z.
    pub(crate) point: Scalar,
    /// Z_H(z).
    pub(crate) vanishing: Scalar,
    /// L_i(z).
    pub(crate) lagrange: Vec<Scalar>,
}

impl<'a> EvaluationPoint<'a> {
    /// Nothing when the point lies in H.
    pub(crate) fn new(domain: &'a Domain, point: Scalar) -> Option<Self> {
        let vanishing = point.pow(domain.size() as u64) - Scalar::one();
        // L_i(z) = Z_H(z)/n / (z·ω^(−i) − 1).
        let one = Scalar::one();
        let mut lagrange: Vec<Scalar> = domain.inverses().map(|inverse| point * *inverse - one).collect();
        let outside = batch_divide(vanishing * domain.size_inverse(), &mut lagrange);
        outside.then_some(Self { domain, point, vanishing, lagrange })
    }

    /// ωz, without another inversion: L_i(ωz) = L_(i−1)(z).
    pub(crate) fn next(&self) -> Self {
        let mut lagrange = self.lagrange.clone();
        lagrange.rotate_right(1);
        Self { lagrange, point: self.domain.generator() * self.point, ..*self }
    }

    /// 1/(ω^i − z) for every i.
    pub(crate) fn differences_inverted(&self) -> Vec<Scalar> {
        // L_i(z) = −Z_H(z)/n · ω^i/(ω^i − z).
        let n = Scalar::from(self.domain.size() as u64);
        let factor = -(n * self.vanishing.invert().expect("points of H are not admitted"));
        self.domain.inverses().zip(&self.lagrange).map(|(inverse, lagrange)| factor * *inverse * *lagrange).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_at_a_point_and_the_next_one_are_those_of_the_definition() {
        let domain = Domain::new(256);
        let at = EvaluationPoint::new(&domain, Scalar::from(12_345)).unwrap();
        for at in [at.next(), at] {
            let differences: Vec<_> = domain.elements().iter().map(|element| *element - at.point).collect();
            let vanishing = at.point.pow(256) - Scalar::one();
            assert_eq!(at.vanishing, vanishing);
            for (index, inverse) in at.differences_inverted().into_iter().enumerate() {
                assert_eq!(inverse * differences[index], Scalar::one());
                let lagrange = -vanishing * domain.size_inverse() * domain.elements()[index] * inverse;
                assert_eq!(at.lagrange[index], lagrange, "{index}");
            }
        }
    }

    #[test]
    fn points_of_the_domain_are_refused() {
        let domain = Domain::new(256);
        assert!(domain.elements().iter().all(|element| EvaluationPoint::new(&domain, *element).is_none()));
    }
}
