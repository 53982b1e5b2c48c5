//! The field in lanes against the scalar one.

use blst::{blst_fp_add, blst_fp_from_lendian, blst_fp_mul, blst_fp_sqr, blst_fp_sub, blst_lendian_from_fp};

use super::super::modulus::{MASK, P_INVERSE, difference, power_of_two};
use super::*;
use crate::Engine;
use crate::field::MODULUS;

/// A small generator of test data (SplitMix64): the same numbers in every run.
struct Numbers(u64);

impl Numbers {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ self.0 >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ mixed >> 31
    }

    /// Mostly uniform, now and then 0, 1, p − 1 or a power of two.
    fn element(&mut self) -> blst_fp {
        let mut limbs = match self.next() % 16 {
            0 => [0; 6],
            1 => [1, 0, 0, 0, 0, 0],
            2 => difference(&MODULUS, &[1, 0, 0, 0, 0, 0]),
            3 => power_of_two((self.next() % 381) as u32),
            _ => core::array::from_fn(|_| self.next()),
        };
        limbs[5] %= MODULUS[5];
        let bytes: Vec<u8> = limbs.iter().flat_map(|limb| limb.to_le_bytes()).collect();
        let mut element = blst_fp::default();
        // SAFETY: reads 48 bytes and writes one element.
        unsafe { blst_fp_from_lendian(&mut element, bytes.as_ptr()) };
        element
    }
}

/// The integer below p that an element is.
fn integer(element: blst_fp) -> [u64; 6] {
    let mut bytes = [0; 48];
    // SAFETY: reads one element and writes 48 bytes.
    unsafe { blst_lendian_from_fp(bytes.as_mut_ptr(), &element) };
    core::array::from_fn(|i| u64::from_le_bytes(bytes.as_chunks().0[i]))
}

type Binary = unsafe extern "C" fn(*mut blst_fp, *const blst_fp, *const blst_fp);

fn each(a: &[blst_fp; LANES], b: &[blst_fp; LANES], operation: Binary) -> [blst_fp; LANES] {
    core::array::from_fn(|lane| {
        let mut out = blst_fp::default();
        // SAFETY: reads two elements and writes one.
        unsafe { operation(&mut out, &a[lane], &b[lane]) };
        out
    })
}

unsafe extern "C" fn square(out: *mut blst_fp, a: *const blst_fp, _: *const blst_fp) {
    // SAFETY: the caller gives places to read from and to write to.
    unsafe { blst_fp_sqr(out, a) }
}

#[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
fn compare(rounds: usize) {
    let mut numbers = Numbers(1);
    for _ in 0..rounds {
        let (a, b) = (core::array::from_fn(|_| numbers.element()), core::array::from_fn(|_| numbers.element()));
        let (x, y) = (Fp8::from_blst(&a), Fp8::from_blst(&b));
        assert_eq!(x.to_blst(), a);
        assert_eq!(x.mul(&y).to_blst(), each(&a, &b, blst_fp_mul));
        assert_eq!(x.square().to_blst(), each(&a, &a, square));
        let (products, squares) = (each(&a, &b, blst_fp_mul), each(&a, &a, square));
        assert_eq!(Fp8::sum_of_products([&x, &y], [&x, &x]).to_blst(), each(&products, &squares, blst_fp_add));
        assert_eq!(x.add(&y).to_blst(), each(&a, &b, blst_fp_add));
        assert_eq!(x.sub(&y).to_blst(), each(&a, &b, blst_fp_sub));
        let (double, opposite) = (each(&a, &a, blst_fp_add), each(&[blst_fp::default(); LANES], &b, blst_fp_sub));
        assert_eq!(
            x.shifted::<1>().plus::<2>(&x).minus::<0>(&y).carried().to_blst(),
            each(&each(&double, &each(&double, &double, blst_fp_add), blst_fp_add), &opposite, blst_fp_add)
        );
        let integers = a.map(integer);
        assert_eq!(Fp8::from_integers(&integers).to_blst(), a);
        assert_eq!(x.odd(), (0..LANES).fold(0, |mask, lane| mask | ((integers[lane][0] & 1) as u8) << lane));
        let zeros = a.iter().enumerate().fold(0, |mask, (lane, e)| mask | u8::from(*e == blst_fp::default()) << lane);
        assert_eq!(x.zeros(), zeros);
        assert_eq!(x.sub(&x).zeros(), u8::MAX);
        assert_eq!(
            Fp8::select(0b1010_0110, &x, &y).to_blst(),
            core::array::from_fn(|lane| { if 0b1010_0110_u8 >> lane & 1 == 1 { b[lane] } else { a[lane] } })
        );
        assert_eq!(far_out(&x, &y).to_blst(), near(&a, &b));
    }
}

/// (16·(a + b))², on values that are allowed to grow.
#[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
fn far_out(x: &Fp8, y: &Fp8) -> Fp8 {
    let sum = (0..4).fold(x.add(y), |sum, _| sum.add(&sum));
    assert_eq!(sum.reduced().to_blst(), sum.to_blst());
    sum.neg().neg().square()
}

fn near(a: &[blst_fp; LANES], b: &[blst_fp; LANES]) -> [blst_fp; LANES] {
    let sum = (0..4).fold(each(a, b, blst_fp_add), |sum, _| each(&sum, &sum, blst_fp_add));
    each(&sum, &sum, square)
}

#[test]
fn a_million_inputs_give_what_the_scalar_field_gives() {
    if !Engine::Vector.is_supported() {
        eprintln!("this processor has no AVX-512 IFMA: nothing to compare");
        return;
    }
    // SAFETY: the processor has the features.
    unsafe { compare(1_000_000 / (2 * LANES)) };
}

#[test]
fn constants_are_what_they_say() {
    assert_eq!(joined(&P), MODULUS);
    assert_eq!(P[0].wrapping_mul(P_INVERSE) & MASK, MASK);
    assert_eq!(joined(&split(&power_of_two(380))), [0, 0, 0, 0, 0, 1 << 60]);
}
