//! Eight lanes of AVX-512 IFMA: fields, points and sums of points, for processors that have it.
//!
//! Every function here that computes needs the processor features that [`is_supported`] looks for, and says so in its
//! `target_feature` attribute: the compiler lets such functions call each other safely, and asks for `unsafe` where
//! the rest of the crate enters, which it does only after `Engine::active()` has answered `Vector`.

#[cfg(target_arch = "x86_64")]
mod field;
#[cfg(target_arch = "x86_64")]
mod lanes;
#[cfg(target_arch = "x86_64")]
mod pairing;
#[cfg(target_arch = "x86_64")]
mod point;

/// Whether this processor has what the engine uses.
#[cfg(target_arch = "x86_64")]
pub(crate) fn is_supported() -> bool {
    std::arch::is_x86_feature_detected!("avx512f")
        && std::arch::is_x86_feature_detected!("avx512dq")
        && std::arch::is_x86_feature_detected!("avx512ifma")
}

/// Whether this processor has what the engine uses.
#[cfg(not(target_arch = "x86_64"))]
pub(crate) fn is_supported() -> bool {
    false
}

#[cfg(target_arch = "x86_64")]
mod tower;

#[cfg(target_arch = "x86_64")]
pub(crate) use pairing::{PreparedLines, products_agree};
