//! q = N/Z_H from one coset of size n and the three top coefficients of N.
//!
//! deg q ≤ n + 2, so the n values of q on a coset of H fix it up to its coefficients of X^n, X^(n+1), X^(n+2). Those are
//! the coefficients of X^(2n), X^(2n+1), X^(2n+2) of N, to which only products of two hidden polynomials contribute.

use curve::{Domain, Scalar};
use zeroize::{Zeroize, ZeroizeOnDrop};

use crate::polynomial::{Blinded, evaluate_tail};
use crate::setup::TAIL;

/// Generates the multiplicative group of the field, so it lies in no proper subgroup.
const COSET_SHIFT: u64 = 7;

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
    pub(crate) fn quotient(&self, domain: &Domain) -> Blinded {
        let coset = Coset::new(domain);
        let mut values = core::mem::take(&mut coset.evaluate(&self.linear).values);
        let shifted = coset.evaluate(&self.shifted);
        for (value, next) in values.iter_mut().zip(shifted.values.iter().cycle().skip(1)) {
            *value += *next;
        }
        let mut tail = Box::new([Scalar::ZERO; TAIL]);
        for (left, right) in &self.products {
            let (left, right) = (coset.evaluate(left), coset.evaluate(right));
            for (value, (a, b)) in values.iter_mut().zip(left.values.iter().zip(&right.values)) {
                *value += *a * *b;
            }
            for (coefficient, addend) in tail.iter_mut().zip(top_of_product(&left.top, &right.top)) {
                *coefficient += addend;
            }
        }
        coset.divide_by_vanishing(values, tail)
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

/// g·H.
struct Coset<'a> {
    domain: &'a Domain,
    shifts: Vec<Scalar>,
    unshifts: Vec<Scalar>,
    vanishing: Scalar,
    vanishing_inverse: Scalar,
}

impl<'a> Coset<'a> {
    fn new(domain: &'a Domain) -> Self {
        let shift = Scalar::from(COSET_SHIFT);
        let vanishing = shift.pow(domain.size() as u64) - Scalar::one();
        Self {
            domain,
            shifts: shift.powers(domain.size()),
            unshifts: shift.invert().expect("7 is not 0").powers(domain.size()),
            vanishing,
            vanishing_inverse: vanishing.invert().expect("7 lies in no subgroup of order n"),
        }
    }

    fn points(&self) -> impl Iterator<Item = Scalar> {
        self.domain.elements().iter().map(|element| self.shifts[1] * *element)
    }

    fn evaluate(&self, polynomial: &Blinded) -> OnCoset {
        let mut values = polynomial.values.clone();
        self.domain.interpolate(&mut values);
        let top = Box::new([values[values.len() - 1], polynomial.tail[0], polynomial.tail[1]]);
        for (coefficient, shift) in values.iter_mut().zip(&self.shifts) {
            *coefficient *= *shift;
        }
        self.domain.evaluate(&mut values);
        if polynomial.tail.iter().any(|coefficient| !coefficient.is_zero()) {
            for (value, point) in values.iter_mut().zip(self.points()) {
                *value += self.vanishing * evaluate_tail(&*polynomial.tail, point);
            }
        }
        OnCoset { values, top }
    }

    /// q from the values of N on the coset and the top coefficients of q.
    fn divide_by_vanishing(&self, mut values: Vec<Scalar>, tail: Box<[Scalar; TAIL]>) -> Blinded {
        for (value, point) in values.iter_mut().zip(self.points()) {
            *value = *value * self.vanishing_inverse - self.vanishing * evaluate_tail(&*tail, point);
        }
        self.domain.interpolate(&mut values);
        for (coefficient, unshift) in values.iter_mut().zip(&self.unshifts) {
            *coefficient *= *unshift;
        }
        self.domain.evaluate(&mut values);
        Blinded { values, tail, tail_length: TOP }
    }
}
