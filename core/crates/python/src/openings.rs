//! Openings, commitments and blindings.

use argument::proof::EncodedPoint;
use argument::{ArgumentError, Code, Integer, Setup};
use curve::{SCALAR_BYTES, Scalar};
use pyo3::prelude::*;
use pyo3::pybacked::PyBackedBytes;
use pyo3::types::{PyBytes, PyMapping};
use zeroize::Zeroizing;

use crate::convert::{fixed, integer, pairs, size};
use crate::errors::{CoreError, INPUT_LENGTH};

pub(crate) fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<Opening>()?;
    module.add_function(wrap_pyfunction!(commit, module)?)?;
    module.add_function(wrap_pyfunction!(add_commitments, module)?)?;
    module.add_function(wrap_pyfunction!(random_blinding, module)?)?;
    module.add_function(wrap_pyfunction!(reduce_blinding, module)?)?;
    module.add_function(wrap_pyfunction!(add_blindings, module)?)
}

#[pyclass(frozen, module = "marginproof.core")]
pub(crate) struct Opening(pub(crate) argument::Opening);

#[pymethods]
impl Opening {
    #[new]
    fn new(n: &Bound<'_, PyAny>, values: &Bound<'_, PyMapping>, blinding: &[u8]) -> PyResult<Self> {
        opening(n, values, blinding).map(Self)
    }

    #[getter]
    fn n(&self) -> usize {
        self.0.n()
    }

    fn commitment<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyBytes>> {
        let bytes = py.detach(|| self.0.commitment(Setup::global()?)).map_err(CoreError::from)?;
        Ok(PyBytes::new(py, &bytes))
    }

    fn __repr__(&self) -> String {
        format!("{:?}", self.0)
    }
}

fn opening(n: &Bound<'_, PyAny>, values: &Bound<'_, PyMapping>, blinding: &[u8]) -> PyResult<argument::Opening> {
    let n = size(n, Code::StatementShape, "n must be 256, 512, 1024 or 2048")?;
    let blinding = Zeroizing::new(fixed::<SCALAR_BYTES>(blinding, "the blinding")?);
    let entries = entries(values)?;
    Ok(argument::Opening::new(n as usize, entries.iter().copied(), &blinding).map_err(CoreError::from)?)
}

fn entries(values: &Bound<'_, PyMapping>) -> PyResult<Zeroizing<Vec<(u32, Integer)>>> {
    let pairs = pairs(values)?;
    let mut entries = Zeroizing::new(Vec::with_capacity(pairs.len()));
    for pair in pairs {
        let (index, value) = pair?;
        let index = size(&index, Code::EntryRange, "an index must lie in [0, n)")?;
        let value = integer(&value)?.ok_or_else(|| CoreError::of(Code::EntryRange, "an entry reaches 2^253"))?;
        entries.push((index, value));
    }
    Ok(entries)
}

#[pyfunction]
fn commit<'py>(
    py: Python<'py>,
    n: &Bound<'py, PyAny>,
    values: &Bound<'py, PyMapping>,
    blinding: &[u8],
) -> PyResult<Bound<'py, PyBytes>> {
    let opening = opening(n, values, blinding)?;
    let bytes = py.detach(|| argument::commit(Setup::global()?, &opening)).map_err(CoreError::from)?;
    Ok(PyBytes::new(py, &bytes))
}

/// Encoded points of the right length; what has another length is no encoding of a point.
pub(crate) fn points(commitments: &[PyBackedBytes]) -> Result<Vec<EncodedPoint>, CoreError> {
    let point = |bytes: &PyBackedBytes| EncodedPoint::try_from(&**bytes);
    let all: Result<Vec<_>, _> = commitments.iter().map(point).collect();
    all.map_err(|_| CoreError::of(Code::PointEncoding, "a commitment has exactly 48 bytes; send them unchanged"))
}

#[pyfunction]
fn add_commitments<'py>(py: Python<'py>, commitments: Vec<PyBackedBytes>) -> PyResult<Bound<'py, PyBytes>> {
    let points = points(&commitments)?;
    let sum = py.detach(|| argument::add_commitments(&points)).map_err(CoreError::from)?;
    Ok(PyBytes::new(py, &sum))
}

#[pyfunction]
fn random_blinding<'py>(py: Python<'py>, values: &Bound<'py, PyMapping>) -> PyResult<Bound<'py, PyBytes>> {
    let entries = entries(values)?;
    let bytes = py.detach(|| argument::random_blinding(&entries)).map_err(CoreError::from)?;
    Ok(PyBytes::new(py, &*bytes))
}

#[pyfunction]
fn reduce_blinding<'py>(py: Python<'py>, wide: &[u8]) -> PyResult<Bound<'py, PyBytes>> {
    let wide = Zeroizing::new(fixed::<{ 2 * SCALAR_BYTES }>(wide, "the wide blinding")?);
    let bytes = Zeroizing::new(Scalar::from_wide_be_bytes(&wide).to_be_bytes());
    Ok(PyBytes::new(py, &*bytes))
}

#[pyfunction]
fn add_blindings(py: Python<'_>, blindings: Vec<PyBackedBytes>) -> PyResult<Bound<'_, PyBytes>> {
    if blindings.is_empty() {
        return Err(CoreError::new(INPUT_LENGTH, "the list is empty; give at least one blinding").into());
    }
    let sum = py.detach(|| sum_of_blindings(&blindings))?;
    let bytes = Zeroizing::new(sum.to_be_bytes());
    Ok(PyBytes::new(py, &*bytes))
}

fn sum_of_blindings(blindings: &[PyBackedBytes]) -> Result<Zeroizing<Scalar>, CoreError> {
    let mut sum = Zeroizing::new(Scalar::ZERO);
    for blinding in blindings {
        let bytes = Zeroizing::new(fixed::<SCALAR_BYTES>(blinding, "a blinding")?);
        *sum += Scalar::from_be_bytes(&bytes).map_err(ArgumentError::from)?;
    }
    Ok(sum)
}
