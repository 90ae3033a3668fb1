//! The audit log: what a record costs, chained and in the tree, what a durable one waits, and how fast a log is verified.

mod work;

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use zt_core::audit::{
    AuditLog, AuditOptions, CheckpointSigner, Durability, Kind, Outcome as Ended, PublicKey,
    Record, SignError, verify,
};
use zt_core::clock::{Clock, SystemClock, Timestamp};

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};

use crate::Outcome;
use crate::harness::{Case, Effort, Group, compare};

/// Records in one measurement.
const RECORDS: usize = 4096;
/// Records of the log that is verified, and how often it lies in the folder, once for each writer.
const VERIFIED: usize = 100_000;

#[derive(Debug)]
struct Key(EcdsaKeyPair);

impl Key {
    fn new() -> Outcome<Self> {
        Ok(Self(EcdsaKeyPair::generate(
            &ECDSA_P256_SHA256_FIXED_SIGNING,
        )?))
    }
}

impl CheckpointSigner for Key {
    fn public_key(&self) -> Result<PublicKey, SignError> {
        PublicKey::from_point(self.0.public_key().as_ref()).ok_or_else(|| SignError::new("no key"))
    }

    fn sign(&self, message: &[u8]) -> Result<[u8; 64], SignError> {
        let signed = self.0.sign(&SystemRandom::new(), message);
        let signed = signed.map_err(|_| SignError::new("refused"))?;
        signed
            .as_ref()
            .try_into()
            .map_err(|_| SignError::new("no signature"))
    }
}

fn options(folder: &Path) -> AuditOptions {
    AuditOptions::new(folder)
        .with_queue(1 << 16, 1 << 28)
        .with_deadline(Duration::from_secs(60))
}

pub fn groups(effort: Effort) -> Outcome<Vec<Group>> {
    let (plain, signed) = (tempfile::tempdir()?, tempfile::tempdir()?);
    let clock = || Arc::new(SystemClock::new());
    let unsigned = AuditLog::open(options(plain.path()), clock())?;
    let signer = options(signed.path()).with_signer(Arc::new(Key::new()?));
    let log = AuditLog::open(signer, clock())?;
    let now = clock().now();
    let tally = log.tally(record(now))?.ok_or("no room for a tally")?;
    let line = [b'x'; 330];
    let many = |log: &AuditLog| {
        for _ in 0..RECORDS {
            let _kept = log.append(record(now), Durability::Ordered);
        }
        log.flush().is_ok()
    };
    let at_once = || {
        std::thread::scope(|scope| {
            for _ in 0..64 {
                scope.spawn(|| log.append(record(now), Durability::Durable).is_ok());
            }
        });
    };
    let mut groups = vec![
        compare(
            "4,096 ordered records, on the disk",
            effort,
            vec![
                Case::new("their hashes alone", || {
                    (0..RECORDS)
                        .map(|_| digest(&SHA256, &line).as_ref().len())
                        .sum::<usize>()
                }),
                Case::new("appended and flushed, chained and in the tree", || {
                    many(&unsigned)
                }),
                Case::new("the same, with signed checkpoints", || many(&log)),
            ],
        ),
        compare(
            "Handing over one record",
            effort,
            vec![
                Case::new("building it", || record(now)),
                Case::new("counting a repeat, as hot paths do", || {
                    log.count(&tally, now).is_ok()
                }),
                Case::new("building and appending it, counted", || {
                    log.append(record(now), Durability::Counted).is_ok()
                }),
                Case::new("building and appending it, ordered", || {
                    log.append(record(now), Durability::Ordered).is_ok()
                }),
            ],
        ),
        compare(
            "Durable records",
            effort,
            vec![
                Case::new("one, from one thread", || {
                    log.append(record(now), Durability::Durable).is_ok()
                }),
                Case::new("64, from 64 threads that are started for it", at_once),
            ],
        ),
        verification(effort)?,
    ];
    unsigned.close(Duration::from_secs(60))?;
    log.close(Duration::from_secs(60))?;
    groups.extend(work::groups(effort)?);
    Ok(groups)
}

/// Whether a log signs where it stands.
#[derive(Clone, Copy)]
enum Signing {
    None,
    Checkpoints,
}

/// Of how many records a log is that is verified.
fn verified(effort: Effort) -> usize {
    if effort.is_quick() { 1000 } else { VERIFIED }
}

/// A closed log of so many records.
fn fill(folder: &Path, records: usize, signing: Signing) -> Outcome {
    let clock = Arc::new(SystemClock::new());
    let options = match signing {
        Signing::None => options(folder),
        Signing::Checkpoints => options(folder).with_signer(Arc::new(Key::new()?)),
    };
    let log = AuditLog::open(options, Arc::<SystemClock>::clone(&clock))?;
    for _ in 0..records {
        log.append(record(clock.now()), Durability::Ordered)?;
    }
    log.close(Duration::from_secs(60))?;
    Ok(())
}

/// Verifies 100,000 records, and ten logs of 100,000 each.
fn verification(effort: Effort) -> Outcome<Group> {
    let (one, ten) = (tempfile::tempdir()?, tempfile::tempdir()?);
    for log in 0..10 {
        fill(ten.path(), verified(effort), Signing::Checkpoints)?;
        if log == 0 {
            for entry in fs::read_dir(ten.path())? {
                let entry = entry?;
                fs::copy(entry.path(), one.path().join(entry.file_name()))?;
            }
        }
    }
    if !verify(ten.path())?.is_intact() {
        return Err("what was written does not verify".into());
    }
    Ok(compare(
        "Verifying 100,000 records, and a million in ten logs",
        effort,
        vec![
            Case::new("one log", || {
                verify(one.path()).is_ok_and(|found| found.is_intact())
            }),
            Case::new("ten logs", || {
                verify(ten.path()).is_ok_and(|found| found.is_intact())
            }),
        ],
    ))
}

fn record(at: Timestamp) -> Record {
    let resource = "secret:sql-loans-password";
    Record::new(Kind::Release, at, "secret.read", resource, Ended::Ok)
        .with_caller("sp:sp-score-201")
        .with_decision("d-00000000-0000000000000001")
        .with_detail("version", "cfc441f1b99a86449ec7850730009309")
}
