//! The standard normal distribution.

use core::f64::consts::FRAC_1_SQRT_2;

/// N(x), the standard normal distribution function, in \[0, 1\]; NaN gives NaN.
///
/// By the complementary error function, so the lower tail keeps its relative accuracy.
#[must_use]
pub fn normal_cdf(x: f64) -> f64 {
    0.5 * libm::erfc(-x * FRAC_1_SQRT_2)
}

#[cfg(test)]
mod tests {
    use super::normal_cdf;

    #[test]
    fn known_values() {
        // Abramowitz & Stegun, table 26.1.
        for (x, expected) in [(0.0, 0.5), (1.0, 0.841_344_746_068_543), (-1.96, 0.024_997_895_148_220)] {
            assert!((normal_cdf(x) - expected).abs() < 1e-14, "{x}");
        }
        assert!((normal_cdf(-10.0) / 7.619_853_024_160_527e-24 - 1.0).abs() < 1e-12);
    }

    #[test]
    fn ends() {
        assert_eq!(normal_cdf(f64::INFINITY), 1.0);
        assert_eq!(normal_cdf(f64::NEG_INFINITY), 0.0);
        assert!(normal_cdf(f64::NAN).is_nan());
    }
}
