//! The process's own identity from Python: any object with `get_token`, such as those of azure-identity, Databricks or Unity Catalog.
//!
//! In: a scope. Out: a token of ours, or why there is none: the name of a type, never a text of the object, since its exceptions
//! and its answers may hold tokens. The object is called on a thread of Python's own (`zt._credential`), which the end of the
//! process may stop at any moment; one of ours would end the process with an abort then.

use std::fmt;
use std::sync::{Mutex, PoisonError};

use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyString};
use tokio::sync::oneshot::{self, Sender};
use zeroize::Zeroizing;
use zt_core::clock::Timestamp;
use zt_core::identity::{AccessToken, CredentialError, TokenCredential};
use zt_core::port::BoxFuture;

/// What the older and the newer protocol of `azure.core` call it. The second answers more, which nobody needs here.
const METHODS: [&str; 2] = ["get_token", "get_token_info"];

/// 9999-12-31T23:59:59Z: a moment beyond it is in other units than seconds.
const LAST_SECOND: f64 = 253_402_300_799.0;

/// A Python object that gives tokens.
pub(crate) struct PyCredential {
    name: String,
    method: &'static str,
    get_token: Py<PyAny>,
    /// `zt._credential.ask`, imported here: a thread of ours runs no code of Python that it can do without.
    ask: Py<PyAny>,
}

impl PyCredential {
    /// Looks at the object, asks it for nothing.
    ///
    /// # Errors
    /// `TypeError` for an object without `get_token`, and for one whose `get_token` is a coroutine function.
    pub(crate) fn new(object: &Bound<'_, PyAny>) -> PyResult<Self> {
        let kind = type_name(object);
        let mut methods = METHODS.iter();
        let Some(method) = methods.find(|name| is_callable(object, name)) else {
            let message = format!(
                "`credential` must be an object with a method `get_token(*scopes)`, not `{kind}`"
            );
            return Err(PyTypeError::new_err(message));
        };
        let py = object.py();
        let get_token = object.getattr(*method)?;
        let inspect = py.import("inspect")?;
        let is_async = inspect.call_method1("iscoroutinefunction", (&get_token,))?;
        if is_async.is_truthy()? {
            let message = format!(
                "`credential` is asynchronous: `{kind}.{method}` is a coroutine function; {ASYNC_HELP}"
            );
            return Err(PyTypeError::new_err(message));
        }
        Ok(Self {
            name: format!("the credential object `{kind}`"),
            method,
            get_token: get_token.unbind(),
            ask: py.import("zt._credential")?.getattr("ask")?.unbind(),
        })
    }

    /// Has it asked by a thread of Python's own.
    fn ask(&self, py: Python<'_>, scope: &str, reply: Sender<Answer>) -> PyResult<()> {
        let reply = Reply {
            method: self.method,
            sender: Mutex::new(Some(reply)),
        };
        let arguments = (&self.get_token, scope, reply);
        self.ask.call1(py, arguments).map(drop)
    }

    fn refused(&self, reason: String) -> CredentialError {
        CredentialError::Refused {
            credential: self.name.clone(),
            reason,
        }
    }

    fn unavailable(&self, reason: &str) -> CredentialError {
        CredentialError::Unavailable {
            credential: self.name.clone(),
            reason: reason.to_owned(),
            retry_in: None,
        }
    }
}

impl TokenCredential for PyCredential {
    fn get_token<'a>(
        &'a self,
        scope: &'a str,
    ) -> BoxFuture<'a, Result<AccessToken, CredentialError>> {
        Box::pin(async move {
            let (reply, answer) = oneshot::channel();
            // Not `attach`: at the end of the process there is no interpreter to ask.
            match Python::try_attach(|py| self.ask(py, scope, reply)) {
                Some(Ok(())) => {}
                Some(Err(_)) => return Err(self.unavailable("Python starts no thread")),
                None => return Err(self.unavailable("Python has ended")),
            }
            match answer.await {
                Ok(answer) => answer.map_err(|reason| self.refused(reason)),
                Err(_) => Err(self.unavailable("the thread that asked it has gone")),
            }
        })
    }

    fn name(&self) -> &str {
        &self.name
    }
}

impl fmt::Debug for PyCredential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

type Answer = Result<AccessToken, String>;

/// What `zt._credential.ask` tells what came of it: once.
#[pyclass(frozen, module = "zt._zt", name = "_Reply")]
#[derive(Debug)]
struct Reply {
    method: &'static str,
    sender: Mutex<Option<Sender<Answer>>>,
}

impl Reply {
    fn send(&self, answer: Answer) {
        let mut sender = self.sender.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(sender) = sender.take() {
            // Nobody waits any more after a timeout.
            drop(sender.send(answer));
        }
    }
}

#[pymethods]
impl Reply {
    fn given(&self, answer: &Bound<'_, PyAny>) {
        self.send(read(answer, self.method));
    }

    /// The exception's type alone: its text may hold a token.
    fn raised(&self, kind: &str) {
        self.send(Err(format!("`{}` raised `{kind}`", self.method)));
    }
}

const ASYNC_HELP: &str =
    "pass the synchronous one, such as that of `azure.identity` instead of `azure.identity.aio`";

/// The token of an answer, or the reason why it has none.
fn read(answer: &Bound<'_, PyAny>, method: &str) -> Answer {
    if is_coroutine(answer) {
        return Err(format!("`{method}` answered a coroutine; {ASYNC_HELP}"));
    }
    let kind = type_name(answer);
    let part = |name: &str| {
        answer
            .getattr(name)
            .map_err(|_| format!("`{method}` answered a `{kind}` without `.{name}`"))
    };
    let token = token_of(&part("token")?)
        .map_err(|why| format!("`.token` of what `{method}` answered {why}"))?;
    let expires_at = moment_of(&part("expires_on")?)
        .map_err(|why| format!("`.expires_on` of what `{method}` answered {why}"))?;
    Ok(AccessToken::new(token, expires_at))
}

/// What may stand in a header `Authorization`, and nothing else.
fn token_of(value: &Bound<'_, PyAny>) -> Result<Zeroizing<String>, String> {
    let Ok(text) = value.cast::<PyString>() else {
        return Err(format!("is `{}`, not str", type_name(value)));
    };
    let text = text.extract::<String>().map(Zeroizing::new);
    match text {
        Ok(text) if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic()) => {
            Ok(text)
        }
        Ok(text) if text.is_empty() => Err("is empty".to_owned()),
        Ok(_) | Err(_) => Err("has characters that no token has".to_owned()),
    }
}

/// Seconds since 1970, whole or not.
fn moment_of(value: &Bound<'_, PyAny>) -> Result<Timestamp, String> {
    // `True` is an int in Python and no moment.
    let seconds = match value.is_instance_of::<PyBool>() {
        true => None,
        false => value.extract::<f64>().ok(),
    };
    let Some(seconds) = seconds else {
        let kind = type_name(value);
        return Err(format!("is `{kind}`, not a number of seconds since 1970"));
    };
    if !(0.0..=LAST_SECOND).contains(&seconds) {
        return Err("is no moment in seconds since 1970".to_owned());
    }
    #[expect(
        clippy::cast_possible_truncation,
        reason = "it is within 0 and LAST_SECOND"
    )]
    let whole = seconds as i64;
    Ok(Timestamp::from_secs(whole))
}

/// Whether this is a call of an `async def`, which nobody awaits here. It is closed, so that Python does not warn.
pub(crate) fn is_coroutine(value: &Bound<'_, PyAny>) -> bool {
    let has = |name: &str| value.hasattr(name).unwrap_or(false);
    // A task can be awaited too, but runs by itself and has no `close`.
    let is_coroutine = has("__await__") && has("close");
    if is_coroutine {
        drop(value.call_method0("close"));
    }
    is_coroutine
}

fn is_callable(object: &Bound<'_, PyAny>, name: &str) -> bool {
    object.getattr(name).is_ok_and(|found| found.is_callable())
}

fn type_name(value: &Bound<'_, PyAny>) -> String {
    let name = value.get_type().name();
    name.map_or_else(|_| "object".to_owned(), |name| name.to_string())
}
