//! Whatever is done to the files, `verify` finds it and never panics.

use super::*;

#[test]
fn every_changed_bit_is_found_in_its_line() {
    let folder = tempfile::tempdir().unwrap();
    open(folder.path()).close(LONG).unwrap();
    let path = killed(folder.path(), 3);
    let bytes = fs::read(&path).unwrap();
    let mut line = 1;
    for at in 0..bytes.len() {
        // The lowest bit, and the one that turns `a` into `A`.
        for bit in [0, 5] {
            let mut changed = bytes.clone();
            changed[at] ^= 1 << bit;
            fs::write(&path, &changed).unwrap();
            let verification = verify(folder.path()).unwrap();
            let finding = verification.findings.first();
            let finding = finding.unwrap_or_else(|| panic!("byte {at} bit {bit} is not found"));
            assert_eq!(finding.line, line, "byte {at} bit {bit}: {finding:?}");
            assert_eq!(Some(&*finding.file), path.file_name().unwrap().to_str());
            drop(tail(folder.path(), 5, |_| true).unwrap());
        }
        line += u64::from(bytes[at] == b'\n');
    }
}

#[test]
fn a_removed_line_is_a_gap() {
    let folder = tempfile::tempdir().unwrap();
    let path = killed(folder.path(), 5);
    let mut all = lines(&path);
    all.remove(3);
    rewrite(&path, &all);
    let verification = verify(folder.path()).unwrap();
    assert_eq!(kinds(&verification), [(FindingKind::Gap, 4)]);
    assert_eq!(verification.findings[0].seq, Some(4));
}

#[test]
fn swapped_and_repeated_lines_are_found_at_the_first() {
    let folder = tempfile::tempdir().unwrap();
    let path = killed(folder.path(), 5);
    let all = lines(&path);
    let mut swapped = all.clone();
    swapped.swap(3, 4);
    rewrite(&path, &swapped);
    assert_eq!(
        kinds(&verify(folder.path()).unwrap()),
        [(FindingKind::Gap, 4)]
    );
    let mut repeated = all;
    repeated.insert(4, repeated[3].clone());
    rewrite(&path, &repeated);
    assert_eq!(
        kinds(&verify(folder.path()).unwrap()),
        [(FindingKind::Repeated, 5)]
    );
}

#[test]
fn a_line_of_another_log_does_not_fit() {
    let folder = tempfile::tempdir().unwrap();
    let path = killed(folder.path(), 5);
    let other = killed(folder.path(), 5);
    let mut all = lines(&path);
    all[4].clone_from(&lines(&other)[4]);
    rewrite(&path, &all);
    let verification = verify(folder.path()).unwrap();
    assert_eq!(verification.findings[0].what, FindingKind::Changed);
    assert_eq!(verification.findings[0].line, 5);
}

#[test]
fn a_missing_segment_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let options = options(folder.path()).with_segment_bytes(1024);
    let log = AuditLog::open(options, Arc::new(SystemClock::new())).unwrap();
    for number in 0..20 {
        log.append(record(number), Durability::Ordered).unwrap();
    }
    log.close(LONG).unwrap();
    for number in [3, 1] {
        let path = segment(folder.path(), log.writer(), number);
        fs::remove_file(&path).unwrap();
        let verification = verify(folder.path()).unwrap();
        let finding = &verification.findings[0];
        assert_eq!(finding.what, FindingKind::MissingSegment);
        assert!(path.ends_with(&finding.file), "{finding:?}");
    }
}

#[test]
fn a_cut_or_removed_log_breaks_the_link_of_a_later_one() {
    let folder = tempfile::tempdir().unwrap();
    let older = killed(folder.path(), 5);
    let newer = open(folder.path());
    newer.close(LONG).unwrap();
    assert!(verify(folder.path()).unwrap().is_intact());
    let all = lines(&older);
    rewrite(&older, &all[..5]);
    let cut = verify(folder.path()).unwrap();
    assert_eq!(kinds(&cut), [(FindingKind::BrokenLink, 2)]);
    assert_eq!(cut.findings[0].seq, Some(7));
    assert!(cut.findings[0].file.starts_with(newer.writer()));
    fs::remove_file(&older).unwrap();
    let removed = verify(folder.path()).unwrap();
    assert_eq!(kinds(&removed), [(FindingKind::BrokenLink, 2)]);
}

#[test]
fn foreign_files_are_noted_and_not_read() {
    let folder = tempfile::tempdir().unwrap();
    killed(folder.path(), 1);
    fs::write(folder.path().join("notes.txt"), "hello").unwrap();
    fs::create_dir(folder.path().join("a.jsonl")).unwrap();
    let verification = verify(folder.path()).unwrap();
    assert!(verification.is_intact());
    assert_eq!(verification.notes.len(), 2);
}

#[test]
fn hostile_files_are_findings_and_never_a_panic() {
    let deep = format!("{{\"seq\":1,\"kind\":{}", "[".repeat(200_000)).into_bytes();
    let mut giant = vec![b'x'; 3 << 20];
    giant.push(b'\n');
    let hash = format!(",\"hash\":\"{}\"}}\n", "0".repeat(64));
    let mut framed = deep.clone();
    framed.extend_from_slice(hash.as_bytes());
    let huge = format!("{{\"seq\":18446744073709551615,\"kind\":\"admin\",\"at\":\"\"{hash}");
    let cases: [&[u8]; 10] = [
        b"",
        b"\n",
        b"\n\n\n",
        b"{}\n",
        b"\xff\xfe\x00\n",
        b"not json",
        &giant,
        &deep,
        &framed,
        huge.as_bytes(),
    ];
    for (number, bytes) in cases.iter().enumerate() {
        let folder = tempfile::tempdir().unwrap();
        let path = killed(folder.path(), 2);
        let good = fs::read(&path).unwrap();
        for prefix in [&b""[..], &good] {
            fs::write(&path, [prefix, bytes].concat()).unwrap();
            let verification = verify(folder.path()).unwrap();
            let is_unchanged = bytes.is_empty() && !prefix.is_empty();
            assert_eq!(verification.is_intact(), is_unchanged, "case {number}");
            assert!(tail(folder.path(), 10, |_| true).unwrap().len() <= 10);
            // Recovers or refuses; both are answers.
            drop(AuditLog::open(
                options(folder.path()),
                Arc::new(SystemClock::new()),
            ));
        }
    }
}
