//! An HTTP client whose requests run on one executor, whoever makes them.
//!
//! In: a client, an executor, a request from anywhere. Out: its answer. Connections belong to the executor that they were
//! opened on: one that a caller's runtime opened stands still when nobody drives that runtime, also for who finds it in the
//! pool. A second executor keeps the deadline: what blocks the first holds nobody up. Never: a request that goes on when its
//! caller has given up.

use std::fmt;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use futures_util::future::{Either, select};
use tokio::sync::oneshot;
use tokio::time::timeout;

use crate::network::{HttpClient, HttpError, HttpRequest, HttpResponse};
use crate::port::{BoxFuture, Spawn};

type Outcome = Result<HttpResponse, HttpError>;

/// A request ends by itself at its deadline, unless its executor stands still.
const LITTLE: Duration = Duration::from_millis(500);

/// See the module.
pub(super) struct HttpOn {
    http: Arc<dyn HttpClient>,
    executor: Arc<dyn Spawn>,
    timer: Arc<dyn Spawn>,
}

impl HttpOn {
    pub(super) const fn new(
        http: Arc<dyn HttpClient>,
        executor: Arc<dyn Spawn>,
        timer: Arc<dyn Spawn>,
    ) -> Self {
        Self {
            http,
            executor,
            timer,
        }
    }

    /// Is told when a request must be over, if who holds the other end still waits.
    fn too_late(&self, deadline: Duration) -> (oneshot::Receiver<()>, oneshot::Sender<()>) {
        let (tell, late) = oneshot::channel();
        let (waits, ended) = oneshot::channel();
        self.timer.spawn(Box::pin(async move {
            if timeout(deadline.saturating_add(LITTLE), ended)
                .await
                .is_err()
            {
                let _still_waits = tell.send(());
            }
        }));
        (late, waits)
    }
}

impl HttpClient for HttpOn {
    fn send(&self, request: HttpRequest) -> BoxFuture<'_, Outcome> {
        let (tell, told) = oneshot::channel();
        let (deadline, host) = (request.deadline, host(&request.url));
        let (late, waits) = self.too_late(deadline);
        let http = Arc::clone(&self.http);
        self.executor.spawn(Box::pin(exchange(http, request, tell)));
        Box::pin(async move {
            let _waits = waits;
            let told = match select(told, late).await {
                Either::Left((told, _)) => told,
                Either::Right((Ok(()), _)) => return Err(HttpError::Timeout { host, deadline }),
                // No timer, where a machine is out of threads.
                Either::Right((Err(_), told)) => told.await,
            };
            told.unwrap_or_else(|_| {
                let reason = "the executor that it runs on has ended".to_owned();
                Err(HttpError::Malformed { reason })
            })
        })
    }
}

/// As an error names it.
fn host(url: &str) -> String {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let authority = rest.get(..end).unwrap_or_default();
    let host = authority
        .rsplit_once('@')
        .map_or(authority, |(_, host)| host);
    host.to_owned()
}

/// Until there is an answer, or nobody who waits for it.
async fn exchange(
    http: Arc<dyn HttpClient>,
    request: HttpRequest,
    mut tell: oneshot::Sender<Outcome>,
) {
    let mut sent = pin!(http.send(request));
    let outcome = std::future::poll_fn(|context| {
        if tell.poll_closed(context).is_ready() {
            return Poll::Ready(None);
        }
        sent.as_mut().poll(context).map(Some)
    });
    if let Some(outcome) = outcome.await {
        drop(tell.send(outcome));
    }
}

impl fmt::Debug for HttpOn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.http.fmt(f)
    }
}

#[cfg(test)]
#[cfg(feature = "testing")]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::thread;

    use super::*;
    use crate::runtime::background::Background;

    /// Answers with the name of the thread that it runs on, or never.
    #[derive(Debug, Default)]
    struct Named {
        given_up: Arc<AtomicUsize>,
    }

    struct Counting(Arc<AtomicUsize>);

    impl Drop for Counting {
        fn drop(&mut self) {
            self.0.fetch_add(1, Ordering::SeqCst);
        }
    }

    impl HttpClient for Named {
        fn send(&self, request: HttpRequest) -> BoxFuture<'_, Outcome> {
            let counted = Counting(Arc::clone(&self.given_up));
            Box::pin(async move {
                let _counted = counted;
                if request.url.ends_with("never") {
                    std::future::pending::<()>().await;
                }
                let name = thread::current().name().unwrap_or_default().to_owned();
                Ok(HttpResponse::new(200, name))
            })
        }
    }

    fn on_threads(named: Named) -> HttpOn {
        let executor = Arc::new(Background::new("zt-test"));
        let timer = Arc::new(Background::new("zt-test-timer"));
        HttpOn::new(Arc::new(named), executor, timer)
    }

    #[test]
    fn requests_of_every_runtime_run_on_one_executor() {
        let http = on_threads(Named::default());
        for _ in 0..2 {
            let burst = tokio::runtime::Builder::new_current_thread()
                .build()
                .unwrap();
            let sent = http.send(HttpRequest::get("https://login.test/"));
            assert_eq!(&*burst.block_on(sent).unwrap().body, b"zt-test");
        }
    }

    #[tokio::test]
    async fn a_request_ends_with_who_made_it() {
        let named = Named::default();
        let given_up = Arc::clone(&named.given_up);
        let http = on_threads(named);
        let mut sent = http.send(HttpRequest::get("https://login.test/never"));
        assert!(futures_util::poll!(&mut sent).is_pending());
        drop(sent);
        while given_up.load(Ordering::SeqCst) == 0 {
            tokio::task::yield_now().await;
        }
    }

    /// An executor that a file system blocks.
    #[derive(Debug, Default)]
    struct Blocked(std::sync::Mutex<Kept>);

    #[derive(Default)]
    struct Kept(Vec<BoxFuture<'static, ()>>);

    impl fmt::Debug for Kept {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("Kept")
        }
    }

    impl Spawn for Blocked {
        fn spawn(&self, task: BoxFuture<'static, ()>) {
            self.0.lock().unwrap().0.push(task);
        }
    }

    #[derive(Debug)]
    struct Timers;

    impl Spawn for Timers {
        fn spawn(&self, task: BoxFuture<'static, ()>) {
            drop(tokio::spawn(task));
        }
    }

    #[tokio::test(start_paused = true)]
    async fn an_executor_that_stands_still_holds_nobody_up_for_longer_than_a_deadline() {
        let blocked = Arc::new(Blocked::default());
        let executor: Arc<dyn Spawn> = Arc::<Blocked>::clone(&blocked);
        let http = HttpOn::new(Arc::new(Named::default()), executor, Arc::new(Timers));
        let deadline = Duration::from_secs(10);
        let request = HttpRequest::get("https://login.test:8443/tenant?secret=1").within(deadline);
        let begin = tokio::time::Instant::now();
        let late = timeout(deadline * 2, http.send(request)).await.unwrap();
        let host = "login.test:8443".to_owned();
        assert_eq!(late.unwrap_err(), HttpError::Timeout { host, deadline });
        assert_eq!(begin.elapsed(), deadline + LITTLE);
        assert_eq!(blocked.0.lock().unwrap().0.len(), 1);
    }
}
