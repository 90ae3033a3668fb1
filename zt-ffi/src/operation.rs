//! Operations that run on zt's threads: started, waited for, given up, and told of by a callback.
//!
//! In: a future of the core. Out: its result, taken once, and one call of the program's callback, whatever becomes of it. No
//! callback runs on a thread that serves others: it may wait, and it may call zt. A cancel and a deadline end an operation at
//! once, also while its work waits for the disk; what the work makes then is freed.

use std::ffi::c_void;
use std::future::poll_fn;
use std::mem::MaybeUninit;
use std::pin::pin;
use std::sync::mpsc::Sender;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError, Weak};
use std::time::{Duration, Instant};

use tokio::task::{AbortHandle, block_in_place};
use zt_core::{Code, Error};
use zt_memory::fork;

use crate::boundary::{Failure, give, given, guard_or};
use crate::error::zt_error;
use crate::executor::{Executor, Job};
use crate::files::zt_file_opener;
use crate::guard::guard;
use crate::log;
use crate::runtime::zt_runtime;
use crate::seal::{zt_opener, zt_sealer};
use crate::secret::zt_secret;
use crate::session::zt_session;
use crate::status::zt_status;
use crate::text::zt_text;

/// What was started by a function that ends in `_async`. Its result is taken once, by the zt_operation_ function of its kind.
pub struct zt_operation(Arc<Work>);

/// Told once that an operation has ended: done, failed, given up or past its deadline. `operation` is borrowed and ends when
/// the callback returns; its result may be taken from it, and it must not be freed. `user_data` is what was given.
///
/// It runs on a thread of zt that runs callbacks alone, one after the other, maybe before the function that started the
/// operation has returned. It may call functions of zt and free any other handle. It must not throw an exception or longjmp.
pub type zt_done_fn =
    Option<unsafe extern "C-unwind" fn(user_data: *mut c_void, operation: Option<&zt_operation>)>;

struct Work {
    made_in: u64,
    state: Mutex<State>,
    ended: Condvar,
    told: Mutex<Option<(Sender<Job>, Done)>>,
    can_be_given_up: bool,
    task: OnceLock<AbortHandle>,
    deadline: OnceLock<AbortHandle>,
}

enum State {
    Running,
    Ended(Outcome),
    Failed(Failure),
    Taken,
}

/// What an operation makes.
pub(crate) enum Outcome {
    Nothing,
    Runtime(Box<zt_runtime>),
    Session(Box<zt_session>),
    Secret(Box<zt_secret>),
    Sealer(Box<zt_sealer>),
    Opener(Box<zt_opener>),
    FileOpener(Box<zt_file_opener>),
    Text(Box<zt_text>),
}

impl Outcome {
    const fn kind(&self) -> &'static str {
        match self {
            Self::Nothing => "no handle",
            Self::Runtime(_) => "a runtime",
            Self::Session(_) => "a session",
            Self::Secret(_) => "a secret",
            Self::Sealer(_) => "a sealer",
            Self::Opener(_) => "an opener",
            Self::FileOpener(_) => "an opener of a file",
            Self::Text(_) => "a text",
        }
    }
}

/// How the program wants to hear of the end, and when it gives up by itself.
pub(crate) struct Terms {
    /// `None` for what is never given up, not by a cancel either.
    deadline_ms: Option<u64>,
    done: Option<Done>,
}

struct Done {
    call: unsafe extern "C-unwind" fn(*mut c_void, Option<&zt_operation>),
    user_data: *mut c_void,
}

// SAFETY: the header says that the callback runs on another thread; the program gave `user_data` for that.
unsafe impl Send for Done {}

impl Done {
    fn tell(self, operation: &zt_operation) {
        // SAFETY: whoever started the operation promised a callback that keeps to the header.
        unsafe { (self.call)(self.user_data, Some(operation)) };
    }
}

impl Terms {
    /// # Safety
    /// The callback keeps to [`zt_done_fn`] with this `user_data`.
    pub(crate) unsafe fn new(deadline_ms: u64, done: zt_done_fn, user_data: *mut c_void) -> Self {
        let done = done.map(|call| Done { call, user_data });
        let deadline_ms = Some(deadline_ms);
        Self { deadline_ms, done }
    }

    /// Of what is not given up once it is started.
    ///
    /// # Safety
    /// As for `new`.
    pub(crate) unsafe fn to_the_end(done: zt_done_fn, user_data: *mut c_void) -> Self {
        let done = done.map(|call| Done { call, user_data });
        Self {
            deadline_ms: None,
            done,
        }
    }
}

/// Starts an operation. Its handle is written before it can end.
pub(crate) fn start(
    executor: &Arc<Executor>,
    terms: Terms,
    place: Option<&mut MaybeUninit<*mut zt_operation>>,
    work: impl Future<Output = Result<Outcome, Failure>> + Send + 'static,
) -> Result<(), Failure> {
    if terms.done.is_none() {
        given(place.as_ref().map(|_| ()), "operation")?;
    }
    let handle = executor.handle()?.clone();
    let told = match terms.done {
        Some(done) => Some((executor.callbacks()?, done)),
        None => None,
    };
    let limit = terms.deadline_ms.filter(|limit| *limit > 0);
    let timer = limit.map(|_| executor.timer()).transpose()?.cloned();
    let operation = Arc::new(Work {
        made_in: fork::generation(),
        state: Mutex::new(State::Running),
        ended: Condvar::new(),
        told: Mutex::new(told),
        can_be_given_up: terms.deadline_ms.is_some(),
        task: OnceLock::new(),
        deadline: OnceLock::new(),
    });
    let end = End {
        work: Arc::clone(&operation),
        _executor: Arc::clone(executor),
    };
    if let Some(place) = place {
        give(place, zt_operation(Arc::clone(&operation)));
    }
    if let (Some(timer), Some(limit)) = (timer, limit) {
        let late = timer.spawn(count(Arc::downgrade(&operation), limit));
        let _set_here_alone = operation.deadline.set(late.abort_handle());
    }
    let task = handle.spawn(run(work, end));
    let _set_here_alone = operation.task.set(task.abort_handle());
    operation.stop_what_is_over();
    Ok(())
}

/// A worker that is about to wait for the disk hands its other tasks on.
async fn run(work: impl Future<Output = Result<Outcome, Failure>> + Send + 'static, end: End) {
    let outcome = {
        let mut work = pin!(work);
        poll_fn(|context| block_in_place(|| work.as_mut().poll(context))).await
    };
    end.work.finish(outcome);
}

async fn count(operation: Weak<Work>, limit_ms: u64) {
    tokio::time::sleep(Duration::from_millis(limit_ms)).await;
    if let Some(operation) = operation.upgrade() {
        operation.give_up(&format!("not done within its deadline of {limit_ms} ms"));
    }
}

impl Work {
    /// The first end counts; a later one is dropped.
    fn finish(self: &Arc<Self>, outcome: Result<Outcome, Failure>) {
        let mut state = lock(&self.state);
        if !matches!(*state, State::Running) {
            return;
        }
        *state = match outcome {
            Ok(made) => State::Ended(made),
            Err(Failure::Core(error)) => State::Failed(Failure::Told(Arc::new(error))),
            Err(other) => State::Failed(other),
        };
        drop(state);
        self.ended.notify_all();
        let told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        let Some((callbacks, done)) = { told }.take() else {
            return;
        };
        let operation = zt_operation(Arc::clone(self));
        let job: Job = Box::new(move || done.tell(&operation));
        if let Err(unsent) = callbacks.send(job) {
            (unsent.0)();
        }
    }

    fn give_up(self: &Arc<Self>, why: &str) {
        self.finish(Err(Error::new(Code::Cancelled, why).into()));
        self.stop_what_is_over();
    }

    /// What is still under way for an operation that has ended.
    fn stop_what_is_over(&self) {
        if matches!(*lock(&self.state), State::Running) {
            return;
        }
        let under_way = [&self.task, &self.deadline];
        for task in under_way.into_iter().filter_map(OnceLock::get) {
            task.abort();
        }
    }
}

/// The end of the work: at the latest when it is dropped, by a cancel or a panic.
struct End {
    work: Arc<Work>,
    /// Its threads run this.
    _executor: Arc<Executor>,
}

impl Drop for End {
    fn drop(&mut self) {
        let why = if std::thread::panicking() {
            Failure::Panic
        } else {
            Error::new(Code::Cancelled, "the operation was cancelled").into()
        };
        self.work.finish(Err(why));
        self.work.stop_what_is_over();
    }
}

/// What can be taken from an operation, and how it is called.
pub(crate) trait Made: Sized {
    const WANTED: &'static str;
    fn of(made: Outcome) -> Result<Box<Self>, Outcome>;
}

impl zt_operation {
    /// Never locks what a thread of the parent may hold.
    fn state(&self) -> Result<MutexGuard<'_, State>, Failure> {
        if self.0.made_in == fork::generation() {
            return Ok(lock(&self.0.state));
        }
        let message = "the operation belongs to the process that this one was forked from";
        Err(Error::new(Code::Cancelled, message)
            .with_help("start it again here")
            .into())
    }

    pub(crate) fn take<T: Made>(&self) -> Result<Box<T>, Failure> {
        let mut state = self.state()?;
        match std::mem::replace(&mut *state, State::Taken) {
            State::Ended(made) => T::of(made).map_err(|made| {
                let message = format!("the operation made {}, not {}", made.kind(), T::WANTED);
                *state = State::Ended(made);
                Error::new(Code::InvalidArgument, message).into()
            }),
            State::Taken => {
                let message = "the result of the operation was taken already";
                Err(Error::new(Code::InvalidArgument, message).into())
            }
            other @ (State::Running | State::Failed(_)) => {
                *state = other;
                told(&state)?;
                Err(Failure::Pending)
            }
        }
    }
}

impl std::fmt::Debug for zt_operation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("zt_operation").finish_non_exhaustive()
    }
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What is known of the end so far.
fn told(state: &State) -> Result<(), Failure> {
    match state {
        State::Running => Err(Failure::Pending),
        State::Ended(_) | State::Taken => Ok(()),
        State::Failed(Failure::Told(error)) => Err(Failure::Told(Arc::clone(error))),
        State::Failed(
            Failure::Core(_)
            | Failure::Pending
            | Failure::BufferTooSmall { .. }
            | Failure::Callback { .. }
            | Failure::Panic,
        ) => Err(Failure::Panic),
    }
}

/// Waits until the operation has ended, and answers as the function without `_async` would have: the result can be taken
/// then. Asking again gives the same answer. Its callback may still be about to run.
///
/// `timeout_ms`: how long to wait; 0 only looks.
/// Answers: OK, PENDING when it has not ended in time, CANCELLED for one that was cancelled, is past its deadline or belongs to
/// the process that this one was forked from, and what its own function answers; INVALID_ARGUMENT, also where a zt_log_fn would
/// wait.
/// Threads: any, also at once. Blocks: at most `timeout_ms`. @since 1
#[must_use]
#[unsafe(no_mangle)]
pub extern "C" fn zt_operation_wait(
    operation: Option<&zt_operation>,
    timeout_ms: u64,
    err: Option<&mut MaybeUninit<*mut zt_error>>,
) -> zt_status {
    guard(err, || {
        let operation = given(operation, "operation")?;
        let limit = Duration::from_millis(timeout_ms);
        let started = Instant::now();
        let mut state = operation.state()?;
        if timeout_ms > 0 && matches!(*state, State::Running) && log::is_telling() {
            return Err(log::must_not_wait().into());
        }
        while matches!(*state, State::Running) {
            let Some(left) = limit.checked_sub(started.elapsed()) else {
                break;
            };
            // A condition variable counts in the system's own time, which has an end.
            let left = left.min(Duration::from_secs(3600));
            let woken = operation.0.ended.wait_timeout(state, left);
            (state, _) = woken.unwrap_or_else(PoisonError::into_inner);
        }
        told(&state)
    })
}

/// Whether it has ended, by whatever; true for NULL, and in a forked child for an operation of its parent.
///
/// Threads: any, also at once. Blocks: never. @since 1
#[must_use]
#[unsafe(no_mangle)]
pub extern "C" fn zt_operation_is_done(operation: Option<&zt_operation>) -> bool {
    guard_or(true, || {
        let state = operation.map(zt_operation::state);
        state.is_none_or(|state| state.map_or(true, |state| !matches!(*state, State::Running)))
    })
}

/// Gives it up. What has not ended answers CANCELLED from now on, and its callback runs; what has ended stays as it is. What it
/// asked for may be done and recorded all the same. A close is not given up: this does nothing to it. NULL is allowed.
///
/// Threads: any, also at once. Blocks: never. @since 1
#[unsafe(no_mangle)]
pub extern "C" fn zt_operation_cancel(operation: Option<&zt_operation>) {
    guard_or((), || {
        let operation = operation.filter(|one| one.0.made_in == fork::generation());
        if let Some(operation) = operation.filter(|one| one.0.can_be_given_up) {
            operation.0.give_up("the operation was cancelled");
        }
    });
}

/// Frees the handle. The operation goes on, its callback runs, and a result that nobody took is freed. NULL is allowed.
///
/// Threads: any, once, after the last use. Blocks: never, unless it is the last handle of a freed runtime. @since 1
#[unsafe(no_mangle)]
pub extern "C" fn zt_operation_free(operation: Option<Box<zt_operation>>) {
    guard_or((), || drop(operation));
}
