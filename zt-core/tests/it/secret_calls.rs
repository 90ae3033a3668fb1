//! All ways to a secret beside `Session::secret`: each is decided and recorded, before and after a grant goes, and none
//! works once the runtime is closed.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

use zeroize::Zeroizing;
use zt_core::audit::{self, Entry};
use zt_core::clock::{Clock, SystemClock, Timestamp};
use zt_core::runtime::{self, Runtime, RuntimeBuilder};
use zt_core::secrets::{SecretVersion, Validity};
use zt_core::{Code, Session};

use crate::world::{NEEDLE, World, sign_in};

const KEY: &str = "bureau-api-key";
const BUDGET: Duration = Duration::from_secs(5);

struct Scene {
    world: World,
    zt: Runtime,
    job: Session,
    version: SecretVersion,
}

impl Scene {
    async fn open() -> Self {
        let world = World::new().with_secret(KEY).await;
        let zt = world.open().await;
        let job = sign_in(&zt, "sp:sp-score-201").await.claiming(201, 2);
        let version = job.secret(KEY).await.unwrap().version();
        Self {
            world,
            zt,
            job,
            version,
        }
    }

    /// Another value in the vault, which the slot does not know yet.
    async fn rotate(&self) -> SecretVersion {
        let id = self.world.id_of(KEY).await;
        let vault = runtime::local_vault(&self.world.config()).unwrap();
        let value = Zeroizing::new(format!("{NEEDLE}-newer").into_bytes());
        vault.set(&id, value, Validity::ALWAYS).unwrap()
    }

    fn log(&self) -> Vec<Entry> {
        audit::tail(self.zt.audit_folder(), 1000, |_| true).unwrap()
    }

    /// What every way but [`warm`](Session::warm) answers to this session: nothing, or the code of its refusal.
    async fn tried(&self, session: &Session) -> Vec<Option<Code>> {
        let version = session.secret_version(KEY, self.version).await;
        let exposed = session.secret_to_expose(KEY, "a notebook").await;
        vec![
            session.secret(KEY).await.err().map(|why| why.code()),
            exposed.err().map(|why| why.code()),
            version.err().map(|why| why.code()),
            session
                .secret_handle(KEY)
                .get()
                .await
                .err()
                .map(|why| why.code()),
            session
                .refresh_secret(KEY)
                .await
                .err()
                .map(|why| why.code()),
        ]
    }
}

#[tokio::test]
async fn each_way_gives_the_secret_to_whom_policy_allows_and_to_nobody_else() {
    let scene = Scene::open().await;
    assert_eq!(scene.tried(&scene.job).await, [None; 5]);
    let other = scene.job.claiming(201, 1);
    assert_eq!(scene.tried(&other).await, [Some(Code::Denied); 5]);
    let warmed = other.warm(&[KEY], BUDGET).await.unwrap();
    assert_eq!((warmed.ready, warmed.failed.len()), (0, 1));
    assert_eq!(warmed.failed[0].1.code(), Code::Denied);
    let refused = |entry: &Entry| entry.outcome == "default_deny";
    assert!(scene.log().iter().any(refused));
}

#[tokio::test]
async fn no_way_is_open_once_the_grant_is_gone() {
    let scene = Scene::open().await;
    let handle = scene.job.secret_handle(KEY);
    for _ in 0..3 {
        assert!(handle.get().await.unwrap().reveal() == NEEDLE.as_bytes());
    }
    let row = "stage = 2 }               # only inside";
    scene
        .world
        .edit(|tables| tables.replace(row, "stage = 9 } #"));
    scene.zt.reload().await.unwrap();
    assert!(handle.get().await.unwrap_err().is_denied());
    assert_eq!(scene.tried(&scene.job).await, [Some(Code::Denied); 5]);
    let warmed = scene.job.warm(&[KEY], BUDGET).await.unwrap();
    assert_eq!((warmed.ready, warmed.failed.len()), (0, 1));
}

#[tokio::test]
async fn each_exposure_stands_in_the_log_with_where_it_went() {
    let scene = Scene::open().await;
    for _ in 0..2 {
        let secret = scene.job.secret_to_expose(KEY, "a notebook").await.unwrap();
        assert!(secret.reveal() == NEEDLE.as_bytes());
    }
    let log = scene.log().into_iter();
    let exposed: Vec<Entry> = log
        .filter(|entry| entry.detail.contains_key("exposed_to"))
        .collect();
    assert_eq!(exposed.len(), 2);
    for entry in exposed {
        assert_eq!(entry.detail["exposed_to"], "a notebook");
        assert_eq!(entry.detail["version"], scene.version.to_string());
        assert_eq!(
            (entry.kind.as_str(), entry.outcome.as_str()),
            ("effect", "ok")
        );
        assert_eq!(entry.resource, format!("secret:{KEY}"));
    }
}

#[tokio::test]
async fn a_handle_sees_a_new_version_once_somebody_asks_for_it() {
    let scene = Scene::open().await;
    let handle = scene.job.secret_handle(KEY);
    assert_eq!(handle.get().await.unwrap().version(), scene.version);
    let newer = scene.rotate().await;
    assert_eq!(handle.get().await.unwrap().version(), scene.version);
    let refreshed = scene.job.refresh_secret(KEY).await.unwrap();
    assert_eq!(refreshed.version(), newer);
    assert_eq!(handle.get().await.unwrap().version(), newer);
    let older = scene.job.secret_version(KEY, scene.version).await.unwrap();
    assert!(older.reveal() == NEEDLE.as_bytes());
}

#[tokio::test]
async fn what_is_invalidated_is_asked_for_again_and_recorded() {
    let scene = Scene::open().await;
    let newer = scene.rotate().await;
    scene.zt.invalidate(KEY).unwrap();
    assert_eq!(scene.job.secret(KEY).await.unwrap().version(), newer);
    let invalidated = |entry: &&Entry| entry.action == "invalidate-secret";
    assert_eq!(scene.log().iter().filter(invalidated).count(), 1);
    let unknown = scene.zt.invalidate("no-such-row").unwrap_err();
    assert_eq!(unknown.code(), Code::NotFound);
}

#[tokio::test]
async fn an_event_makes_the_slot_ask() {
    let scene = Scene::open().await;
    let newer = scene.rotate().await;
    let body = serde_json::json!([{
        "eventType": "Microsoft.KeyVault.SecretNewVersionCreated",
        "data": {
            "Id": format!("https://kv-brindlewick-prod.vault.azure.net/secrets/{KEY}/{newer}"),
            "VaultName": "kv-brindlewick-prod",
            "ObjectType": "Secret",
            "ObjectName": KEY,
        },
    }]);
    let taken = scene.zt.on_secret_event(body.to_string().as_bytes());
    assert_eq!(taken.unwrap().taken.len(), 1);
    let mut read = scene.job.secret(KEY).await.unwrap().version();
    for _ in 0..1200 {
        if read == newer {
            break;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
        read = scene.job.secret(KEY).await.unwrap().version();
    }
    assert_eq!(read, newer);
    let wrong = scene.zt.on_secret_event(b"{").unwrap_err();
    assert_eq!(wrong.code(), Code::InvalidArgument);
}

#[tokio::test]
async fn what_is_warm_is_read_without_the_vault_and_recorded_as_decided() {
    let world = World::new().with_secret(KEY).await;
    let zt = world.open().await;
    let job = sign_in(&zt, "sp:sp-score-201").await.claiming(201, 2);
    let warmed = job.warm(&[KEY, "adb-token"], BUDGET).await.unwrap();
    assert_eq!(warmed.ready, 1);
    let places: Vec<_> = warmed
        .failed
        .iter()
        .map(|(place, why)| (*place, why.code()))
        .collect();
    assert_eq!(places, [(1, Code::Denied)]);
    let fetches = zt.status().secrets.counts.fetches;
    assert!(job.secret(KEY).await.is_ok());
    assert_eq!(zt.status().secrets.counts.fetches, fetches);
}

#[tokio::test]
async fn a_row_that_is_pinned_reads_no_other_version() {
    let scene = Scene::open().await;
    let newer = scene.rotate().await;
    let pinned = format!("version = \"{}\"\nttl_s = 900", scene.version);
    scene
        .world
        .edit(|tables| tables.replacen("ttl_s = 900", &pinned, 1));
    scene.zt.reload().await.unwrap();
    assert_eq!(
        scene.job.secret(KEY).await.unwrap().version(),
        scene.version
    );
    let other = scene.job.secret_version(KEY, newer).await.unwrap_err();
    assert_eq!(other.code(), Code::InvalidArgument);
}

#[tokio::test]
async fn no_way_is_open_after_the_end() {
    let scene = Scene::open().await;
    let handle = scene.job.secret_handle(KEY);
    assert!(handle.get().await.is_ok());
    scene.zt.clone().close(BUDGET).await.unwrap();
    assert_eq!(handle.get().await.unwrap_err().code(), Code::Closed);
    assert_eq!(scene.tried(&scene.job).await, [Some(Code::Closed); 5]);
    for names in [&[KEY][..], &[]] {
        let warmed = scene.job.warm(names, BUDGET).await;
        assert_eq!(warmed.unwrap_err().code(), Code::Closed);
    }
    assert_eq!(scene.zt.invalidate(KEY).unwrap_err().code(), Code::Closed);
    let event = scene.zt.on_secret_event(b"[]").unwrap_err();
    assert_eq!(event.code(), Code::Closed);
}

/// A clock of an embedder that is wrong, and then runs far ahead.
#[derive(Debug)]
struct BadClock {
    inner: SystemClock,
    panics: AtomicU32,
    is_late: AtomicBool,
}

impl BadClock {
    /// Panics where nobody but the sweep asks.
    fn ahead(&self) -> Duration {
        let is_sweep = std::thread::current().name() == Some("zt-sweep");
        let left = |left: u32| left.checked_sub(1);
        let counted = || {
            let order = (Ordering::AcqRel, Ordering::Acquire);
            self.panics.fetch_update(order.0, order.1, left).is_ok()
        };
        assert!(!(is_sweep && counted()), "a clock that is wrong");
        let is_late = self.is_late.load(Ordering::Acquire);
        Duration::from_secs(if is_late { 86_400 } else { 0 })
    }
}

impl Clock for BadClock {
    fn now(&self) -> Timestamp {
        self.inner.now().after(self.ahead())
    }

    fn elapsed(&self) -> Duration {
        self.inner.elapsed() + self.ahead()
    }
}

#[tokio::test]
async fn a_sweep_that_panics_is_not_the_last_one() {
    let world = World::new().with_secret(KEY).await;
    let clock = Arc::new(BadClock {
        inner: SystemClock::new(),
        panics: AtomicU32::new(2),
        is_late: AtomicBool::new(false),
    });
    let given = Arc::<BadClock>::clone(&clock);
    let builder = RuntimeBuilder::new(world.config()).with_clock(given);
    let zt = builder.open().await.unwrap();
    let job = sign_in(&zt, "sp:sp-score-201").await.claiming(201, 2);
    drop(job.secret(KEY).await.unwrap());
    let holds = || {
        let all = zt.status().secrets.slots;
        all.iter().any(|slot| slot.version.is_some())
    };
    assert!(holds());
    clock.is_late.store(true, Ordering::Release);
    for _ in 0..600 {
        if !holds() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert!(!holds(), "what is past its time is wiped");
    assert_eq!(clock.panics.load(Ordering::Acquire), 0, "it did panic");
}
