//! Rows, statements, proofs.

use argument::proof::EncodedPoint;
use argument::{Code, Setup};
use pyo3::prelude::*;
use pyo3::pybacked::PyBackedBytes;
use pyo3::types::{PyBytes, PyDict, PyMapping, PyTuple};

use crate::convert::{integer, pairs, size, to_python, unsigned};
use crate::effort::with_effort;
use crate::errors::CoreError;
use crate::openings::{Opening, points};

pub(crate) fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<Row>()?;
    module.add_class::<Statement>()?;
    module.add_class::<Claim>()?;
    module.add_function(wrap_pyfunction!(prove, module)?)?;
    module.add_function(wrap_pyfunction!(verify, module)?)?;
    module.add_function(wrap_pyfunction!(verify_batch, module)?)?;
    module.add_function(wrap_pyfunction!(challenges, module)?)
}

#[pyclass(frozen, eq, module = "marginproof.core")]
#[derive(PartialEq, Eq)]
struct Row(argument::Row);

#[pymethods]
impl Row {
    #[new]
    fn new(bits: &Bound<'_, PyAny>, constant: &Bound<'_, PyAny>, weights: Vec<Bound<'_, PyMapping>>) -> PyResult<Self> {
        let bits = size(bits, Code::StatementShape, "bits must be a multiple of 8 from 8 to 128")?;
        let constant = integer(constant)?
            .ok_or_else(|| CoreError::of(Code::StatementConstantRange, "the constant reaches 2^190"))?;
        let weights = weights.iter().map(terms).collect::<PyResult<_>>()?;
        Ok(Self(argument::Row { bits, constant, weights }))
    }

    #[getter]
    fn bits(&self) -> u32 {
        self.0.bits
    }

    #[getter]
    fn constant<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        to_python(py, &self.0.constant)
    }

    #[getter]
    fn weights<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        let vector = |terms: &Vec<argument::statement::Term>| {
            let weights = PyDict::new(py);
            terms.iter().try_for_each(|(index, weight)| weights.set_item(index, weight))?;
            Ok(weights)
        };
        PyTuple::new(py, self.0.weights.iter().map(vector).collect::<PyResult<Vec<_>>>()?)
    }

    fn __repr__(&self) -> String {
        let count: usize = self.0.weights.iter().map(Vec::len).sum();
        format!("Row(bits={}, vectors={}, weights={count})", self.0.bits, self.0.weights.len())
    }
}

/// A mapping has no order: indices are sorted here, which is the canonical form.
fn terms(mapping: &Bound<'_, PyMapping>) -> PyResult<Vec<argument::statement::Term>> {
    let pairs = pairs(mapping)?;
    let mut terms = Vec::with_capacity(pairs.len());
    for pair in pairs {
        let (index, weight) = pair?;
        let index = size(&index, Code::StatementShape, "every index must lie in [0, n)")?;
        let weight = integer(&weight)?.as_ref().and_then(argument::Integer::to_i128);
        let range = || CoreError::of(Code::StatementWeightRange, "a weight reaches 2^64; use a coarser unit");
        terms.push((index, weight.ok_or_else(range)?));
    }
    terms.sort_unstable_by_key(|(index, _)| *index);
    Ok(terms)
}

/// A well-formed statement, prepared: keep it, and share it.
///
/// Making one checks its rows, analyses their intervals, computes the digest and stores the weights for fast sums; that
/// takes about as long as a verification. A statement never changes: make one per snapshot of a policy and give the same
/// object to every call, from any thread. Calls and claims refer to it and copy nothing.
#[pyclass(frozen, module = "marginproof.core")]
struct Statement(argument::Statement);

#[pymethods]
impl Statement {
    #[new]
    fn new(
        py: Python<'_>,
        n: &Bound<'_, PyAny>,
        vectors: &Bound<'_, PyAny>,
        inputs: &Bound<'_, PyAny>,
        rows: Vec<Py<Row>>,
    ) -> PyResult<Self> {
        let n = size(n, Code::StatementShape, "n must be 256, 512, 1024 or 2048")? as usize;
        let vectors = size(vectors, Code::StatementShape, "give at least one vector, n·vectors ≤ 65536")? as usize;
        let inputs = size(inputs, Code::StatementShape, "1 ≤ inputs ≤ vectors")? as usize;
        let statement = py.detach(|| {
            let rows = rows.iter().map(|row| row.get().0.clone()).collect();
            argument::Statement::new(n, vectors, inputs, rows)
        });
        Ok(Self(statement.map_err(CoreError::from)?))
    }

    #[getter]
    fn n(&self) -> usize {
        self.0.n()
    }

    #[getter]
    fn vectors(&self) -> usize {
        self.0.vectors()
    }

    #[getter]
    fn inputs(&self) -> usize {
        self.0.inputs()
    }

    #[getter]
    fn digest<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        PyBytes::new(py, self.0.digest())
    }

    #[getter]
    fn row_count(&self) -> usize {
        self.0.row_count()
    }

    #[getter]
    fn columns(&self) -> usize {
        self.0.columns()
    }

    #[getter]
    fn proof_length(&self) -> usize {
        self.0.proof_length()
    }

    fn row_values<'py>(&self, py: Python<'py>, openings: Vec<Py<Opening>>) -> PyResult<Vec<Bound<'py, PyAny>>> {
        let references = inner(&openings);
        let values = py.detach(|| argument::row_values(&self.0, &references)).map_err(CoreError::from)?;
        values.iter().map(|value| to_python(py, value)).collect()
    }

    fn __repr__(&self) -> String {
        let (n, vectors, inputs) = (self.0.n(), self.0.vectors(), self.0.inputs());
        format!("Statement(n={n}, vectors={vectors}, inputs={inputs}, rows={})", self.0.row_count())
    }
}

fn inner(openings: &[Py<Opening>]) -> Vec<&argument::Opening> {
    openings.iter().map(|opening| &opening.get().0).collect()
}

#[pyfunction]
#[pyo3(signature = (statement, openings, context, *, threads=None, progress=None))]
fn prove<'py>(
    py: Python<'py>,
    statement: &Bound<'py, Statement>,
    openings: Vec<Py<Opening>>,
    context: &[u8],
    threads: Option<usize>,
    progress: Option<Py<PyAny>>,
) -> PyResult<Bound<'py, PyBytes>> {
    let (statement, references) = (&statement.get().0, inner(&openings));
    let proof = with_effort(py, threads, progress, |effort| {
        argument::prove_with(Setup::global()?, statement, &references, context, effort)
    })?;
    Ok(PyBytes::new(py, &proof))
}

/// Step 2 up to the length of each commitment: their number is told first, as by every verifier.
fn input_points(
    statement: &argument::Statement,
    commitments: &[PyBackedBytes],
) -> Result<Vec<EncodedPoint>, CoreError> {
    argument::verifier::check_commitment_count(statement, commitments.len())
        .map_err(|error| CoreError::from(error).at_step(2))?;
    points(commitments).map_err(|error| error.at_step(2))
}

#[pyfunction]
fn verify(
    py: Python<'_>,
    statement: &Bound<'_, Statement>,
    commitments: Vec<PyBackedBytes>,
    context: &[u8],
    proof: &[u8],
) -> PyResult<()> {
    let statement = &statement.get().0;
    let points = input_points(statement, &commitments)?;
    py.detach(|| argument::verify(Setup::global()?, statement, &points, context, proof)).map_err(CoreError::from)?;
    Ok(())
}

/// Refers to its statement, context and proof: they stay where Python holds them.
#[pyclass(frozen, module = "marginproof.core")]
struct Claim {
    statement: Py<Statement>,
    commitments: Vec<EncodedPoint>,
    context: PyBackedBytes,
    proof: PyBackedBytes,
}

#[pymethods]
impl Claim {
    #[new]
    fn new(
        statement: Py<Statement>,
        commitments: Vec<PyBackedBytes>,
        context: PyBackedBytes,
        proof: PyBackedBytes,
    ) -> PyResult<Self> {
        let commitments = points(&commitments).map_err(|error| error.at_step(2))?;
        Ok(Self { statement, commitments, context, proof })
    }

    #[getter]
    fn statement(&self, py: Python<'_>) -> Py<Statement> {
        self.statement.clone_ref(py)
    }

    fn __repr__(&self) -> String {
        format!("Claim(commitments={}, proof_length={})", self.commitments.len(), self.proof.len())
    }
}

#[pyfunction]
#[pyo3(signature = (claims, *, threads=None, progress=None))]
fn verify_batch<'py>(
    py: Python<'py>,
    claims: Vec<Py<Claim>>,
    threads: Option<usize>,
    progress: Option<Py<PyAny>>,
) -> PyResult<Bound<'py, PyDict>> {
    let claims: Vec<_> = claims
        .iter()
        .map(|claim| {
            let Claim { statement, commitments, context, proof } = claim.get();
            argument::Claim { statement: &statement.get().0, commitments, context, proof }
        })
        .collect();
    let refused =
        with_effort(py, threads, progress, |effort| argument::verify_batch_with(Setup::global()?, &claims, effort))?;
    let answer = PyDict::new(py);
    for (position, error) in refused {
        answer.set_item(position, PyErr::from(CoreError::from(error)).into_value(py))?;
    }
    Ok(answer)
}

#[pyfunction]
fn challenges<'py>(
    py: Python<'py>,
    statement: &Bound<'py, Statement>,
    commitments: Vec<PyBackedBytes>,
    context: &[u8],
    proof: &[u8],
) -> PyResult<Bound<'py, PyDict>> {
    let statement = &statement.get().0;
    let points = input_points(statement, &commitments)?;
    let drawn = py.detach(|| argument::challenges(statement, &points, context, proof)).map_err(CoreError::from)?;
    let named = [
        ("beta", drawn.beta),
        ("gamma", drawn.gamma),
        ("alpha", drawn.alpha),
        ("y", drawn.y),
        ("z", drawn.z),
        ("v", drawn.v),
        ("u", drawn.u),
    ];
    let answer = PyDict::new(py);
    for (name, challenge) in named {
        answer.set_item(name, unsigned(py, &challenge.to_be_bytes())?)?;
    }
    Ok(answer)
}
