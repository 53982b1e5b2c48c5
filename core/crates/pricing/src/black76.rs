//! Black-76 on doubles.

use crate::error::PricingError;
use crate::normal::normal_cdf;

/// Largest forward or strike, in the currency of the price.
pub const MAX_PRICE: f64 = 1e15;
/// Largest volatility per square root of a year (100 is 10 000 %).
pub const MAX_VOLATILITY: f64 = 100.0;
/// Largest time to expiry, in years.
pub const MAX_YEARS: f64 = 100.0;

/// Undiscounted price of a European option on a forward.
///
/// # Arguments
/// * `forward`, `strike` – in (0, [`MAX_PRICE`]\]; the price has the same currency.
/// * `volatility` – per square root of a year, in \[0, [`MAX_VOLATILITY`]\] (0.6 is 60 %).
/// * `years` – time to expiry, in \[0, [`MAX_YEARS`]\].
///
/// Without time or volatility the price is the intrinsic value. The result always lies between the intrinsic value and
/// the forward (call) or the strike (put), whatever the rounding of the last bits.
///
/// # Errors
/// [`PricingError`] names the argument that is not finite, too small or too large.
pub fn black76(is_call: bool, forward: f64, strike: f64, volatility: f64, years: f64) -> Result<f64, PricingError> {
    check_price("forward", forward)?;
    check_price("strike", strike)?;
    check_range("volatility", volatility, MAX_VOLATILITY)?;
    check_range("years", years, MAX_YEARS)?;

    let (own, other) = if is_call { (forward, strike) } else { (strike, forward) };
    let intrinsic = if own > other { own - other } else { 0.0 };
    let deviation = volatility * libm::sqrt(years);
    if deviation == 0.0 {
        return Ok(intrinsic);
    }
    let d1 = libm::log(forward / strike) / deviation + 0.5 * deviation;
    let d2 = d1 - deviation;
    let price = if is_call {
        forward * normal_cdf(d1) - strike * normal_cdf(d2)
    } else {
        strike * normal_cdf(-d2) - forward * normal_cdf(-d1)
    };
    Ok(clamp(price, intrinsic, own))
}

/// Comparisons only: the standard library's `min` and `max` may treat signed zeros differently by platform.
fn clamp(value: f64, lowest: f64, highest: f64) -> f64 {
    if value < lowest {
        lowest
    } else if value > highest {
        highest
    } else {
        value
    }
}

fn check_price(name: &'static str, value: f64) -> Result<(), PricingError> {
    if value == 0.0 {
        return Err(PricingError::TooSmall(name));
    }
    check_range(name, value, MAX_PRICE)
}

fn check_range(name: &'static str, value: f64, highest: f64) -> Result<(), PricingError> {
    if !value.is_finite() {
        Err(PricingError::NotFinite(name))
    } else if value < 0.0 {
        Err(PricingError::TooSmall(name))
    } else if value > highest {
        Err(PricingError::TooLarge(name))
    } else {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::{MAX_PRICE, MAX_VOLATILITY, MAX_YEARS, black76};
    use crate::PricingError;
    use proptest::prelude::*;

    fn price(is_call: bool, forward: f64, strike: f64, volatility: f64, years: f64) -> f64 {
        black76(is_call, forward, strike, volatility, years).expect("arguments inside the domain")
    }

    #[test]
    fn published_value() {
        // QuantLib, the Python standard library and py_vollib agree on this value to 1e-14.
        assert!((price(true, 100.0, 100.0, 0.6, 0.5) - 16.799_597_142_736_36).abs() < 1e-12);
    }

    #[test]
    fn haug_table() {
        // Haug, "The Complete Guide to Option Pricing Formulas", Black-76 example: discounted 1.7011 at r = 10 %.
        let discounted = price(true, 19.0, 19.0, 0.28, 0.75) * libm::exp(-0.1 * 0.75);
        assert!((discounted - 1.7011).abs() < 5e-5);
    }

    #[test]
    fn every_bit_is_pinned() {
        // A change of any of these means that machines with old and new code build different statements.
        for (is_call, forward, strike, volatility, years, bits) in PINNED {
            let found = price(*is_call, *forward, *strike, *volatility, *years).to_bits();
            assert_eq!(found, *bits, "{is_call} {forward} {strike} {volatility} {years}: {found:#018x}");
        }
    }

    #[test]
    fn without_time_or_volatility_only_the_intrinsic_value_is_left() {
        assert_eq!(price(true, 110.0, 100.0, 0.0, 1.0), 10.0);
        assert_eq!(price(true, 110.0, 100.0, 0.6, 0.0), 10.0);
        assert_eq!(price(false, 110.0, 100.0, 0.6, 0.0), 0.0);
        assert_eq!(price(false, 90.0, 100.0, 0.0, 1.0), 10.0);
    }

    #[test]
    fn each_bound_is_checked() {
        use PricingError::{NotFinite, TooLarge, TooSmall};
        let over = |x: f64| x * 1.01;
        for (arguments, error) in [
            ([0.0, 1.0, 1.0, 1.0], TooSmall("forward")),
            ([-1.0, 1.0, 1.0, 1.0], TooSmall("forward")),
            ([over(MAX_PRICE), 1.0, 1.0, 1.0], TooLarge("forward")),
            ([f64::NAN, 1.0, 1.0, 1.0], NotFinite("forward")),
            ([1.0, 0.0, 1.0, 1.0], TooSmall("strike")),
            ([1.0, -1.0, 1.0, 1.0], TooSmall("strike")),
            ([1.0, over(MAX_PRICE), 1.0, 1.0], TooLarge("strike")),
            ([1.0, f64::INFINITY, 1.0, 1.0], NotFinite("strike")),
            ([1.0, 1.0, -0.1, 1.0], TooSmall("volatility")),
            ([1.0, 1.0, over(MAX_VOLATILITY), 1.0], TooLarge("volatility")),
            ([1.0, 1.0, f64::NAN, 1.0], NotFinite("volatility")),
            ([1.0, 1.0, 1.0, -0.1], TooSmall("years")),
            ([1.0, 1.0, 1.0, over(MAX_YEARS)], TooLarge("years")),
            ([1.0, 1.0, 1.0, f64::NEG_INFINITY], NotFinite("years")),
        ] {
            let [forward, strike, volatility, years] = arguments;
            assert_eq!(black76(true, forward, strike, volatility, years), Err(error), "{arguments:?}");
            assert_eq!(error.code(), "PRICING_DOMAIN");
            assert!(error.to_string().contains(error.argument()));
        }
    }

    #[test]
    fn the_widest_arguments_stay_finite() {
        for is_call in [true, false] {
            for forward in [f64::MIN_POSITIVE, 1.0, MAX_PRICE] {
                for strike in [f64::MIN_POSITIVE, 1.0, MAX_PRICE] {
                    for volatility in [f64::MIN_POSITIVE, MAX_VOLATILITY] {
                        for years in [f64::MIN_POSITIVE, MAX_YEARS] {
                            assert!(price(is_call, forward, strike, volatility, years).is_finite());
                        }
                    }
                }
            }
        }
    }

    proptest! {
        #[test]
        fn put_call_parity(forward in 1e-2f64..1e6, strike in 1e-2f64..1e6, volatility in 0.0f64..5.0, years in 0.0f64..3.0) {
            let call = price(true, forward, strike, volatility, years);
            let put = price(false, forward, strike, volatility, years);
            prop_assert!((call - put - (forward - strike)).abs() <= 1e-12 * (forward + strike));
        }

        #[test]
        fn rises_with_volatility_and_time(forward in 1.0f64..1e5, strike in 1.0f64..1e5, volatility in 0.01f64..4.0, years in 0.001f64..2.0, step in 1.001f64..2.0) {
            let slack = 1e-12 * (forward + strike);
            for is_call in [true, false] {
                let before = price(is_call, forward, strike, volatility, years);
                prop_assert!(price(is_call, forward, strike, volatility * step, years) >= before - slack);
                prop_assert!(price(is_call, forward, strike, volatility, years * step) >= before - slack);
            }
        }

        #[test]
        fn moves_with_the_forward(forward in 1.0f64..1e5, strike in 1.0f64..1e5, volatility in 0.0f64..4.0, years in 0.0f64..2.0, step in 1.0f64..2.0) {
            let slack = 1e-12 * (forward * step + strike);
            prop_assert!(price(true, forward * step, strike, volatility, years) >= price(true, forward, strike, volatility, years) - slack);
            prop_assert!(price(false, forward * step, strike, volatility, years) <= price(false, forward, strike, volatility, years) + slack);
        }

        #[test]
        fn stays_between_its_bounds(forward in 1e-8f64..1e15, strike in 1e-8f64..1e15, volatility in 0.0f64..100.0, years in 0.0f64..100.0) {
            let call = price(true, forward, strike, volatility, years);
            prop_assert!(call >= 0.0 && call >= forward - strike && call <= forward);
            let put = price(false, forward, strike, volatility, years);
            prop_assert!(put >= 0.0 && put >= strike - forward && put <= strike);
        }

        #[test]
        fn total_on_any_bits(a in any::<u64>(), b in any::<u64>(), c in any::<u64>(), d in any::<u64>(), is_call in any::<bool>()) {
            if let Ok(found) = black76(is_call, f64::from_bits(a), f64::from_bits(b), f64::from_bits(c), f64::from_bits(d)) {
                prop_assert!(found.is_finite() && found >= 0.0);
            }
        }
    }

    type Pin = (bool, f64, f64, f64, f64, u64);
    const PINNED: &[Pin] = &[
        (true, 100.0, 100.0, 0.6, 0.5, 0x4030_ccb2_65fa_0718),
        (false, 100.0, 100.0, 0.6, 0.5, 0x4030_ccb2_65fa_0718),
        (true, 194.86, 250.0, 1.35, 0.042, 0x4018_5bdd_66fc_ebe8),
        (false, 194.86, 150.0, 1.35, 0.042, 0x4011_5bb1_e954_7adc),
        (true, 65_666.19, 80_000.0, 0.55, 0.25, 0x40a5_76b3_9bc7_a9a0),
        (false, 14.25, 8.0, 2.4, 1.0, 0x4016_55fd_733b_64ba),
        (true, 0.001, 0.01, 0.9, 0.3, 0x3dfe_e139_0061_3600),
        (false, 3.3e-9, 1000000000000000.0, 9.0, 9.0, 0x430c_6bf5_2634_0000),
    ];
}
