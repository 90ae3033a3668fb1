//! What one record costs of a CPU: the thread that appends it, the thread that writes it, and who verifies it. A wait for the
//! disk is none of it, nor what other programs do.

use std::collections::VecDeque;
use std::hint::black_box;
use std::path::Path;
use std::sync::mpsc::sync_channel;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use zt_core::audit::{AuditLog, Durability, verify};
use zt_core::clock::{Clock as _, SystemClock};

use aws_lc_rs::digest::{SHA256, digest};

use super::{Signing, options, record};
use crate::Outcome;
use crate::harness::{Effort, Group, Timed, compare_timed, process_cpu, thread_cpu};

/// Records of one sample: as many as are brought to the disk at once.
const RECORDS: u32 = 4096;

pub fn groups(effort: Effort) -> Outcome<Vec<Group>> {
    Ok(vec![
        writing(effort)?,
        handing_over(effort)?,
        verifying(effort)?,
    ])
}

/// What all threads but this one use for a record that this one appends.
fn writing(effort: Effort) -> Outcome<Group> {
    let line = [b'x'; 330];
    let node = [b'x'; 65];
    let (plain, signed) = (tempfile::tempdir()?, tempfile::tempdir()?);
    let clock = Arc::new(SystemClock::new());
    let unsigned = AuditLog::open(options(plain.path()), Arc::<SystemClock>::clone(&clock))?;
    let signer = options(signed.path()).with_signer(Arc::new(super::Key::new()?));
    let log = AuditLog::open(signer, Arc::<SystemClock>::clone(&clock))?;
    let written = |log: &AuditLog| {
        let others = || process_cpu().saturating_sub(thread_cpu());
        let began = others();
        for _ in 0..RECORDS {
            let _kept = log.append(record(clock.now()), Durability::Ordered);
        }
        let _flushed = log.flush();
        others().saturating_sub(began) / RECORDS
    };
    let hashed = || {
        let began = thread_cpu();
        for _ in 0..RECORDS {
            black_box(digest(&SHA256, &line));
            black_box(digest(&SHA256, &node[..33]));
            black_box(digest(&SHA256, &node));
        }
        thread_cpu().saturating_sub(began) / RECORDS
    };
    let group = compare_timed(
        "The thread that writes: one record, chained and in the tree",
        effort.samples() * 4,
        vec![
            Timed::new("its three hashes alone, by aws-lc", hashed),
            Timed::new("all of it", || written(&unsigned)),
            Timed::new("all of it, with signed checkpoints", || written(&log)),
        ],
    );
    unsigned.close(Duration::from_secs(60))?;
    log.close(Duration::from_secs(60))?;
    Ok(group)
}

/// What this thread uses for a record that was built before.
fn handing_over(effort: Effort) -> Outcome<Group> {
    let folder = tempfile::tempdir()?;
    let clock = Arc::new(SystemClock::new());
    let log = AuditLog::open(options(folder.path()), Arc::<SystemClock>::clone(&clock))?;
    let built = || -> Vec<_> { (0..RECORDS).map(|_| record(clock.now())).collect() };
    let appended = || {
        let records = built();
        let began = thread_cpu();
        for record in records {
            let _kept = log.append(record, Durability::Ordered);
        }
        let took = thread_cpu().saturating_sub(began) / RECORDS;
        let _flushed = log.flush();
        took
    };
    let queue = Mutex::new(VecDeque::new());
    let queued = || {
        let records = built();
        let began = thread_cpu();
        for record in records {
            let mut queue = queue.lock().unwrap_or_else(PoisonError::into_inner);
            queue.push_back(record);
        }
        let took = thread_cpu().saturating_sub(began) / RECORDS;
        queue.lock().unwrap_or_else(PoisonError::into_inner).clear();
        took
    };
    let sent = || {
        let records = built();
        let (sender, receiver) = sync_channel(1 << 16);
        let taking = thread::spawn(move || receiver.iter().for_each(drop));
        let began = thread_cpu();
        for record in records {
            let _sent = sender.send(record);
        }
        let took = thread_cpu().saturating_sub(began) / RECORDS;
        drop(sender);
        let _ended = taking.join();
        took
    };
    let group = compare_timed(
        "The thread that appends: one ordered record, built before",
        effort.samples() * 4,
        vec![
            Timed::new(
                "into a VecDeque under a Mutex that nobody else uses",
                queued,
            ),
            Timed::new("`append`, ordered", appended),
            Timed::new("into a channel of std, beside a thread that takes", sent),
        ],
    );
    log.close(Duration::from_secs(60))?;
    Ok(group)
}

/// What all threads use to verify one record of 100,000.
fn verifying(effort: Effort) -> Outcome<Group> {
    let line = [b'x'; 330];
    let (plain, signed) = (tempfile::tempdir()?, tempfile::tempdir()?);
    let records = super::verified(effort);
    super::fill(plain.path(), records, Signing::None)?;
    super::fill(signed.path(), records, Signing::Checkpoints)?;
    let records = u32::try_from(records)?;
    let verified = |folder: &Path| {
        let began = process_cpu();
        let is_intact = verify(folder).is_ok_and(|found| found.is_intact());
        let took = process_cpu().saturating_sub(began) / records;
        if is_intact { took } else { Duration::MAX }
    };
    let hashed = || {
        let began = thread_cpu();
        for _ in 0..records {
            black_box(digest(&SHA256, &line));
        }
        thread_cpu().saturating_sub(began) / records
    };
    Ok(compare_timed(
        "Verifying: one record",
        effort.samples(),
        vec![
            Timed::new("its hash alone, by aws-lc", hashed),
            Timed::new("in a log without checkpoints", || verified(plain.path())),
            Timed::new("in a log with signed checkpoints", || {
                verified(signed.path())
            }),
        ],
    ))
}
