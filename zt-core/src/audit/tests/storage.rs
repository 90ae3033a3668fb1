//! A disk in memory that forgets, at a random point, everything that was not synced: what a power cut leaves.
//!
//! A file keeps what was synced, and any beginning of what was written behind it, with holes in it. A name that was not made durable may be
//! there or not. What was acknowledged must be there, and what is there must verify.

use std::collections::BTreeMap;
use std::io;
use std::sync::Mutex;
use std::thread;

use proptest::prelude::*;

use super::super::disk::{Disk, SegmentFile};
use super::checkpoints::{TestKey, open_signed};
use super::*;
use crate::testing::ManualClock;

/// Smaller than any disk's, for logs that are smaller too.
const PAGE: usize = 64;

#[derive(Debug, Default)]
struct Content {
    bytes: Vec<u8>,
    synced: usize,
}

/// What a disk holds, and after how many steps the power goes.
#[derive(Debug)]
struct Platter {
    files: BTreeMap<PathBuf, Arc<Mutex<Content>>>,
    steps_left: usize,
    /// Chooses what survives of what was not synced.
    chance: u64,
}

#[derive(Debug, Clone)]
struct SimulatedDisk(Arc<Mutex<Platter>>);

#[derive(Debug)]
struct SimulatedFile(Arc<Mutex<Content>>, SimulatedDisk);

impl SimulatedDisk {
    fn new(steps: usize, chance: u64) -> Self {
        Self(Arc::new(Mutex::new(Platter {
            files: BTreeMap::new(),
            steps_left: steps,
            chance,
        })))
    }

    /// One step of the disk; after the last nothing happens any more.
    fn step(&self) -> io::Result<()> {
        let mut platter = self.0.lock().unwrap();
        if platter.steps_left == 0 {
            return Err(io::Error::other("the power is gone"));
        }
        platter.steps_left -= 1;
        Ok(())
    }

    /// Writes what survived into a real folder.
    fn restore(&self) {
        let mut platter = self.0.lock().unwrap();
        let mut chance = platter.chance;
        for (path, content) in std::mem::take(&mut platter.files) {
            chance = chance
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            let content = content.lock().unwrap();
            let rest = content.bytes.len() - content.synced;
            let survived = content.synced + usize::try_from(chance >> 33).unwrap() % (rest + 1);
            let mut bytes = content.bytes[..survived].to_vec();
            let unsynced = bytes.get_mut(content.synced..).unwrap_or_default();
            // Pages come to the disk in any order: some in the middle may be missing, and read as zeros.
            for (at, page) in unsynced.chunks_mut(PAGE).enumerate() {
                if platter.chance >> (8 + at % 48) & 3 == 3 {
                    page.fill(0);
                }
            }
            fs::write(path, &bytes).unwrap();
        }
    }
}

impl Disk for SimulatedDisk {
    fn create(&self, path: &Path) -> io::Result<Box<dyn SegmentFile>> {
        self.step()?;
        let content = Arc::new(Mutex::new(Content::default()));
        let mut platter = self.0.lock().unwrap();
        platter.files.insert(path.to_owned(), Arc::clone(&content));
        drop(platter);
        Ok(Box::new(SimulatedFile(content, self.clone())))
    }

    fn reopen(&self, path: &Path, length: u64) -> io::Result<Box<dyn SegmentFile>> {
        self.step()?;
        let content = Arc::clone(&self.0.lock().unwrap().files[path]);
        content
            .lock()
            .unwrap()
            .bytes
            .truncate(usize::try_from(length).unwrap());
        Ok(Box::new(SimulatedFile(content, self.clone())))
    }

    fn publish(&self, from: &Path, to: &Path) -> io::Result<()> {
        // The rename may have reached the disk when the power went before it was known to.
        let done = self.step();
        let mut platter = self.0.lock().unwrap();
        let is_lucky = platter.chance & 1 == 1;
        if (done.is_ok() || is_lucky)
            && let Some(content) = platter.files.remove(from)
        {
            platter.files.insert(to.to_owned(), content);
        }
        done
    }

    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        let platter = self.0.lock().unwrap();
        let file = platter.files.get(path);
        Ok(file.map_or_else(Vec::new, |file| file.lock().unwrap().bytes.clone()))
    }

    fn length(&self, path: &Path) -> io::Result<u64> {
        Ok(u64::try_from(self.read(path)?.len()).unwrap())
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        self.step()?;
        self.0.lock().unwrap().files.remove(path);
        Ok(())
    }
}

impl SegmentFile for SimulatedFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        let done = self.1.step();
        let mut content = self.0.lock().unwrap();
        let length = if done.is_ok() {
            bytes.len()
        } else {
            bytes.len() / 2
        };
        content.bytes.extend_from_slice(&bytes[..length]);
        done
    }

    fn sync(&mut self) -> io::Result<()> {
        self.1.step()?;
        let mut content = self.0.lock().unwrap();
        content.synced = content.bytes.len();
        Ok(())
    }
}

/// Writes until the power goes; what was acknowledged.
fn write_until_dark(
    folder: &Path,
    disk: &SimulatedDisk,
    key: &Arc<TestKey>,
    segment_bytes: u64,
) -> Vec<usize> {
    let options = options(folder)
        .with_segment_bytes(segment_bytes)
        .with_signer(Arc::<TestKey>::clone(key));
    let clock = Arc::new(ManualClock::new(Timestamp::from_secs(1_790_000_000)));
    let Ok(log) = AuditLog::open_on(options, clock, Arc::new(disk.clone())) else {
        return Vec::new();
    };
    let write = |from: usize| {
        let log = &log;
        move || {
            let numbers = (from..from + 40).step_by(2);
            let kept = numbers.filter(|number| {
                // Ordered ones are promised nothing before the next durable one.
                let ordered = record(1000 + number);
                let _not_promised = log.append(ordered, Durability::Ordered);
                log.append(record(*number), Durability::Durable).is_ok()
            });
            kept.collect::<Vec<_>>()
        }
    };
    thread::scope(|scope| {
        let threads = [scope.spawn(write(0)), scope.spawn(write(1))];
        threads
            .into_iter()
            .flat_map(|thread| thread.join().unwrap())
            .collect()
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(
        if std::env::var_os("ZT_LONG_TESTS").is_some() { 3000 } else { 300 }
    ))]

    #[test]
    fn a_power_cut_loses_nothing_that_was_acknowledged(
        steps in 0_usize..120,
        chance in any::<u64>(),
        segment_bytes in prop::sample::select(vec![1024_u64, 4096, 1 << 20]),
    ) {
        let folder = tempfile::tempdir().unwrap();
        let key = TestKey::new();
        let disk = SimulatedDisk::new(steps, chance);
        let acknowledged = write_until_dark(folder.path(), &disk, &key, segment_bytes);
        disk.restore();
        // The next process recovers what is torn.
        open(folder.path()).close(LONG).unwrap();
        let found = verify(folder.path()).unwrap();
        prop_assert!(found.is_intact(), "{:?}", found);
        let mut kept = numbers(folder.path());
        kept.sort_unstable();
        for number in acknowledged {
            prop_assert!(kept.binary_search(&number).is_ok(), "{} is lost", number);
        }
    }
}

#[cfg(unix)]
#[test]
fn a_segment_that_somebody_removes_takes_no_more_records() {
    let folder = tempfile::tempdir().unwrap();
    let key = TestKey::new();
    let log = open_signed(folder.path(), &key);
    log.append(record(0), Durability::Durable).unwrap();
    fs::remove_file(segment(folder.path(), log.writer(), 1)).unwrap();
    let refused = log.append(record(1), Durability::Durable).unwrap_err();
    assert!(
        refused.to_string().contains("somebody removed the file"),
        "{refused}"
    );
    assert!(!log.health().is_writable);
    log.append(record(2), Durability::Durable).unwrap();
    log.close(LONG).unwrap();
    assert_eq!(numbers(folder.path()), [2]);
    let found = verify(folder.path()).unwrap();
    assert_eq!(
        found.findings[0].what,
        FindingKind::MissingSegment,
        "{found:?}"
    );
}
