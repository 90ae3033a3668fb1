//! What our own queue takes of a miss: it is not the vault that is slow then, and a vault that is not asked is not waited for.

use tokio::time::{Instant, sleep};

use super::*;

/// Answers after so long.
#[derive(Debug)]
struct Slow {
    inner: Arc<MemoryVault>,
    takes: Duration,
}

impl SecretVault for Slow {
    fn fetch<'a>(
        &'a self,
        id: &'a SecretId,
        attempt: &'a Attempt,
    ) -> crate::port::BoxFuture<'a, Result<Fetched, VaultError>> {
        Box::pin(async move {
            sleep(self.takes).await;
            self.inner.fetch(id, attempt).await
        })
    }
}

fn slots(takes: u64, count: usize, limits: GateLimits) -> (Secrets, Vec<SecretRequest>) {
    let inner = Arc::new(MemoryVault::new());
    let requests: Vec<_> = (0..count)
        .map(|n| {
            let id = id(&format!("s{n}"));
            let value = SecretBytes::copy_of(b"zt-needle-slow");
            inner.set(&id, value, Validity::ALWAYS).unwrap();
            SecretRequest::new(id)
        })
        .collect();
    let takes = Duration::from_millis(takes);
    let clock: Arc<dyn Clock> = Arc::new(ManualClock::new(START));
    let secrets = Secrets::new(Arc::new(Slow { inner, takes }), clock).with_limits(limits);
    secrets.declare(requests.clone());
    (secrets, requests)
}

#[tokio::test(start_paused = true)]
async fn calls_that_began_late_say_nothing_against_the_vault() {
    // Places for 16: two batches are served, and the third begins when little is left.
    for (takes, served) in [(1_400, 32), (1_450, 32), (950, 48), (1_010, 32)] {
        let (secrets, requests) = slots(takes, 60, GateLimits::new());
        let warmed = secrets.warm(&requests, MINUTE).await;
        assert_eq!(warmed.ready, served, "{takes}");
        for (_, error) in &warmed.failed {
            assert_eq!(error.code(), Code::VaultUnavailable);
        }
        let gate = secrets.health().gates.remove(0);
        assert_eq!(
            (gate.state, secrets.counts().closings),
            ("open", 0),
            "{takes}"
        );
        let again = secrets.warm(&requests, MINUTE).await;
        assert!(again.ready > served, "{takes}");
    }
}

#[tokio::test(start_paused = true)]
async fn nobody_is_called_with_no_time_left_for_an_answer() {
    let (secrets, requests) = slots(1_460, 60, GateLimits::new());
    let begin = Instant::now();
    let warmed = secrets.warm(&requests, MINUTE).await;
    assert_eq!(warmed.ready, 32);
    assert_eq!(secrets.counts().fetches, 32, "the third batch had 80 ms");
    assert_eq!(begin.elapsed(), Duration::from_millis(2_920));
}

#[tokio::test(start_paused = true)]
async fn a_vault_that_is_too_slow_for_a_whole_call_is_to_blame_as_before() {
    let (secrets, requests) = slots(5_000, 16, GateLimits::new());
    assert_eq!(secrets.warm(&requests, MINUTE).await.ready, 0);
    assert_eq!(secrets.health().gates[0].state, "broken");
}
