//! q = N/Z_H from one coset of size n and the three top coefficients of N.
//!
//! deg q ≤ n + 2, so the n values of q on a coset of H fix it up to its coefficients of X^n, X^(n+1), X^(n+2). Those are
//! the coefficients of X^(2n), X^(2n+1), X^(2n+2) of N, to which only products of two hidden polynomials contribute.

use curve::{Domain, Scalar};
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use crate::effort::Crew;
use crate::error::ArgumentError;
use crate::polynomial::{Blinded, evaluate_tail};
use crate::setup::TAIL;

/// How many coefficients of q lie above the degree that n values fix.
const TOP: usize = 3;

/// N as a sum: products + linear + shifted(ωX).
pub(crate) struct Numerator<'a> {
    /// Pairs whose product enters; each with at most two blinding coefficients.
    pub(crate) products: Vec<(&'a Blinded, Blinded)>,
    /// What enters as it is.
    pub(crate) linear: Blinded,
    /// What enters at ωX instead of X.
    pub(crate) shifted: Blinded,
}

impl Numerator<'_> {
    /// N/Z_H, given that N vanishes on H.
    ///
    /// # Errors
    /// `CANCELLED`.
    pub(crate) fn quotient(&self, domain: &Domain, crew: &Crew<'_>) -> Result<Blinded, ArgumentError> {
        let coset = Coset::new(domain);
        let mut parts = crew.each(vec![&self.linear, &self.shifted], |part| Ok(coset.evaluate(part)))?;
        let mut values = core::mem::take(&mut parts[0].values);
        for (value, next) in values.iter_mut().zip(parts[1].values.iter().cycle().skip(1)) {
            *value += *next;
        }
        let mut tail = Box::new([Scalar::ZERO; TAIL]);
        let product = |(left, right): &(&Blinded, Blinded)| Ok(coset.evaluate(left).times(&coset.evaluate(right)));
        for product in crew.each(self.products.iter().collect(), product)? {
            for (value, addend) in values.iter_mut().zip(&product.values) {
                *value += *addend;
            }
            for (coefficient, addend) in tail.iter_mut().zip(product.top.iter()) {
                *coefficient += *addend;
            }
        }
        Ok(coset.divide_by_vanishing(values, tail))
    }
}

/// The coefficients of X^(2n), X^(2n+1), X^(2n+2) of a product, from those of X^(n−1), X^n, X^(n+1) of its factors.
fn top_of_product(a: &[Scalar; TOP], b: &[Scalar; TOP]) -> [Scalar; TOP] {
    [a[0] * b[2] + a[1] * b[1] + a[2] * b[0], a[1] * b[2] + a[2] * b[1], a[2] * b[2]]
}

/// A polynomial on the coset, with its coefficients of X^(n−1), X^n, X^(n+1). Wiped when dropped.
#[derive(Zeroize, ZeroizeOnDrop)]
struct OnCoset {
    values: Vec<Scalar>,
    top: Box<[Scalar; TOP]>,
}

impl OnCoset {
    /// The product; `top` are its coefficients of X^(2n), X^(2n+1), X^(2n+2).
    fn times(mut self, other: &Self) -> Self {
        for (value, factor) in self.values.iter_mut().zip(&other.values) {
            *value *= *factor;
        }
        *self.top = top_of_product(&self.top, &other.top);
        self
    }
}

/// 7·H.
struct Coset<'a> {
    domain: &'a Domain,
    points: Vec<Scalar>,
    vanishing_inverse: Scalar,
}

impl<'a> Coset<'a> {
    fn new(domain: &'a Domain) -> Self {
        let vanishing_inverse = domain.coset_vanishing().invert().expect("Z_H is not 0 there");
        Self { domain, points: domain.coset_elements().collect(), vanishing_inverse }
    }

    /// Z_H times coefficients of X^j: on the coset Z_H is a number.
    fn vanishing_times(&self, coefficients: &[Scalar]) -> Zeroizing<Vec<Scalar>> {
        let vanishing = self.domain.coset_vanishing();
        Zeroizing::new(coefficients.iter().map(|coefficient| vanishing * *coefficient).collect())
    }

    fn evaluate(&self, polynomial: &Blinded) -> OnCoset {
        let mut values = polynomial.values.clone();
        let last = self.domain.to_coset(&mut values);
        if polynomial.tail_length > 0 {
            let hiding = self.vanishing_times(&polynomial.tail[..polynomial.tail_length]);
            for (value, point) in values.iter_mut().zip(&self.points) {
                *value += evaluate_tail(&hiding, *point);
            }
        }
        OnCoset { values, top: Box::new([last, polynomial.tail[0], polynomial.tail[1]]) }
    }

    /// q from the values of N on the coset and the top coefficients of q.
    fn divide_by_vanishing(&self, mut values: Vec<Scalar>, tail: Box<[Scalar; TAIL]>) -> Blinded {
        let top = self.vanishing_times(&tail[..TOP]);
        for (value, point) in values.iter_mut().zip(&self.points) {
            *value = *value * self.vanishing_inverse - evaluate_tail(&top, *point);
        }
        self.domain.from_coset(&mut values);
        Blinded { values, tail, tail_length: TOP }
    }
}
