//! Reads without the interpreter that hear it between their parts.

use std::time::Instant;

use pyo3::exceptions::PyKeyboardInterrupt;
use pyo3::prelude::*;
use zt_core::{Code, Error, Result};

use super::{hear, is_given_up};
use crate::error::Failure;
use crate::executor::{TICK, vanished};

/// What a long read asks now and then: whether it goes on.
pub(crate) type Between<'a> = &'a mut dyn FnMut() -> Result<()>;

/// Does this while other Python threads run. It hears what [`hear`] does between its parts, once in a tick at most.
pub(crate) fn detached<T: Send>(
    py: Python<'_>,
    work: impl FnOnce(Between<'_>) -> Result<T> + Send,
) -> PyResult<T> {
    let mut raised = None;
    let mut last = Instant::now();
    let done = py.detach(|| {
        work(&mut || {
            if last.elapsed() < TICK && !is_given_up() {
                return Ok(());
            }
            last = Instant::now();
            match Python::try_attach(hear) {
                Some(Ok(())) => Ok(()),
                Some(Err(error)) => {
                    raised = Some(error);
                    Err(vanished())
                }
                None => Err(vanished()),
            }
        })
    });
    match (raised, done) {
        (Some(raised), _) => Err(raised),
        (None, Ok(done)) => Ok(done),
        (None, Err(why)) if why.code() == Code::Cancelled => Err(PyKeyboardInterrupt::new_err(())),
        (None, Err(why)) => Err(Failure::new(why).into()),
    }
}

/// The end of work whose own Python heard a Ctrl-C first: [`detached`] raises it anew.
pub(crate) fn interrupted() -> Error {
    Error::new(Code::Cancelled, "interrupted while the rows were read")
}
