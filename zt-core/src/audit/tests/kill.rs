//! A process is killed while it writes; every record that it had seen acknowledged is there.

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Command, Stdio};

use super::*;
use crate::adapters::file::FileAuditKey;
use crate::clock::Clock as _;

const FOLDER: &str = "ZT_AUDIT_KILL_TEST_FOLDER";

#[test]
fn no_acknowledged_record_is_lost_when_the_process_is_killed() {
    let folder = tempfile::tempdir().unwrap();
    let mut acknowledged = Vec::new();
    // Tens of times in each run, hundreds where there is time for it.
    let rounds = if std::env::var_os("ZT_LONG_TESTS").is_some() {
        400
    } else {
        20
    };
    let key = folder.path().join("audit.key");
    let audit = folder.path().join("audit");
    for round in 1..=rounds {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--ignored", "--exact", "--nocapture"])
            .arg("audit::tests::kill::child_that_writes_until_it_is_killed")
            .env(FOLDER, &audit)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let output = BufReader::new(child.stdout.take().unwrap());
        let mut lines = output.lines().map_while(Result::ok);
        let mut next = || {
            lines.find_map(|line| {
                let (_, number) = line.rsplit_once("acknowledged ")?;
                number.parse::<usize>().ok()
            })
        };
        // At another point of the writing each time: between two records, within a group, before and behind a checkpoint.
        for _ in 0..(round * 7) % 60 {
            acknowledged.push(next().unwrap());
        }
        child.kill().unwrap();
        child.wait().unwrap();
        acknowledged.extend(std::iter::from_fn(next));
    }
    open(&audit).close(LONG).unwrap();
    let verification = verify(&audit).unwrap();
    assert!(verification.is_intact(), "{verification:?}");
    assert!(verification.writers > 1);
    // Whoever was alive long enough signed, and no checkpoint is of a record that is gone.
    let key = FileAuditKey::read(key).unwrap().public_key().unwrap();
    let found = verify_with(&audit, &VerifyOptions::new().with_key(key)).unwrap();
    let unsigned = |finding: &Finding| finding.what == FindingKind::Unsigned;
    assert!(found.findings.iter().all(unsigned), "{found:?}");
    let mut copies = std::collections::HashMap::new();
    for number in numbers(&audit) {
        *copies.entry(number).or_insert(0_usize) += 1;
    }
    acknowledged.sort_unstable();
    for number in acknowledged.chunk_by(|a, b| a == b) {
        let kept = copies.get(&number[0]).copied().unwrap_or(0);
        assert!(kept >= number.len(), "{} is lost", number[0]);
    }
}

#[test]
#[ignore = "the child of the test above"]
fn child_that_writes_until_it_is_killed() {
    let Some(folder) = std::env::var_os(FOLDER) else {
        return;
    };
    let folder = Path::new(&folder);
    let key = FileAuditKey::open(folder.with_file_name("audit.key")).unwrap();
    let options = options(folder)
        .with_segment_bytes(8192)
        .with_signer(Arc::new(key));
    let clock = Arc::new(SystemClock::new());
    let log = AuditLog::open(options, Arc::<SystemClock>::clone(&clock)).unwrap();
    for number in 0.. {
        let record = record_at(clock.now(), number);
        log.append(record, Durability::Durable).unwrap();
        let mut out = std::io::stdout().lock();
        writeln!(out, "acknowledged {number}").unwrap();
        out.flush().unwrap();
    }
}
