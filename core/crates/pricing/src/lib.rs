//! European option prices by Black-76, bit-identical on every machine.
//!
//! A policy's option prices become integer weights of a statement that account and venue rebuild on their own machines,
//! so every bit must agree. Only IEEE-754 `+ - * /` and `sqrt` (correctly rounded everywhere) and the portable
//! functions of the crate `libm` are used; the standard library's `exp` and `ln` come from the platform and may differ
//! in the last bit.
//!
//! Formula (Black 1976, undiscounted), with s = σ√T, d₁ = ln(F/K)/s + s/2, d₂ = d₁ − s:
//! call = F·N(d₁) − K·N(d₂), put = K·N(−d₂) − F·N(−d₁).

#![forbid(unsafe_code)]
#![warn(missing_docs)]

mod black76;
mod error;
mod normal;

pub use black76::{MAX_PRICE, MAX_VOLATILITY, MAX_YEARS, black76};
pub use error::PricingError;
pub use normal::normal_cdf;
