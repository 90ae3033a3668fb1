//! A segment of the audit log, and notes of checkpoints, as somebody who may write the folder could leave them.

use std::fs;

use zt_core::audit::{
    ExportFormat, Filter, VerifyOptions, each_forward, export, tail, verify, verify_with,
};

use super::check_message;

/// The name of a log, for what does not name its own.
const WRITER: &str = "20260921T141320Z-0123456789abcdef";

/// A segment. Whether its chain is whole.
///
/// Reading, verifying and exporting it end, and never panic. A chain that is whole has a record for each line, and every
/// reader sees the same records of it. Every finding has a message of one line and a place in the file.
pub fn audit_line(input: &[u8]) -> bool {
    let folder = tempfile::tempdir().expect("a folder");
    let name = format!("{}-000001.jsonl", writer(input));
    fs::write(folder.path().join(&name), input).expect("a file");
    let found = verify(folder.path()).expect("the folder can be read");
    for finding in &found.findings {
        check_message(&finding.message);
        let length = u64::try_from(input.len()).expect("a length");
        assert!(finding.byte_offset <= length, "{finding:?}");
    }
    let mut forward = Vec::new();
    each_forward(folder.path(), |entry| forward.push((entry.seq, entry.hash))).expect("it reads");
    for format in [
        ExportFormat::Csv,
        ExportFormat::Ocsf,
        ExportFormat::OpenTelemetry,
    ] {
        let mut out = Vec::new();
        let rows = export(folder.path(), &Filter::default(), format, &mut out).expect("it exports");
        assert_eq!(rows, u64::try_from(forward.len()).expect("a length"));
        assert!(std::str::from_utf8(&out).is_ok());
    }
    if !found.is_intact() {
        return false;
    }
    let lines = input.iter().filter(|byte| **byte == b'\n').count();
    assert_eq!(u64::try_from(lines), Ok(found.records));
    assert!(input.ends_with(b"\n"));
    let newest = tail(folder.path(), usize::MAX, |_| true).expect("it reads");
    assert_eq!(newest.len(), forward.len());
    let head = found
        .heads
        .iter()
        .find(|head| name.starts_with(&head.writer))
        .expect("a head");
    assert_eq!(head.seq, found.records);
    // One byte less is another log.
    let (_, shorter) = input.split_last().expect("a byte");
    fs::write(folder.path().join(&name), shorter).expect("a file");
    assert!(!verify(folder.path()).expect("it reads").is_intact());
    true
}

/// The log that the first line names, if that is a name.
fn writer(input: &[u8]) -> String {
    #[derive(serde::Deserialize)]
    struct Header {
        writer: String,
    }
    let line = input
        .split(|byte| *byte == b'\n')
        .next()
        .unwrap_or_default();
    let header: Option<Header> = serde_json::from_slice(line).ok();
    let is_name = |name: &String| {
        name.len() == WRITER.len() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
    };
    header
        .map(|header| header.writer)
        .filter(is_name)
        .unwrap_or_else(|| WRITER.to_owned())
}

/// Notes, one after another. Whether they are read as checkpoints.
///
/// What is read is read again behind itself, and is not read without its last byte or with one more. The logs that it signs
/// are gone: each is a finding, as is each note that nobody signed.
pub fn checkpoint(input: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(input) else {
        return false;
    };
    let options = match VerifyOptions::new().with_checkpoints("notes", text) {
        Ok(options) => options,
        Err(why) => {
            check_message(&why.to_string());
            return false;
        }
    };
    if text.is_empty() {
        return false;
    }
    let read = |text: &str| VerifyOptions::new().with_checkpoints("notes", text).is_ok();
    assert!(read(&format!("{text}{text}")));
    let shorter = text.strip_suffix('\n').expect("a line");
    assert!(!read(shorter) && !read(&format!("{text}x")));
    let folder = tempfile::tempdir().expect("a folder");
    let found = verify_with(folder.path(), &options).expect("the folder can be read");
    assert!(!found.is_intact());
    found
        .findings
        .iter()
        .for_each(|finding| check_message(&finding.message));
    true
}
