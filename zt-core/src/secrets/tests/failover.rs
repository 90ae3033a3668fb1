//! The second vault: when it is asked, and what its answers mean.

use super::*;

/// Two vaults that fail on their own.
#[derive(Debug)]
struct Two {
    first: FaultyVault,
    second: FaultyVault,
}

impl SecretVault for Two {
    fn fetch<'a>(
        &'a self,
        id: &'a SecretId,
        attempt: &'a Attempt,
    ) -> crate::port::BoxFuture<'a, Result<Fetched, VaultError>> {
        if id.vault() == &second() {
            self.second.fetch(id, attempt)
        } else {
            self.first.fetch(id, attempt)
        }
    }
}

fn second() -> VaultUrl {
    "https://kv-brindlewick-dr.vault.azure.net".parse().unwrap()
}

struct Pair {
    memory: Arc<MemoryVault>,
    vaults: Arc<Two>,
    clock: Arc<ManualClock>,
    secrets: Secrets,
    request: SecretRequest,
}

impl Pair {
    fn new() -> Self {
        let memory = Arc::new(MemoryVault::new());
        let faulty = || FaultyVault::new(Arc::clone(&memory) as Arc<dyn SecretVault>);
        let vaults = Arc::new(Two {
            first: faulty(),
            second: faulty(),
        });
        let clock = Arc::new(ManualClock::new(START));
        let secrets = Secrets::new(
            Arc::clone(&vaults) as Arc<dyn SecretVault>,
            Arc::clone(&clock) as Arc<dyn Clock>,
        );
        let request = SecretRequest::new(id("adb-token")).with_fallback(second());
        secrets.declare([request.clone()]);
        Self {
            memory,
            vaults,
            clock,
            secrets,
            request,
        }
    }

    fn set(&self, vault: VaultUrl, value: &str) -> SecretVersion {
        let id = SecretId::new(vault, "adb-token".parse().unwrap());
        let value = SecretBytes::copy_of(value.as_bytes());
        self.memory.set(&id, value, Validity::ALWAYS).unwrap()
    }

    fn calls(&self) -> (u64, u64) {
        (self.vaults.first.calls(), self.vaults.second.calls())
    }
}

#[tokio::test(start_paused = true)]
async fn the_second_vault_is_asked_for_what_the_first_could_not_answer() {
    let id = id("adb-token");
    for (error, goes_on) in [
        (VaultError::unavailable("503", None), true),
        (VaultError::throttled(None), true),
        (VaultError::firewall("kv", "ForbiddenByFirewall"), true),
        (VaultError::tls("another name"), true),
        (VaultError::network_refused("no rule"), true),
        (VaultError::integrity("kv", "not JSON"), true),
        (VaultError::not_found(&id), false),
        (VaultError::disabled(&id), false),
        (VaultError::denied(&id, "ForbiddenByRbac"), false),
        (VaultError::unauthenticated("401"), false),
        (VaultError::invalid("400"), false),
    ] {
        let pair = Pair::new();
        pair.set(second(), "zt-needle-second");
        pair.vaults.first.fail(1, &error);
        let read = pair.secrets.get(&pair.request).await;
        assert_eq!(read.is_ok(), goes_on, "{error}");
        assert_eq!(pair.calls(), (1, u64::from(goes_on)), "{error}");
        assert_eq!(pair.secrets.counts().failovers, u64::from(goes_on));
        if let Ok(secret) = read {
            let vault = secret.details().find(|(name, _)| *name == "vault");
            assert_eq!(
                vault,
                Some(("vault", second().as_str())),
                "the audit is told"
            );
        }
    }
}

#[tokio::test(start_paused = true)]
async fn the_none_of_a_second_vault_ends_nothing() {
    let pair = Pair::new();
    pair.set(id("adb-token").vault().clone(), "zt-needle-first");
    assert!(pair.secrets.get(&pair.request).await.is_ok());
    for _ in 0..3 {
        pair.clock.advance(14 * MINUTE);
        pair.vaults
            .first
            .fail(1, &VaultError::unavailable("503", None));
        assert!(pair.secrets.peek(&pair.request).is_some());
        settle(&pair.secrets).await;
        let held = pair.secrets.peek(&pair.request).unwrap();
        assert!(held.reveal() == b"zt-needle-first");
        assert_eq!(slot_of(&pair.secrets, "adb-token").failures, 1);
        pair.clock.advance(MINUTE);
        assert!(pair.secrets.peek(&pair.request).is_some());
        settle(&pair.secrets).await;
    }
    let pair = Pair::new();
    pair.vaults
        .first
        .fail(1, &VaultError::unavailable("503", None));
    let error = pair.secrets.get(&pair.request).await.unwrap_err();
    assert_eq!(
        error.code(),
        Code::VaultUnavailable,
        "what the first one said"
    );
    assert_eq!(slot_of(&pair.secrets, "adb-token").state, SlotState::Absent);
}

#[tokio::test(start_paused = true)]
async fn a_closed_gate_of_the_first_leads_to_the_second_at_once() {
    let pair = Pair::new();
    pair.set(second(), "zt-needle-gate");
    pair.vaults
        .first
        .fail(1, &VaultError::throttled(Some(MINUTE)));
    let hasty = pair.request.clone().with_ttl(Duration::ZERO);
    for calls in 1..=3 {
        let begin = tokio::time::Instant::now();
        assert!(pair.secrets.get(&hasty).await.is_ok());
        assert_eq!(begin.elapsed(), Duration::ZERO);
        assert_eq!(pair.calls(), (1, calls));
    }
}

#[tokio::test(start_paused = true)]
async fn a_first_vault_that_hangs_leaves_time_for_the_second() {
    let pair = Pair::new();
    pair.set(second(), "zt-needle-time");
    pair.vaults.first.hold();
    let begin = tokio::time::Instant::now();
    assert!(pair.secrets.get(&pair.request).await.is_ok());
    assert_eq!(begin.elapsed(), Duration::from_millis(1500));
    assert_eq!(pair.calls(), (1, 1));
}

#[tokio::test(start_paused = true)]
async fn a_pinned_version_is_the_same_in_both_vaults_or_none() {
    let pair = Pair::new();
    let first = pair.set(id("adb-token").vault().clone(), "zt-needle-one");
    pair.set(second(), "zt-needle-other");
    pair.vaults
        .first
        .fail(2, &VaultError::unavailable("503", None));
    let pinned = SecretRequest::new(id("adb-token").at(first)).with_fallback(second());
    pair.secrets.declare([pinned.clone()]);
    let error = pair.secrets.get(&pinned).await.unwrap_err();
    assert_eq!(error.code(), Code::VaultUnavailable);
    assert_eq!(
        pair.calls(),
        (1, 1),
        "it was asked, and has no such version"
    );
}

#[tokio::test(start_paused = true)]
async fn what_is_held_is_never_replaced_by_the_second_vault() {
    let pair = Pair::new();
    pair.set(id("adb-token").vault().clone(), "zt-needle-first");
    pair.set(second(), "zt-needle-lagging");
    assert!(pair.secrets.get(&pair.request).await.is_ok());
    let down = VaultError::unavailable("503", None);
    pair.vaults.first.fail(2, &down);
    assert!(pair.secrets.refresh(&pair.request).await.is_err());
    pair.clock.advance(14 * MINUTE);
    pair.vaults.first.fail(1, &down);
    assert!(
        pair.secrets.peek(&pair.request).is_some(),
        "refreshed beside"
    );
    settle(&pair.secrets).await;
    assert_eq!(pair.calls(), (4, 0));
    let held = pair.secrets.peek(&pair.request).unwrap();
    assert!(held.reveal() == b"zt-needle-first");
}

/// A value that came from the second vault.
async fn from_second() -> Pair {
    let pair = Pair::new();
    pair.set(second(), "zt-needle-second");
    pair.vaults
        .first
        .fail(1, &VaultError::unavailable("503", None));
    let secret = pair.secrets.get(&pair.request).await.unwrap();
    assert!(secret.reveal() == b"zt-needle-second");
    pair
}

#[tokio::test(start_paused = true)]
async fn a_value_of_the_second_vault_ends_with_its_name_in_the_reference() {
    let pair = from_second().await;
    pair.secrets.declare([pair.request.clone()]);
    assert!(pair.secrets.peek(&pair.request).is_some());
    let alone = SecretRequest::new(id("adb-token"));
    pair.secrets.declare([alone.clone()]);
    assert!(pair.secrets.peek(&alone).is_none());
}

#[tokio::test(start_paused = true)]
async fn a_value_of_the_second_vault_ends_with_the_row_of_that_vault() {
    let pair = from_second().await;
    let refuses = |id: &SecretId| {
        (*id.vault() == second()).then(|| VaultError::network_refused("no row names it"))
    };
    pair.secrets.declare_where([pair.request.clone()], refuses);
    assert!(pair.secrets.peek(&pair.request).is_none());
}

#[tokio::test(start_paused = true)]
async fn what_a_removed_second_vault_gave_a_single_version_is_not_served_and_it_is_not_asked_again()
{
    let pair = Pair::new();
    let version = pair.set(second(), "zt-needle-second");
    let down = VaultError::unavailable("503", None);
    pair.vaults.first.fail(100, &down);
    let read = pair.secrets.get_version(&pair.request, version).await;
    assert!(read.unwrap().reveal() == b"zt-needle-second");
    let asked = pair.calls().1;
    pair.secrets.declare([pair.request.clone()]);
    let kept = pair.secrets.get_version(&pair.request, version).await;
    assert!(kept.is_ok(), "a reload that changes nothing keeps it");

    let alone = pair.request.alone();
    pair.secrets.declare([alone.clone()]);
    assert!(pair.secrets.peek(&alone.clone().at(version)).is_none());
    assert!(pair.secrets.get_version(&alone, version).await.is_err());
    assert_eq!(pair.calls().1, asked, "nobody names it any more");
}

#[tokio::test(start_paused = true)]
async fn what_is_under_way_to_a_second_vault_does_not_land_once_nobody_names_it() {
    let pair = Arc::new(Pair::new());
    pair.set(second(), "zt-needle-second");
    let down = VaultError::unavailable("503", None);
    pair.vaults.first.fail(100, &down);
    pair.vaults.second.hold();
    let reader = Arc::clone(&pair);
    let waiting = tokio::spawn(async move { reader.secrets.get(&reader.request).await.is_ok() });
    while pair.calls().1 == 0 {
        tokio::task::yield_now().await;
    }
    let alone = pair.request.alone();
    pair.secrets.declare([alone.clone()]);
    pair.vaults.second.release();
    assert!(
        waiting.await.unwrap(),
        "who asked under the old row is answered"
    );
    assert!(pair.secrets.peek(&alone).is_none());
    assert!(pair.secrets.get(&alone).await.is_err());
    assert_eq!(pair.calls().1, 1);
}

#[tokio::test(start_paused = true)]
async fn a_first_vault_whose_places_are_taken_leaves_time_for_the_second() {
    let pair = Pair::new();
    pair.set(second(), "zt-needle-places");
    let first = id("adb-token").vault().clone();
    let busy: Vec<_> = (0..16)
        .map(|n| {
            let id = SecretId::new(first.clone(), format!("s{n}").parse().unwrap());
            let value = SecretBytes::copy_of(b"zt-needle-busy");
            pair.memory.set(&id, value, Validity::ALWAYS).unwrap();
            SecretRequest::new(id)
        })
        .collect();
    let all = busy.iter().chain([&pair.request]).cloned();
    pair.secrets.declare(all);
    assert_eq!(pair.secrets.warm(&busy, MINUTE).await.ready, 16);
    pair.vaults.first.hold();
    pair.clock.advance(14 * MINUTE);
    for request in &busy {
        assert!(pair.secrets.peek(request).is_some(), "refreshed beside");
    }
    while pair.calls().0 < 32 {
        tokio::task::yield_now().await;
    }
    let begin = tokio::time::Instant::now();
    let secret = pair.secrets.get(&pair.request).await.unwrap();
    assert!(secret.reveal() == b"zt-needle-places");
    assert!(begin.elapsed() <= Duration::from_millis(1500));
    assert_eq!(pair.calls(), (32, 1));
}

#[tokio::test(start_paused = true)]
async fn a_row_without_a_second_vault_is_never_served_one_and_a_row_with_one_fails_over() {
    for is_alone_first in [true, false] {
        let pair = Pair::new();
        pair.set(second(), "zt-needle-second");
        let alone = pair.request.alone();
        let mut rows = [alone.clone(), pair.request.clone()];
        if !is_alone_first {
            rows.reverse();
        }
        pair.secrets.declare(rows.clone());
        let down = VaultError::unavailable("503", None);
        pair.vaults.first.fail(100, &down);
        // Both at once, and one after the other.
        for _ in 0..2 {
            let [with, without] = [&pair.request, &alone].map(|row| pair.secrets.get(row));
            let (with, without) = tokio::join!(with, without);
            assert!(with.unwrap().reveal() == b"zt-needle-second");
            assert_eq!(without.unwrap_err().code(), Code::VaultUnavailable);
            assert!(pair.secrets.peek(&alone).is_none());
        }
        assert_eq!(pair.calls().1, 1);
    }
}

#[tokio::test(start_paused = true)]
async fn a_row_that_is_given_another_second_vault_keeps_what_it_holds() {
    let pair = Pair::new();
    pair.set(id("adb-token").vault().clone(), "zt-needle-first");
    assert!(pair.secrets.get(&pair.request).await.is_ok());
    let other = SecretRequest::new(id("adb-token"))
        .with_fallback("https://kv-brindlewick-3.vault.azure.net".parse().unwrap());
    for row in [other, pair.request.alone(), pair.request.clone()] {
        pair.secrets.declare([row.clone()]);
        let held = pair.secrets.peek(&row).unwrap();
        assert!(held.reveal() == b"zt-needle-first");
    }
    assert_eq!(pair.calls(), (1, 0));
}
