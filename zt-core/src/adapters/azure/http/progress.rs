//! How far a connection under way is, and for how long it may stay there.
//!
//! In: a connector of `reqwest`, and from inside of it word of each stage that is reached. Out: the same connector with a limit for
//! each stage of its own: a host that swallows packets is told from one whose name takes long to look up. The look-up has none
//! beside the request's own deadline: a resolver whose first server is dead answers after five seconds.

use std::error::Error as StdError;
use std::io;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, AtomicUsize, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::time::{Sleep, sleep};
use tower::{Layer, Service};

/// How long one host may take to accept a connection.
const ACCEPT: Duration = Duration::from_secs(1);

/// How long its handshake may take.
const HANDSHAKE: Duration = Duration::from_secs(3);

type BoxError = Box<dyn StdError + Send + Sync>;

tokio::task_local! {
    static CURRENT: Arc<Progress>;
}

/// What a connection waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Stage {
    /// The addresses of the name.
    LookUp,
    /// One of them to accept.
    Accept,
    /// TLS.
    Handshake,
}

/// Which stage a connection has reached.
#[derive(Debug)]
pub(super) struct Progress(AtomicU8);

/// The connection that is polled here and now has reached this stage.
pub(super) fn reached(stage: Stage) {
    let _outside = CURRENT.try_with(|current| current.0.store(stage as u8, Ordering::Relaxed));
}

impl Progress {
    const fn at(stage: Stage) -> Self {
        Self(AtomicU8::new(stage as u8))
    }

    pub(super) fn stage(&self) -> Stage {
        match self.0.load(Ordering::Relaxed) {
            0 => Stage::LookUp,
            1 => Stage::Accept,
            _ => Stage::Handshake,
        }
    }

    #[cfg(test)]
    pub(super) fn watched<F: Future>(future: F) -> (Arc<Self>, impl Future<Output = F::Output>) {
        let own = Arc::new(Self::at(Stage::LookUp));
        (Arc::clone(&own), CURRENT.scope(own, future))
    }
}

impl Stage {
    fn limit(self) -> Option<Pin<Box<Sleep>>> {
        let limit = match self {
            Self::LookUp => return None,
            Self::Accept => ACCEPT,
            Self::Handshake => HANDSHAKE,
        };
        Some(Box::pin(sleep(limit)))
    }
}

/// Makes the connectors of one route's client keep the limits.
#[derive(Debug, Clone)]
pub(super) struct Limits {
    pub(super) starts_at: Stage,
    /// How often no address accepted in time: the next connection begins with another one.
    pub(super) silences: Arc<AtomicUsize>,
}

/// A connector with limits.
#[derive(Debug, Clone)]
pub(super) struct Limited<S> {
    inner: S,
    limits: Limits,
}

impl<S> Layer<S> for Limits {
    type Service = Limited<S>;

    fn layer(&self, inner: S) -> Limited<S> {
        let limits = self.clone();
        Limited { inner, limits }
    }
}

impl<S, R> Service<R> for Limited<S>
where
    S: Service<R, Error = BoxError>,
    S::Future: Send + 'static,
    S::Response: 'static,
{
    type Response = S::Response;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<S::Response, BoxError>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: R) -> Self::Future {
        let connecting = self.inner.call(request);
        Box::pin(limited(connecting, self.limits.clone()))
    }
}

async fn limited<T>(
    connecting: impl Future<Output = Result<T, BoxError>>,
    limits: Limits,
) -> Result<T, BoxError> {
    let progress = Arc::new(Progress::at(limits.starts_at));
    let mut connecting = pin!(CURRENT.scope(Arc::clone(&progress), connecting));
    let mut stage = limits.starts_at;
    let mut limit = stage.limit();
    std::future::poll_fn(move |context| {
        if let Poll::Ready(connected) = connecting.as_mut().poll(context) {
            return Poll::Ready(connected);
        }
        if stage != progress.stage() {
            stage = progress.stage();
            limit = stage.limit();
        }
        let is_over = |limit: &mut Pin<Box<Sleep>>| limit.as_mut().poll(context).is_ready();
        if !limit.as_mut().is_some_and(is_over) {
            return Poll::Pending;
        }
        if stage == Stage::Accept {
            limits.silences.fetch_add(1, Ordering::Relaxed);
        }
        Poll::Ready(Err(io::Error::from(io::ErrorKind::TimedOut).into()))
    })
    .await
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whether a connection with these waits comes about, and how often no address accepted.
    async fn connects(starts_at: Stage, waits: [u64; 3]) -> (bool, usize) {
        let silences = Arc::default();
        let limits = Limits {
            starts_at,
            silences: Arc::clone(&silences),
        };
        let [look_up, accept, handshake] = waits.map(Duration::from_millis);
        let connecting = async move {
            sleep(look_up).await;
            reached(Stage::Accept);
            sleep(accept).await;
            reached(Stage::Handshake);
            sleep(handshake).await;
            Ok(())
        };
        let connected = limited(connecting, limits).await.is_ok();
        (connected, silences.load(Ordering::Relaxed))
    }

    #[tokio::test(start_paused = true)]
    async fn each_stage_has_a_limit_of_its_own_and_the_look_up_none() {
        let named = |waits| connects(Stage::LookUp, waits);
        assert_eq!(named([5_500, 900, 2_900]).await, (true, 0));
        assert_eq!(named([0, 1_100, 0]).await, (false, 1));
        assert_eq!(named([0, 0, 3_100]).await, (false, 0));
        let literal = connects(Stage::Accept, [1_100, 0, 0]).await;
        assert_eq!(literal, (false, 1), "an address is not looked up");
    }
}
