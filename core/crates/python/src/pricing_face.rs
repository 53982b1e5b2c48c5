//! Option prices.

use pyo3::prelude::*;

use crate::errors::CoreError;

pub(crate) fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(black76_price, module)?)?;
    module.add_function(wrap_pyfunction!(normal_cdf, module)?)
}

#[pyfunction]
fn black76_price(is_call: bool, forward: f64, strike: f64, volatility: f64, years: f64) -> PyResult<f64> {
    Ok(pricing::black76(is_call, forward, strike, volatility, years).map_err(CoreError::from)?)
}

#[pyfunction]
fn normal_cdf(x: f64) -> f64 {
    pricing::normal_cdf(x)
}
