//! Waits for the core's futures on the caller's thread, with a small tokio runtime behind it for what they start.
//!
//! In: a future. Out: its output. Most are ready at the first poll (a decision, a secret in the cache) and never wait.
//! The rest park the calling thread. That thread may belong to somebody's async runtime, where tokio's own `block_on`
//! panics; parking is merely slow there. A forked child has none of its parent's threads: its first call starts its own.

use std::pin::pin;
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};

use tokio::runtime::{Builder, Handle, Runtime};
use zt_core::{Code, Error, Result};
use zt_memory::fork::Local;

/// The threads of one opened runtime, shared by its sessions; the last handle to be freed ends them.
pub(crate) struct Executor(Local<OnceLock<Threads>>);

struct Threads(Option<Runtime>);

impl Executor {
    pub(crate) fn new() -> Result<Self> {
        let executor = Self(Local::new());
        executor.handle()?;
        Ok(executor)
    }

    /// Runs a future to its end.
    ///
    /// # Errors
    /// The future's own; `Internal` in a forked child that gets no threads.
    pub(crate) fn wait<T>(&self, future: impl Future<Output = Result<T>>) -> Result<T> {
        let handle = self.handle()?;
        let _entered = handle.enter();
        // Polled inside a task of the host's tokio, it must not be starved by that task's budget.
        let mut future = pin!(tokio::task::unconstrained(future));
        let mut ready_at_once = Context::from_waker(Waker::noop());
        if let Poll::Ready(output) = future.as_mut().poll(&mut ready_at_once) {
            return output;
        }
        let waker = Waker::from(Arc::new(Unpark(thread::current())));
        let mut context = Context::from_waker(&waker);
        loop {
            match future.as_mut().poll(&mut context) {
                Poll::Ready(output) => return output,
                Poll::Pending => thread::park(),
            }
        }
    }

    /// The threads of this process. What could not be started is tried again by the next call.
    fn handle(&self) -> Result<&Handle> {
        let threads = self.0.get_or_init(OnceLock::new);
        let threads = match threads.get() {
            Some(threads) => threads,
            None => {
                let started = Threads::start()?;
                // Whoever comes second ends what it started.
                threads.get_or_init(|| started)
            }
        };
        let runtime = threads.0.as_ref().ok_or_else(no_threads)?;
        Ok(runtime.handle())
    }
}

impl Threads {
    /// Two: one may be busy with a slow vault while the other serves the rest.
    fn start() -> Result<Self> {
        let runtime = Builder::new_multi_thread()
            .worker_threads(2)
            .thread_name("zt")
            .enable_all()
            .build()
            .map_err(|why| no_threads().with_source(why))?;
        Ok(Self(Some(runtime)))
    }
}

impl Drop for Threads {
    /// Does not wait for the threads: the last handle may be freed on one of the host's async threads, where waiting panics.
    fn drop(&mut self) {
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}

fn no_threads() -> Error {
    Error::new(Code::Internal, "cannot start zt's threads")
}

struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    async fn work() -> Result<u32> {
        let task = tokio::spawn(async {
            tokio::time::sleep(Duration::from_millis(1)).await;
            42
        });
        Ok(task.await.unwrap())
    }

    #[test]
    fn a_future_that_waits_is_waited_for() {
        assert_eq!(Executor::new().unwrap().wait(work()).unwrap(), 42);
    }

    #[test]
    fn waiting_on_a_thread_of_the_hosts_own_executor_does_not_panic() {
        let host = Runtime::new().unwrap();
        let answer = host.block_on(async {
            let inside = tokio::spawn(async { Executor::new().unwrap().wait(work()).unwrap() });
            let here = Executor::new().unwrap().wait(work()).unwrap();
            (inside.await.unwrap(), here)
        });
        assert_eq!(answer, (42, 42));
    }
}
