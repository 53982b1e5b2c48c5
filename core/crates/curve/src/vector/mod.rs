//! Eight lanes of AVX-512 IFMA: fields, points and sums of points, for processors that have it.

/// Whether this processor has what the engine uses.
#[cfg(target_arch = "x86_64")]
pub(crate) fn is_supported() -> bool {
    std::arch::is_x86_feature_detected!("avx512f")
        && std::arch::is_x86_feature_detected!("avx512ifma")
        && std::arch::is_x86_feature_detected!("avx512dq")
        && std::arch::is_x86_feature_detected!("avx512vl")
}

/// Whether this processor has what the engine uses.
#[cfg(not(target_arch = "x86_64"))]
pub(crate) fn is_supported() -> bool {
    false
}
