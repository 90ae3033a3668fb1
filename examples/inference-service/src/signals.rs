//! Signals of the system, caught from the first moment on: one that comes early must not end the process in the midst of its log.

use std::io;
use std::pin::Pin;

/// What the process is told from outside.
pub(crate) struct Signals {
    /// SIGTERM or Ctrl-C.
    pub(crate) stop: Pin<Box<dyn Future<Output = ()> + Send>>,
    /// SIGHUP.
    pub(crate) hangups: Hangups,
}

#[cfg(unix)]
pub(crate) struct Hangups(tokio::signal::unix::Signal);

#[cfg(unix)]
impl Signals {
    pub(crate) fn new() -> io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        let mut terminations = signal(SignalKind::terminate())?;
        let mut interrupts = signal(SignalKind::interrupt())?;
        let hangups = Hangups(signal(SignalKind::hangup())?);
        let stop = Box::pin(async move {
            tokio::select! {
                _ = terminations.recv() => {}
                _ = interrupts.recv() => {}
            }
        });
        Ok(Self { stop, hangups })
    }
}

#[cfg(unix)]
impl Hangups {
    /// Waits for the next; none where there will be no more.
    pub(crate) async fn next(&mut self) -> Option<()> {
        self.0.recv().await
    }
}

#[cfg(not(unix))]
pub(crate) struct Hangups;

#[cfg(not(unix))]
impl Signals {
    pub(crate) fn new() -> io::Result<Self> {
        let stop = Box::pin(async {
            let _interrupted = tokio::signal::ctrl_c().await;
        });
        Ok(Self {
            stop,
            hangups: Hangups,
        })
    }
}

#[cfg(not(unix))]
impl Hangups {
    /// There are none.
    pub(crate) async fn next(&mut self) -> Option<()> {
        None
    }
}
