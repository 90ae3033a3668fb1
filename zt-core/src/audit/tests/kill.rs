//! A process is killed while it writes; every record that it had seen acknowledged is there.

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Command, Stdio};

use super::*;

const FOLDER: &str = "ZT_AUDIT_KILL_TEST_FOLDER";

#[test]
fn no_acknowledged_record_is_lost_when_the_process_is_killed() {
    let folder = tempfile::tempdir().unwrap();
    let mut acknowledged = Vec::new();
    for round in 1..=3_usize {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--ignored", "--exact", "--nocapture"])
            .arg("audit::tests::kill::child_that_writes_until_it_is_killed")
            .env(FOLDER, folder.path())
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
        for _ in 0..round * 40 {
            acknowledged.push(next().unwrap());
        }
        child.kill().unwrap();
        child.wait().unwrap();
        acknowledged.extend(std::iter::from_fn(next));
    }
    open(folder.path()).close(LONG).unwrap();
    let verification = verify(folder.path()).unwrap();
    assert!(verification.is_intact(), "{verification:?}");
    assert_eq!(verification.writers, 4);
    let mut kept = numbers(folder.path());
    kept.sort_unstable();
    acknowledged.sort_unstable();
    for number in acknowledged.chunk_by(|a, b| a == b) {
        let copies = kept.iter().filter(|kept| **kept == number[0]).count();
        assert!(copies >= number.len(), "{} is lost", number[0]);
    }
}

#[test]
#[ignore = "the child of the test above"]
fn child_that_writes_until_it_is_killed() {
    let Some(folder) = std::env::var_os(FOLDER) else {
        return;
    };
    let log = open(Path::new(&folder));
    for number in 0.. {
        log.append(record(number), Durability::Durable).unwrap();
        let mut out = std::io::stdout().lock();
        writeln!(out, "acknowledged {number}").unwrap();
        out.flush().unwrap();
    }
}
