//! The look-up of one name that is under way.
//!
//! In: who wants its addresses. Out: those, to all who wait. One who gives up ends no look-up: a resolver that takes longer than
//! one attempt answers the next. Never: an address from longer ago than [`KEPT`], or a second look-up beside one that may
//! still answer, each of which would hold a thread.

use std::fmt;
use std::io;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::Shared;
use tokio::time::Instant;

use crate::network::{NameResolver, Route};
use crate::port::BoxFuture;

/// For how long a look-up counts. One that takes longer may have died with its runtime.
const KEPT: Duration = Duration::from_secs(30);

type Found = Result<Vec<IpAddr>, Arc<io::Error>>;

/// See the module.
pub(super) struct LookUps {
    names: Arc<dyn NameResolver>,
    under_way: Mutex<Option<UnderWay>>,
}

#[derive(Clone)]
struct UnderWay {
    began: Instant,
    found: Shared<BoxFuture<'static, Found>>,
}

impl LookUps {
    pub(super) const fn new(names: Arc<dyn NameResolver>) -> Self {
        Self {
            names,
            under_way: Mutex::new(None),
        }
    }

    /// The addresses of the route's name.
    pub(super) async fn of(&self, route: &Arc<Route>) -> io::Result<Vec<IpAddr>> {
        let under_way = self.join(route);
        let found = under_way.found.clone().await;
        // Told: the next connection asks anew.
        self.lock()
            .take_if(|kept| kept.found.ptr_eq(&under_way.found));
        found.map_err(|error| io::Error::new(error.kind(), error))
    }

    fn join(&self, route: &Arc<Route>) -> UnderWay {
        let now = Instant::now();
        let mut kept = self.lock();
        let counts = |one: &&UnderWay| now.saturating_duration_since(one.began) < KEPT;
        if let Some(one) = kept.as_ref().filter(counts) {
            return one.clone();
        }
        let (names, route) = (Arc::clone(&self.names), Arc::clone(route));
        let asked: BoxFuture<'static, Found> =
            Box::pin(async move { names.resolve(route.host()).await.map_err(Arc::new) });
        let began = UnderWay {
            began: now,
            found: asked.shared(),
        };
        kept.insert(began).clone()
    }

    fn lock(&self) -> MutexGuard<'_, Option<UnderWay>> {
        self.under_way
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for LookUps {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("LookUps").field(&self.names).finish()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use tokio::time::{sleep, timeout};

    use super::*;
    use crate::identity::Cloud;
    use crate::network::Guard;

    /// Answers after so long.
    #[derive(Debug)]
    struct Slow(Duration, AtomicUsize);

    impl NameResolver for Slow {
        fn resolve<'a>(&'a self, _host: &'a str) -> BoxFuture<'a, io::Result<Vec<IpAddr>>> {
            self.1.fetch_add(1, Ordering::SeqCst);
            Box::pin(async move {
                sleep(self.0).await;
                Ok(vec![IpAddr::from([20, 190, 160, 1])])
            })
        }
    }

    fn slow(takes: Duration) -> (Arc<Slow>, LookUps, Arc<Route>) {
        let names = Arc::new(Slow(takes, AtomicUsize::new(0)));
        let look_ups = LookUps::new(Arc::<Slow>::clone(&names));
        let guard = Guard::for_identity(Cloud::Public);
        let route = guard.route("https://graph.microsoft.com/").unwrap();
        (names, look_ups, Arc::new(route))
    }

    #[tokio::test(start_paused = true)]
    async fn a_look_up_goes_on_for_the_next_attempt() {
        let (names, look_ups, route) = slow(Duration::from_secs(2));
        let attempt = || timeout(Duration::from_millis(1_500), look_ups.of(&route));
        assert!(attempt().await.is_err());
        assert_eq!(attempt().await.unwrap().unwrap().len(), 1);
        assert_eq!(names.1.load(Ordering::SeqCst), 1);
        assert!(attempt().await.is_err(), "what was told is asked anew");
        assert_eq!(names.1.load(Ordering::SeqCst), 2);
    }

    #[tokio::test(start_paused = true)]
    async fn a_look_up_that_never_ends_is_left_after_half_a_minute() {
        let (names, look_ups, route) = slow(Duration::MAX);
        for _ in 0..40 {
            assert!(
                timeout(Duration::from_millis(1_500), look_ups.of(&route))
                    .await
                    .is_err()
            );
        }
        assert_eq!(names.1.load(Ordering::SeqCst), 2);
    }
}
