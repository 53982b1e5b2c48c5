//! Python values to Rust values and back.

use argument::{Code, Integer};
use pyo3::exceptions::PyOverflowError;
use pyo3::prelude::*;
use pyo3::types::{IntoPyDict, PyBytes, PyInt, PyMapping};

use crate::errors::{CoreError, INPUT_LENGTH};

/// An integer of any size, or nothing when it takes more than 384 bits.
pub(crate) fn integer(value: &Bound<'_, PyAny>) -> PyResult<Option<Integer>> {
    match value.extract::<i64>() {
        Ok(small) => return Ok(Some(Integer::from(i128::from(small)))),
        Err(error) if !error.is_instance_of::<PyOverflowError>(value.py()) => return Err(error),
        Err(_) => {}
    }
    let signed = [("signed", true)].into_py_dict(value.py())?;
    match value.call_method("to_bytes", (Integer::BYTES, "little"), Some(&signed)) {
        Ok(bytes) => Ok(Some(Integer::from_le_bytes(&bytes.extract()?))),
        Err(error) if error.is_instance_of::<PyOverflowError>(value.py()) => Ok(None),
        Err(error) => Err(error),
    }
}

/// A signed integer as a Python one.
pub(crate) fn to_python<'py>(py: Python<'py>, value: &Integer) -> PyResult<Bound<'py, PyAny>> {
    if let Some(small) = value.to_i128().and_then(|value| i64::try_from(value).ok()) {
        return Ok(small.into_pyobject(py)?.into_any());
    }
    let signed = [("signed", true)].into_py_dict(py)?;
    let bytes = PyBytes::new(py, &value.to_le_bytes());
    py.get_type::<PyInt>().call_method("from_bytes", (bytes, "little"), Some(&signed))
}

/// A big-endian unsigned integer as a Python one.
pub(crate) fn unsigned<'py>(py: Python<'py>, bytes: &[u8]) -> PyResult<Bound<'py, PyAny>> {
    py.get_type::<PyInt>().call_method1("from_bytes", (PyBytes::new(py, bytes), "big"))
}

/// A size or index: what does not fit 32 bits without sign is refused with the code and rule given.
pub(crate) fn size(value: &Bound<'_, PyAny>, code: Code, rule: &str) -> PyResult<u32> {
    match value.extract::<i64>() {
        Ok(number) => u32::try_from(number).map_err(|_| CoreError::of(code, rule).into()),
        Err(error) if error.is_instance_of::<PyOverflowError>(value.py()) => Err(CoreError::of(code, rule).into()),
        Err(error) => Err(error),
    }
}

/// The pairs of a mapping. How many there are is counted here: what a mapping says of its own length may be anything.
pub(crate) fn pairs<'py>(
    mapping: &Bound<'py, PyMapping>,
) -> PyResult<impl ExactSizeIterator<Item = PyResult<(Bound<'py, PyAny>, Bound<'py, PyAny>)>> + use<'py>> {
    let items: Vec<_> = mapping.items()?.iter().map(|pair| pair.extract()).collect();
    Ok(items.into_iter())
}

/// Bytes of one fixed length.
pub(crate) fn fixed<const LENGTH: usize>(bytes: &[u8], what: &str) -> Result<[u8; LENGTH], CoreError> {
    bytes
        .try_into()
        .map_err(|_| CoreError::new(INPUT_LENGTH, format!("{what} has {} bytes; give exactly {LENGTH}", bytes.len())))
}
