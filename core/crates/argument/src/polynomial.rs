//! Polynomials as the prover holds them: values on H plus a short multiple of Z_H, which hides them.

use curve::{G1, Scalar};
use zeroize::{Zeroize, ZeroizeOnDrop};

use crate::evaluation_point::EvaluationPoint;
use crate::randomness::Blinders;
use crate::setup::{Basis, TAIL};

/// Σ valuesᵢ·L_i(X) + Z_H(X)·Σ tailⱼ·X^j. Wiped when dropped; on the heap, so that moving it leaves nothing behind.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub(crate) struct Blinded {
    pub(crate) values: Vec<Scalar>,
    pub(crate) tail: Box<[Scalar; TAIL]>,
    /// How many coefficients of the tail may differ from 0; the degree, which is no secret.
    pub(crate) tail_length: usize,
}

impl Blinded {
    /// With these coefficients of Z_H·X^j.
    pub(crate) fn new(values: Vec<Scalar>, coefficients: &[Scalar]) -> Self {
        let mut polynomial = Self { values, tail: Box::new([Scalar::ZERO; TAIL]), tail_length: coefficients.len() };
        polynomial.tail[..coefficients.len()].copy_from_slice(coefficients);
        polynomial
    }

    /// Without a multiple of Z_H: for public polynomials and sums to be built.
    pub(crate) fn plain(values: Vec<Scalar>) -> Self {
        Self::new(values, &[])
    }

    /// With so many fresh random coefficients.
    pub(crate) fn hidden(values: Vec<Scalar>, count: usize, blinders: &mut Blinders) -> Self {
        let mut polynomial = Self::plain(values);
        polynomial.tail_length = count;
        for coefficient in &mut polynomial.tail[..count] {
            *coefficient = blinders.draw();
        }
        polynomial
    }

    /// Zero everywhere.
    pub(crate) fn zero(n: usize) -> Self {
        Self::plain(vec![Scalar::ZERO; n])
    }

    pub(crate) fn add_scaled(&mut self, factor: Scalar, other: &Self) {
        let pairs = self.values.iter_mut().zip(&other.values).chain(self.tail.iter_mut().zip(&*other.tail));
        for (own, addend) in pairs {
            *own += factor * *addend;
        }
        self.tail_length = self.tail_length.max(other.tail_length);
    }

    pub(crate) fn add_constant(&mut self, constant: Scalar) {
        for value in &mut self.values {
            *value += constant;
        }
    }

    pub(crate) fn evaluate(&self, at: &EvaluationPoint<'_>) -> Scalar {
        let low: Scalar = self.values.iter().zip(&at.lagrange).map(|(value, lagrange)| *value * *lagrange).sum();
        low + at.vanishing * evaluate_tail(&*self.tail, at.point)
    }

    /// This polynomial, which is 0 at the point, divided by X − point.
    pub(crate) fn divide_by_root(&self, at: &EvaluationPoint<'_>) -> Self {
        let values =
            self.values.iter().zip(at.differences_inverted()).map(|(value, inverse)| *value * inverse).collect();
        let mut tail = Box::new([Scalar::ZERO; TAIL]);
        for j in (0..TAIL - 1).rev() {
            tail[j] = self.tail[j + 1] + at.point * tail[j + 1];
        }
        Self { values, tail, tail_length: self.tail_length.saturating_sub(1) }
    }

    /// The commitment; small values are cheap.
    pub(crate) fn commit(&self, basis: &Basis) -> G1 {
        basis.table().combine(&self.values) + self.commit_tail(basis)
    }

    /// The commitments to several polynomials, whose sums share their inversions.
    pub(crate) fn commit_each(polynomials: &[&Self], basis: &Basis) -> Vec<G1> {
        let sums = basis.table().combine_each(polynomials.iter().map(|polynomial| &polynomial.values));
        sums.into_iter().zip(polynomials).map(|(sum, polynomial)| sum + polynomial.commit_tail(basis)).collect()
    }

    /// The part of the commitment that hides the rest, in constant time.
    pub(crate) fn commit_tail(&self, basis: &Basis) -> G1 {
        basis.hiding().combine(&self.tail[..self.tail_length])
    }
}

/// Σ tailⱼ·x^j.
pub(crate) fn evaluate_tail(tail: &[Scalar], x: Scalar) -> Scalar {
    tail.iter().rev().fold(Scalar::ZERO, |sum, coefficient| sum * x + *coefficient)
}
