//! A small signed log, and everything that can be done to one byte or one record of it: `verify` finds each.

use super::checkpoints::{TestKey, closed};
use super::*;

/// A folder with a log of two checkpoints, and its two files.
fn small() -> (tempfile::TempDir, PathBuf, PathBuf, VerifyOptions) {
    let folder = tempfile::tempdir().unwrap();
    let key = TestKey::new();
    let writer = closed(folder.path(), &key, 3);
    let log = segment(folder.path(), &writer, 1);
    let notes = folder.path().join(folder::checkpoints_name(&writer));
    let options = VerifyOptions::new().with_key(key.public());
    assert!(verify_with(folder.path(), &options).unwrap().is_intact());
    (folder, log, notes, options)
}

/// Every change of the file but the one that is none must be a finding.
fn each_is_found(
    folder: &Path,
    path: &Path,
    options: &VerifyOptions,
    changes: impl Iterator<Item = (String, Vec<u8>)>,
) {
    let good = fs::read(path).unwrap();
    let mut count = 0;
    for (what, bytes) in changes {
        if bytes == good {
            continue;
        }
        fs::write(path, &bytes).unwrap();
        let found = verify_with(folder, options).unwrap();
        assert!(!found.is_intact(), "{what} is not found");
        count += 1;
    }
    assert!(count > 0);
    fs::write(path, &good).unwrap();
    assert!(verify_with(folder, options).unwrap().is_intact());
}

fn flips(bytes: &[u8]) -> impl Iterator<Item = (String, Vec<u8>)> {
    // Every byte, each in another bit: all bits of a line and of a note are turned by the tests beside the code.
    (0..bytes.len()).map(|at| {
        let mut changed = bytes.to_vec();
        changed[at] ^= 1 << (at % 8);
        (format!("byte {at}"), changed)
    })
}

fn cuts(bytes: &[u8]) -> impl Iterator<Item = (String, Vec<u8>)> {
    (0..bytes.len()).map(|end| (format!("a cut at byte {end}"), bytes[..end].to_vec()))
}

/// Every deletion, repetition and swap of pieces, and every replay of one in another place.
fn moves(pieces: &[Vec<u8>]) -> impl Iterator<Item = (String, Vec<u8>)> {
    let mut all = Vec::new();
    for at in 0..pieces.len() {
        let mut changed = pieces.to_vec();
        let piece = changed.remove(at);
        all.push((format!("deletion of {at}"), changed.concat()));
        for to in 0..=pieces.len() {
            let mut replayed = pieces.to_vec();
            replayed.insert(to, piece.clone());
            all.push((format!("replay of {at} at {to}"), replayed.concat()));
        }
        for other in 0..at {
            let mut swapped = pieces.to_vec();
            swapped.swap(at, other);
            all.push((format!("swap of {at} and {other}"), swapped.concat()));
        }
    }
    all.into_iter()
}

#[test]
fn everything_done_to_a_record_of_a_signed_log_is_found() {
    let (folder, log, _, options) = small();
    let bytes = fs::read(&log).unwrap();
    let third = lines(&log);
    each_is_found(folder.path(), &log, &options, flips(&bytes));
    each_is_found(folder.path(), &log, &options, cuts(&bytes));
    each_is_found(folder.path(), &log, &options, moves(&third));
    // Several of them.
    let range = |from: usize, to: usize| {
        (
            format!("{from}..{to}"),
            [&third[..from], &third[to..]].concat().concat(),
        )
    };
    let ranges =
        (0..third.len()).flat_map(|from| (from + 1..=third.len()).map(move |to| (from, to)));
    each_is_found(
        folder.path(),
        &log,
        &options,
        ranges.map(|(from, to)| range(from, to)),
    );
}

#[test]
fn everything_done_to_a_checkpoint_is_found() {
    let (folder, _, notes, options) = small();
    let bytes = fs::read(&notes).unwrap();
    each_is_found(folder.path(), &notes, &options, flips(&bytes));
    each_is_found(folder.path(), &notes, &options, cuts(&bytes));
    each_is_found(folder.path(), &notes, &options, moves(&lines(&notes)));
}

#[test]
fn a_record_of_another_signed_log_is_found_in_each_place() {
    let (folder, log, _, options) = small();
    let (_other, foreign, ..) = small();
    let (ours, theirs) = (lines(&log), lines(&foreign));
    let changes = (0..theirs.len()).flat_map(|from| {
        let theirs = theirs[from].clone();
        let ours = &ours;
        (0..ours.len()).map(move |to| {
            let mut changed = ours.clone();
            changed[to].clone_from(&theirs);
            (format!("{from} in place of {to}"), changed.concat())
        })
    });
    let changes: Vec<_> = changes.collect();
    each_is_found(folder.path(), &log, &options, changes.into_iter());
}
