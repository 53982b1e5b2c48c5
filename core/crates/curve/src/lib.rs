//! BLS12-381 behind safe types: the scalar field, G1, G2, multi-scalar multiplication, the pairing check, signatures.
//!
//! This is the only crate of the workspace with `unsafe` code, but for the allocator of a test (`wiping`). Every such block calls one C function of `blst`; the
//! argument why that is sound stands beside it. Two facts hold throughout: references coming from Rust are valid,
//! aligned and initialised for the whole call, and `blst` keeps no pointer after it returns.
//!
//! Invariants of the types: a [`Scalar`] is reduced; a [`G1Affine`] or [`G2Affine`] is on the curve, in the subgroup of
//! order r and not infinity; a [`G1`] is on the curve and in the subgroup.

mod buckets;
mod digits;
mod domain;
mod endomorphism;
pub mod engine;
mod field;
mod fixed_base;
mod g1;
mod g2;
mod group_sums;
mod limbs;
mod multiplication;
mod pairing;
mod scalar;
mod secret_base;
pub mod signatures;
mod straus;
mod sums;
#[cfg(all(target_arch = "x86_64", feature = "vector"))]
mod vector;
#[cfg(not(all(target_arch = "x86_64", feature = "vector")))]
#[path = "no_vector.rs"]
mod vector;
mod wide_sum;

use blst::BLST_ERROR;

pub use domain::Domain;
pub use engine::Engine;
pub use fixed_base::FixedBase;
pub use g1::{G1, G1_BYTES, G1Affine};
pub use g2::{G2_BYTES, G2Affine};
pub use multiplication::{linear_combination, linear_combinations, sum_small_multiples};
pub use pairing::{PreparedG2, pairings_agree};
pub use scalar::{MODULUS_BYTES, SCALAR_BYTES, Scalar, batch_divide, batch_invert};
pub use secret_base::SecretBase;
pub use wide_sum::WideSum;

/// Why bytes are not a point.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PointError {
    /// Not the canonical compressed encoding of a point on the curve.
    Encoding,
    /// On the curve, but outside the subgroup of order r.
    NotInSubgroup,
    /// The point at infinity, which nothing in this project may be.
    Infinity,
}

impl PointError {
    /// What `blst` says about an encoding. It knows that points with x = 0 have order 3 and says so while decoding.
    fn check(answer: BLST_ERROR) -> Result<(), Self> {
        match answer {
            BLST_ERROR::BLST_SUCCESS => Ok(()),
            BLST_ERROR::BLST_POINT_NOT_IN_GROUP => Err(Self::NotInSubgroup),
            _ => Err(Self::Encoding),
        }
    }
}

/// Why bytes are not a scalar: the integer is not below r.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ScalarRangeError;
