//! Metadata tables from files that anybody may have written.

use std::cell::RefCell;
use std::fs;

use zt_core::adapters::file::FileTables;
use zt_core::clock::Timestamp;
use zt_core::metadata::{MetadataSource as _, RawTable, RawTables, Report, Snapshot};

use super::check_message;

thread_local! {
    static FOLDER: RefCell<tempfile::TempDir> =
        RefCell::new(tempfile::tempdir().expect("a temporary folder"));
}

/// A file of tables as TOML: it is read, compiled and written again, or every problem has a message.
pub fn toml(input: &[u8]) -> bool {
    let raw = FOLDER.with_borrow(|folder| {
        let file = folder.path().join("tables.toml");
        fs::write(&file, input).expect("a temporary file");
        let runtime = tokio::runtime::Builder::new_current_thread().build();
        let runtime = runtime.expect("a runtime");
        runtime.block_on(FileTables::new(file).load())
    });
    match raw {
        Ok(raw) => check(&raw),
        Err(report) => check_report(&report),
    }
}

/// The first line names a table, the rest is its CSV.
pub fn csv(input: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(input) else {
        return false;
    };
    let (table, text) = text.split_once('\n').unwrap_or((text, ""));
    match RawTable::from_csv(table, text, "fuzz.csv") {
        Ok(read) => {
            let mut raw = RawTables::new("fuzz".to_owned());
            raw.tables.push(read);
            check(&raw)
        }
        Err(report) => check_report(&report),
    }
}

/// What compiles is compiled alike after it was written as CSV and read again.
fn check(raw: &RawTables) -> bool {
    let compile = |raw: &RawTables| Snapshot::compile(raw, 1, Timestamp::from_millis(0));
    let snapshot = match compile(raw) {
        Ok(snapshot) => snapshot,
        Err(report) => return check_report(&report),
    };
    let mut again = RawTables::new(raw.source.clone());
    for table in &raw.tables {
        let csv = table.to_csv().expect("what compiles can be written");
        let read = RawTable::from_csv(&table.name, &csv, "again.csv");
        again
            .tables
            .push(read.expect("what is written can be read"));
    }
    let again = compile(&again).expect("what is read again compiles");
    assert_eq!(snapshot.hash(), again.hash(), "CSV changed the tables");
    true
}

fn check_report(report: &Report) -> bool {
    assert!(!report.is_empty(), "refused without a reason");
    let problems = report.problems().iter();
    problems.for_each(|problem| check_message(&problem.to_string()));
    false
}
