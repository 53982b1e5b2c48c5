//! The pairing check in lanes: a Miller loop over the prepared lines of two fixed points, and the final exponentiation.

use blst::{
    blst_fp, blst_fp6, blst_fp12, blst_fp12_conjugate, blst_fp12_frobenius_map, blst_fp12_inverse, blst_fp12_mul,
    blst_fp12_one,
};

use super::field::Fp8;
use super::modulus::LANES;
use super::tower::{Factors, Fp2x8, Fp12};
use crate::G1Affine;
use crate::pairing::DOUBLINGS;

/// Lanes of the second point's lines.
const SECOND: u8 = 0b11_1000;

/// The lines of one point of G2: each line's three coefficients in lanes 0 to 2 and once more in 3 to 5.
#[derive(Clone)]
pub(crate) struct PreparedLines(Vec<Fp2x8>);

impl PreparedLines {
    /// # Safety
    /// The processor has the features of the vector engine.
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    pub(crate) fn new(lines: &[blst_fp6]) -> Self {
        Self(
            lines
                .iter()
                .map(|line| {
                    let part = |number: usize| {
                        let lane =
                            |lane: usize| if lane < 6 { line.fp2[lane % 3].fp[number] } else { blst_fp::default() };
                        Fp8::from_blst(&core::array::from_fn(lane))
                    };
                    Fp2x8 { re: part(0), im: part(1) }
                })
                .collect(),
        )
    }
}

/// Whether e(first, Q₁)·e(second, Q₂) = 1, for the points Qᵢ whose lines are given.
#[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
pub(crate) fn product_is_one(first: (&G1Affine, &PreparedLines), second: (&G1Affine, &PreparedLines)) -> bool {
    let value = miller_loop(first, second);
    let one = unit();
    to_cyclotomic(&value.to_blst()).final_power().to_blst() == one
}

fn unit() -> blst_fp12 {
    // SAFETY: `blst` returns a pointer to a constant of its own that lives as long as the program.
    unsafe { *blst_fp12_one() }
}

/// f_{−x, Q₁}(P₁)·f_{−x, Q₂}(P₂).
#[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
fn miller_loop(first: (&G1Affine, &PreparedLines), second: (&G1Affine, &PreparedLines)) -> Fp12 {
    let coordinates = coordinates(first.0, second.0);
    let mut lines = first.1.0.iter().zip(&second.1.0);
    let mut value = Fp12::from_blst(&unit());
    let mut multiply_lines = |value: &mut Fp12| {
        let (a, b) = lines.next().expect("as many lines as the loop has steps");
        let both = Fp2x8 { re: Fp8::select(SECOND, &a.re, &b.re), im: Fp8::select(SECOND, &a.im, &b.im) };
        let factors = Factors::new(&Fp2x8 { re: both.re.mul(&coordinates), im: both.im.mul(&coordinates) });
        *value = value.times_terms(&factors, [(0, 0), (2, 1), (3, 2)]);
        *value = value.times_terms(&factors, [(0, 3), (2, 4), (3, 5)]);
    };
    for (segment, doublings) in DOUBLINGS.into_iter().enumerate() {
        if segment > 0 {
            multiply_lines(&mut value); // the addition that begins the segment
        }
        for step in 0..doublings {
            if segment + step > 0 {
                value = value.square();
            }
            multiply_lines(&mut value);
        }
    }
    value.conjugate()
}

/// What the coefficients of a line are multiplied with, for both points: 1, −2x, 2y.
#[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
fn coordinates(first: &G1Affine, second: &G1Affine) -> Fp8 {
    let (mut xs, mut ys) = ([blst_fp::default(); LANES], [blst_fp::default(); LANES]);
    for (lane, point) in [(1, first), (4, second)] {
        (xs[lane], ys[lane + 1]) = (point.0.x, point.0.y);
    }
    let (xs, ys) = (Fp8::from_blst(&xs), Fp8::from_blst(&ys));
    let doubled = Fp8::select(0b10_0100, &xs.add(&xs).neg(), &ys.add(&ys));
    Fp8::select(0b00_1001, &doubled, &Fp8::one())
}

/// The value to the power (p⁶ − 1)(p² + 1), which lies in the cyclotomic subgroup.
#[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
fn to_cyclotomic(value: &blst_fp12) -> Fp12 {
    let mut power = *value;
    let (mut inverse, mut quotient) = (blst_fp12::default(), blst_fp12::default());
    // SAFETY: each call reads and writes elements of this function; `blst` allows outputs of these to be no inputs.
    unsafe {
        blst_fp12_inverse(&mut inverse, value);
        blst_fp12_conjugate(&mut power);
        blst_fp12_mul(&mut quotient, &power, &inverse);
        blst_fp12_frobenius_map(&mut power, &quotient, 2);
        blst_fp12_mul(&mut inverse, &power, &quotient);
    }
    Fp12::from_blst(&inverse)
}

impl Fp12 {
    /// The power 3·(p⁴ − p² + 1)/r = (x − 1)²(x + p)(x² + p² − 1) + 3 (Hayashida, Hayasaka and Teruya, ePrint 2020/875) of
    /// an element of the cyclotomic subgroup. 3 is no multiple of r, so the power is 1 just when the pairing's is.
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    fn final_power(&self) -> Self {
        let less = |f: &Self| f.power_x().mul(&f.conjugate());
        let twice = less(&less(self));
        let thrice = twice.power_x().mul(&twice.frobenius(1));
        let square = thrice.power_x().power_x();
        let last = square.mul(&thrice.frobenius(2)).mul(&thrice.conjugate());
        last.mul(&self.cyclotomic_square().mul(self))
    }

    /// The power x, which is negative.
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    fn power_x(&self) -> Self {
        let mut value = *self;
        for (segment, doublings) in DOUBLINGS.into_iter().enumerate() {
            if segment > 0 {
                value = value.mul(self);
            }
            for _ in 0..doublings {
                value = value.cyclotomic_square();
            }
        }
        value.conjugate()
    }

    /// The power p or p²: coefficients change their imaginary parts' signs, or do not, and w becomes a multiple of itself.
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    fn frobenius(&self, times: usize) -> Self {
        let coefficients = if times == 1 { self.conjugate_each() } else { *self };
        coefficients.times_each(&Self::from_blst(&images_of_powers(times)).0)
    }
}

/// The powers 1, w, …, w⁵ raised to p or p², divided by themselves: coefficients of the image of their sum.
fn images_of_powers(times: usize) -> blst_fp12 {
    let one = unit().fp6[0].fp2[0];
    let half = blst_fp6 { fp2: [one; 3] };
    let mut image = blst_fp12::default();
    // SAFETY: reads one element and writes another.
    unsafe { blst_fp12_frobenius_map(&mut image, &blst_fp12 { fp6: [half; 2] }, times) };
    image
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Engine, Scalar};

    fn value(seed: u64) -> blst_fp12 {
        let g1 = G1Affine::generator().multiply_secret(&Scalar::from(seed)).to_affine().expect("not infinity");
        blst_fp12::miller_loop(&crate::G2Affine::generator().0, &g1.0)
    }

    fn product(a: &blst_fp12, b: &blst_fp12) -> blst_fp12 {
        let mut out = blst_fp12::default();
        // SAFETY: reads two elements and writes one.
        unsafe { blst_fp12_mul(&mut out, a, b) };
        out
    }

    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    fn compare() {
        let (a, b) = (value(3), value(4));
        let (x, y) = (Fp12::from_blst(&a), Fp12::from_blst(&b));
        assert_eq!(x.to_blst(), a);
        assert_eq!(x.mul(&y).to_blst(), product(&a, &b));
        assert_eq!(x.square().to_blst(), product(&a, &a));
        for times in [1, 2] {
            let mut image = blst_fp12::default();
            // SAFETY: reads one element and writes another.
            unsafe { blst_fp12_frobenius_map(&mut image, &a, times) };
            assert_eq!(x.frobenius(times).to_blst(), image);
        }
        let cyclotomic = to_cyclotomic(&a);
        let c = cyclotomic.to_blst();
        assert_eq!(cyclotomic.cyclotomic_square().to_blst(), product(&c, &c));
        assert_eq!(cyclotomic.mul(&cyclotomic.conjugate()).to_blst(), unit());
        // `blst` computes the same power.
        assert_eq!(cyclotomic.final_power().to_blst(), a.final_exp());
        let many = (0..200).fold(cyclotomic, |value, _| value.cyclotomic_square());
        let expected = (0..200).fold(c, |value, _| product(&value, &value));
        assert_eq!(many.to_blst(), expected);
    }

    #[test]
    fn the_tower_is_that_of_the_scalar_engine() {
        if !Engine::Vector.is_supported() {
            eprintln!("this processor has no AVX-512 IFMA: nothing to compare");
            return;
        }
        // SAFETY: the processor has the features.
        unsafe { compare() };
    }
}
