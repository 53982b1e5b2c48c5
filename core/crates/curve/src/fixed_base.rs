//! Linear combinations of points that never change: multiples by 256^k are kept, so that all bytes of all factors fall
//! into one set of buckets, and bucket sums are made of affine additions that share their inversions.

use blst::{blst_fp, blst_fp_eucl_inverse, blst_fp_mul, blst_fp_sqr, blst_fp_sub, blst_p1_double};
use zeroize::Zeroize;

use crate::scalar::SCALAR_BYTES;
use crate::{G1, G1Affine, Scalar};

/// A factor is read as 32 signed digits of [−128, 128); r < 2^255, so the last one takes the carry.
const DIGITS: usize = SCALAR_BYTES;
const DIGIT_BITS: usize = 8;
const BUCKETS: usize = 1 << (DIGIT_BITS - 1);

/// Points with their multiples by 256^k, for k < 32: 3 KiB each.
#[derive(Debug)]
pub struct FixedBase {
    multiples: Vec<G1Affine>,
}

impl FixedBase {
    /// Computes the multiples: some 60 µs for each point.
    pub fn new(points: &[G1Affine]) -> Self {
        let mut multiples = Vec::with_capacity(points.len() * DIGITS);
        for point in points {
            let mut multiple = G1::from(*point);
            for _ in 0..DIGITS {
                multiples.push(multiple);
                for _ in 0..DIGIT_BITS {
                    multiple = double(&multiple);
                }
            }
        }
        let multiples = G1::batch_to_affine(&multiples).expect("multiples by powers of two of points of odd order");
        Self { multiples }
    }

    /// The memory that the multiples take.
    pub fn bytes(&self) -> usize {
        size_of_val(self.multiples.as_slice())
    }

    /// Σ factorᵢ · pointᵢ. Variable time; small factors are cheap, 0 is free.
    ///
    /// # Panics
    /// When there is not one factor per point, which is a mistake in the calling program.
    pub fn combine<'a>(&self, factors: impl IntoIterator<Item = &'a Scalar>) -> G1 {
        let mut buckets = Buckets::new(self.multiples.len());
        let mut factors = factors.into_iter();
        for multiples in self.multiples.chunks_exact(DIGITS) {
            let factor = factors.next().expect("one factor per point");
            let mut digits = signed_digits(factor);
            for (digit, multiple) in digits.iter().zip(multiples) {
                buckets.add(*digit, multiple);
            }
            digits.zeroize();
        }
        assert!(factors.next().is_none(), "one factor per point");
        buckets.sum()
    }
}

fn double(point: &G1) -> G1 {
    let mut out = G1::infinity();
    // SAFETY: reads one point and writes another.
    unsafe { blst_p1_double(&mut out.0, &point.0) };
    out
}

/// Digits of [−128, 128), least significant first.
fn signed_digits(factor: &Scalar) -> [i16; DIGITS] {
    let mut bytes = factor.to_le_bytes();
    let mut carry = 0;
    let digits = bytes.map(|byte| {
        let digit = i16::from(byte) + carry;
        carry = i16::from(digit >= BUCKETS as i16);
        digit - (carry << DIGIT_BITS)
    });
    bytes.zeroize();
    digits
}

/// Points waiting to be added, by the absolute value of their digit.
struct Buckets {
    waiting: Vec<Vec<G1Affine>>,
    /// Sums that the affine formula cannot make: equal or opposite points.
    spilled: Vec<G1>,
}

impl Buckets {
    /// Room for so many points, evenly spread.
    fn new(points: usize) -> Self {
        let expected = points / BUCKETS + points / BUCKETS / 4;
        let waiting = (0..=BUCKETS).map(|_| Vec::with_capacity(expected)).collect();
        Self { waiting, spilled: vec![G1::infinity(); BUCKETS + 1] }
    }

    fn add(&mut self, digit: i16, point: &G1Affine) {
        if digit != 0 {
            let signed = if digit < 0 { -*point } else { *point };
            self.waiting[usize::from(digit.unsigned_abs())].push(signed);
        }
    }

    /// Σ digit · (sum of its bucket).
    fn sum(mut self) -> G1 {
        while self.add_pairs() {}
        let (mut running, mut total) = (G1::infinity(), G1::infinity());
        for (waiting, spilled) in self.waiting.iter().zip(&self.spilled).skip(1).rev() {
            if let Some(point) = waiting.first() {
                running += point;
            }
            if !spilled.is_infinity() {
                running += *spilled;
            }
            total += running;
        }
        total
    }

    /// Halves every bucket with one inversion; false once each holds at most one point.
    fn add_pairs(&mut self) -> bool {
        for (bucket, spilled) in self.waiting.iter_mut().zip(&mut self.spilled) {
            spill_equal_abscissas(bucket, spilled);
        }
        let mut slopes: Vec<Fp> = Vec::new();
        for bucket in &self.waiting {
            slopes.extend(bucket.chunks_exact(2).map(|pair| Fp(pair[1].0.x) - Fp(pair[0].0.x)));
        }
        if slopes.is_empty() {
            return false;
        }
        invert_all(&mut slopes);
        let mut inverses = slopes.into_iter();
        for bucket in &mut self.waiting {
            let pairs = bucket.len() / 2;
            for at in 0..pairs {
                let inverse = inverses.next().expect("one difference per pair");
                bucket[at] = add_distinct(&bucket[2 * at], &bucket[2 * at + 1], inverse);
            }
            if bucket.len() % 2 == 1 {
                bucket[pairs] = bucket[bucket.len() - 1];
            }
            bucket.truncate(pairs + bucket.len() % 2);
        }
        true
    }
}

/// Takes out pairs that share their x: equal points would need the tangent, opposite ones have no affine sum.
fn spill_equal_abscissas(bucket: &mut Vec<G1Affine>, spilled: &mut G1) {
    let mut at = 0;
    while at + 1 < bucket.len() {
        if bucket[at].0.x == bucket[at + 1].0.x {
            for point in bucket.drain(at..at + 2) {
                *spilled += &point;
            }
        } else {
            at += 2;
        }
    }
}

/// The sum of two points with different x, given 1/(x₂ − x₁).
fn add_distinct(first: &G1Affine, second: &G1Affine, inverse: Fp) -> G1Affine {
    let (x1, y1, x2, y2) = (Fp(first.0.x), Fp(first.0.y), Fp(second.0.x), Fp(second.0.y));
    let slope = (y2 - y1) * inverse;
    let x = slope.square() - x1 - x2;
    let y = slope * (x1 - x) - y1;
    let mut sum = *first;
    (sum.0.x, sum.0.y) = (x.0, y.0);
    sum
}

/// Inverts elements that are not 0 with one inversion.
fn invert_all(elements: &mut [Fp]) {
    let mut prefixes = Vec::with_capacity(elements.len());
    let mut running = elements[0];
    for element in &elements[1..] {
        prefixes.push(running);
        running = running * *element;
    }
    let mut inverse = running.invert();
    for (element, before) in elements[1..].iter_mut().zip(prefixes).rev() {
        let next = inverse * *element;
        *element = inverse * before;
        inverse = next;
    }
    elements[0] = inverse;
}

/// An element of the field of the curve's coordinates.
#[derive(Clone, Copy)]
struct Fp(blst_fp);

impl Fp {
    fn square(self) -> Self {
        let mut out = blst_fp::default();
        // SAFETY: reads one and writes one field element.
        unsafe { blst_fp_sqr(&mut out, &self.0) };
        Self(out)
    }

    fn invert(self) -> Self {
        let mut out = blst_fp::default();
        // SAFETY: reads one and writes one field element.
        unsafe { blst_fp_eucl_inverse(&mut out, &self.0) };
        Self(out)
    }
}

impl core::ops::Sub for Fp {
    type Output = Self;

    fn sub(self, other: Self) -> Self {
        let mut out = blst_fp::default();
        // SAFETY: reads two and writes one field element.
        unsafe { blst_fp_sub(&mut out, &self.0, &other.0) };
        Self(out)
    }
}

impl core::ops::Mul for Fp {
    type Output = Self;

    fn mul(self, other: Self) -> Self {
        let mut out = blst_fp::default();
        // SAFETY: reads two and writes one field element.
        unsafe { blst_fp_mul(&mut out, &self.0, &other.0) };
        Self(out)
    }
}
