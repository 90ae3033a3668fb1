//! From start to stop: two listeners, three tasks, and an end that loses nothing.
//!
//! In: options. Out: a service, until SIGTERM or Ctrl-C. Then `/readyz` says so at once, callers that are under way have their time,
//! and the runtime closes: the audit log is on the disk before the process ends.

use std::error::Error;
use std::io::Write as _;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::sync::watch;

use crate::options::Options;
use crate::service::Service;
use crate::signals::{Hangups, Signals};
use crate::{admin, http};

/// How long the audit log may take to be written at the end.
const FLUSH: Duration = Duration::from_secs(10);

/// Serves until it is told to stop.
///
/// # Errors
/// A folder that cannot be opened, an address that is taken, or an audit log that could not be written at the end.
pub async fn run(options: Options) -> Result<(), Box<dyn Error>> {
    // First: a signal that comes early must not end the process in the midst of its log.
    let signals = Signals::new()?;
    let callers = TcpListener::bind(options.listen).await?;
    let operators = TcpListener::bind(options.admin).await?;
    let service = Arc::new(Service::open(options).await?);
    let served = serve(&service, callers, operators, signals).await;
    let closed = service.zt.clone().close(FLUSH).await;
    served.map_err(|why| -> Box<dyn Error> { why })?;
    closed?;
    say("stopped");
    Ok(())
}

async fn serve(
    service: &Arc<Service>,
    callers: TcpListener,
    operators: TcpListener,
    signals: Signals,
) -> Result<(), Box<dyn Error + Send + Sync>> {
    let Signals {
        stop: told_to_stop,
        hangups,
    } = signals;
    let (patience, probe) = (service.options.drain_s, service.options.probe_s);
    let (stop, stopped) = watch::channel(false);
    // Models may have taken longer to fit than tables are trusted unconfirmed. What is wrong is noted.
    let _is_noted = service.changes.look(service).await;
    service.look_at_itself().await;
    say(&format!(
        "serving callers at http://{} and operators at http://{}",
        callers.local_addr()?,
        operators.local_addr()?
    ));

    let admin = axum::serve(operators, admin::router(Arc::clone(service)));
    let admin = tokio::spawn(admin.into_future());
    let tasks = [
        tokio::spawn(look_at_itself(Arc::clone(service), probe)),
        tokio::spawn(follow_tables(Arc::clone(service))),
        tokio::spawn(look_on_hangup(Arc::clone(service), hangups)),
    ];
    let door = axum::serve(callers, http::router(Arc::clone(service)));
    let door = door.with_graceful_shutdown(told(stopped));
    let mut door = tokio::spawn(door.into_future());

    let served = tokio::select! {
        served = &mut door => Some(served),
        () = told_to_stop => None,
    };
    service.counters.is_draining.store(true, Ordering::Relaxed);
    say("draining");
    let _nobody_listens = stop.send(true);
    if served.is_none() && tokio::time::timeout(patience, &mut door).await.is_err() {
        say("some callers were not done in time");
        door.abort();
    }
    tasks.iter().for_each(tokio::task::JoinHandle::abort);
    admin.abort();
    match served {
        Some(served) => Ok(served??),
        None => Ok(()),
    }
}

async fn told(mut to: watch::Receiver<bool>) {
    let _is_told_or_nobody_can = to.wait_for(|is| *is).await;
}

async fn look_at_itself(service: Arc<Service>, every: Duration) {
    loop {
        tokio::time::sleep(every).await;
        service.look_at_itself().await;
    }
}

async fn follow_tables(service: Arc<Service>) {
    service.changes.run(&service).await;
}

async fn look_on_hangup(service: Arc<Service>, mut hangups: Hangups) {
    while hangups.next().await.is_some() {
        service.changes.wake();
    }
}

/// Who runs this reads it; if nobody can, it serves on. Never a secret: errors of zt hold none.
pub(crate) fn say(line: &str) {
    let _written = writeln!(std::io::stderr(), "{line}");
}
