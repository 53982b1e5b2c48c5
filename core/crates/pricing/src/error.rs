//! What a price cannot be computed from.

use core::fmt;

/// An argument outside the domain of the formula; nothing was computed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PricingError {
    /// The argument is NaN or infinite.
    NotFinite(&'static str),
    /// The argument is below its least value.
    TooSmall(&'static str),
    /// The argument is above its greatest value.
    TooLarge(&'static str),
}

impl PricingError {
    /// The reason code shared with the Python side.
    #[must_use]
    pub const fn code(self) -> &'static str {
        "PRICING_DOMAIN"
    }

    /// The name of the offending argument.
    #[must_use]
    pub const fn argument(self) -> &'static str {
        match self {
            Self::NotFinite(name) | Self::TooSmall(name) | Self::TooLarge(name) => name,
        }
    }
}

impl fmt::Display for PricingError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self.argument();
        match self {
            Self::NotFinite(_) => write!(formatter, "{name} must be a finite number"),
            Self::TooSmall(_) => {
                write!(formatter, "{name} is too small: prices must be positive, other arguments not negative")
            }
            Self::TooLarge(_) => write!(
                formatter,
                "{name} is too large: at most {:e} for prices, {} for volatility, {} for years",
                crate::MAX_PRICE,
                crate::MAX_VOLATILITY,
                crate::MAX_YEARS
            ),
        }
    }
}

impl std::error::Error for PricingError {}
