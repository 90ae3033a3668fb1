//! A disk that fails or waits when a test says so.

use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex};

use super::super::disk::{Disk, OsDisk, SegmentFile};

#[derive(Debug, Default)]
pub(in crate::audit) struct Faults {
    pub(in crate::audit) create: AtomicBool,
    pub(in crate::audit) publish: AtomicBool,
    pub(in crate::audit) write: AtomicBool,
    /// The next one alone.
    pub(in crate::audit) one_write: AtomicBool,
    pub(in crate::audit) sync: AtomicBool,
    /// Of checkpoints, which are half written then.
    pub(in crate::audit) notes: AtomicBool,
    pub(in crate::audit) syncs: AtomicUsize,
    /// How many files were removed, or are about to be.
    pub(in crate::audit) removed: AtomicUsize,
    /// What a sync waits for.
    pub(in crate::audit) syncing: Gate,
    /// And a removal.
    pub(in crate::audit) removing: Gate,
}

/// What waits while a test says so.
#[derive(Debug, Default)]
pub(in crate::audit) struct Gate {
    hold: Mutex<bool>,
    moved: Condvar,
    waiting: AtomicUsize,
}

impl Gate {
    pub(in crate::audit) fn hold(&self, hold: bool) {
        *self.hold.lock().unwrap() = hold;
        self.moved.notify_all();
    }

    fn wait(&self) {
        let held = self.hold.lock().unwrap();
        self.waiting.fetch_add(1, Ordering::SeqCst);
        self.moved.notify_all();
        drop(self.moved.wait_while(held, |held| *held).unwrap());
        self.waiting.fetch_sub(1, Ordering::SeqCst);
    }

    /// Returns when somebody waits.
    pub(in crate::audit) fn wait_for_one(&self) {
        let held = self.hold.lock().unwrap();
        let begun = |_: &mut bool| self.waiting.load(Ordering::SeqCst) == 0;
        drop(self.moved.wait_while(held, begun).unwrap());
    }
}

#[derive(Debug, Clone, Default)]
pub(in crate::audit) struct FaultyDisk(pub(in crate::audit) Arc<Faults>);

#[derive(Debug)]
struct FaultyFile {
    file: Box<dyn SegmentFile>,
    faults: Arc<Faults>,
    is_notes: bool,
}

impl FaultyDisk {
    fn file(&self, path: &Path, file: Box<dyn SegmentFile>) -> Box<dyn SegmentFile> {
        Box::new(FaultyFile {
            file,
            faults: Arc::clone(&self.0),
            is_notes: path.to_string_lossy().contains(".checkpoints"),
        })
    }
}

fn fails(flag: &AtomicBool) -> io::Result<()> {
    if flag.load(Ordering::SeqCst) {
        return Err(io::ErrorKind::StorageFull.into());
    }
    Ok(())
}

impl Disk for FaultyDisk {
    fn create(&self, path: &Path) -> io::Result<Box<dyn SegmentFile>> {
        fails(&self.0.create)?;
        Ok(self.file(path, OsDisk.create(path)?))
    }

    fn reopen(&self, path: &Path, length: u64) -> io::Result<Box<dyn SegmentFile>> {
        fails(&self.0.create)?;
        Ok(self.file(path, OsDisk.reopen(path, length)?))
    }

    fn publish(&self, from: &Path, to: &Path) -> io::Result<()> {
        // The worst case: the name is there, and the folder's sync fails.
        OsDisk.publish(from, to)?;
        fails(&self.0.publish)
    }

    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        OsDisk.read(path)
    }

    fn length(&self, path: &Path) -> io::Result<u64> {
        OsDisk.length(path)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        self.0.removed.fetch_add(1, Ordering::SeqCst);
        self.0.removing.wait();
        OsDisk.remove(path)
    }
}

impl SegmentFile for FaultyFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        let faults = Arc::clone(&self.faults);
        let fault = if self.is_notes {
            &faults.notes
        } else {
            &faults.write
        };
        if !self.is_notes && faults.one_write.swap(false, Ordering::SeqCst) {
            return Err(io::ErrorKind::StorageFull.into());
        }
        if fails(fault).is_err() {
            self.file.write(&bytes[..bytes.len() / 2])?;
        }
        fails(fault)?;
        self.file.write(bytes)
    }

    fn sync(&mut self) -> io::Result<()> {
        if self.is_notes {
            return self.file.sync();
        }
        self.faults.syncing.wait();
        fails(&self.faults.sync)?;
        self.faults.syncs.fetch_add(1, Ordering::SeqCst);
        self.file.sync()
    }
}
