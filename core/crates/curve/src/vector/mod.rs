//! Eight lanes of AVX-512 IFMA: fields, points, sums of points and the pairing check, for processors that have it.
//!
//! Every function here that computes needs the processor features that [`is_supported`] looks for, and says so in its
//! `target_feature` attribute: the compiler lets such functions call each other safely, and asks for `unsafe` where
//! the rest of the crate enters, which it does only after `Engine::active()` has answered `Vector`.
//!
//! Built for x86-64 with the feature `vector`; elsewhere `no_vector.rs` stands in this module's place.

mod accumulators;
mod columns;
mod decoding;
mod field;
mod group_sums;
mod inversion;
mod lanes;
mod modulus;
mod pairing;
mod point;
mod square_root;
mod stored;
mod straus;
mod subgroup;
mod sums;
mod tower;
mod windows;

pub(crate) use decoding::decode;
pub(crate) use pairing::{PreparedLines, product_is_one};
pub(crate) use straus::sums_of_multiples;
pub(crate) use sums::{Orbits, Sums};
pub(crate) use windows::Windows;

/// Whether this processor has what the engine uses.
pub(crate) fn is_supported() -> bool {
    std::arch::is_x86_feature_detected!("avx512f")
        && std::arch::is_x86_feature_detected!("avx512dq")
        && std::arch::is_x86_feature_detected!("avx512ifma")
}
