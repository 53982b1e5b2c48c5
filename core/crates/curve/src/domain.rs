//! The multiplicative subgroup H of order n, and the transforms over it.

use core::ops::Add;

use crate::{G1, Scalar};

/// r − 1 = 2^32 · odd: there are subgroups of every order 2^k with k ≤ 32.
const TWO_ADICITY: u32 = 32;

/// (r − 1) / 2^32, big-endian.
const ODD_PART: [u64; 4] = [0x0000_0000_73ed_a753, 0x299d_7d48_3339_d808, 0x09a1_d805_53bd_a402, 0xfffe_5bfe_ffff_ffff];

/// Generates the multiplicative group of the field, so it lies in no proper subgroup.
const GENERATOR: u64 = 7;

/// H = {1, ω, …, ω^(n−1)} with ω = 7^((r−1)/n), and its coset 7·H, on which polynomials can be divided by Z_H.
#[derive(Debug)]
pub struct Domain {
    powers: Vec<Scalar>,
    size_inverse: Scalar,
    /// ω^i for i < n/2, the bits of i reversed: a transform reads them from front to back at every stage.
    twiddles: Vec<Scalar>,
    inverse_twiddles: Vec<Scalar>,
    /// 7^i/n and 7^(−i)/n for i < n, the bits of i reversed.
    to_coset: Vec<Scalar>,
    from_coset: Vec<Scalar>,
    coset_vanishing: Scalar,
}

impl Domain {
    /// The domain of `size` elements; `size` is a power of two, at least 2 and at most 2^32.
    ///
    /// # Panics
    /// When `size` is no such number, which is a mistake in the calling program.
    pub fn new(size: usize) -> Self {
        assert!(size.is_power_of_two() && (1..=TWO_ADICITY).contains(&size.trailing_zeros()), "no domain of this size");
        let powers = root_of_unity(size).powers(size);
        let size_inverse = Scalar::from(size as u64).invert().expect("a power of two is no multiple of r");
        let shift = Scalar::from(GENERATOR);
        let scales = |shift: Scalar| -> Vec<Scalar> {
            let powers = shift.powers(size).into_iter().map(|power| power * size_inverse);
            bit_reversed(powers.collect())
        };
        let inverse_powers = core::iter::once(powers[0]).chain(powers[size / 2 + 1..].iter().rev().copied());
        Self {
            twiddles: bit_reversed(powers[..size / 2].to_vec()),
            inverse_twiddles: bit_reversed(inverse_powers.collect()),
            to_coset: scales(shift),
            from_coset: scales(shift.invert().expect("7 is not 0")),
            coset_vanishing: shift.pow(size as u64) - Scalar::one(),
            size_inverse,
            powers,
        }
    }

    /// n.
    pub fn size(&self) -> usize {
        self.powers.len()
    }

    /// 1, ω, …, ω^(n−1).
    pub fn elements(&self) -> &[Scalar] {
        &self.powers
    }

    /// 1, ω^(−1), …, ω^(−(n−1)): the elements, backwards.
    pub fn inverses(&self) -> impl Iterator<Item = &Scalar> {
        self.powers[..1].iter().chain(self.powers[1..].iter().rev())
    }

    /// ω.
    pub fn generator(&self) -> Scalar {
        self.powers[1]
    }

    /// 1/n.
    pub fn size_inverse(&self) -> Scalar {
        self.size_inverse
    }

    /// 7, 7ω, …, 7ω^(n−1).
    pub fn coset_elements(&self) -> impl Iterator<Item = Scalar> {
        let shift = Scalar::from(GENERATOR);
        self.powers.iter().map(move |element| shift * *element)
    }

    /// Z_H on 7·H, where it has one value only, which is not 0.
    pub fn coset_vanishing(&self) -> Scalar {
        self.coset_vanishing
    }

    /// Values on H of a polynomial of degree below n to those on 7·H, in place; returns its coefficient of X^(n−1).
    ///
    /// # Panics
    /// When there are not n values, which is a mistake in the calling program.
    pub fn to_coset(&self, values: &mut [Scalar]) -> Scalar {
        self.move_values(values, &self.to_coset)
    }

    /// Values on 7·H of a polynomial of degree below n to those on H, in place.
    ///
    /// # Panics
    /// When there are not n values, which is a mistake in the calling program.
    pub fn from_coset(&self, values: &mut [Scalar]) {
        self.move_values(values, &self.from_coset);
    }

    /// Through the coefficients, which are scaled in between; returns the last one as it was before.
    fn move_values(&self, values: &mut [Scalar], scales: &[Scalar]) -> Scalar {
        assert_eq!(values.len(), self.size(), "as many values as the domain has elements");
        split(&self.inverse_twiddles, values, |twiddle, value| *twiddle * *value);
        let last = values[values.len() - 1] * self.size_inverse;
        for (coefficient, factor) in values.iter_mut().zip(scales) {
            *coefficient *= *factor;
        }
        merge(&self.twiddles, values);
        last
    }

    /// [τ^i] for i < n to [L_i(τ)]: the inverse transform, transposed, which is the inverse transform itself.
    ///
    /// # Panics
    /// When there are not n points, which is a mistake in the calling program.
    pub fn lagrange_points(&self, powers: &mut [G1]) {
        assert_eq!(powers.len(), self.size(), "as many points as the domain has elements");
        split(&self.inverse_twiddles, powers, |twiddle, point| point.multiply_secret(twiddle));
        permute_bit_reversed(powers);
        for point in powers {
            *point = point.multiply_secret(&self.size_inverse);
        }
    }
}
/// The element ω of order `size`.
fn root_of_unity(size: usize) -> Scalar {
    let mut root = Scalar::one();
    for limb in ODD_PART {
        root = (0..u64::BITS).rev().fold(root, |element, bit| {
            let square = element.square();
            if limb >> bit & 1 == 1 { square * Scalar::from(GENERATOR) } else { square }
        });
    }
    (size.trailing_zeros()..TWO_ADICITY).fold(root, |root, _| root.square())
}

/// Coefficients to values, in place: coefficients in order, values with the bits of their index reversed. Each stage
/// splits polynomials modulo X^(2k) − ζ² into those modulo X^k − ζ and X^k + ζ; `twiddles` are the ζ.
fn split<T>(twiddles: &[Scalar], elements: &mut [T], scale: impl Fn(&Scalar, &T) -> T)
where
    T: Copy + Add<Output = T> + Subtract,
{
    let mut half = elements.len() / 2;
    while half > 0 {
        let mut blocks = twiddles.iter().zip(elements.chunks_exact_mut(2 * half));
        // The first ζ is 1.
        let first = blocks.next().into_iter().flat_map(|(_, block)| halves(block));
        first.for_each(|(a, b)| (*a, *b) = (*a + *b, a.subtract(*b)));
        for (twiddle, block) in blocks {
            for (a, b) in halves(block) {
                let scaled = scale(twiddle, b);
                (*a, *b) = (*a + scaled, a.subtract(scaled));
            }
        }
        half /= 2;
    }
}

/// Coefficients to values, in place: coefficients with the bits of their index reversed, values in order. The stages of
/// [`split`] undone one by one, up to the factor n and with the inverses of its twiddles.
fn merge(twiddles: &[Scalar], elements: &mut [Scalar]) {
    let mut half = 1;
    while half < elements.len() {
        let mut blocks = twiddles.iter().zip(elements.chunks_exact_mut(2 * half));
        // The first ζ is 1.
        let first = blocks.next().into_iter().flat_map(|(_, block)| halves(block));
        first.for_each(|(a, b)| (*a, *b) = (*a + *b, *a - *b));
        for (twiddle, block) in blocks {
            for (a, b) in halves(block) {
                (*a, *b) = (*a + *b, *twiddle * (*a - *b));
            }
        }
        half *= 2;
    }
}

/// Pairs of elements at the same place of both halves.
fn halves<T>(block: &mut [T]) -> impl Iterator<Item = (&mut T, &mut T)> {
    let (low, high) = block.split_at_mut(block.len() / 2);
    low.iter_mut().zip(high)
}

/// Subtraction for both kinds of elements that are transformed.
trait Subtract {
    fn subtract(self, other: Self) -> Self;
}

impl Subtract for Scalar {
    fn subtract(self, other: Self) -> Self {
        self - other
    }
}

impl Subtract for G1 {
    fn subtract(self, other: Self) -> Self {
        self + -other
    }
}

fn bit_reversed<T>(mut elements: Vec<T>) -> Vec<T> {
    permute_bit_reversed(&mut elements);
    elements
}

fn permute_bit_reversed<T>(elements: &mut [T]) {
    let bits = elements.len().trailing_zeros();
    for index in 0..elements.len() {
        let image = index.reverse_bits().checked_shr(usize::BITS - bits).unwrap_or(0);
        if index < image {
            elements.swap(index, image);
        }
    }
}
