//! The scalar field F of order r.

use core::iter::Sum;
use core::ops::{Add, AddAssign, Mul, MulAssign, Neg, Sub, SubAssign};

use blst::{
    blst_bendian_from_scalar, blst_fr, blst_fr_eucl_inverse, blst_fr_from_scalar, blst_fr_from_uint64, blst_fr_mul,
    blst_fr_sqr, blst_lendian_from_scalar, blst_scalar, blst_scalar_fr_check, blst_scalar_from_be_bytes,
    blst_scalar_from_bendian, blst_scalar_from_fr,
};
use rand_core::CryptoRng;
use zeroize::{Zeroize, Zeroizing};

use crate::{ScalarRangeError, limbs};

/// Length of an encoded scalar.
pub const SCALAR_BYTES: usize = 32;

/// The order r, big-endian.
pub const MODULUS_BYTES: [u8; SCALAR_BYTES] = [
    0x73, 0xed, 0xa7, 0x53, 0x29, 0x9d, 0x7d, 0x48, 0x33, 0x39, 0xd8, 0x08, 0x09, 0xa1, 0xd8, 0x05, 0x53, 0xbd, 0xa4,
    0x02, 0xff, 0xfe, 0x5b, 0xfe, 0xff, 0xff, 0xff, 0xff, 0x00, 0x00, 0x00, 0x01,
];

/// An element of F, in Montgomery form and always reduced.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
#[repr(transparent)]
pub struct Scalar(pub(crate) blst_fr);

impl core::fmt::Debug for Scalar {
    /// Shows no value: many scalars are blindings or amounts.
    fn fmt(&self, formatter: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        formatter.write_str("Scalar(…)")
    }
}

impl Zeroize for Scalar {
    fn zeroize(&mut self) {
        self.0.l.zeroize();
    }
}

impl Scalar {
    /// 0.
    pub const ZERO: Self = Self(blst_fr { l: [0; 4] });

    /// 1.
    pub fn one() -> Self {
        Self::from(1)
    }

    /// Decodes a big-endian integer below r.
    ///
    /// # Errors
    /// [`ScalarRangeError`] when the integer is r or more.
    pub fn from_be_bytes(bytes: &[u8; SCALAR_BYTES]) -> Result<Self, ScalarRangeError> {
        let mut integer = Zeroizing::new(blst_scalar::default());
        let mut element = blst_fr::default();
        // SAFETY: `bytes` holds the 32 bytes the function reads; `integer` is a valid place to write to.
        unsafe { blst_scalar_from_bendian(&mut *integer, bytes.as_ptr()) };
        // SAFETY: reads one initialised scalar.
        if !unsafe { blst_scalar_fr_check(&*integer) } {
            return Err(ScalarRangeError);
        }
        // SAFETY: reads one initialised scalar, writes one field element.
        unsafe { blst_fr_from_scalar(&mut element, &*integer) };
        Ok(Self(element))
    }

    /// The big-endian integer of 64 bytes, reduced modulo r.
    pub fn from_wide_be_bytes(bytes: &[u8; 2 * SCALAR_BYTES]) -> Self {
        let mut integer = Zeroizing::new(blst_scalar::default());
        let mut element = blst_fr::default();
        // SAFETY: `bytes` holds the 64 bytes the function is told to read; it reduces modulo r. Its result only says
        // whether the value is zero, which is allowed here.
        unsafe { blst_scalar_from_be_bytes(&mut *integer, bytes.as_ptr(), bytes.len()) };
        // SAFETY: reads one initialised scalar, writes one field element.
        unsafe { blst_fr_from_scalar(&mut element, &*integer) };
        Self(element)
    }

    /// A uniform element.
    pub fn random<R: CryptoRng + ?Sized>(rng: &mut R) -> Self {
        let mut bytes = Zeroizing::new([0; 2 * SCALAR_BYTES]);
        rng.fill_bytes(&mut *bytes);
        Self::from_wide_be_bytes(&bytes)
    }

    /// The integer with these limbs, little-endian, below r.
    #[inline]
    pub(crate) fn from_limbs(limbs: [u64; 4]) -> Self {
        let mut out = blst_fr::default();
        // SAFETY: reads four limbs of 64 bits and writes one field element.
        unsafe { blst_fr_from_uint64(&mut out, limbs.as_ptr()) };
        Self(out)
    }

    /// The canonical big-endian integer.
    pub fn to_be_bytes(&self) -> [u8; SCALAR_BYTES] {
        let integer = self.to_integer();
        let mut bytes = [0; SCALAR_BYTES];
        // SAFETY: reads one initialised scalar, writes exactly 32 bytes.
        unsafe { blst_bendian_from_scalar(bytes.as_mut_ptr(), &*integer) };
        bytes
    }

    /// The canonical little-endian integer, as `blst` wants factors of points.
    pub(crate) fn to_le_bytes(self) -> [u8; SCALAR_BYTES] {
        let integer = self.to_integer();
        let mut bytes = [0; SCALAR_BYTES];
        // SAFETY: reads one initialised scalar, writes exactly 32 bytes.
        unsafe { blst_lendian_from_scalar(bytes.as_mut_ptr(), &*integer) };
        bytes
    }

    fn to_integer(self) -> Zeroizing<blst_scalar> {
        let mut integer = Zeroizing::new(blst_scalar::default());
        // SAFETY: reads one field element, writes one scalar.
        unsafe { blst_scalar_from_fr(&mut *integer, &self.0) };
        integer
    }

    /// Whether this is 0.
    #[inline]
    pub fn is_zero(&self) -> bool {
        *self == Self::ZERO
    }

    /// The square.
    #[must_use]
    #[inline]
    pub fn square(&self) -> Self {
        let mut out = blst_fr::default();
        // SAFETY: reads one and writes one field element.
        unsafe { blst_fr_sqr(&mut out, &self.0) };
        Self(out)
    }

    /// The inverse, or nothing for 0.
    pub fn invert(&self) -> Option<Self> {
        if self.is_zero() {
            return None;
        }
        let mut out = blst_fr::default();
        // SAFETY: reads one and writes one field element.
        unsafe { blst_fr_eucl_inverse(&mut out, &self.0) };
        Some(Self(out))
    }

    /// This element to a public power.
    #[must_use]
    pub fn pow(&self, exponent: u64) -> Self {
        let mut result = Self::one();
        for bit in (0..u64::BITS - exponent.leading_zeros()).rev() {
            result = result.square();
            if exponent >> bit & 1 == 1 {
                result *= *self;
            }
        }
        result
    }

    /// 1, x, x², … of the given length.
    pub fn powers(&self, length: usize) -> Vec<Self> {
        core::iter::successors(Some(Self::one()), |power| Some(*power * *self)).take(length).collect()
    }
}

/// Inverts every element with one field inversion; false, and nothing changed, when one of them is 0.
#[must_use]
pub fn batch_invert(elements: &mut [Scalar]) -> bool {
    batch_divide(Scalar::one(), elements)
}

/// Makes numerator/x of every element x with one field inversion; false, and nothing changed, when one of them is 0.
#[must_use]
pub fn batch_divide(numerator: Scalar, elements: &mut [Scalar]) -> bool {
    let mut running = Scalar::one();
    let prefixes: Vec<Scalar> = elements
        .iter()
        .map(|element| {
            let before = running;
            running *= *element;
            before
        })
        .collect();
    let Some(inverse) = running.invert() else { return false };
    let mut quotient = numerator * inverse;
    for (element, before) in elements.iter_mut().zip(prefixes).rev() {
        let next = quotient * *element;
        *element = quotient * before;
        quotient = next;
    }
    true
}

impl From<u64> for Scalar {
    #[inline]
    fn from(value: u64) -> Self {
        Self::from_limbs([value, 0, 0, 0])
    }
}

impl Add for Scalar {
    type Output = Self;

    #[inline]
    fn add(self, other: Self) -> Self {
        Self(blst_fr { l: limbs::add(self.0.l, other.0.l) })
    }
}

impl Sub for Scalar {
    type Output = Self;

    #[inline]
    fn sub(self, other: Self) -> Self {
        Self(blst_fr { l: limbs::subtract(self.0.l, other.0.l) })
    }
}

impl Mul for Scalar {
    type Output = Self;

    #[inline]
    fn mul(self, other: Self) -> Self {
        let mut out = blst_fr::default();
        // SAFETY: reads two and writes one field element.
        unsafe { blst_fr_mul(&mut out, &self.0, &other.0) };
        Self(out)
    }
}

impl Neg for Scalar {
    type Output = Self;

    #[inline]
    fn neg(self) -> Self {
        Self::ZERO - self
    }
}

impl AddAssign for Scalar {
    #[inline]
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}

impl SubAssign for Scalar {
    #[inline]
    fn sub_assign(&mut self, other: Self) {
        *self = *self - other;
    }
}

impl MulAssign for Scalar {
    #[inline]
    fn mul_assign(&mut self, other: Self) {
        *self = *self * other;
    }
}

impl Sum for Scalar {
    fn sum<I: Iterator<Item = Self>>(elements: I) -> Self {
        elements.fold(Self::ZERO, Add::add)
    }
}
