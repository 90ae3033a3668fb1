//! An HTTP client whose requests run on one executor, whoever makes them.
//!
//! In: a client, an executor, a request from anywhere. Out: its answer. Connections belong to the executor that they were
//! opened on: one that a caller's runtime opened stands still when nobody drives that runtime, also for who finds it in the
//! pool. Never: a request that goes on when its caller has given up.

use std::fmt;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;

use tokio::sync::oneshot;

use crate::network::{HttpClient, HttpError, HttpRequest, HttpResponse};
use crate::port::{BoxFuture, Spawn};

type Outcome = Result<HttpResponse, HttpError>;

/// See the module.
pub(super) struct HttpOn {
    http: Arc<dyn HttpClient>,
    executor: Arc<dyn Spawn>,
}

impl HttpOn {
    pub(super) const fn new(http: Arc<dyn HttpClient>, executor: Arc<dyn Spawn>) -> Self {
        Self { http, executor }
    }
}

impl HttpClient for HttpOn {
    fn send(&self, request: HttpRequest) -> BoxFuture<'_, Outcome> {
        let (tell, told) = oneshot::channel();
        let http = Arc::clone(&self.http);
        self.executor.spawn(Box::pin(exchange(http, request, tell)));
        Box::pin(async move {
            told.await.unwrap_or_else(|_| {
                let reason = "the executor that it runs on has ended".to_owned();
                Err(HttpError::Malformed { reason })
            })
        })
    }
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

    #[test]
    fn requests_of_every_runtime_run_on_one_executor() {
        let executor: Arc<dyn Spawn> = Arc::new(Background::new("zt-test"));
        let http = HttpOn::new(Arc::new(Named::default()), executor);
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
        let executor: Arc<dyn Spawn> = Arc::new(Background::new("zt-test"));
        let http = HttpOn::new(Arc::new(named), executor);
        let mut sent = http.send(HttpRequest::get("https://login.test/never"));
        assert!(futures_util::poll!(&mut sent).is_pending());
        drop(sent);
        while given_up.load(Ordering::SeqCst) == 0 {
            tokio::task::yield_now().await;
        }
    }
}
