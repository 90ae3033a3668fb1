//! What a vault may do wrong, on sockets: with nothing held, and with a value whose TTL is over. Of the simulator's faults
//! `NextLink` has no row: zt lists nothing, so it follows no page.

use std::time::Duration;

use zt_azure_simulator::{Denial, Fault, Misfit};
use zt_core::Code;

use super::{HOST, KEY, LONG, Scene, TTL, VALUE, retry_in};

/// One line of the table.
struct Row {
    name: String,
    fault: Fault,
    code: Code,
    /// When the first error says to come back, in seconds.
    retry_in: Option<u64>,
    /// Calls of a read that has nothing.
    calls: u64,
    /// Calls of the read after it, at the same moment: none where a pause follows.
    calls_again: u64,
    /// Whether it ends a value that is held.
    ends: bool,
}

impl Row {
    fn new(name: impl Into<String>, fault: Fault, code: Code) -> Self {
        Self {
            name: name.into(),
            fault,
            code,
            retry_in: None,
            calls: 1,
            calls_again: 0,
            ends: false,
        }
    }

    /// The vault does not answer: a second call at once, for each read.
    fn twice(mut self) -> Self {
        (self.calls, self.calls_again) = (2, 2);
        self
    }

    /// It says no, which is believed.
    const fn ending(mut self) -> Self {
        self.ends = true;
        self
    }

    /// It says for how long it is not to be called.
    const fn pausing(mut self, seconds: Option<u64>) -> Self {
        self.retry_in = seconds;
        self
    }
}

async fn check(row: Row) {
    let scene = Scene::open().await;
    let name = &row.name;
    scene.spoil(row.fault.clone());
    let error = scene.fails().await;
    let expected = row.retry_in.map(Duration::from_secs);
    assert_eq!(
        (error.code(), retry_in(&error)),
        (row.code, expected),
        "{name}: {error}"
    );
    assert_eq!(scene.calls(), row.calls, "{name}: nothing held");
    let (asked, _) = scene.requests();
    let error = scene.fails().await;
    assert_eq!(error.code(), row.code, "{name}: again: {error}");
    assert_eq!(scene.calls(), row.calls + row.calls_again, "{name}: again");
    if row.calls_again == 0 {
        assert_eq!(scene.requests().0, asked, "{name}: nothing is sent");
    }

    scene.office.sim.clear_faults();
    scene.office.advance(LONG);
    assert_eq!(scene.reads(VALUE).await, None, "{name}: it recovers");

    scene.office.advance(TTL + 1);
    scene.spoil(row.fault.clone());
    let before = scene.calls();
    if row.ends {
        assert_eq!(scene.fails().await.code(), row.code, "{name}: ends");
        assert_eq!(scene.fails().await.code(), row.code, "{name}: has ended");
        assert_eq!(scene.calls(), before + 1, "{name}: ends");
    } else {
        let over = Some(Duration::from_secs(1));
        assert_eq!(scene.reads(VALUE).await, over, "{name}: stale");
        let asked = scene.calls();
        assert!(asked > before, "{name}: stale, and asked for");
        assert_eq!(scene.reads(VALUE).await, over, "{name}: stale again");
        assert_eq!(scene.calls(), asked, "{name}: stale again");
    }
    scene.office.sim.clear_faults();
    scene.office.advance(LONG);
    scene.reads_at_last(VALUE).await;
    scene.office.assert_no_leaks(&[VALUE]);
}

async fn check_all(rows: Vec<Row>) {
    for row in rows {
        check(row).await;
    }
}

fn status(status: u16, retry_after: Option<u64>) -> Fault {
    Fault::Status {
        status,
        retry_after,
    }
}

#[tokio::test]
async fn a_refusal_of_who_we_are_ends_the_value_and_one_of_the_path_does_not() {
    let of_the_path = [Denial::ForbiddenByFirewall, Denial::ForbiddenByConnection];
    let rows = Denial::all().map(|denial| {
        let row = |code| Row::new(denial.code(), Fault::Forbidden(denial), code);
        if of_the_path.contains(&denial) {
            row(Code::NetworkRefused)
        } else if denial == Denial::SecretDisabled {
            row(Code::NotFound).ending()
        } else {
            row(Code::Config).ending()
        }
    });
    check_all(rows.collect()).await;
}

#[tokio::test]
async fn a_token_that_is_never_taken_ends_nothing() {
    check(Row::new("401", Fault::Unauthorized, Code::NoOwnIdentity)).await;
}

#[tokio::test]
async fn a_vault_that_asks_for_a_pause_is_not_called() {
    let down = Code::VaultUnavailable;
    check_all(vec![
        Row::new("429 with Retry-After", status(429, Some(7)), down).pausing(Some(7)),
        Row::new("429 in ms", Fault::Throttled(Duration::from_secs(9)), down).pausing(Some(9)),
        Row::new("429 for an hour", status(429, Some(3600)), down).pausing(Some(300)),
        Row::new("429 alone", status(429, None), down).pausing(None),
        Row::new("503 with Retry-After", status(503, Some(7)), down).pausing(Some(7)),
    ])
    .await;
}

#[tokio::test]
async fn a_vault_that_does_not_answer_is_asked_twice() {
    let down = Code::VaultUnavailable;
    check_all(vec![
        Row::new("500", status(500, None), down).twice(),
        Row::new("503", status(503, None), down).twice(),
        Row::new("408", status(408, None), down).twice(),
        Row::new("closes", Fault::Close, down).twice(),
        Row::new("breaks off", Fault::Truncated, down).twice(),
    ])
    .await;
}

#[tokio::test]
async fn a_vault_that_is_slow_is_not_waited_for() {
    let slow = Fault::Slow(Duration::from_secs(30));
    check(Row::new("slow", slow, Code::VaultUnavailable).twice()).await;
}

#[tokio::test]
async fn a_vault_that_drips_is_not_waited_for() {
    let drip = Fault::Drip(Duration::from_millis(500));
    check(Row::new("drips", drip, Code::VaultUnavailable).twice()).await;
}

#[tokio::test]
async fn an_answer_that_cannot_be_one_is_not_believed() {
    let broken = Code::VaultIntegrity;
    let other = |id: &str| Fault::OtherId(format!("https://{id}"));
    let version = "0123456789abcdef0123456789abcdef";
    check_all(vec![
        Row::new("HTML", Fault::Html, broken),
        Row::new("other JSON", Fault::WrongJson, broken),
        Row::new("too long", Fault::Giant(1 << 20), broken),
        Row::new(
            "redirect",
            Fault::Redirect(format!("https://{HOST}/other")),
            broken,
        ),
        Row::new("a number for a value", Fault::ValueNotText, broken),
        Row::new(
            "other name",
            other(&format!("{HOST}/secrets/adb-token/{version}")),
            broken,
        ),
        Row::new(
            "other vault",
            other(&format!("kv-other.vault.azure.net/secrets/{KEY}/{version}")),
            broken,
        ),
        Row::new(
            "no version",
            other(&format!("{HOST}/secrets/{KEY}")),
            broken,
        ),
    ])
    .await;
}

#[tokio::test]
async fn a_wrong_certificate_is_no_vault_and_sees_no_request() {
    for misfit in [Misfit::OtherName, Misfit::Expired, Misfit::UnknownAuthority] {
        let scene = Scene::open().await;
        let wrong = || {
            scene
                .office
                .sim
                .fault(HOST, Fault::Certificate(misfit), u32::MAX);
        };
        wrong();
        for _ in 0..2 {
            let error = scene.fails().await;
            assert_eq!(
                (error.code(), retry_in(&error)),
                (Code::VaultUnavailable, None)
            );
            assert!(error.to_string().contains("not proven"), "{error}");
            assert_eq!(scene.calls(), 1, "{misfit:?}: not repeated at once");
        }
        assert_eq!(scene.requests(), (0, 0), "{misfit:?}");
        scene.office.sim.clear_faults();
        scene.office.advance(1);
        assert_eq!(scene.reads(VALUE).await, None);

        scene.office.advance(TTL + 1);
        // The connection that is there ends, and the next one is somebody else's.
        scene
            .office
            .sim
            .fault(&format!("{HOST}/secrets"), Fault::Close, 1);
        wrong();
        let (asked, _) = scene.requests();
        let over = Some(Duration::from_secs(1));
        assert_eq!(scene.reads(VALUE).await, over, "{misfit:?}");
        assert_eq!(scene.requests().0, asked + 1, "{misfit:?}");
        assert_eq!(scene.reads(VALUE).await, over, "{misfit:?}");
    }
}

/// Old enough that a read refreshes it beside, and fresh for six seconds more.
const DUE: u64 = TTL - 6;

/// Waits until the refreshes of the secret have failed so often in a row.
async fn failures(scene: &Scene, wanted: u32) {
    let mut found = None;
    for _ in 0..1200 {
        let slots = scene.zt.status().secrets.slots;
        let slot = slots.into_iter().find(|slot| slot.name == KEY);
        found = slot.map(|slot| slot.failures);
        if found == Some(wanted) {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(found, Some(wanted));
}

/// Reads until the secret is refused.
async fn ends(scene: &Scene) -> Code {
    let mut error = None;
    for _ in 0..1200 {
        error = scene.read().await.err();
        if error.is_some() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    error.unwrap().code()
}

#[tokio::test]
async fn a_secret_that_is_away_for_a_moment_stays_and_one_that_is_gone_ends() {
    let scene = Scene::open().await;
    scene.reads(VALUE).await;
    scene.office.advance(DUE);
    scene.vault().delete_secret(KEY).unwrap();
    assert_eq!(scene.reads(VALUE).await, None);
    failures(&scene, 1).await;
    scene.vault().recover_secret(KEY).unwrap();
    scene.office.advance(5);
    assert_eq!(scene.reads(VALUE).await, None);
    failures(&scene, 0).await;

    scene.office.advance(DUE);
    scene.vault().delete_secret(KEY).unwrap();
    assert_eq!(scene.reads(VALUE).await, None);
    failures(&scene, 1).await;
    scene.office.advance(4);
    assert_eq!(scene.reads(VALUE).await, None, "not yet five seconds");
    scene.office.advance(1);
    assert_eq!(ends(&scene).await, Code::NotFound);
    let asked = scene.requests();
    assert_eq!(scene.fails().await.code(), Code::NotFound);
    assert_eq!(scene.requests(), asked, "believed for 30 s");
    scene.vault().recover_secret(KEY).unwrap();
    scene.office.advance(31);
    assert_eq!(scene.reads(VALUE).await, None);
}

#[tokio::test]
async fn what_is_past_its_ttl_ends_with_the_first_none() {
    let scene = Scene::open().await;
    scene.reads(VALUE).await;
    scene.office.advance(TTL + 1);
    scene.vault().delete_secret(KEY).unwrap();
    assert_eq!(scene.fails().await.code(), Code::NotFound);
}

#[tokio::test]
async fn a_secret_that_never_was_is_not_found() {
    let scene = Scene::open().await;
    scene.vault().delete_secret(KEY).unwrap();
    for _ in 0..3 {
        assert_eq!(scene.fails().await.code(), Code::NotFound);
    }
    assert_eq!(scene.calls(), 1);
}

#[tokio::test]
async fn what_a_vault_serves_past_its_end_or_before_its_time_is_not_handed_out() {
    let scene = Scene::open().await;
    scene.reads(VALUE).await;
    let now = scene.office.now().as_secs();
    let tomorrow = i64::try_from(TTL).unwrap() + now + 3600;
    scene.office.advance(TTL + 1);
    scene.vault().delay_secret(KEY, Some(tomorrow)).unwrap();
    let over = Some(Duration::from_secs(1));
    assert_eq!(
        scene.reads(VALUE).await,
        over,
        "the newest begins later and replaces nothing"
    );
    scene.zt.invalidate(KEY).unwrap();
    let error = scene.fails().await;
    assert_eq!(error.code(), Code::NotFound);
    assert!(error.to_string().contains("not valid before"), "{error}");

    scene.vault().delay_secret(KEY, None).unwrap();
    scene.vault().expire_secret(KEY, Some(now + 300)).unwrap();
    scene.zt.invalidate(KEY).unwrap();
    assert_eq!(scene.reads(VALUE).await, None);
    scene.office.advance(301);
    let error = scene.fails().await;
    assert_eq!(error.code(), Code::NotFound);
    assert!(error.to_string().contains("expired"), "{error}");
    assert_eq!(scene.vault().secret_gets(KEY), 5);
}
