//! BLS signatures.

use curve::signatures as bls;
use getrandom::SysRng;
use pyo3::prelude::*;
use pyo3::pybacked::PyBackedBytes;
use pyo3::types::PyBytes;

use crate::errors::CoreError;

pub(crate) fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<SigningKey>()?;
    module.add_function(wrap_pyfunction!(aggregate_signatures, module)?)?;
    module.add_function(wrap_pyfunction!(verify_signature, module)?)?;
    module.add_function(wrap_pyfunction!(verify_aggregate, module)?)?;
    module.add_function(wrap_pyfunction!(verify_possession, module)?)
}

#[pyclass(frozen, module = "marginproof.core")]
struct SigningKey(bls::SigningKey);

#[pymethods]
impl SigningKey {
    #[staticmethod]
    fn generate() -> PyResult<Self> {
        Ok(Self(bls::SigningKey::generate(&mut SysRng).map_err(CoreError::from)?))
    }

    #[staticmethod]
    fn from_bytes(secret: &[u8]) -> PyResult<Self> {
        Ok(Self(bls::SigningKey::from_bytes(secret).map_err(CoreError::from)?))
    }

    fn expose_secret<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        PyBytes::new(py, &*self.0.to_bytes())
    }

    #[getter]
    fn public_key<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        let key = py.detach(|| self.0.public_key());
        PyBytes::new(py, &key)
    }

    fn sign<'py>(&self, py: Python<'py>, message: &[u8]) -> Bound<'py, PyBytes> {
        let signature = py.detach(|| self.0.sign(message));
        PyBytes::new(py, &signature)
    }

    fn prove_possession<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        let proof = py.detach(|| self.0.prove_possession());
        PyBytes::new(py, &proof)
    }

    fn __repr__(&self) -> String {
        format!("{:?}", self.0)
    }
}

#[pyfunction]
fn aggregate_signatures(py: Python<'_>, signatures: Vec<PyBackedBytes>) -> PyResult<Bound<'_, PyBytes>> {
    let sum = py.detach(|| bls::aggregate(&signatures)).map_err(CoreError::from)?;
    Ok(PyBytes::new(py, &sum))
}

#[pyfunction]
fn verify_signature(py: Python<'_>, public_key: &[u8], message: &[u8], signature: &[u8]) -> PyResult<()> {
    Ok(py.detach(|| bls::verify(public_key, message, signature)).map_err(CoreError::from)?)
}

#[pyfunction]
fn verify_aggregate(py: Python<'_>, public_keys: Vec<PyBackedBytes>, message: &[u8], signature: &[u8]) -> PyResult<()> {
    Ok(py.detach(|| bls::verify_aggregate(&public_keys, message, signature)).map_err(CoreError::from)?)
}

#[pyfunction]
fn verify_possession(py: Python<'_>, public_key: &[u8], proof: &[u8]) -> PyResult<()> {
    Ok(py.detach(|| bls::verify_possession(public_key, proof)).map_err(CoreError::from)?)
}
