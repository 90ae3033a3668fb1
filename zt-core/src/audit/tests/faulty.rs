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
    pub(in crate::audit) sync: AtomicBool,
    pub(in crate::audit) syncs: AtomicUsize,
    /// A sync waits while this holds.
    hold: Mutex<bool>,
    moved: Condvar,
    waiting: AtomicUsize,
}

impl Faults {
    pub(in crate::audit) fn hold(&self, hold: bool) {
        *self.hold.lock().unwrap() = hold;
        self.moved.notify_all();
    }

    /// Returns when a sync has begun and waits.
    pub(in crate::audit) fn wait_for_sync(&self) {
        let held = self.hold.lock().unwrap();
        let begun = |_: &mut bool| self.waiting.load(Ordering::SeqCst) == 0;
        drop(self.moved.wait_while(held, begun).unwrap());
    }
}

#[derive(Debug, Clone, Default)]
pub(in crate::audit) struct FaultyDisk(pub(in crate::audit) Arc<Faults>);

#[derive(Debug)]
struct FaultyFile(Box<dyn SegmentFile>, Arc<Faults>);

fn fails(flag: &AtomicBool) -> io::Result<()> {
    if flag.load(Ordering::SeqCst) {
        return Err(io::ErrorKind::StorageFull.into());
    }
    Ok(())
}

impl Disk for FaultyDisk {
    fn create(&self, path: &Path) -> io::Result<Box<dyn SegmentFile>> {
        fails(&self.0.create)?;
        Ok(Box::new(FaultyFile(
            OsDisk.create(path)?,
            Arc::clone(&self.0),
        )))
    }

    fn publish(&self, from: &Path, to: &Path) -> io::Result<()> {
        // The worst case: the name is there, and the folder's sync fails.
        OsDisk.publish(from, to)?;
        fails(&self.0.publish)
    }
}

impl SegmentFile for FaultyFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        if fails(&self.1.write).is_err() {
            self.0.write(&bytes[..bytes.len() / 2])?;
        }
        fails(&self.1.write)?;
        self.0.write(bytes)
    }

    fn sync(&mut self) -> io::Result<()> {
        let held = self.1.hold.lock().unwrap();
        self.1.waiting.fetch_add(1, Ordering::SeqCst);
        self.1.moved.notify_all();
        drop(self.1.moved.wait_while(held, |held| *held).unwrap());
        self.1.waiting.fetch_sub(1, Ordering::SeqCst);
        fails(&self.1.sync)?;
        self.1.syncs.fetch_add(1, Ordering::SeqCst);
        self.0.sync()
    }
}
