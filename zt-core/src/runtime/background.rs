//! Where work runs that nobody waits for: fetches of keys, refreshes of groups.
//!
//! One thread with a small tokio runtime of its own, started by the first task. It holds no runtime of zt alive and ends with
//! the last handle; a fetch that is under way then is given up. A forked child has no such thread, and starts one of its own.

use std::fmt;
use std::sync::{Mutex, PoisonError};
use std::thread;

use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::task::LocalSet;

use crate::port::{BoxFuture, Spawn};

type Task = BoxFuture<'static, ()>;

/// The thread's inbox; none before the first task.
#[derive(Default)]
pub(crate) struct Background(Mutex<Option<Inbox>>);

struct Inbox {
    /// The process that the thread is in.
    process: u32,
    tasks: UnboundedSender<Task>,
}

impl Spawn for Background {
    fn spawn(&self, task: Task) {
        let mut inbox = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let process = std::process::id();
        let refused = match &*inbox {
            Some(open) if open.process == process => {
                open.tasks.send(task).err().map(|refused| refused.0)
            }
            Some(_) | None => Some(task),
        };
        // The first task, or one after the thread is gone: a machine out of threads may have some again.
        if let Some(task) = refused {
            *inbox = start().map(|tasks| Inbox { process, tasks });
            if let Some(open) = &*inbox {
                drop(open.tasks.send(task));
            }
        }
    }
}

fn start() -> Option<UnboundedSender<Task>> {
    let executor = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .ok()?;
    let (inbox, tasks) = unbounded_channel();
    let work = move || LocalSet::new().block_on(&executor, run(tasks));
    let thread = thread::Builder::new().name("zt-background".to_owned());
    let _runs_by_itself = thread.spawn(work).ok()?;
    Some(inbox)
}

/// Each task runs beside the others; one that panics ends alone.
async fn run(mut tasks: UnboundedReceiver<Task>) {
    while let Some(task) = tasks.recv().await {
        drop(tokio::task::spawn_local(task));
    }
}

impl fmt::Debug for Background {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Background")
    }
}
