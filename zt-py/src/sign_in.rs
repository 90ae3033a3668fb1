//! `zt.SignIn`, and how a person is told to sign in: by the caller's `prompt`, else by what `zt._sign_in` finds here.
//!
//! The prompt is called on the thread that asked, the loop's own for an awaitable: there notebooks can print.

use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use zt_core::clock::Timestamp;
use zt_core::identity::DeviceSignIn;
use zt_core::{Code, Error, Runtime};

use crate::aio::Waiter;
use crate::credential::is_coroutine;
use crate::error::Failure;
use crate::executor;
use crate::plain;
use crate::session::Session;

/// What a person needs to sign in on any device: a code to type and where. Handed to the `prompt` of `Runtime.sign_in`.
///
/// >>> def prompt(sign_in: zt.SignIn) -> None:
/// ...     print(sign_in.verification_uri, sign_in.user_code)
/// >>> rt.sign_in(prompt)                                  # of the development issuer, people get their tokens by `zt dev-token`
/// Traceback (most recent call last):
/// ...
/// zt._errors.ConfigError: [ZT-7001] ...
#[pyclass(frozen, module = "zt")]
#[derive(Debug)]
pub(crate) struct SignIn {
    user_code: String,
    verification_uri: String,
    message: String,
    expires_at: Timestamp,
}

impl SignIn {
    fn new(core: &DeviceSignIn) -> Self {
        Self {
            user_code: core.user_code().to_owned(),
            verification_uri: core.verification_uri().to_owned(),
            message: core.message().to_owned(),
            expires_at: core.expires_at(),
        }
    }
}

#[pymethods]
impl SignIn {
    /// What the person types: a few letters and digits.
    #[getter]
    fn user_code(&self) -> &str {
        &self.user_code
    }

    /// Where: an `https` address.
    #[getter]
    fn verification_uri(&self) -> &str {
        &self.verification_uri
    }

    /// A sentence for the person with both, in plain text.
    #[getter]
    fn message(&self) -> &str {
        &self.message
    }

    /// Until when, as a datetime in UTC.
    #[getter]
    fn expires_at(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        plain::moment(py, self.expires_at.as_millis())
    }

    fn __str__(&self) -> &str {
        &self.message
    }

    fn __repr__(&self) -> String {
        let (code, uri) = (&self.user_code, &self.verification_uri);
        format!("SignIn({code} at {uri})")
    }
}

/// Signs the person in front of the process in.
pub(crate) fn now(py: Python<'_>, core: Runtime, prompt: Option<Py<PyAny>>) -> PyResult<Session> {
    let prompt = Prompt::new(py, prompt)?;
    let work = |tell: executor::Tell<SignIn, _>| -> executor::Work<_> {
        Box::pin(async move {
            let show = move |asked: &DeviceSignIn| {
                // Nobody listens any more after Ctrl-C, which drops this soon.
                drop(tell.send(executor::Heard::Said(SignIn::new(asked))));
                Ok(())
            };
            core.sign_in(show).await
        })
    };
    executor::hear(py, work, |py, asked| {
        prompt.__call__(py, Py::new(py, asked)?)
    })
    .map(Session::new)
}

/// [`now`] for asyncio.
pub(crate) fn later(
    py: Python<'_>,
    core: Runtime,
    prompt: Option<Py<PyAny>>,
) -> PyResult<Bound<'_, PyAny>> {
    let prompt = Py::new(py, Prompt::new(py, prompt)?)?.into_any();
    let waiter = Waiter::new(py)?;
    let teller = waiter.clone_ref(py);
    let work = Box::pin(async move {
        let show = move |asked: &DeviceSignIn| {
            let asked = SignIn::new(asked);
            let told = Python::try_attach(|py| {
                let asked = Py::new(py, asked)?.into_any();
                teller.tell(py, prompt, asked);
                PyResult::Ok(())
            });
            match told {
                Some(Ok(())) => Ok(()),
                Some(Err(_)) | None => Err(nobody()),
            }
        };
        core.sign_in(show).await
    });
    waiter.wait(py, work, |py, session| {
        Ok(Py::new(py, Session::new(session))?.into_any())
    })
}

/// A function of Python that tells a person.
#[pyclass(frozen, module = "zt._zt", name = "_Prompt")]
#[derive(Debug)]
struct Prompt(Py<PyAny>);

impl Prompt {
    /// # Errors
    /// `TypeError` for what cannot be called; `Unauthenticated` (ZT-2006) without a prompt where nobody is.
    fn new(py: Python<'_>, given: Option<Py<PyAny>>) -> PyResult<Self> {
        let Some(given) = given else {
            let here = py.import("zt._sign_in")?.call_method0("prompt_here")?;
            return match here.is_none() {
                true => Err(Failure::new(nobody()).into()),
                false => Ok(Self(here.unbind())),
            };
        };
        match given.bind(py).is_callable() {
            true => Ok(Self(given)),
            false => Err(PyTypeError::new_err("`prompt` must be a function")),
        }
    }
}

#[pymethods]
impl Prompt {
    fn __call__(&self, py: Python<'_>, asked: Py<SignIn>) -> PyResult<()> {
        let answer = self.0.call1(py, (asked,))?;
        match is_coroutine(answer.bind(py)) {
            true => Err(PyTypeError::new_err(
                "`prompt` is called and not awaited: it must not be a coroutine function",
            )),
            false => Ok(()),
        }
    }
}

#[cold]
fn nobody() -> Error {
    let message = "nobody is here to sign in: there is no terminal and no notebook with a person in front of it";
    let help = "in a job use `runtime.workload()`; to tell a person in another way pass `prompt=`, a function that is called with a `zt.SignIn`";
    Error::new(Code::SignInFailed, message).with_help(help)
}
