//! The field of the pairing's values, Fp12, with its six coefficients over Fp2 in lanes.
//!
//! Fp2 = Fp[u]/(u² + 1), ξ = 1 + u, Fp12 = Fp2[w]/(w⁶ − ξ): an element is f₀ + f₁w + … + f₅w⁵, lane i holding fᵢ, real and
//! imaginary parts in two vectors. Lanes 6 and 7 hold nothing of meaning. In the tower of `blst`, where v = w² and
//! Fp12 = Fp6[w]/(w² − v), fᵢ is coefficient i/2 of half i mod 2.

use blst::{blst_fp, blst_fp2, blst_fp12};

use super::accumulators::Wide;
use super::field::Fp8;
use super::lanes::Record;
use super::modulus::{LANES, LIMBS};

/// Coefficients of an element over Fp2.
const COEFFICIENTS: usize = 6;
/// Lanes of odd powers of w.
const ODD: u8 = 0b10_1010;
const EVEN: u8 = 0b01_0101;
/// Lanes of the first three coefficients.
const LOW: u8 = 0b00_0111;

/// Eight elements of Fp2.
#[derive(Clone, Copy)]
pub(super) struct Fp2x8 {
    pub(super) re: Fp8,
    pub(super) im: Fp8,
}

impl Fp2x8 {
    #[inline]
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    pub(super) fn add(&self, other: &Self) -> Self {
        Self { re: self.re.add(&other.re), im: self.im.add(&other.im) }
    }

    #[inline]
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    fn sub(&self, other: &Self) -> Self {
        Self { re: self.re.sub(&other.re), im: self.im.sub(&other.im) }
    }

    #[inline]
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    fn reduced(&self) -> Self {
        Self { re: self.re.reduced(), im: self.im.reduced() }
    }

    /// ξ times the elements.
    #[inline]
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    fn times_xi(&self) -> Self {
        Self { re: self.re.sub(&self.im), im: self.re.add(&self.im) }
    }

    #[inline]
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    fn arranged(&self, other: &Self, from: [i64; LANES]) -> Self {
        Self { re: self.re.arranged(&other.re, from), im: self.im.arranged(&other.im, from) }
    }

    #[inline]
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    fn select(mask: u8, unset: &Self, set: &Self) -> Self {
        Self { re: Fp8::select(mask, &unset.re, &set.re), im: Fp8::select(mask, &unset.im, &set.im) }
    }

    #[inline]
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    fn zero() -> Self {
        Self { re: Fp8::zero(), im: Fp8::zero() }
    }

    /// What is kept where a bit is set, 0 elsewhere.
    #[inline]
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    fn only(&self, mask: u8) -> Self {
        Self::select(mask, &Self::zero(), self)
    }
}

/// Elements of Fp2 that multiply whole vectors, with −im beside im.
pub(super) struct Factors {
    re: [Record; LIMBS],
    im: [Record; LIMBS],
    minus_im: [Record; LIMBS],
}

impl Factors {
    #[inline]
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    pub(super) fn new(elements: &Fp2x8) -> Self {
        Self { re: elements.re.limbs(), im: elements.im.limbs(), minus_im: elements.im.neg().limbs() }
    }

    #[inline]
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    fn broadcast(&self, lane: usize) -> Factor8 {
        Factor8 {
            re: Fp8::broadcast(&self.re, lane),
            im: Fp8::broadcast(&self.im, lane),
            minus_im: Fp8::broadcast(&self.minus_im, lane),
        }
    }
}

/// What multiplies a vector: −im stands beside im so that sums of products need no subtraction.
struct Factor8 {
    re: Fp8,
    im: Fp8,
    minus_im: Fp8,
}

/// A sum of products in Fp2, with one reduction for each part.
#[inline]
#[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
fn sum_of_products<const TERMS: usize>(terms: &[(Fp2x8, Factor8); TERMS]) -> Fp2x8 {
    let re = Wide::reduced(|sum| {
        for (a, b) in terms {
            sum.add_product(&a.re, &b.re);
            sum.add_product(&a.im, &b.minus_im);
        }
    });
    let im = Wide::reduced(|sum| {
        for (a, b) in terms {
            sum.add_product(&a.re, &b.im);
            sum.add_product(&a.im, &b.re);
        }
    });
    Fp2x8 { re, im }
}

/// An element of Fp12. Coefficients below 4·p.
#[derive(Clone, Copy)]
pub(super) struct Fp12(pub(super) Fp2x8);

impl Fp12 {
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    pub(super) fn from_blst(element: &blst_fp12) -> Self {
        let (mut re, mut im) = ([blst_fp::default(); LANES], [blst_fp::default(); LANES]);
        for lane in 0..COEFFICIENTS {
            [re[lane], im[lane]] = element.fp6[lane % 2].fp2[lane / 2].fp;
        }
        Self(Fp2x8 { re: Fp8::from_blst(&re), im: Fp8::from_blst(&im) })
    }

    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    pub(super) fn to_blst(self) -> blst_fp12 {
        let (re, im) = (self.0.re.to_blst(), self.0.im.to_blst());
        let mut element = blst_fp12::default();
        for lane in 0..COEFFICIENTS {
            element.fp6[lane % 2].fp2[lane / 2] = blst_fp2 { fp: [re[lane], im[lane]] };
        }
        element
    }

    /// The product with Σ factorₗₐₙₑ·w^power over the given (power, lane).
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    pub(super) fn times_terms<const TERMS: usize>(&self, factors: &Factors, terms: [(usize, usize); TERMS]) -> Self {
        let wrapped = self.0.times_xi();
        Self(sum_of_products(&terms.map(|(power, lane)| {
            let shifted = if power == 0 { self.0 } else { self.0.arranged(&wrapped, shift(power)) };
            (shifted, factors.broadcast(lane))
        })))
    }

    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    pub(super) fn mul(&self, other: &Self) -> Self {
        self.times_terms(&Factors::new(&other.0), [(0, 0), (1, 1), (2, 2), (3, 3), (4, 4), (5, 5)])
    }

    /// The square, of a + bw with a, b in Fp6: (a + b)(a + vb) − ab − v·ab and 2ab, both products at once.
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    pub(super) fn square(&self) -> Self {
        let (f, wrapped) = (&self.0, self.0.times_xi());
        let a = f.arranged(f, [0, 2, 4, 0, 2, 4, 6, 7]);
        let b = f.arranged(f, [1, 3, 5, 1, 3, 5, 6, 7]);
        // v·b = (ξ·f₅, f₁, f₃).
        let left = a.add(&b.only(LOW));
        let right = f.arranged(&wrapped, [13, 1, 3, 1, 3, 5, 6, 7]).add(&a.only(LOW));
        let products = cubic_products(&left, &right);
        let twisted = products.times_xi();
        let ab = products.arranged(&products, [3, 3, 4, 4, 5, 5, 6, 7]);
        let v_ab = products.arranged(&twisted, [13, 6, 3, 6, 4, 6, 6, 7]);
        // ξ's real part reaches 66·p, more than a subtrahend may; what it is taken from has just been raised by 64·p.
        let even = products.arranged(&products, [0, 0, 1, 1, 2, 2, 6, 7]).sub(&ab).sub(&v_ab);
        Self(Fp2x8::select(ODD, &even, &ab.add(&ab)).reduced())
    }

    /// The square of an element of the cyclotomic subgroup (Granger and Scott, ePrint 2009/565): with s = w³ the element
    /// is Σ (fᵢ + fᵢ₊₃s)wⁱ, and three squares in Fp2[s] make it.
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    pub(super) fn cyclotomic_square(&self) -> Self {
        let f = &self.0;
        let double_re = f.re.add(&f.re);
        let squares = Fp2x8 { re: f.re.add(&f.im).mul(&f.re.sub(&f.im)), im: double_re.mul(&f.im) };
        let cross = cross_products(f);
        let sums = squares.add(&squares.arranged(&squares, [3, 4, 5, 3, 4, 5, 6, 7]).times_xi());
        let twice = cross.add(&cross);
        let twisted = twice.times_xi();
        // (t₀, ξd₂, t₁, d₀, t₂, d₁) with tᵢ = fᵢ² + ξfᵢ₊₃² and dᵢ = 2fᵢfᵢ₊₃.
        let odd = twice.arranged(&twisted, [6, 10, 6, 0, 6, 1, 6, 7]);
        let middle = sums.arranged(&odd, [0, 9, 1, 11, 2, 13, 6, 7]);
        // Odd coefficients of f are added twice, even ones subtracted.
        let signed = Fp2x8::select(EVEN, f, &Fp2x8 { re: f.re.neg(), im: f.im.neg() });
        let outer = middle.add(&signed);
        Self(outer.add(&outer).add(&middle).reduced())
    }

    /// The element to the power p⁶: its inverse, in the cyclotomic subgroup.
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    pub(super) fn conjugate(&self) -> Self {
        let minus = Fp2x8 { re: self.0.re.neg(), im: self.0.im.neg() };
        Self(Fp2x8::select(ODD, &self.0, &minus).reduced())
    }

    /// The coefficients times other elements of Fp2, lane by lane.
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    pub(super) fn times_each(&self, factors: &Fp2x8) -> Self {
        let factor = Factor8 { re: factors.re, im: factors.im, minus_im: factors.im.neg() };
        Self(sum_of_products(&[(self.0, factor)]))
    }

    /// The coefficients with the opposite imaginary parts.
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    pub(super) fn conjugate_each(&self) -> Self {
        Self(Fp2x8 { re: self.0.re, im: self.0.im.neg().reduced() })
    }
}

/// Coefficient i of w^power·f is fᵢ₋ₚ, or ξ times (lanes from 8 on) what went round.
#[inline]
fn shift(power: usize) -> [i64; LANES] {
    core::array::from_fn(|lane| match lane {
        0..COEFFICIENTS if lane < power => (LANES + COEFFICIENTS + lane - power) as i64,
        0..COEFFICIENTS => (lane - power) as i64,
        _ => lane as i64,
    })
}

/// Two products in Fp6, of what lanes 0 to 2 hold and of what lanes 3 to 5 hold.
#[inline]
#[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
fn cubic_products(left: &Fp2x8, right: &Fp2x8) -> Fp2x8 {
    let wrapped = left.times_xi();
    let minus_im = right.im.neg();
    let shifts = [[0, 1, 2, 3, 4, 5, 6, 7], [10, 0, 1, 13, 3, 4, 6, 7], [9, 10, 0, 12, 13, 3, 6, 7]];
    sum_of_products(&core::array::from_fn::<_, 3, _>(|power| {
        let (low, high) = (power as i64, 3 + power as i64);
        let spread = [low, low, low, high, high, high, 6, 7];
        let of = |part: &Fp8| part.arranged(part, spread);
        let factor = Factor8 { re: of(&right.re), im: of(&right.im), minus_im: of(&minus_im) };
        (left.arranged(&wrapped, shifts[power]), factor)
    }))
}

/// fᵢ·fᵢ₊₃ for i < 3: real parts are made in lanes 0 to 2, imaginary ones in 3 to 5.
#[inline]
#[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
fn cross_products(f: &Fp2x8) -> Fp2x8 {
    let low = [0, 1, 2, 0, 1, 2, 6, 7];
    let high = [3, 4, 5, 11, 12, 13, 6, 7];
    let re = Fp8::sum_of_products(
        [&f.re.arranged(&f.re, low), &f.re.arranged(&f.im, high)],
        [&f.im.arranged(&f.im, low), &f.im.neg().arranged(&f.re, high)],
    );
    Fp2x8 { re, im: re.arranged(&re, [3, 4, 5, 3, 4, 5, 6, 7]) }
}
