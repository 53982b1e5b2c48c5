//! The Python face `marginproof.core`: conversions and nothing else. Everything that takes longer than a few
//! microseconds releases the interpreter lock.

#![forbid(unsafe_code)]

mod convert;
mod effort;
mod errors;
mod openings;
mod pricing_face;
mod signatures;
mod statements;

use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyTuple};

/// The compiled half of `marginproof.core`.
#[pymodule]
fn _native(module: &Bound<'_, PyModule>) -> PyResult<()> {
    let py = module.py();
    module.add("__version__", env!("CARGO_PKG_VERSION"))?;
    module.add("SETUP_DIGEST", PyBytes::new(py, &argument::SETUP_DIGEST))?;
    module.add("FIELD_MODULUS", convert::unsigned(py, &curve::MODULUS_BYTES)?)?;
    module.add("ERROR_CODES", PyTuple::new(py, errors::all_codes())?)?;
    openings::register(module)?;
    statements::register(module)?;
    signatures::register(module)?;
    pricing_face::register(module)
}
