#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test stops at the first thing that is not as it should be"
)]

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicUsize};

use super::*;
use crate::audit;
use crate::clock::{Clock, SystemClock};
use crate::metadata::{MetadataSource, RawTables, Report};
use crate::port::BoxFuture;
use crate::runtime::{Config, RuntimeBuilder};
use crate::testing::ManualClock;

/// Tables that count how often they are read, and whose fingerprint a test chooses.
#[derive(Debug)]
struct Source {
    files: crate::adapters::file::FileTables,
    loads: AtomicUsize,
    tells: AtomicBool,
    fails: AtomicU8,
}

const HANGS: u8 = 1;
const PANICS: u8 = 2;

#[derive(Debug)]
struct Port(Arc<Source>);

impl MetadataSource for Port {
    fn load(&self) -> BoxFuture<'_, Result<RawTables, Report>> {
        self.0.loads.fetch_add(1, Ordering::SeqCst);
        match self.0.fails.load(Ordering::SeqCst) {
            HANGS => Box::pin(std::future::pending()),
            PANICS => Box::pin(async { panic!("the source panics") }),
            _ => self.0.files.load(),
        }
    }

    fn fingerprint(&self) -> BoxFuture<'_, Option<Fingerprint>> {
        if self.0.tells.load(Ordering::SeqCst) {
            self.0.files.fingerprint()
        } else {
            Box::pin(async { None })
        }
    }
}

struct World {
    folder: tempfile::TempDir,
    source: Arc<Source>,
    clock: Arc<ManualClock>,
    zt: Runtime,
    watch: Watch,
}

impl World {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let sample = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/world");
        for file in ["brindlewick.toml", "zt.toml"] {
            std::fs::copy(sample.join(file), folder.path().join(file)).unwrap();
        }
        let source = Arc::new(Source {
            files: crate::adapters::file::FileTables::new(folder.path().join("brindlewick.toml")),
            loads: AtomicUsize::new(0),
            tells: AtomicBool::new(true),
            fails: AtomicU8::new(0),
        });
        let clock = Arc::new(ManualClock::new(SystemClock::new().now()));
        let zt = RuntimeBuilder::new(Config::load_with(folder.path(), |_| None).unwrap())
            .with_tables(Box::new(Port(Arc::clone(&source))))
            .with_clock(Arc::<ManualClock>::clone(&clock))
            .open()
            .await
            .unwrap();
        let watch = Watch::new(Duration::from_secs(20), clock.elapsed());
        Self {
            folder,
            source,
            clock,
            zt,
            watch,
        }
    }

    async fn look(&mut self) {
        self.clock.advance(Duration::from_secs(20));
        self.watch.look_when_due(&self.zt).await;
    }

    fn loads(&self) -> usize {
        self.source.loads.load(Ordering::SeqCst)
    }

    fn edit(&self, from: &str, to: &str) {
        let file = self.folder.path().join("brindlewick.toml");
        let text = std::fs::read_to_string(&file).unwrap();
        assert!(text.contains(from));
        std::fs::write(file, text.replacen(from, to, 1)).unwrap();
    }

    fn recorded(&self, outcome: &str) -> usize {
        let is_reload =
            |entry: &audit::Entry| entry.action == "reload" && entry.outcome.as_str() == outcome;
        audit::tail(self.zt.audit_folder(), 1000, is_reload)
            .unwrap()
            .len()
    }
}

#[tokio::test]
async fn unchanged_files_are_confirmed_without_being_read_once_they_are_settled() {
    let mut world = World::new().await;
    world.look().await;
    assert_eq!(
        world.loads(),
        2,
        "a change within the tick of the first reading would show"
    );
    for _ in 0..3 {
        world.look().await;
        assert_eq!(world.zt.snapshot_age(), Duration::ZERO);
    }
    assert_eq!(world.loads(), 2);
    world.watch.look_when_due(&world.zt).await;
    world.clock.advance(Duration::from_secs(19));
    world.watch.look_when_due(&world.zt).await;
    assert_eq!(
        world.zt.snapshot_age(),
        Duration::from_secs(19),
        "not due, not looked"
    );
    assert_eq!(world.recorded("ok"), 0, "nothing changed");
}

#[tokio::test]
async fn a_fingerprint_is_believed_only_after_the_tick_of_a_file_date() {
    let world = World::new().await;
    for loads in 2..4 {
        world.zt.reload().await.unwrap();
        world.clock.advance(Duration::from_secs(1));
        assert!(world.zt.look().await.outcome.is_ok());
        assert_eq!(
            world.loads(),
            2 * loads - 1,
            "read again, however often it was just read"
        );
    }
    world.clock.advance(Duration::from_millis(1));
    assert!(world.zt.look().await.outcome.is_ok());
    assert!(world.zt.look().await.outcome.is_ok());
    assert_eq!(world.loads(), 6);
}

#[tokio::test]
async fn a_change_is_taken_and_recorded_once() {
    let mut world = World::new().await;
    world.edit("ttl_s = 600", "ttl_s = 60");
    for _ in 0..4 {
        world.look().await;
        assert_eq!(world.zt.snapshot().version(), 2);
    }
    assert_eq!((world.loads(), world.recorded("ok")), (3, 1));
}

#[tokio::test]
async fn a_source_that_cannot_tell_is_read_at_every_look() {
    let mut world = World::new().await;
    world.source.tells.store(false, Ordering::SeqCst);
    for loads in 2..5 {
        world.look().await;
        assert_eq!(
            (world.loads(), world.zt.snapshot_age()),
            (loads, Duration::ZERO)
        );
    }
    assert_eq!(world.recorded("ok"), 0);
}

#[tokio::test]
async fn a_refused_version_confirms_nothing_and_is_recorded_once_a_minute() {
    let mut world = World::new().await;
    world.look().await;
    world.edit("effect = \"deny\"", "effect = \"maybe\"");
    for looks in 1..=3 {
        world.look().await;
        assert_eq!(world.zt.snapshot_age(), Duration::from_secs(20 * looks));
        assert_eq!(world.recorded("refused"), 1);
    }
    world.look().await;
    assert_eq!(
        world.recorded("refused"),
        2,
        "a minute later it is said again"
    );
    world.edit("effect = \"allow\"", "effect = \"perhaps\"");
    world.look().await;
    assert_eq!(world.recorded("refused"), 3, "another version");

    world.edit("effect = \"maybe\"", "effect = \"deny\"");
    world.edit("effect = \"perhaps\"", "effect = \"allow\"");
    world.look().await;
    assert_eq!(world.zt.snapshot_age(), Duration::ZERO);
    assert_eq!(world.zt.snapshot().version(), 1);
}

#[tokio::test]
async fn tables_that_are_gone_confirm_nothing() {
    let mut world = World::new().await;
    world.look().await;
    world.look().await;
    std::fs::remove_file(world.folder.path().join("brindlewick.toml")).unwrap();
    world.look().await;
    world.look().await;
    assert_eq!(world.zt.snapshot_age(), Duration::from_secs(40));
    assert_eq!(world.recorded("refused"), 1);
}

#[tokio::test]
async fn tables_that_come_and_go_are_recorded_once_a_minute() {
    let mut world = World::new().await;
    let (file, away) = (world.folder.path().join("brindlewick.toml"), "away");
    let away = world.folder.path().join(away);
    for _ in 0..3 {
        std::fs::rename(&file, &away).unwrap();
        world.clock.advance(Duration::from_secs(5));
        world.watch.look(&world.zt).await;
        std::fs::rename(&away, &file).unwrap();
        world.watch.look(&world.zt).await;
        assert_eq!(world.zt.snapshot_age(), Duration::ZERO);
    }
    assert_eq!(world.recorded("refused"), 1);
}

#[tokio::test(start_paused = true)]
async fn a_source_that_never_answers_is_given_up_recorded_and_confirms_nothing() {
    let mut world = World::new().await;
    world.source.tells.store(false, Ordering::SeqCst);
    world.source.fails.store(HANGS, Ordering::SeqCst);
    for looks in 1..=2 {
        world.look().await;
        assert_eq!(world.zt.snapshot_age(), Duration::from_secs(20 * looks));
        assert_eq!(world.recorded("refused"), 1);
    }
    world.source.fails.store(0, Ordering::SeqCst);
    world.zt.reload().await.unwrap();
    assert_eq!(world.zt.snapshot_age(), Duration::ZERO, "the lock is free");
}

#[test]
fn a_source_that_panics_is_recorded_and_does_not_end_the_watch() {
    let executor = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let mut world = executor.block_on(World::new());
    world.source.fails.store(PANICS, Ordering::SeqCst);
    for looks in 1..=2 {
        world.clock.advance(Duration::from_secs(20));
        world.watch.turn(&executor, &world.zt);
        assert_eq!(world.zt.snapshot_age(), Duration::from_secs(20 * looks));
        assert_eq!(world.recorded("refused"), 1);
    }
    world.source.fails.store(0, Ordering::SeqCst);
    world.clock.advance(Duration::from_secs(20));
    world.watch.turn(&executor, &world.zt);
    assert_eq!(world.zt.snapshot_age(), Duration::ZERO);
}

#[tokio::test]
async fn the_thread_ends_with_the_last_handle() {
    let world = World::new().await;
    let thread = start(&world.zt, Duration::from_secs(3600)).unwrap();
    drop(world);
    thread.join().unwrap();
}

#[tokio::test]
async fn the_thread_ends_with_close_while_other_handles_live() {
    let world = World::new().await;
    let thread = start(&world.zt, Duration::from_secs(3600)).unwrap();
    world
        .zt
        .clone()
        .close(Duration::from_secs(5))
        .await
        .unwrap();
    thread.join().unwrap();
}
