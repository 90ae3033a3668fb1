//! Data keys on a vault that does as it is told, under a clock that stands still.

mod forks;

use std::collections::{BTreeMap, VecDeque};
use std::sync::LazyLock;
use std::sync::atomic::AtomicUsize;

use aws_lc_rs::encoding::AsDer as _;
use aws_lc_rs::rsa::{
    KeySize, OAEP_SHA256_MGF1SHA256, OaepPrivateDecryptingKey, PrivateDecryptingKey,
};
use tokio::sync::watch;

use super::*;
use crate::adapters::memory::MemoryKeys;
use crate::clock::Timestamp;
use crate::envelope::WrapAlgorithm;
use crate::error::{Code, ErrorKind};
use crate::port::BoxFuture;
use crate::secrets::{
    Attempt, Fetched, GateLimits, SecretBytes, SecretVersion, Validity, VaultUrl,
};
use crate::testing::ManualClock;

const NEEDLE: &[u8; 32] = b"zt-needle-dek-of-32-bytes-in-all";
const HOUR: u64 = 3600;
static RSA: LazyLock<[PrivateDecryptingKey; 2]> =
    LazyLock::new(|| [(); 2].map(|()| PrivateDecryptingKey::generate(KeySize::Rsa2048).unwrap()));

fn id(name: &str) -> SecretId {
    id_in("https://kv-loans.vault.azure.net", name)
}

fn id_in(vault: &str, name: &str) -> SecretId {
    SecretId::new(vault.parse().unwrap(), name.parse().unwrap())
}

fn request() -> SecretRequest {
    SecretRequest::new(id("kek"))
        .with_ttl(Duration::from_secs(900))
        .with_max_stale(Duration::from_secs(HOUR))
}

fn second() -> VaultUrl {
    "https://kv-second.vault.azure.net".parse().unwrap()
}

/// Keys of any name; the newest version is `versions`.
#[derive(Debug)]
struct Vault {
    versions: AtomicUsize,
    swapped: AtomicUsize,
    public_calls: AtomicUsize,
    unwrap_calls: AtomicUsize,
    script: Mutex<BTreeMap<String, VecDeque<Option<VaultError>>>>,
    held: watch::Sender<bool>,
}

impl Vault {
    /// The next calls to this host fail; `None` panics.
    fn fail(&self, host: &str, times: usize, error: &Option<VaultError>) {
        let mut script = self.script.lock().unwrap();
        let next = script.entry(host.to_owned()).or_default();
        next.extend(std::iter::repeat_n(error.clone(), times));
    }

    async fn answer(&self, key: &SecretId) -> Result<(), VaultError> {
        let next = {
            let mut script = self.script.lock().unwrap();
            let next = script.get_mut(key.vault().host());
            next.and_then(VecDeque::pop_front)
        };
        let mut held = self.held.subscribe();
        held.wait_for(|held| !held).await.unwrap();
        match next {
            None => Ok(()),
            Some(Some(error)) => Err(error),
            Some(None) => panic!("scripted panic of the vault"),
        }
    }

    fn unwraps(&self) -> usize {
        self.unwrap_calls.load(Ordering::SeqCst)
    }

    fn publics(&self) -> usize {
        self.public_calls.load(Ordering::SeqCst)
    }
}

fn version(number: usize) -> SecretVersion {
    SecretVersion::from_u128(number as u128)
}

impl RemoteKeys for Vault {
    fn public_key<'a>(
        &'a self,
        key: &'a SecretId,
        _: &'a Attempt,
    ) -> BoxFuture<'a, Result<Fetched, VaultError>> {
        Box::pin(async move {
            self.public_calls.fetch_add(1, Ordering::SeqCst);
            self.answer(key).await?;
            let newest = self.versions.load(Ordering::SeqCst);
            let swapped = self.swapped.load(Ordering::SeqCst);
            let spki = RSA[(newest + swapped) % 2].public_key().as_der().unwrap();
            let newest = key.version().unwrap_or_else(|| version(newest));
            Ok(Fetched::new(SecretBytes::copy_of(spki.as_ref()), newest))
        })
    }

    fn unwrap_key<'a>(
        &'a self,
        key: &'a SecretId,
        wrapped: &'a WrappedKey,
        attempt: &'a Attempt,
    ) -> BoxFuture<'a, Result<Option<Fetched>, VaultError>> {
        Box::pin(async move {
            self.unwrap_calls.fetch_add(1, Ordering::SeqCst);
            self.answer(key).await?;
            let opened = match wrapped.bytes.len() {
                // Short ones stand for themselves.
                32 => Some(wrapped.bytes.clone()),
                256 => RSA.iter().find_map(|rsa| {
                    let key = OaepPrivateDecryptingKey::new(rsa.clone()).unwrap();
                    let mut plain = vec![0; key.min_output_size()];
                    let plain =
                        key.decrypt(&OAEP_SHA256_MGF1SHA256, &wrapped.bytes, &mut plain, None);
                    plain.ok().map(|plain| plain.to_vec())
                }),
                _ => None,
            };
            let fetched = |dek: Vec<u8>| {
                Fetched::new(SecretBytes::copy_of(&dek), wrapped.version)
                    .with_path_proof("private_link")
                    .with_detail("client_request_id", attempt.id.to_string())
            };
            Ok(opened.map(fetched))
        })
    }
}

#[derive(Debug)]
struct Tasks;

impl Spawn for Tasks {
    fn spawn(&self, task: BoxFuture<'static, ()>) {
        drop(tokio::spawn(task));
    }
}

struct World {
    vault: Arc<Vault>,
    clock: Arc<ManualClock>,
    keys: DataKeys,
}

impl World {
    fn new() -> Self {
        Self::with(&request())
    }

    fn with(request: &SecretRequest) -> Self {
        let vault = Arc::new(Vault {
            versions: AtomicUsize::new(1),
            swapped: AtomicUsize::new(0),
            public_calls: AtomicUsize::new(0),
            unwrap_calls: AtomicUsize::new(0),
            script: Mutex::default(),
            held: watch::Sender::new(false),
        });
        let clock = Arc::new(ManualClock::new(Timestamp::from_secs(1_790_000_000)));
        let own: Arc<dyn Clock> = Arc::<ManualClock>::clone(&clock);
        let port: Arc<dyn RemoteKeys> = Arc::<Vault>::clone(&vault);
        let mut limits = GateLimits::new();
        limits.burst = 10_000;
        let public = Public::new(Arc::clone(&port));
        let public = Secrets::new(Arc::new(public), Arc::clone(&own)).with_limits(limits);
        let source = Source::Remote { keys: port, public };
        let keys = DataKeys::new(source, own, Timing::new(), Arc::new(Tasks), Arc::new(Tasks));
        keys.declare_where([request.clone()], |_| None);
        Self { vault, clock, keys }
    }

    fn later(&self, seconds: u64) {
        self.clock.advance(Duration::from_secs(seconds));
        self.keys.sweep();
    }

    async fn wrap(&self) -> Result<WrappedKey, KeyError> {
        let dek = DataKey::copy_of(NEEDLE).unwrap();
        self.keys.wrap(&id("kek"), &dek).await
    }

    async fn unwrap(&self, wrapped: &WrappedKey) -> Result<Unwrapped, Failed> {
        let unwrapped = self.keys.unwrap(&id("kek"), wrapped).await;
        match &unwrapped {
            Ok(unwrapped) => {
                assert!(unwrapped.dek.reveal() == NEEDLE);
                assert!(!format!("{unwrapped:?} {:?}", self.keys).contains("needle"));
            }
            Err(failed) => assert!(!format!("{failed:?}").contains("needle")),
        }
        unwrapped
    }
}

/// A wrapped key that the vault opens without the work of RSA.
fn easy() -> WrappedKey {
    WrappedKey::new(WrapAlgorithm::RsaOaep256, version(1), NEEDLE.to_vec())
}

fn down() -> Option<VaultError> {
    Some(VaultError::unavailable("503", None))
}

/// Spawned tasks run to where they wait.
async fn settle() {
    for _ in 0..50 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_thousand_openers_at_once_cost_one_call_and_later_ones_none() {
    let world = World::new();
    let wrapped = world.wrap().await.unwrap();
    world.vault.held.send_replace(true);
    let openers: Vec<_> = (0..1000)
        .map(|_| {
            let (keys, wrapped) = (world.keys.clone(), wrapped.clone());
            tokio::spawn(async move { keys.unwrap(&id("kek"), &wrapped).await })
        })
        .collect();
    settle().await;
    world.vault.held.send_replace(false);
    for opener in openers {
        let unwrapped = opener.await.unwrap().unwrap();
        assert!(unwrapped.dek.reveal() == NEEDLE && !unwrapped.is_cached);
    }
    assert_eq!(world.vault.unwraps(), 1);
    for _ in 0..1000 {
        assert!(world.unwrap(&wrapped).await.unwrap().is_cached);
    }
    assert_eq!(world.vault.unwraps(), 1);
    let health = world.keys.health();
    assert_eq!((health.held, health.hits, health.misses), (1, 1000, 1000));
}

#[tokio::test]
async fn who_gives_up_cancels_nothing() {
    let world = World::new();
    world.vault.held.send_replace(true);
    let wrapped = easy();
    let mut waiting = Box::pin(world.unwrap(&wrapped));
    tokio::select! {
        biased;
        _ = &mut waiting => panic!("nothing answered yet"),
        () = settle() => {}
    }
    drop(waiting);
    world.vault.held.send_replace(false);
    settle().await;
    assert!(world.unwrap(&wrapped).await.unwrap().is_cached);
    assert_eq!(world.vault.unwraps(), 1);
}

#[tokio::test]
async fn sealing_asks_once_for_a_ttl_and_outlives_an_outage_for_a_bounded_time() {
    let world = World::new();
    for _ in 0..100 {
        assert_eq!(world.wrap().await.unwrap().version, version(1));
    }
    assert_eq!((world.vault.publics(), world.vault.unwraps()), (1, 0));
    world.vault.fail("kv-loans.vault.azure.net", 1000, &down());
    for _ in 0..4 {
        world.later(900);
        world.wrap().await.unwrap();
        settle().await;
    }
    world.later(900);
    let error = world.wrap().await.unwrap_err();
    let error = Error::from(error);
    assert!(
        matches!(error.kind(), ErrorKind::Unavailable { .. }),
        "{error}"
    );
}

#[tokio::test]
async fn a_rotated_key_wraps_with_the_new_version_and_old_data_opens() {
    let world = World::new();
    let old = world.wrap().await.unwrap();
    world.vault.versions.store(2, Ordering::SeqCst);
    assert_eq!(
        world.wrap().await.unwrap().version,
        version(1),
        "within the TTL"
    );
    world.keys.invalidate(&"KEK".parse().unwrap());
    let new = world.wrap().await.unwrap();
    assert_eq!(new.version, version(2));
    world.vault.versions.store(3, Ordering::SeqCst);
    world.later(901);
    assert_eq!(world.wrap().await.unwrap().version, version(3));
    for wrapped in [&old, &new] {
        world.unwrap(wrapped).await.unwrap();
    }
}

#[tokio::test]
async fn a_pinned_row_wraps_with_its_version() {
    let pinned = SecretRequest::new(id("kek").at(version(7)));
    let world = World::with(&pinned);
    let dek = DataKey::copy_of(NEEDLE).unwrap();
    let wrapped = world.keys.wrap(pinned.key().id(), &dek).await.unwrap();
    assert_eq!(wrapped.version, version(7));
    assert!(
        world.keys.unwrap(pinned.key().id(), &easy()).await.is_ok(),
        "any version opens"
    );
    assert!(
        world.unwrap(&easy()).await.is_err(),
        "no row has it unpinned"
    );
}

#[tokio::test]
async fn the_public_part_of_a_version_does_not_change() {
    let world = World::new();
    world.wrap().await.unwrap();
    world.vault.swapped.store(1, Ordering::SeqCst);
    world.keys.invalidate(id("kek").name());
    let error = world.wrap().await.unwrap_err();
    assert!(
        matches!(error, KeyError::Vault(VaultError::Integrity { .. })),
        "{error:?}"
    );
    world.vault.swapped.store(0, Ordering::SeqCst);
    world.later(61);
    world.wrap().await.unwrap();
}

#[tokio::test]
async fn a_data_key_is_asked_for_anew_after_the_ttl_of_its_row() {
    let world = World::new();
    assert!(!world.unwrap(&easy()).await.unwrap().is_cached);
    world.later(899);
    assert!(world.unwrap(&easy()).await.unwrap().is_cached);
    world.later(2);
    assert!(!world.unwrap(&easy()).await.unwrap().is_cached);
    assert_eq!(world.vault.unwraps(), 2);

    let world = World::with(&request().with_ttl(Duration::ZERO));
    for calls in 1..=3 {
        assert!(!world.unwrap(&easy()).await.unwrap().is_cached);
        assert_eq!(
            (world.vault.unwraps(), world.keys.health().held),
            (calls, 0)
        );
    }
}

#[tokio::test]
async fn nobody_is_asked_ahead_of_a_reader() {
    let world = World::new();
    world.unwrap(&easy()).await.unwrap();
    for _ in 0..200 {
        world.later(60);
        settle().await;
    }
    assert_eq!(world.vault.unwraps(), 1);
    assert_eq!(world.keys.health().held, 0, "wiped when its time was over");
}

#[tokio::test]
async fn while_the_vault_is_down_a_data_key_is_served_for_a_bounded_time_and_says_so() {
    let world = World::new();
    world.unwrap(&easy()).await.unwrap();
    world.later(1000);
    world.vault.fail("kv-loans.vault.azure.net", 1000, &down());
    for _ in 0..50 {
        let stale = world.unwrap(&easy()).await.unwrap();
        assert_eq!(stale.stale_for, Some(Duration::from_secs(100)));
    }
    assert_eq!(world.vault.unwraps(), 3, "two attempts, and then it rests");
    assert_eq!(world.keys.health().stale, 50);
    world.later(HOUR);
    let failed = world.unwrap(&easy()).await.unwrap_err();
    let error = Error::from(failed);
    assert!(
        matches!(error.kind(), ErrorKind::Unavailable { .. }),
        "{error}"
    );
}

#[tokio::test]
async fn a_machine_that_slept_finds_its_keys_as_old_as_they_are() {
    let world = World::new();
    world.unwrap(&easy()).await.unwrap();
    let wakes = world.clock.now().as_secs() + 7200;
    world.clock.jump_to(Timestamp::from_secs(wakes));
    assert!(!world.unwrap(&easy()).await.unwrap().is_cached);
}

#[tokio::test]
async fn a_right_that_is_gone_ends_what_is_held_and_is_believed_for_half_a_minute() {
    for error in [
        VaultError::denied(&id("kek"), "ForbiddenByRbac"),
        VaultError::disabled(&id("kek")),
        VaultError::not_found(&id("kek")),
    ] {
        let world = World::new();
        world.unwrap(&easy()).await.unwrap();
        world.later(901);
        world
            .vault
            .fail("kv-loans.vault.azure.net", 1, &Some(error.clone()));
        for _ in 0..5 {
            assert!(world.unwrap(&easy()).await.is_err(), "{error:?}");
        }
        assert_eq!(world.vault.unwraps(), 2, "{error:?}");
        assert_eq!(world.keys.health().held, 0);
        let failed = Error::from(world.unwrap(&easy()).await.unwrap_err());
        assert!(failed.message().contains("/keys/kek"), "{failed}");
        world.later(61);
        world.unwrap(&easy()).await.unwrap();
    }
}

#[tokio::test]
async fn bytes_that_the_key_did_not_wrap_are_asked_about_once() {
    let world = World::new();
    let wrong = WrappedKey::new(WrapAlgorithm::RsaOaep256, version(1), vec![7; 100]);
    for _ in 0..5 {
        let failed = world.unwrap(&wrong).await.unwrap_err();
        assert!(
            matches!(failed.error(), KeyError::Unwrap { .. }),
            "{failed:?}"
        );
    }
    assert_eq!(world.vault.unwraps(), 1);
    world.unwrap(&easy()).await.unwrap();
}

#[tokio::test]
async fn each_wrapped_key_has_a_place_of_its_own() {
    let world = World::new();
    world.unwrap(&easy()).await.unwrap();
    let other_version = WrappedKey::new(WrapAlgorithm::RsaOaep256, version(2), NEEDLE.to_vec());
    let other_algorithm = WrappedKey::new(WrapAlgorithm::Aes256Kw, version(1), NEEDLE.to_vec());
    for other in [&other_version, &other_algorithm] {
        assert!(!world.unwrap(other).await.unwrap().is_cached);
    }
    let row = SecretRequest::new(id("other")).with_ttl(Duration::from_secs(900));
    world.keys.declare_where([request(), row], |_| None);
    let unwrapped = world.keys.unwrap(&id("other"), &easy()).await.unwrap();
    assert!(!unwrapped.is_cached, "another key's row");
    assert!(
        world.unwrap(&easy()).await.unwrap().is_cached,
        "what stays declared is kept"
    );
    assert_eq!(world.vault.unwraps(), 4);
}

#[tokio::test]
async fn what_no_row_names_is_wiped_and_not_asked_for() {
    let world = World::new();
    world.unwrap(&easy()).await.unwrap();
    world.wrap().await.unwrap();
    world.keys.declare_where([], |_| None);
    assert_eq!(world.keys.health().held, 0);
    let failed = world.unwrap(&easy()).await.unwrap_err();
    assert!(
        matches!(failed.error(), KeyError::NotFound { .. }),
        "{failed:?}"
    );
    assert!(matches!(world.wrap().await, Err(KeyError::NotFound { .. })));
    assert_eq!((world.vault.unwraps(), world.vault.publics()), (1, 1));
    world.keys.declare_where([request()], |_| None);
    assert!(!world.unwrap(&easy()).await.unwrap().is_cached);
}

#[tokio::test]
async fn what_a_rule_of_the_network_refuses_is_wiped_and_not_asked_for() {
    let world = World::new();
    world.unwrap(&easy()).await.unwrap();
    world.wrap().await.unwrap();
    let refused = |_: &SecretId| Some(VaultError::network_refused("no row"));
    world.keys.declare_where([request()], refused);
    assert_eq!(world.keys.health().held, 0);
    for error in [
        world.unwrap(&easy()).await.map(drop).map_err(Error::from),
        world.wrap().await.map(drop).map_err(Error::from),
    ] {
        assert_eq!(error.unwrap_err().code(), Code::NetworkRefused);
    }
    assert_eq!((world.vault.unwraps(), world.vault.publics()), (1, 1));
}

#[tokio::test]
async fn an_answer_that_was_overtaken_is_given_and_not_kept() {
    let world = World::new();
    world.vault.held.send_replace(true);
    let keys = world.keys.clone();
    let waiting = tokio::spawn(async move { keys.unwrap(&id("kek"), &easy()).await });
    settle().await;
    world.keys.invalidate(id("kek").name());
    world.vault.held.send_replace(false);
    assert!(!waiting.await.unwrap().unwrap().is_cached);
    assert_eq!(world.keys.health().held, 0);

    world.vault.held.send_replace(true);
    let keys = world.keys.clone();
    let waiting = tokio::spawn(async move { keys.unwrap(&id("kek"), &easy()).await });
    settle().await;
    world.keys.declare_where([], |_| None);
    world.vault.held.send_replace(false);
    let failed = waiting.await.unwrap().unwrap_err();
    assert!(
        matches!(failed.error(), KeyError::NotFound { .. }),
        "{failed:?}"
    );
}

#[tokio::test]
async fn a_no_ends_what_is_held_also_when_something_else_was_forgotten_meanwhile() {
    let world = World::new();
    world.unwrap(&easy()).await.unwrap();
    world.later(901);
    let error = VaultError::disabled(&id("kek"));
    world
        .vault
        .fail("kv-loans.vault.azure.net", 1, &Some(error));
    world.vault.held.send_replace(true);
    let keys = world.keys.clone();
    let waiting = tokio::spawn(async move { keys.unwrap(&id("kek"), &easy()).await });
    settle().await;
    world.keys.invalidate(id("another").name());
    world.vault.held.send_replace(false);
    let failed = waiting.await.unwrap().unwrap_err();
    assert!(
        matches!(failed.error(), KeyError::Disabled { .. }),
        "{failed:?}"
    );
    assert_eq!(world.keys.health().held, 0);
    // What was forgotten meanwhile may have been this: the next one asks.
    assert!(!world.unwrap(&easy()).await.unwrap().is_cached);
    assert_eq!(world.vault.unwraps(), 3);
}

#[tokio::test]
async fn after_the_end_nobody_is_asked_and_what_is_under_way_gives_nothing() {
    let world = World::new();
    world.unwrap(&easy()).await.unwrap();
    let wrapped = world.wrap().await.unwrap();
    world.vault.held.send_replace(true);
    let keys = world.keys.clone();
    let waiting = tokio::spawn(async move { keys.unwrap(&id("kek"), &wrapped).await });
    settle().await;
    world.keys.close();
    assert_eq!(world.keys.health().held, 0);
    world.vault.held.send_replace(false);
    assert!(waiting.await.unwrap().is_err());
    assert!(world.unwrap(&easy()).await.is_err() && world.wrap().await.is_err());
    assert_eq!(world.keys.health().held, 0);
    assert_eq!((world.vault.unwraps(), world.vault.publics()), (2, 1));
}

#[tokio::test]
async fn data_keys_are_bounded_and_the_one_nobody_asked_for_goes_first() {
    let world = World::new();
    let numbered = |number: usize| {
        let mut bytes = NEEDLE.to_vec();
        bytes.extend_from_slice(&number.to_be_bytes());
        bytes.truncate(32);
        WrappedKey::new(WrapAlgorithm::RsaOaep256, version(number), bytes)
    };
    for number in 0..MOST {
        world.unwrap(&numbered(number)).await.unwrap();
    }
    world.later(1);
    for number in (0..MOST).filter(|number| *number != 17) {
        assert!(world.unwrap(&numbered(number)).await.unwrap().is_cached);
    }
    world.unwrap(&numbered(MOST)).await.unwrap();
    assert_eq!(world.keys.health().held, MOST);
    assert!(world.unwrap(&numbered(16)).await.unwrap().is_cached);
    assert!(!world.unwrap(&numbered(17)).await.unwrap().is_cached);
}

#[tokio::test]
async fn the_second_vault_unwraps_while_the_first_cannot_answer_and_never_says_no_for_it() {
    let world = World::with(&request().with_fallback(second()));
    world.vault.fail("kv-loans.vault.azure.net", 1000, &down());
    let unwrapped = world.unwrap(&easy()).await.unwrap();
    let (path, details) = unwrapped.details();
    assert_eq!(path, "private_link");
    let last = details.last().unwrap();
    assert_eq!(
        last,
        &("vault", "https://kv-second.vault.azure.net".to_owned())
    );
    assert!(
        world.wrap().await.is_err(),
        "sealing never asks the second vault"
    );

    let world = World::with(&request().with_fallback(second()));
    world.vault.fail("kv-loans.vault.azure.net", 2, &down());
    let missing = VaultError::not_found(&id("kek"));
    world
        .vault
        .fail("kv-second.vault.azure.net", 1, &Some(missing));
    let failed = world.unwrap(&easy()).await.unwrap_err();
    assert!(
        matches!(
            failed.error(),
            KeyError::Vault(VaultError::Unavailable { .. })
        ),
        "{failed:?}"
    );
    let denied = VaultError::denied(&id("kek"), "ForbiddenByRbac");
    world
        .vault
        .fail("kv-loans.vault.azure.net", 1, &Some(denied));
    let before = world.vault.unwraps();
    let failed = world.unwrap(&easy()).await.unwrap_err();
    assert!(
        matches!(failed.error(), KeyError::Denied { .. }),
        "{failed:?}"
    );
    assert_eq!(world.vault.unwraps(), before + 1, "a no is a no");

    let world = World::with(&request().with_fallback(second()));
    world
        .keys
        .declare_where([request().with_fallback(second())], |id| {
            (*id.vault() == second()).then(|| VaultError::network_refused("no row"))
        });
    world.vault.fail("kv-loans.vault.azure.net", 2, &down());
    assert!(world.unwrap(&easy()).await.is_err());
    assert_eq!(world.vault.unwraps(), 2);
}

#[tokio::test]
async fn a_pause_that_the_vault_asks_for_is_kept() {
    let world = World::new();
    let throttled = Some(VaultError::throttled(Some(Duration::from_secs(30))));
    world.vault.fail("kv-loans.vault.azure.net", 1, &throttled);
    for _ in 0..10 {
        let error = Error::from(world.unwrap(&easy()).await.unwrap_err());
        assert!(
            matches!(error.kind(), ErrorKind::Unavailable { retry_in: Some(_) }),
            "{error}"
        );
    }
    assert!(world.wrap().await.is_err(), "one gate for both");
    assert_eq!((world.vault.unwraps(), world.vault.publics()), (1, 0));
    world.later(31);
    world.unwrap(&easy()).await.unwrap();
}

#[tokio::test]
async fn a_panic_of_the_adapter_ends_with_an_error_and_the_next_one_asks_anew() {
    let world = World::new();
    world.vault.fail("kv-loans.vault.azure.net", 1, &None);
    let failed = world.unwrap(&easy()).await.unwrap_err();
    assert!(
        matches!(
            failed.error(),
            KeyError::Vault(VaultError::Unavailable { .. })
        ),
        "{failed:?}"
    );
    world.unwrap(&easy()).await.unwrap();
}

#[tokio::test]
async fn a_failure_names_the_call() {
    let world = World::new();
    let denied = VaultError::denied(&id("kek"), "ForbiddenByRbac");
    world
        .vault
        .fail("kv-loans.vault.azure.net", 1, &Some(denied));
    let error = Error::from(world.unwrap(&easy()).await.unwrap_err());
    let call = error
        .source()
        .unwrap()
        .downcast_ref::<FetchError>()
        .unwrap();
    assert!(call.attempt.is_some());
    assert_eq!(error.code(), Code::Config);
    assert!(error.help().unwrap().contains("keys/unwrapKey"));
}

#[tokio::test]
async fn an_expired_key_opens_and_does_not_wrap() {
    let world = World::new();
    let expired = VaultError::Expired {
        id: id("kek"),
        expires: Timestamp::from_secs(0),
    };
    assert!(
        Validity::ALWAYS
            .ending(Timestamp::from_secs(0))
            .check(&id("kek"), world.clock.now())
            .is_err()
    );
    world
        .vault
        .fail("kv-loans.vault.azure.net", 1, &Some(expired));
    assert!(matches!(world.wrap().await, Err(KeyError::Expired { .. })));
    world.unwrap(&easy()).await.unwrap();
}

#[tokio::test]
async fn local_keys_are_kept_by_the_same_rules_without_a_gate() {
    let (keys, kek) = (Arc::new(MemoryKeys::new()), id("kek"));
    keys.create_key(&kek).unwrap();
    let clock = Arc::new(ManualClock::new(Timestamp::from_secs(1_790_000_000)));
    let own: Arc<dyn Clock> = Arc::<ManualClock>::clone(&clock);
    let source = Source::Local(keys);
    let keys = DataKeys::new(
        source,
        own,
        Timing::local(),
        Arc::new(Tasks),
        Arc::new(Tasks),
    );
    let refused = |_: &SecretId| Some(VaultError::network_refused("no row"));
    keys.declare_where([request()], refused);
    let dek = DataKey::copy_of(NEEDLE).unwrap();
    let wrapped = keys.wrap(&kek, &dek).await.unwrap();
    for is_cached in [false, true] {
        let unwrapped = keys.unwrap(&kek, &wrapped).await.unwrap();
        assert_eq!(unwrapped.is_cached, is_cached);
        assert!(unwrapped.dek.reveal() == NEEDLE);
    }
    clock.advance(Duration::from_secs(901));
    assert!(!keys.unwrap(&kek, &wrapped).await.unwrap().is_cached);
}

/// Never answers.
#[derive(Debug)]
struct Hanging;

impl KeyWrapper for Hanging {
    fn wrap<'a>(
        &'a self,
        _key: &'a SecretId,
        _dek: &'a DataKey,
    ) -> BoxFuture<'a, Result<WrappedKey, KeyError>> {
        Box::pin(std::future::pending())
    }

    fn unwrap<'a>(
        &'a self,
        _key: &'a SecretId,
        _wrapped: &'a WrappedKey,
    ) -> BoxFuture<'a, Result<DataKey, KeyError>> {
        Box::pin(std::future::pending())
    }
}

/// An executor that stands still.
#[derive(Default)]
struct Blocked(Mutex<Vec<BoxFuture<'static, ()>>>);

impl fmt::Debug for Blocked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Blocked")
    }
}

impl Spawn for Blocked {
    fn spawn(&self, task: BoxFuture<'static, ()>) {
        self.0.lock().unwrap().push(task);
    }
}

#[tokio::test(start_paused = true)]
async fn local_keys_that_hang_end_with_the_time_of_a_miss_also_where_they_block_the_executor() {
    let executors: [(Arc<dyn Spawn>, u64); 2] = [
        (Arc::new(Tasks), 3_000),
        (Arc::new(Blocked::default()), 3_500),
    ];
    for (executor, within) in executors {
        let clock: Arc<dyn Clock> = Arc::new(ManualClock::new(Timestamp::from_secs(1_790_000_000)));
        let source = Source::Local(Arc::new(Hanging));
        let keys = DataKeys::new(source, clock, Timing::local(), executor, Arc::new(Tasks));
        keys.declare_where([request()], |_| None);
        let unavailable =
            |error: &KeyError| matches!(error, KeyError::Vault(VaultError::Unavailable { .. }));
        let begin = tokio::time::Instant::now();
        let dek = DataKey::copy_of(NEEDLE).unwrap();
        let error = keys.wrap(&id("kek"), &dek).await.unwrap_err();
        assert!(unavailable(&error), "{error}");
        assert_eq!(begin.elapsed(), Duration::from_millis(within));
        let begin = tokio::time::Instant::now();
        let failed = keys.unwrap(&id("kek"), &easy()).await.unwrap_err();
        assert!(unavailable(failed.error()), "{failed:?}");
        assert_eq!(begin.elapsed(), Duration::from_millis(within));
    }
}
