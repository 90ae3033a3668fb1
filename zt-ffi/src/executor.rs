//! Waits for the core's futures on the caller's thread, with a small tokio runtime behind it for what they start.
//!
//! In: a future. Out: its output. Most are ready at the first poll (a decision, a secret in the cache) and never wait.
//! The rest park the calling thread. That thread may belong to somebody's async runtime, where tokio's own `block_on`
//! panics; parking is merely slow there.

use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};

use tokio::runtime::{Builder, Runtime};
use zt_core::{Code, Error, Result};

/// The threads of one opened runtime, shared by its sessions; the last handle to be freed ends them.
pub(crate) struct Executor(Option<Runtime>);

impl Executor {
    /// Two threads: one may be busy with a slow vault while the other serves the rest.
    pub(crate) fn new() -> Result<Self> {
        let runtime = Builder::new_multi_thread()
            .worker_threads(2)
            .thread_name("zt")
            .enable_all()
            .build()
            .map_err(|why| {
                Error::new(Code::Internal, "cannot start zt's threads").with_source(why)
            })?;
        Ok(Self(Some(runtime)))
    }

    /// Runs a future to its end.
    pub(crate) fn wait<F: Future>(&self, future: F) -> F::Output {
        let _entered = self.0.as_ref().map(Runtime::enter);
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
}

impl Drop for Executor {
    /// Does not wait for the threads: the last handle may be freed on one of the host's async threads, where waiting panics.
    fn drop(&mut self) {
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
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

    async fn work() -> u32 {
        let task = tokio::spawn(async {
            tokio::time::sleep(Duration::from_millis(1)).await;
            42
        });
        task.await.unwrap()
    }

    #[test]
    fn a_future_that_waits_is_waited_for() {
        assert_eq!(Executor::new().unwrap().wait(work()), 42);
    }

    #[test]
    fn waiting_on_a_thread_of_the_hosts_own_executor_does_not_panic() {
        let host = Runtime::new().unwrap();
        let answer = host.block_on(async {
            let inside = tokio::spawn(async { Executor::new().unwrap().wait(work()) });
            (inside.await.unwrap(), Executor::new().unwrap().wait(work()))
        });
        assert_eq!(answer, (42, 42));
    }
}
