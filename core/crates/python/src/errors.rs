//! Errors of the crates as `CoreError`.

use argument::{ArgumentError, Code};
use curve::signatures::SignatureError;
use pricing::PricingError;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::PyType;

pub(crate) const INPUT_LENGTH: &str = "INPUT_LENGTH";
const KEY_INVALID: &str = "KEY_INVALID";
const SIGNATURE_INVALID: &str = "SIGNATURE_INVALID";
const POSSESSION_INVALID: &str = "POSSESSION_INVALID";
const PRICING_DOMAIN: &str = "PRICING_DOMAIN";

/// Every code that `CoreError.code` can hold.
pub(crate) fn all_codes() -> Vec<&'static str> {
    let own = [KEY_INVALID, SIGNATURE_INVALID, POSSESSION_INVALID, INPUT_LENGTH, PRICING_DOMAIN];
    Code::ALL.iter().map(|code| code.as_str()).chain(own).collect()
}

/// What becomes a `CoreError`.
pub(crate) struct CoreError {
    code: &'static str,
    message: String,
    step: Option<u8>,
    row: Option<usize>,
}

impl CoreError {
    pub(crate) fn new(code: &'static str, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), step: None, row: None }
    }

    pub(crate) fn of(code: Code, message: impl Into<String>) -> Self {
        Self::new(code.as_str(), message)
    }

    pub(crate) fn at_step(self, step: u8) -> Self {
        Self { step: Some(step), ..self }
    }
}

impl From<ArgumentError> for CoreError {
    fn from(error: ArgumentError) -> Self {
        Self { code: error.code.as_str(), message: error.message, step: error.step, row: error.row }
    }
}

impl From<SignatureError> for CoreError {
    fn from(error: SignatureError) -> Self {
        match error {
            SignatureError::Key => Self::new(KEY_INVALID, "not a valid key; check its bytes and where they came from"),
            SignatureError::Signature => {
                Self::new(SIGNATURE_INVALID, "not a signature of this message by this key; ask the signer again")
            }
            SignatureError::Possession => {
                Self::new(POSSESSION_INVALID, "not a proof of possession of this key; ask its holder for one")
            }
            SignatureError::Randomness => Self::of(
                Code::RandomnessUnavailable,
                "the operating system gives no random bytes; repair it and try again",
            ),
            SignatureError::Empty => Self::new(INPUT_LENGTH, "the list is empty; give at least one"),
        }
    }
}

impl From<PricingError> for CoreError {
    fn from(error: PricingError) -> Self {
        Self::new(error.code(), error.to_string())
    }
}

impl From<CoreError> for PyErr {
    fn from(error: CoreError) -> Self {
        static TYPE: PyOnceLock<Py<PyType>> = PyOnceLock::new();
        Python::attach(|py| match TYPE.import(py, "marginproof.core._errors", "CoreError") {
            Ok(kind) => Self::from_type(kind.clone(), (error.code, error.message, error.step, error.row)),
            Err(failure) => failure,
        })
    }
}
