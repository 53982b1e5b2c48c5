//! The multiplicative subgroup H of order n, and the transforms over it.

use core::ops::Add;

use crate::{G1, Scalar};

/// r − 1 = 2^32 · odd: there are subgroups of every order 2^k with k ≤ 32.
const TWO_ADICITY: u32 = 32;

/// (r − 1) / 2^32, big-endian.
const ODD_PART: [u64; 4] = [0x0000_0000_73ed_a753, 0x299d_7d48_3339_d808, 0x09a1_d805_53bd_a402, 0xfffe_5bfe_ffff_ffff];

/// H = {1, ω, …, ω^(n−1)} with ω = 7^((r−1)/n).
#[derive(Debug)]
pub struct Domain {
    powers: Vec<Scalar>,
    size_inverse: Scalar,
}

impl Domain {
    /// The domain of `size` elements; `size` is a power of two of at most 2^32.
    ///
    /// # Panics
    /// When `size` is no such number, which is a mistake in the calling program.
    pub fn new(size: usize) -> Self {
        assert!(size.is_power_of_two() && size.trailing_zeros() <= TWO_ADICITY, "no domain of this size");
        let mut generator = Scalar::one();
        for limb in ODD_PART {
            generator = (0..u64::BITS).rev().fold(generator, |element, bit| {
                let square = element.square();
                if limb >> bit & 1 == 1 { square * Scalar::from(7) } else { square }
            });
        }
        for _ in size.trailing_zeros()..TWO_ADICITY {
            generator = generator.square();
        }
        let size_inverse = Scalar::from(size as u64).invert().expect("a power of two is no multiple of r");
        Self { powers: generator.powers(size), size_inverse }
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
        self.powers[1 % self.size()]
    }

    /// 1/n.
    pub fn size_inverse(&self) -> Scalar {
        self.size_inverse
    }

    /// Coefficients to values on H, in place.
    pub fn evaluate(&self, coefficients: &mut [Scalar]) {
        self.transform(coefficients, |power, element| *element * *power);
    }

    /// Values on H to coefficients, in place.
    pub fn interpolate(&self, values: &mut [Scalar]) {
        self.evaluate(values);
        values[1..].reverse();
        for value in values {
            *value *= self.size_inverse;
        }
    }

    /// [τ^i] for i < n to [L_i(τ)]: the inverse transform, transposed, which is the inverse transform itself.
    pub fn lagrange_points(&self, powers: &mut [G1]) {
        let one = Scalar::one();
        self.transform(powers, |power, point| if *power == one { *point } else { point.multiply_secret(power) });
        powers[1..].reverse();
        for point in powers {
            *point = point.multiply_secret(&self.size_inverse);
        }
    }

    fn transform<T>(&self, elements: &mut [T], scale: impl Fn(&Scalar, &T) -> T)
    where
        T: Copy + Add<Output = T> + Subtract,
    {
        let size = self.size();
        assert_eq!(elements.len(), size, "as many elements as the domain has");
        permute_bit_reversed(elements);
        let mut half = 1;
        while half < size {
            let stride = size / (2 * half);
            for block in elements.chunks_exact_mut(2 * half) {
                let (low, high) = block.split_at_mut(half);
                for (index, (a, b)) in low.iter_mut().zip(high).enumerate() {
                    let scaled = scale(&self.powers[index * stride], b);
                    *b = a.subtract(scaled);
                    *a = *a + scaled;
                }
            }
            half *= 2;
        }
    }
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

fn permute_bit_reversed<T>(elements: &mut [T]) {
    let bits = elements.len().trailing_zeros();
    for index in 0..elements.len() {
        let image = index.reverse_bits().checked_shr(usize::BITS - bits).unwrap_or(0);
        if index < image {
            elements.swap(index, image);
        }
    }
}
