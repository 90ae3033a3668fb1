//! Where work runs that nobody waits for: fetches of keys and secrets, refreshes of groups.
//!
//! One thread with a small tokio runtime of its own, started by the first task. It holds no runtime of zt alive and ends with
//! the last handle; a fetch that is under way then is given up. A forked child has no such thread, and starts one of its own;
//! nothing here is locked, so that no lock of the parent is in its way.

use std::fmt;
use std::sync::Arc;
use std::thread;

use arc_swap::ArcSwapOption;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::task::LocalSet;

use crate::port::{BoxFuture, Spawn};
use crate::process;

type Task = BoxFuture<'static, ()>;

/// The thread's inbox; none before the first task.
pub(crate) struct Background {
    name: &'static str,
    /// Runs first on the thread.
    prepare: fn(),
    inbox: ArcSwapOption<Inbox>,
}

struct Inbox {
    /// The process that the thread is in.
    process: u64,
    tasks: UnboundedSender<Task>,
}

impl Background {
    /// A thread of this name, not started yet.
    pub(crate) fn new(name: &'static str) -> Self {
        Self {
            name,
            prepare: || (),
            inbox: ArcSwapOption::empty(),
        }
    }

    /// The same with something that the thread does first.
    pub(crate) fn preparing(mut self, prepare: fn()) -> Self {
        self.prepare = prepare;
        self
    }

    /// The thread of this process, started anew if the one that is known is gone.
    fn restart(&self, known: &Option<Arc<Inbox>>) -> Option<Arc<Inbox>> {
        let started = Arc::new(start(self.name, self.prepare)?);
        let before = self
            .inbox
            .compare_and_swap(known, Some(Arc::clone(&started)));
        let is_ours = match (&*before, known) {
            (Some(before), Some(known)) => Arc::ptr_eq(before, known),
            (None, None) => true,
            (Some(_), None) | (None, Some(_)) => false,
        };
        if !is_ours {
            // Somebody else was first: the new thread ends with its inbox.
            return self.inbox.load_full();
        }
        if let Some(known) = known
            && known.process != process::generation()
        {
            // Dropping a channel wakes its thread, which is in the parent.
            Box::leak(Box::new(Arc::clone(known)));
        }
        Some(started)
    }
}

impl Spawn for Background {
    fn spawn(&self, task: Task) {
        let known = self.inbox.load_full();
        let refused = match &known {
            Some(open) if open.process == process::generation() => {
                open.tasks.send(task).err().map(|refused| refused.0)
            }
            Some(_) | None => Some(task),
        };
        // The first task, or one after the thread is gone: a machine out of threads may have some again.
        if let Some(task) = refused
            && let Some(open) = self.restart(&known)
        {
            drop(open.tasks.send(task));
        }
    }
}

fn start(name: &str, prepare: fn()) -> Option<Inbox> {
    let executor = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        // The threads of its blocking work, which handle the same bytes.
        .on_thread_start(prepare)
        .build()
        .ok()?;
    let (inbox, tasks) = unbounded_channel();
    let work = move || {
        prepare();
        LocalSet::new().block_on(&executor, run(tasks));
        // A file system that hangs holds nobody up.
        executor.shutdown_background();
    };
    let thread = thread::Builder::new().name(name.to_owned());
    let _runs_by_itself = thread.spawn(work).ok()?;
    Some(Inbox {
        process: process::generation(),
        tasks: inbox,
    })
}

/// Each task runs beside the others; one that panics ends alone.
async fn run(mut tasks: UnboundedReceiver<Task>) {
    while let Some(task) = tasks.recv().await {
        drop(tokio::task::spawn_local(task));
    }
}

impl fmt::Debug for Background {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Background").field(&self.name).finish()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::channel;

    use super::*;

    #[test]
    fn tasks_of_many_threads_run_on_one_thread_of_that_name() {
        let background = Arc::new(Background::new("zt-test"));
        let (done, outcome) = channel();
        let threads: Vec<_> = (0..8)
            .map(|_| {
                let (background, done) = (Arc::clone(&background), done.clone());
                thread::spawn(move || {
                    background.spawn(Box::pin(async move {
                        let name = thread::current().name().map(str::to_owned);
                        done.send((thread::current().id(), name)).unwrap();
                    }));
                })
            })
            .collect();
        for thread in threads {
            thread.join().unwrap();
        }
        let ran: Vec<_> = (0..8).map(|_| outcome.recv().unwrap()).collect();
        assert!(
            ran.iter()
                .all(|(_, name)| name.as_deref() == Some("zt-test"))
        );
        let (first, _) = ran[0];
        assert!(ran.iter().all(|(id, _)| *id == first));
    }

    #[test]
    fn a_task_that_panics_ends_alone() {
        let background = Background::new("zt-test");
        let (done, outcome) = channel();
        background.spawn(Box::pin(async { panic!("scripted") }));
        background.spawn(Box::pin(async move { done.send(7).unwrap() }));
        assert_eq!(outcome.recv(), Ok(7));
    }
}
