//! Runs the core's futures: on the caller's own thread while they need no wait, else on a small executor of our own.
//!
//! Two worker threads, and a few more while some wait for a disk; one executor per generation (see
//! [`fork`](crate::fork)): a forked child gets a new one, the parent's is leaked there, since dropping it would join
//! threads that do not exist. Never `block_on`: it would not let Ctrl-C through.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use arc_swap::ArcSwapOption;
use pyo3::prelude::*;
use tokio::runtime::Handle;
use tokio::task::JoinHandle;
use zt_core::{Code, Error, Result};

use crate::error::Failure;
use crate::fork;
use crate::reading;

/// A future of the core, on its way to a value or an error.
pub(crate) type Work<T> = Pin<Box<dyn Future<Output = Result<T>> + Send>>;

/// How long a wait lasts before it looks for Ctrl-C.
pub(crate) const TICK: Duration = Duration::from_millis(50);

static CURRENT: ArcSwapOption<Executor> = ArcSwapOption::const_empty();

struct Executor {
    generation: u64,
    handle: Handle,
}

/// What became of work after its first poll.
pub(crate) enum Started<T> {
    /// It needed no wait.
    Ready(Result<T>),
    /// It goes on.
    Later(Work<T>),
}

/// Does the work here if it needs no wait, as a cached secret does not; else waits for it as [`wait`] does.
pub(crate) fn answer<T: Send + 'static>(py: Python<'_>, work: Work<T>) -> PyResult<T> {
    match start(py, work)? {
        Started::Ready(result) => Ok(result.map_err(Failure::new)?),
        Started::Later(work) => wait(py, work),
    }
}

/// Does the work on the executor. Other Python threads run on; Ctrl-C drops the work within a tick.
pub(crate) fn wait<T: Send + 'static>(py: Python<'_>, work: Work<T>) -> PyResult<T> {
    let silent = |_: Tell<Infallible, T>| work;
    hear(py, silent, |_, never| match never {})
}

/// What the thread that waits hears from the work.
pub(crate) enum Heard<M, T> {
    /// A word on the way.
    Said(M),
    /// The end.
    Done(Result<T>),
}

/// Where the work tells it.
pub(crate) type Tell<M, T> = Sender<Heard<M, T>>;

/// As [`wait`], for work that has something to say before its end. `answer` runs on the thread that waits, where a notebook
/// can print and Ctrl-C is heard; its exception ends the work.
pub(crate) fn hear<M: Send + 'static, T: Send + 'static>(
    py: Python<'_>,
    work: impl FnOnce(Tell<M, T>) -> Work<T>,
    mut answer: impl FnMut(Python<'_>, M) -> PyResult<()>,
) -> PyResult<T> {
    let (sender, mut receiver) = channel();
    let work = work(sender.clone());
    let task = spawn(async move {
        // Nobody listens any more after Ctrl-C.
        drop(sender.send(Heard::Done(work.await)));
    })?;
    loop {
        let heard;
        (receiver, heard) = py.detach(move || {
            let heard = receiver.recv_timeout(TICK);
            (receiver, heard)
        });
        let goes_on = match heard {
            Ok(Heard::Done(result)) => return Ok(result.map_err(Failure::new)?),
            Ok(Heard::Said(words)) => answer(py, words),
            Err(RecvTimeoutError::Timeout) => reading::hear(py),
            Err(RecvTimeoutError::Disconnected) => return Err(Failure::new(vanished()).into()),
        };
        if let Err(raised) = goes_on {
            task.abort();
            return Err(raised);
        }
    }
}

/// Polls the work once, on this thread and without the interpreter.
pub(crate) fn start<T: Send>(py: Python<'_>, mut work: Work<T>) -> PyResult<Started<T>> {
    let executor = executor()?;
    Ok(py.detach(move || {
        // What the first poll spawns needs an executor; what it registers is registered again by the next poll.
        let _entered = executor.handle.enter();
        let mut context = Context::from_waker(Waker::noop());
        match work.as_mut().poll(&mut context) {
            Poll::Ready(result) => Started::Ready(result),
            Poll::Pending => Started::Later(work),
        }
    }))
}

/// Starts a task on the executor.
pub(crate) fn spawn<T: Send + 'static>(
    task: impl Future<Output = T> + Send + 'static,
) -> PyResult<JoinHandle<T>> {
    Ok(executor()?.handle.spawn(task))
}

/// Work that may wait for the disk without an `await`: the executor's other tasks run on meanwhile.
pub(crate) fn aside<T: Send + 'static>(
    work: impl FnOnce() -> Result<T> + Send + 'static,
) -> Work<T> {
    Box::pin(async move { tokio::task::block_in_place(work) })
}

/// The answer of work that ended without one: it panicked.
pub(crate) fn vanished() -> Error {
    Error::new(Code::Internal, "the operation ended without an answer")
}

fn executor() -> Result<Arc<Executor>, Failure> {
    let current = CURRENT.load_full();
    match current {
        Some(executor) if executor.generation == fork::generation() => Ok(executor),
        stale => replace(stale).map_err(Failure::new),
    }
}

#[cold]
fn replace(stale: Option<Arc<Executor>>) -> Result<Arc<Executor>> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .max_blocking_threads(16)
        .thread_name("zt-py")
        .enable_all()
        .build()
        .map_err(|why| {
            Error::new(Code::Internal, "cannot start the threads that wait").with_source(why)
        })?;
    let made = Arc::new(Executor {
        generation: fork::generation(),
        handle: runtime.handle().clone(),
    });
    let before = CURRENT.compare_and_swap(&stale, Some(Arc::clone(&made)));
    let is_first = match (&*before, &stale) {
        (Some(before), Some(stale)) => Arc::ptr_eq(before, stale),
        (None, None) => true,
        (Some(_), None) | (None, Some(_)) => false,
    };
    if is_first {
        Box::leak(Box::new((runtime, stale)));
        return Ok(made);
    }
    runtime.shutdown_background();
    before
        .clone()
        .ok_or_else(|| Error::new(Code::Internal, "the threads that wait have gone"))
}
