//! `cargo xtask wheels`: what is published of zt for Python.
//!
//! In: interpreters. Out: one wheel that serves Python 3.11 and later, and one for each interpreter that it cannot serve: 3.10,
//! whose stable ABI knows no buffers, and 3.14 without a GIL, which has no stable ABI. An interpreter that the machine lacks is
//! skipped and said.

use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::place::Place;
use crate::python;
use crate::report::{Log, Outcome, Report};

/// Those that need a wheel of their own, by their usual names.
const OTHERS: [&str; 2] = ["python3.10", "python3.14t"];

/// All of zt, without the stable ABI.
const OWN: [&str; 3] = ["--no-default-features", "--features", "whole"];

/// What to build.
pub(crate) struct Options {
    out: PathBuf,
    /// Those that were named; else the usual ones are looked for.
    pythons: Vec<String>,
}

impl Options {
    /// Reads `--out DIR` and `--python PYTHON`; else says what is wrong.
    pub(crate) fn read(
        place: &Place,
        mut arguments: impl Iterator<Item = String>,
    ) -> Result<Self, String> {
        let (mut out, mut pythons) = (place.target().join("wheels"), Vec::new());
        while let Some(name) = arguments.next() {
            let value = arguments.next();
            let value = value.ok_or_else(|| format!("`{name}` needs a value"))?;
            match name.as_str() {
                "--out" => out = std::path::absolute(value).map_err(|why| why.to_string())?,
                "--python" => pythons.push(value),
                _ => return Err(format!("there is no `{name}`")),
            }
        }
        Ok(Self { out, pythons })
    }
}

/// Builds them, each as a step.
pub(crate) fn run(place: &Place, report: &mut Report, options: &Options) -> io::Result<()> {
    let mut tools = None;
    report.step("wheel for Python 3.11 and later", |log| {
        let Some(system) = python::system() else {
            return Ok(Outcome::of(false, "no Python of 3.11 or newer"));
        };
        let python = match python::builder(place, system, log)? {
            Ok(python) => python,
            Err(why) => return Ok(Outcome::of(false, why)),
        };
        let built = build(place, log, (&python, &python), (&options.out, &[]));
        tools = Some(python);
        built
    })?;
    let Some(tools) = tools else {
        return Ok(());
    };
    for name in pythons(options) {
        report.step(&format!("wheel for {name}"), |log| {
            let Some(python) = found(name) else {
                return Ok(match options.pythons.is_empty() {
                    true => Outcome::skipped("it is not on this machine"),
                    false => Outcome::of(false, "it does not run"),
                });
            };
            build(place, log, (&tools, &python), (&options.out, &OWN))
        })?;
    }
    Ok(())
}

fn pythons(options: &Options) -> Vec<&str> {
    if options.pythons.is_empty() {
        OTHERS.to_vec()
    } else {
        options.pythons.iter().map(String::as_str).collect()
    }
}

/// Where the interpreter of this name lies.
fn found(name: &str) -> Option<PathBuf> {
    let print = "import sys; print(sys.executable)";
    let said = Command::new(name).args(["-c", print]).output().ok()?;
    let path = String::from_utf8(said.stdout).ok()?;
    said.status.success().then(|| PathBuf::from(path.trim()))
}

fn build(
    place: &Place,
    log: &mut Log,
    (tools, python): (&Path, &Path),
    (out, more): (&Path, &[&str]),
) -> io::Result<Outcome> {
    let mut build = python::building(place, tools, python, out);
    let ran = log.run(build.arg("--release").args(more))?;
    let outcome = Outcome::of(ran.success, "it was not built");
    Ok(outcome.with_note(format!("wheels are in {}", out.display())))
}
