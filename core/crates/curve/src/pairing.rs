//! The pairing check against two fixed points of G2: their lines are computed once, the squarings are shared.

use blst::{
    blst_fp, blst_fp_add, blst_fp_cneg, blst_fp_mul, blst_fp6, blst_fp12, blst_fp12_conjugate, blst_fp12_finalverify,
    blst_fp12_mul_by_xy00z0, blst_fp12_sqr, blst_precompute_lines,
};

use crate::engine::Engine;
use crate::vector::{PreparedLines, product_is_one};
use crate::{G1, G1Affine, G2Affine};

/// Lines of one Miller loop: one for each of 63 doublings and 5 additions.
const LINES: usize = 68;

/// The parameter of the curve is −x with x = 2^63 + 2^62 + 2^60 + 2^57 + 2^48 + 2^16: from each addition on, so many
/// doublings follow.
pub(crate) const DOUBLINGS: [usize; 6] = [1, 2, 3, 9, 32, 16];

/// A point of G2 with the lines of its Miller loop: 19 KiB, and 68 KiB more where the vector engine can work.
#[derive(Clone)]
pub struct PreparedG2 {
    lines: Vec<blst_fp6>,
    in_lanes: Option<PreparedLines>,
}

impl core::fmt::Debug for PreparedG2 {
    fn fmt(&self, formatter: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        formatter.write_str("PreparedG2(…)")
    }
}

impl From<&G2Affine> for PreparedG2 {
    fn from(point: &G2Affine) -> Self {
        let mut lines = vec![blst_fp6::default(); LINES];
        // SAFETY: reads one point and writes the 68 lines that the buffer has room for.
        unsafe { blst_precompute_lines(lines.as_mut_ptr(), &point.0) };
        let in_lanes = Engine::Vector.is_supported().then(|| {
            // SAFETY: the processor has the features.
            unsafe { PreparedLines::new(&lines) }
        });
        Self { lines, in_lanes }
    }
}

/// Whether e(left, left_g2) = e(right, right_g2).
pub fn pairings_agree(left: &G1, left_g2: &PreparedG2, right: &G1, right_g2: &PreparedG2) -> bool {
    // e(infinity, Q) = 1: such a factor is left out, so that no Miller loop ever sees infinity.
    let (left, right) = (left.to_affine(), (-*right).to_affine());
    if let (Engine::Vector, Some(left), Some(right), Some(left_lines), Some(right_lines)) =
        (Engine::active(), &left, &right, &left_g2.in_lanes, &right_g2.in_lanes)
    {
        // SAFETY: this engine is active only where the processor has the features.
        return unsafe { product_is_one((left, left_lines), (right, right_lines)) };
    }
    let terms: Vec<Term<'_>> = [(left_g2, &left), (right_g2, &right)]
        .into_iter()
        .filter_map(|(g2, g1)| Some(Term::new(&g2.lines, g1.as_ref()?)))
        .collect();
    let one = blst_fp12::default();
    let product = miller_loop(&terms);
    // SAFETY: reads two field elements.
    unsafe { blst_fp12_finalverify(&product, &one) }
}

/// One pair of the product: the lines of its point of G2, and −2x, 2y of its point of G1.
struct Term<'a> {
    lines: &'a [blst_fp6],
    x: blst_fp,
    y: blst_fp,
}

impl<'a> Term<'a> {
    fn new(lines: &'a [blst_fp6], point: &G1Affine) -> Self {
        let (mut x, mut y) = (blst_fp::default(), blst_fp::default());
        // SAFETY: each call reads and writes field elements of this function; `blst` allows the output to be an input.
        unsafe {
            blst_fp_add(&mut x, &point.0.x, &point.0.x);
            blst_fp_cneg(&mut x, &x, true);
            blst_fp_add(&mut y, &point.0.y, &point.0.y);
        }
        Self { lines, x, y }
    }

    /// A line at the point: its middle coefficient times −2x, its last times 2y.
    fn line(&self, number: usize) -> blst_fp6 {
        let mut line = self.lines[number];
        for (coefficient, coordinate) in [(1, &self.x), (2, &self.y)] {
            for part in &mut line.fp2[coefficient].fp {
                let before = *part;
                // SAFETY: reads two field elements and writes one.
                unsafe { blst_fp_mul(part, &before, coordinate) };
            }
        }
        line
    }
}

/// Π f_{−x, Qᵢ}(Pᵢ); 1 for no pair.
fn miller_loop(terms: &[Term<'_>]) -> blst_fp12 {
    let mut value = blst_fp12::default();
    let mut number = 0;
    let mut multiply_lines = |value: &mut blst_fp12| {
        for term in terms {
            let (before, line) = (*value, term.line(number));
            // SAFETY: reads one field element and one line, writes one field element.
            unsafe { blst_fp12_mul_by_xy00z0(value, &before, &line) };
        }
        number += 1;
    };
    for (segment, doublings) in DOUBLINGS.into_iter().enumerate() {
        if segment > 0 {
            multiply_lines(&mut value); // the addition that begins the segment
        }
        for step in 0..doublings {
            if segment + step > 0 {
                let before = value;
                // SAFETY: reads one field element and writes one.
                unsafe { blst_fp12_sqr(&mut value, &before) };
            }
            multiply_lines(&mut value);
        }
    }
    // SAFETY: changes one field element in place; the curve's parameter is negative.
    unsafe { blst_fp12_conjugate(&mut value) };
    value
}

#[cfg(test)]
mod tests {
    use blst::{blst_p2, blst_p2_affine, blst_p2_mult, blst_p2_to_affine};

    use super::*;
    use crate::Scalar;

    fn multiple_of_g2(factor: u64) -> G2Affine {
        let bytes = Scalar::from(factor).to_le_bytes();
        let generator: G2Affine = G2Affine::generator();
        let (mut point, mut out, mut affine) = (blst_p2::default(), blst_p2::default(), blst_p2_affine::default());
        // SAFETY: reads and writes points of this function, and the 32 bytes of the factor.
        unsafe {
            blst::blst_p2_from_affine(&mut point, &generator.0);
            blst_p2_mult(&mut out, &point, bytes.as_ptr(), 255);
            blst_p2_to_affine(&mut affine, &out);
        }
        G2Affine(affine)
    }

    fn multiple_of_g1(factor: u64) -> G1 {
        G1Affine::generator().multiply_secret(&Scalar::from(factor))
    }

    #[test]
    fn the_loop_is_that_of_the_library() {
        let points: Vec<_> = [(3, 5), (7, 11)].map(|(a, b)| (multiple_of_g1(a), multiple_of_g2(b))).into();
        let prepared: Vec<_> = points.iter().map(|(g1, g2)| (g1.to_affine().unwrap(), PreparedG2::from(g2))).collect();
        let terms: Vec<_> = prepared.iter().map(|(g1, g2)| Term::new(&g2.lines, g1)).collect();
        let (g1, g2): (Vec<_>, Vec<_>) = points.iter().map(|(g1, g2)| (g1.to_affine().unwrap().0, g2.0)).unzip();
        assert_eq!(miller_loop(&terms).final_exp(), blst_fp12::miller_loop_n(&g2, &g1).final_exp());
        assert_eq!(miller_loop(&[]), blst_fp12::default());
    }

    #[test]
    fn pairings_are_bilinear() {
        let (two, six) = (PreparedG2::from(&multiple_of_g2(2)), PreparedG2::from(&multiple_of_g2(6)));
        assert!(pairings_agree(&multiple_of_g1(15), &two, &multiple_of_g1(5), &six));
        assert!(!pairings_agree(&multiple_of_g1(15), &two, &multiple_of_g1(6), &six));
        assert!(!pairings_agree(&multiple_of_g1(15), &two, &-multiple_of_g1(5), &six));
    }
}
