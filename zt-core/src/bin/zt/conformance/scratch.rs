//! What the suites of secrets and of keys share: names of their own, attempts, and threads that may wait.

use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use anstream::println;
use tokio::runtime::Runtime;
use zt_core::clock::{Clock, SystemClock};
use zt_core::port::BoxFuture;
use zt_core::secrets::{Attempt, AttemptId, SecretId, SecretName, VaultError, VaultUrl};
use zt_core::{Code, Error};

use crate::paint;

/// Each call is over within this.
const DEADLINE: Duration = Duration::from_secs(15);

/// A run of the suites on one vault.
pub(super) struct Scratch {
    vault: VaultUrl,
    /// As names go: apart from every other run, and readable by whoever finds one.
    run: i64,
    attempts: AtomicU64,
    /// The suites write from synchronous functions, in the midst of what they await: connections must go on meanwhile, so
    /// they are driven by threads that nobody blocks.
    executor: Runtime,
}

impl std::fmt::Debug for Scratch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Scratch({})", self.vault)
    }
}

impl Scratch {
    pub(super) fn new(vault: VaultUrl) -> zt_core::Result<Self> {
        let built = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build();
        let executor =
            built.map_err(|why| Error::new(Code::Internal, "no executor").with_source(why))?;
        Ok(Self {
            vault,
            run: SystemClock::new().now().as_millis(),
            attempts: AtomicU64::new(1),
            executor,
        })
    }

    pub(super) const fn vault(&self) -> &VaultUrl {
        &self.vault
    }

    /// A name of this run.
    pub(super) fn name(&self, of: &str) -> Result<SecretName, VaultError> {
        let name = format!("zt-conformance-{}-{of}", self.run);
        name.parse()
            .map_err(|_| VaultError::invalid("the suite uses a name that is too long"))
    }

    /// Where this run keeps what the suite calls so.
    pub(super) fn here(&self, id: &SecretId) -> Result<SecretId, VaultError> {
        let other = if id.vault().as_str().contains("other") {
            "other-"
        } else {
            ""
        };
        let name = self.name(&format!("{other}{}", id.name()))?;
        let here = SecretId::new(self.vault.clone(), name);
        Ok(match id.version() {
            Some(version) => here.at(version),
            None => here,
        })
    }

    pub(super) fn attempt(&self) -> Attempt {
        let number = self.attempts.fetch_add(1, Ordering::Relaxed);
        let run = u128::from(self.run.unsigned_abs()) << 64;
        Attempt::new(AttemptId::from_u128(run | u128::from(number)), DEADLINE)
    }

    /// Says whether a check holds. One of the suite panics where the contract is broken, and its message tells where.
    pub(super) fn holds(&self, name: &str, check: BoxFuture<'_, ()>) -> bool {
        let passed = catch_unwind(AssertUnwindSafe(|| self.wait(check))).is_ok();
        let (good, bad) = (paint::GOOD, paint::BAD);
        if passed {
            println!("{good}holds{good:#}  {name}");
        } else {
            println!("{bad}fails{bad:#}  {name}");
        }
        passed
    }

    /// Runs a future to its end from a synchronous function, on a thread that may wait.
    pub(super) fn wait<T: Send>(&self, future: impl Future<Output = T> + Send) -> T {
        std::thread::scope(|scope| {
            let work = scope.spawn(|| self.executor.block_on(future));
            match work.join() {
                Ok(outcome) => outcome,
                Err(why) => std::panic::resume_unwind(why),
            }
        })
    }

    pub(super) fn end(self) {
        self.executor.shutdown_background();
    }
}

/// Purges what was deleted: a deletion takes some seconds to be done.
pub(super) async fn purged(
    mut purge: impl AsyncFnMut() -> Result<(), VaultError>,
) -> Result<(), VaultError> {
    let mut purged = purge().await;
    for _ in 0..30 {
        let is_early = matches!(
            purged,
            Err(VaultError::Unavailable { .. } | VaultError::NotFound { .. })
        );
        if !is_early {
            break;
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
        purged = purge().await;
    }
    purged
}
