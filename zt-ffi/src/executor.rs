//! Waits for the core's futures on the caller's thread, with a small tokio runtime behind it for what they start.
//!
//! In: a future. Out: its output. Most are ready at the first poll (a decision, a secret in the cache) and never wait.
//! The rest park the calling thread. That thread may belong to somebody's async runtime, where tokio's own `block_on`
//! panics; parking is merely slow there. A forked child has none of its parent's threads: its first call starts its own.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::mpsc::{self, Sender};
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};

use tokio::runtime::{Builder, Handle, Runtime};
use tokio::sync::oneshot;
use zt_core::{Code, Error, Result};
use zt_memory::fork::Local;

use crate::log;

/// The threads of one opened runtime, shared by its sessions; the last handle to be freed ends them.
pub(crate) struct Executor(Local<OnceLock<Threads>>);

struct Threads {
    runtime: Option<Runtime>,
    /// To the thread that runs callbacks, once there is one. It ends when the last sender does.
    callbacks: OnceLock<Sender<Job>>,
    /// To the thread that counts deadlines, once there is one.
    timer: OnceLock<Timer>,
}

/// A thread that does nothing but count time: deadlines end in time while all others wait for the disk.
struct Timer {
    handle: Handle,
    /// Its thread ends with this.
    _end: oneshot::Sender<()>,
}

/// A call of the program's callback.
pub(crate) type Job = Box<dyn FnOnce() + Send>;

impl Executor {
    pub(crate) fn new() -> Result<Self> {
        let executor = Self(Local::new());
        executor.handle()?;
        Ok(executor)
    }

    /// Runs a future to its end.
    ///
    /// # Errors
    /// The future's own; `Internal` in a forked child that gets no threads; `InvalidArgument` where a log callback would wait.
    pub(crate) fn wait<T>(&self, future: impl Future<Output = Result<T>>) -> Result<T> {
        let handle = self.handle()?;
        let _entered = handle.enter();
        // Polled inside a task of the host's tokio, it must not be starved by that task's budget.
        let mut future = pin!(tokio::task::unconstrained(future));
        let mut ready_at_once = Context::from_waker(Waker::noop());
        if let Poll::Ready(output) = future.as_mut().poll(&mut ready_at_once) {
            return output;
        }
        if log::is_telling() {
            return Err(log::must_not_wait());
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

    /// The same for what must not be begun and left, such as a close: inside of a log callback nothing of it is done.
    ///
    /// # Errors
    /// As [`wait`](Self::wait); `InvalidArgument` in a log callback, also where nothing would have to wait.
    pub(crate) fn complete<T>(&self, future: impl Future<Output = Result<T>>) -> Result<T> {
        if log::is_telling() {
            return Err(log::must_not_wait());
        }
        self.wait(future)
    }

    /// The threads of this process. What could not be started is tried again by the next call.
    pub(crate) fn handle(&self) -> Result<&Handle> {
        let runtime = self.threads()?.runtime.as_ref().ok_or_else(no_threads)?;
        Ok(runtime.handle())
    }

    /// Where callbacks of the program run, one after the other: a thread that nothing else needs.
    pub(crate) fn callbacks(&self) -> Result<Sender<Job>> {
        let callbacks = &self.threads()?.callbacks;
        if let Some(sender) = callbacks.get() {
            return Ok(sender.clone());
        }
        let (sender, jobs) = mpsc::channel::<Job>();
        let thread = thread::Builder::new().name("zt-callbacks".to_owned());
        let _ends_with_its_senders = thread
            .spawn(move || {
                for job in jobs {
                    // A callback of a Rust program may panic; the next one is told all the same.
                    let _told_or_panicked = catch_unwind(AssertUnwindSafe(job));
                }
            })
            .map_err(|why| no_threads().with_source(why))?;
        // Whoever comes second ends what it started.
        Ok(callbacks.get_or_init(|| sender).clone())
    }

    /// Where deadlines are counted.
    pub(crate) fn timer(&self) -> Result<&Handle> {
        let timer = &self.threads()?.timer;
        if let Some(timer) = timer.get() {
            return Ok(&timer.handle);
        }
        let started = Timer::start()?;
        // Whoever comes second ends what it started.
        Ok(&timer.get_or_init(|| started).handle)
    }

    fn threads(&self) -> Result<&Threads> {
        let threads = self.0.get_or_init(OnceLock::new);
        if let Some(threads) = threads.get() {
            return Ok(threads);
        }
        let started = Threads::start()?;
        // Whoever comes second ends what it started.
        Ok(threads.get_or_init(|| started))
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
        Ok(Self {
            runtime: Some(runtime),
            callbacks: OnceLock::new(),
            timer: OnceLock::new(),
        })
    }
}

impl Timer {
    fn start() -> Result<Self> {
        let runtime = Builder::new_current_thread()
            .enable_time()
            .build()
            .map_err(|why| no_threads().with_source(why))?;
        let handle = runtime.handle().clone();
        let (end, ended) = oneshot::channel();
        let thread = thread::Builder::new().name("zt-deadlines".to_owned());
        let _ends_with_its_sender = thread
            .spawn(move || runtime.block_on(ended))
            .map_err(|why| no_threads().with_source(why))?;
        Ok(Self { handle, _end: end })
    }
}

impl Drop for Threads {
    /// Does not wait for the threads: the last handle may be freed on one of the host's async threads, where waiting panics.
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
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
    fn a_callback_that_panics_does_not_silence_the_next() {
        let executor = Executor::new().unwrap();
        let callbacks = executor.callbacks().unwrap();
        let (said, heard) = mpsc::channel();
        callbacks
            .send(Box::new({
                let said = said.clone();
                move || {
                    said.send(thread::current().id()).unwrap();
                    panic!("the program's own");
                }
            }))
            .unwrap();
        callbacks
            .send(Box::new(move || said.send(thread::current().id()).unwrap()))
            .unwrap();
        assert_eq!(heard.recv().unwrap(), heard.recv().unwrap());
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
