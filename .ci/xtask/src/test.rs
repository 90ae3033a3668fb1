//! The tests: Rust with doctests and C, Python, the quickstart, the benches, and what all of them left behind.

use std::collections::BTreeSet;
use std::fs;
use std::io;

use crate::ahead::Ahead;
use crate::cargo::{FEATURES, cargo};
use crate::counts::{self, Counts};
use crate::needle::{KEEP, Needles, complaint};
use crate::place::Place;
use crate::python;
use crate::report::{Log, Outcome, Report};
use crate::spark;

/// Crates that the quickstart must not build: it runs without Azure, OpenSSL, a general HTTP client and Arrow.
const NOT_IN_QUICKSTART: [&str; 5] = ["azure_", "openssl", "native-tls", "reqwest", "arrow"];

/// The quickstart as its readers run it.
pub(crate) const QUICKSTART: [&str; 3] = ["--release", "--example", "quickstart"];

/// The benches, not as they are measured: optimising the peers would take longer than all other steps together.
pub(crate) const BENCHES: [&str; 4] = [
    "--manifest-path",
    "benches/Cargo.toml",
    "--profile",
    "quick",
];

/// What every run of Rust's tests prints.
const RESULT: &[u8] = b"test result: ";

/// Runs everything and ends with the needle scan.
pub(crate) fn run(place: &Place, report: &mut Report, mut ahead: Ahead) -> io::Result<()> {
    report.step("Rust, doctests and C", |log| rust(place, log))?;
    ahead.environments();
    let mut wheel = None;
    report.step("wheel", |log| {
        let (built, outcome) = python::wheel(place, log)?;
        wheel = built;
        Ok(outcome)
    })?;
    let wheel = wheel.as_ref();
    report.beside(
        |report| report.step("Python", |log| python::run(place, wheel, log)),
        move |report| {
            report.step("Spark", |log| spark::run(place, wheel, log))?;
            report.step("quickstart", |log| quickstart(place, log))?;
            // What is not built by now is built faster at this step's own priority.
            drop(ahead);
            report.step("benches run", |log| benches(place, log))
        },
    )?;
    report.step("quickstart without Azure", |log| dependencies(place, log))?;
    report.step("no secret in any output or file", |log| needles(place, log))
}

/// C is compiled and run by the tests of zt-ffi.
fn rust(place: &Place, log: &mut Log) -> io::Result<Outcome> {
    let mut command = cargo(place, &["test", "--workspace", "--no-fail-fast"]);
    command.args(["--features", FEATURES]);
    if place.has("zt-py/Cargo.toml") {
        // Linked as an extension module, it has no Python to run in; pytest runs it.
        command.args(["--exclude", "zt-py"]);
    }
    // Shown, so that the needle scan reads what passing tests print.
    command.args(["--", "--show-output"]);
    let ran = log.run_tests(command.env(KEEP, "1"))?;
    let skips = counts::skips(&ran.output);
    let counts = Counts::of_cargo(&ran.output)
        .with_skips(u32::try_from(skips.len()).unwrap_or(u32::MAX))
        .with_exit(ran.success);
    let reasons = BTreeSet::from_iter(skips);
    let outcome = Outcome::counted(counts);
    Ok(reasons.into_iter().fold(outcome, |outcome, why| {
        outcome.with_note(format!("skipped: {why}"))
    }))
}

fn quickstart(place: &Place, log: &mut Log) -> io::Result<Outcome> {
    let manifest = fs::read_to_string(place.at("examples/Cargo.toml")).unwrap_or_default();
    let is_there = manifest.contains("name = \"quickstart\"")
        || place.has("examples/examples/quickstart.rs")
        || place.has("examples/examples/quickstart/main.rs");
    if !is_there {
        return Ok(Outcome::skipped("there is no example `quickstart` here"));
    }
    let ran = log.run(&mut cargo(place, &[&["run"], &QUICKSTART[..]].concat()))?;
    Ok(Outcome::of(ran.success, "the quickstart failed"))
}

/// Whether the measurements still run; how fast is looked at by people, on a machine of their choice.
fn benches(place: &Place, log: &mut Log) -> io::Result<Outcome> {
    if !place.has("benches/Cargo.toml") {
        return Ok(Outcome::skipped("there are no benches here"));
    }
    let mut command = cargo(place, &[&["run"], &BENCHES[..]].concat());
    let ran = log.run(command.args(["--", "--quick"]))?;
    Ok(Outcome::of(ran.success, "the benches do not run"))
}

fn dependencies(place: &Place, log: &mut Log) -> io::Result<Outcome> {
    let arguments = [
        "tree",
        "-p",
        "zt-examples",
        "-e",
        "normal,build,dev",
        "--prefix",
        "none",
    ];
    let ran = log.run_quietly(&mut cargo(place, &arguments))?;
    if !ran.success {
        return Ok(Outcome::of(false, "`cargo tree` failed"));
    }
    Ok(Outcome::found(forbidden(&ran.output)))
}

/// The lines of a `cargo tree` that name what the quickstart must not build.
fn forbidden(tree: &str) -> Vec<String> {
    let is_forbidden = |line: &&str| NOT_IN_QUICKSTART.iter().any(|name| line.starts_with(name));
    let lines = tree.lines().filter(is_forbidden);
    lines
        .map(|line| format!("zt-examples builds {line}"))
        .collect()
}

fn needles(place: &Place, log: &Log) -> io::Result<Outcome> {
    let needles = Needles::new();
    let mut finds = Vec::new();
    let mut logs = 0;
    for log in log.all() {
        let said = fs::read(log.path())?;
        let is_a_test_log = said.windows(RESULT.len()).any(|window| window == RESULT);
        if said.is_empty() || (logs == 0 && !is_a_test_log) {
            finds.push(format!(
                "{} holds no output of tests: nothing was searched",
                log.path().display()
            ));
        }
        if let Some(at) = needles.find(&said, log.unbuilt()) {
            finds.push(complaint(log.path(), at));
        }
        logs += 1;
    }
    let temporary = place.temporary();
    finds.extend(needles.control(&temporary)?);
    let seen = needles.search(&temporary, &mut finds)?;
    finds.extend(seen.lacks());
    Ok(Outcome::found(finds).with_note(format!("searched {logs} logs and {seen}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_quickstart_must_not_build_is_named() {
        let tree = "zt-examples v0.1.0\nazure_core v1.0.0\nserde v1.0.0\nopenssl-sys v0.9.1\n";
        assert_eq!(
            forbidden(tree),
            [
                "zt-examples builds azure_core v1.0.0",
                "zt-examples builds openssl-sys v0.9.1",
            ]
        );
    }
}
