//! Tables that nobody could confirm for too long: every answer is refused, and comes back with them.

use std::fs;
use std::sync::Arc;
use std::time::Duration;

use zt_core::audit;
use zt_core::clock::{Clock, SystemClock};
use zt_core::runtime::{Config, Runtime, RuntimeBuilder};
use zt_core::testing::ManualClock;
use zt_core::{Code, ErrorKind, Session};

use crate::world::{NEEDLE, World, sign_in};

const LIMIT: Duration = Duration::from_secs(60);

impl World {
    /// Adds settings of the section `metadata` to `zt.toml`.
    fn with_metadata(self, settings: &str) -> Self {
        let file = self.path().join("zt.toml");
        let text = fs::read_to_string(&file).unwrap();
        fs::write(file, format!("{text}\n[metadata]\n{settings}\n")).unwrap();
        self
    }

    /// A clock of the test's own, a runtime under it, and a session.
    async fn held(&self) -> (Arc<ManualClock>, Runtime, Session) {
        let clock = Arc::new(ManualClock::new(SystemClock::new().now()));
        let zt = RuntimeBuilder::new(self.config())
            .with_clock(Arc::<ManualClock>::clone(&clock))
            .open()
            .await
            .unwrap();
        let maya = sign_in(&zt, "user:maya").await;
        (clock, zt, maya)
    }

    fn without_tables(&self, act: impl FnOnce()) {
        let away = self.path().join("away");
        fs::rename(self.tables(), &away).unwrap();
        act();
        fs::rename(&away, self.tables()).unwrap();
    }
}

fn code(session: &Session) -> Option<Code> {
    let asked = session.check("model.infer", "model:car_loan_scorer");
    asked.err().map(|error| error.code())
}

#[tokio::test]
async fn tables_unreadable_for_longer_than_the_limit_refuse_every_answer_until_they_are_back() {
    let world = World::new()
        .with_secret("bureau-api-key")
        .await
        .with_metadata("max_staleness_s = 60");
    let (clock, zt, maya) = world.held().await;
    let job = sign_in(&zt, "sp:sp-score-201").await.claiming(201, 2);
    let away = world.path().join("away");
    fs::rename(world.tables(), &away).unwrap();
    clock.advance(LIMIT);
    assert_eq!(code(&maya), None, "the limit itself is allowed");
    clock.advance(Duration::from_millis(1));
    let error = maya
        .check("model.infer", "model:car_loan_scorer")
        .unwrap_err();
    assert_eq!(error.code(), Code::MetadataStale);
    assert!(matches!(error.kind(), ErrorKind::Unavailable { .. }));
    assert_eq!(error.public_message(), "temporarily unavailable");
    assert!(
        error.message().contains("60 s") && error.help().is_some(),
        "{error}"
    );
    let secret = job.secret("bureau-api-key").await.unwrap_err();
    assert_eq!(secret.code(), Code::MetadataStale);
    assert!(!format!("{secret:?}").contains(NEEDLE));
    assert_eq!(maya.audit_tail(1).unwrap_err().code(), Code::MetadataStale);
    assert!(zt.reload().await.is_err());
    assert_eq!(
        code(&maya),
        Some(Code::MetadataStale),
        "a failed look confirms nothing"
    );

    fs::rename(&away, world.tables()).unwrap();
    assert_eq!(zt.reload().await.unwrap().version(), 1, "nothing changed");
    assert_eq!(code(&maya), None);
    assert_eq!(zt.snapshot_age(), Duration::ZERO);
    let folder = zt.audit_folder();
    zt.close(Duration::from_secs(5)).await.unwrap();
    let stale = |entry: &audit::Entry| {
        entry.detail.values().any(|text| text.contains("stale")) && entry.outcome == "refused"
    };
    assert!(!audit::tail(folder, 1000, stale).unwrap().is_empty());
}

#[tokio::test]
async fn a_refused_version_does_not_confirm_the_one_in_force() {
    let world = World::new().with_metadata("max_staleness_s = 60");
    let (clock, zt, maya) = world.held().await;
    world.edit(|tables| tables.replace("effect = \"deny\"", "effect = \"maybe\""));
    clock.advance(LIMIT + Duration::from_secs(1));
    zt.reload().await.unwrap_err();
    assert_eq!(code(&maya), Some(Code::MetadataStale));
    world.edit(|tables| tables.replace("effect = \"maybe\"", "effect = \"deny\""));
    zt.reload().await.unwrap();
    assert_eq!(code(&maya), None);
}

#[tokio::test]
async fn tables_of_another_tenant_do_not_take_the_place_of_this_ones() {
    let world = World::new();
    let zt = world.open().await;
    let tenant = zt.snapshot().tables().world[0].tenant.to_string();
    let other = "99999999-9999-4999-8999-999999999999";
    world.edit(|tables| {
        tables
            .replace(&tenant, other)
            .replace("ttl_s = 600", "ttl_s = 60")
    });
    assert_eq!(zt.reload().await.unwrap_err().code(), Code::Config);
    assert_eq!(zt.snapshot().version(), 1);
    world.edit(|tables| tables.replace(other, &tenant));
    assert_eq!(zt.reload().await.unwrap().version(), 2);
}

#[tokio::test]
async fn neither_clock_can_be_turned_to_hide_the_age() {
    let world = World::new().with_metadata("max_staleness_s = 60");
    let (clock, zt, maya) = world.held().await;
    world.without_tables(|| {
        let began = clock.now();
        clock.jump_to(began.after(LIMIT + Duration::from_secs(1)));
        assert_eq!(
            code(&maya),
            Some(Code::MetadataStale),
            "as after a night's sleep"
        );
        assert_eq!(zt.snapshot_age(), LIMIT + Duration::from_secs(1));
        clock.jump_to(began);
        assert_eq!(code(&maya), None);
        clock.advance(LIMIT + Duration::from_secs(1));
        clock.jump_to(began);
        assert_eq!(code(&maya), Some(Code::MetadataStale), "the tick goes on");
    });
    zt.reload().await.unwrap();
    assert_eq!(
        code(&maya),
        None,
        "a wall clock that was set back is no reason to refuse"
    );
}

#[tokio::test]
async fn without_a_limit_nothing_is_ever_stale() {
    let world = World::new();
    let (clock, zt, maya) = world.held().await;
    world.without_tables(|| {
        clock.advance(Duration::from_secs(1800));
        assert_eq!(code(&maya), None);
    });
    assert_eq!(
        zt.snapshot_age(),
        Duration::from_secs(1800),
        "and the age is seen all the same"
    );
}

#[tokio::test]
async fn seconds_are_whole_numbers_and_the_environment_only_adds() {
    let with = |settings: &str, name: &'static str, value: &'static str| {
        let world = World::new().with_metadata(settings);
        Config::load_with(world.path(), move |asked| {
            (asked == name).then(|| value.into())
        })
    };
    let seconds = Duration::from_secs;
    let config = with("max_staleness_s = 0x3C", "", "").unwrap();
    assert_eq!(config.max_staleness(), Some(seconds(60)));
    assert_eq!(config.watch_every(), Some(seconds(20)));
    let config = with(
        "max_staleness_s = \"60\"\nwatch_s = 5",
        "ZT_METADATA_MAX_STALENESS_S",
        "060",
    );
    let config = config.unwrap();
    assert_eq!(
        config.watch_every(),
        Some(seconds(5)),
        "the same value is no other value"
    );
    let config = with("max_staleness_s = 1", "", "").unwrap();
    assert_eq!(config.watch_every(), Some(seconds(1)));
    let config = with("", "ZT_METADATA_MAX_STALENESS_S", "30").unwrap();
    assert_eq!(
        config.max_staleness(),
        Some(seconds(30)),
        "added, which tightens"
    );
    assert_eq!(with("", "", "").unwrap().watch_every(), None);

    for wrong in ["0", "-1", "1.5", "\"soon\"", "31536001", "true"] {
        let error = with(&format!("watch_s = {wrong}"), "", "").unwrap_err();
        assert_eq!(error.code(), Code::Config);
        let says = "`metadata.watch_s`: expected whole seconds from 1 to 31536000";
        assert!(error.message().contains(says), "{error}");
        assert!(error.message().contains("zt.toml:"), "{error}");
    }
    for value in ["0", "1.5", "", "99999999999999999999"] {
        let error = with("", "ZT_METADATA_WATCH_S", value).unwrap_err();
        assert!(error.message().contains("ZT_METADATA_WATCH_S"), "{error}");
    }
    let looser = with("max_staleness_s = 60", "ZT_METADATA_MAX_STALENESS_S", "600");
    assert_eq!(looser.unwrap_err().code(), Code::Config);
    let rarely = with("max_staleness_s = 60\nwatch_s = 60", "", "").unwrap_err();
    assert!(rarely.message().contains("must be less than"), "{rarely}");
}

#[test]
fn the_environment_cannot_make_a_production_file_look_less_often_than_it_means() {
    let limit = |mode: &str, value: &'static str| {
        let world = World::new().with_metadata("max_staleness_s = 60");
        let file = world.path().join("zt.toml");
        let text = fs::read_to_string(&file).unwrap();
        let text = text.split("[development.groups]").next().unwrap();
        let text = text.replace("mode = \"development\"", &format!("mode = \"{mode}\""));
        let text = text.replace("cloud = \"development\"", "cloud = \"public\"");
        fs::write(file, text + "\n[metadata]\nmax_staleness_s = 60\n").unwrap();
        Config::load_with(world.path(), move |asked| {
            (asked == "ZT_METADATA_WATCH_S").then(|| value.into())
        })
    };
    let watch = |mode, value| limit(mode, value).map(|config| config.watch_every());
    assert_eq!(
        watch("production", "20").unwrap(),
        Some(Duration::from_secs(20))
    );
    assert_eq!(
        watch("production", "5").unwrap(),
        Some(Duration::from_secs(5))
    );
    let slower = watch("production", "21").unwrap_err();
    assert_eq!(
        slower.code(),
        Code::Config,
        "a third of the limit is what the file means"
    );
    assert!(slower.message().contains("third"), "{slower}");
    assert_eq!(
        watch("development", "21").unwrap(),
        Some(Duration::from_secs(21))
    );
}

/// The one test that waits: an edit takes effect by itself, a half-written file does not.
#[tokio::test]
async fn a_watched_file_takes_effect_and_a_half_written_one_does_not() {
    let world = World::new().with_metadata("watch_s = 1");
    let zt = world.open().await;
    let whole = fs::read_to_string(world.tables()).unwrap();
    let refused = |entry: &audit::Entry| entry.action == "reload" && entry.outcome == "refused";
    fs::write(world.tables(), &whole.as_bytes()[..whole.len() / 2]).unwrap();
    until(|| {
        !audit::tail(zt.audit_folder(), 100, refused)
            .unwrap()
            .is_empty()
    })
    .await;
    assert_eq!(zt.snapshot().version(), 1, "the last good one stays");
    fs::write(world.tables(), whole.replace("ttl_s = 600", "ttl_s = 60")).unwrap();
    until(|| zt.snapshot().version() == 2).await;
}

async fn until(happened: impl Fn() -> bool) {
    for _ in 0..1200 {
        if happened() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert!(happened(), "not within a minute");
}

#[cfg(feature = "arrow")]
#[tokio::test]
async fn stale_tables_answer_no_column_either() {
    let world = World::new().with_metadata("max_staleness_s = 60");
    let (clock, _zt, maya) = world.held().await;
    let column = arrow_array::StringArray::from(vec!["table:gold.loan_scores"]);
    let ask = || maya.check_array("table.read", &column);
    assert!(ask().is_ok());
    world.without_tables(|| {
        clock.advance(LIMIT + Duration::from_secs(1));
        assert_eq!(ask().unwrap_err().code(), Code::MetadataStale);
    });
}
