//! Threads and progress of long calls.

use std::num::NonZeroUsize;
use std::ops::ControlFlow;
use std::sync::{Mutex, PoisonError};

use argument::effort::Observer;
use argument::{ArgumentError, Effort, Progress};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

use crate::errors::CoreError;

/// Does a piece of work without the interpreter's lock, on so many threads; `progress(done, total)` hears of it, with
/// the lock. What the callable raises ends the work and is raised again.
pub(crate) fn with_effort<R: Send>(
    py: Python<'_>,
    threads: Option<usize>,
    progress: Option<Py<PyAny>>,
    work: impl FnOnce(&Effort<'_>) -> Result<R, ArgumentError> + Send,
) -> PyResult<R> {
    let limit = |count| NonZeroUsize::new(count).ok_or_else(|| PyValueError::new_err("threads must be at least 1"));
    let threads = threads.map(limit).transpose()?;
    let raised = Mutex::new(None);
    let observer = |step: Progress| {
        let told = Python::attach(|py| progress.as_ref().map(|heard| heard.call1(py, (step.done, step.total))));
        match told {
            Some(Err(error)) => {
                *raised.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
                ControlFlow::Break(())
            }
            _ => ControlFlow::Continue(()),
        }
    };
    let observed: Option<&Observer<'_>> = if progress.is_some() { Some(&observer) } else { None };
    let result = py.detach(|| work(&Effort { threads, observer: observed }));
    match raised.into_inner().unwrap_or_else(PoisonError::into_inner) {
        Some(error) => Err(error),
        None => Ok(result.map_err(CoreError::from)?),
    }
}
