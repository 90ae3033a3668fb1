//! What stands before the tests: format, lints, docs, structure, licences. Each check counts as one test.

use std::fs;
use std::io;

use crate::cargo::cargo;
use crate::check::{self, Tree, licences};
use crate::place::Place;
use crate::report::{Outcome, Report};

/// Everything but the tests.
pub(crate) fn run(place: &Place, report: &mut Report) -> io::Result<()> {
    structure(place, report)?;
    report.step("format", |log| {
        let ran = log.run(&mut cargo(place, &["fmt", "--all", "--check"]))?;
        // Workspaces of their own, which `--all` leaves out.
        let mut own = true;
        for manifest in ["benches/Cargo.toml", "zt-core/fuzz/Cargo.toml"] {
            let command = ["fmt", "--check", "--manifest-path", manifest];
            own &= !place.has(manifest) || log.run(&mut cargo(place, &command))?.success;
        }
        Ok(Outcome::of(
            ran.success && own,
            "run `cargo fmt --all`, in benches and zt-core/fuzz too",
        ))
    })?;
    licences(place, report)?;
    report.step("lints", |log| {
        let arguments = [
            "clippy",
            "--workspace",
            "--all-targets",
            "--all-features",
            "--",
            "-D",
            "warnings",
        ];
        let ran = log.run(&mut cargo(place, &arguments))?;
        Ok(Outcome::of(ran.success, "clippy has complaints"))
    })?;
    report.step("docs", |log| {
        let mut command = cargo(
            place,
            &["doc", "--workspace", "--no-deps", "--all-features"],
        );
        let ran = log.run(command.env("RUSTDOCFLAGS", "-Dwarnings"))?;
        Ok(Outcome::of(ran.success, "rustdoc has complaints"))
    })
}

/// The structure of the source and the truth of the documentation.
pub(crate) fn structure(place: &Place, report: &mut Report) -> io::Result<()> {
    let tree = Tree::read(place.root())?;
    for (name, check) in check::ALL {
        report.step(name, |_| Ok(Outcome::found(check(&tree))))?;
    }
    Ok(())
}

/// Licence, name and source of every dependency, on every platform.
pub(crate) fn licences(place: &Place, report: &mut Report) -> io::Result<()> {
    report.step("licences and sources", |log| {
        let arguments = [
            "tree",
            "--workspace",
            "--all-features",
            "--target",
            "all",
            "--edges",
            "normal,build,dev",
            "--prefix",
            "none",
            "--format",
            licences::FORMAT,
        ];
        let ran = log.run_quietly(&mut cargo(place, &arguments))?;
        if !ran.success {
            return Ok(Outcome::of(false, "`cargo tree` failed"));
        }
        let deny = fs::read_to_string(place.at("deny.toml"))?;
        Ok(Outcome::found(licences::findings(&deny, &ran.output)))
    })
}
