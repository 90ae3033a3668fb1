//! Spark: a virtual environment of its own, the wheel, the tests marked `spark`.
//!
//! pyspark wants an older pandas than the other tests, so the two never share an environment.

use std::io;
use std::path::PathBuf;
use std::process::Command;

use crate::counts::Counts;
use crate::needle::KEEP;
use crate::place::{self, Place};
use crate::python::{self, Built};
use crate::report::{Log, Outcome};

/// The Spark of Databricks Runtime 18 LTS, and what its Connect needs beside it.
const PACKAGES: [&str; 10] = [
    "pyspark==4.1.4",
    "pandas>=2.2,<3",
    "pyarrow",
    "deltalake",
    "pytest>=8",
    "grpcio",
    "grpcio-status",
    "googleapis-common-protos",
    "zstandard",
    "protobuf",
];

/// Runs the tests that need Spark.
pub(crate) fn run(place: &Place, built: Option<&Built>, log: &mut Log) -> io::Result<Outcome> {
    if !place.has("zt-py/tests/test_spark.py") {
        return Ok(Outcome::skipped("there are no tests of Spark here"));
    }
    let Some(Built { zt, wheel, .. }) = built else {
        return Ok(lacking("the step before built no `zt` and no wheel"));
    };
    let Some(system) = python::system() else {
        return Ok(lacking("no Python that is new enough"));
    };
    if !is_there("java") {
        return Ok(lacking("no Java; on Debian install default-jre-headless"));
    }
    let Some(python) = python::created(system, &venv(place), log)? else {
        return Ok(lacking("Python has no venv"));
    };
    if !python::pip(place, &python, &PACKAGES, log)? {
        return Ok(lacking("pip cannot install pyspark"));
    }
    if !python::install(place, &python, wheel, log)? {
        return Ok(Outcome::of(false, "the wheel does not install"));
    }
    // A cluster takes its time to start on a busy machine.
    let patience = "faulthandler_timeout=600";
    let arguments = [
        "-m",
        "pytest",
        "-raP",
        "-p",
        "no:cacheprovider",
        "-o",
        patience,
        "-m",
        "spark",
        "tests/test_spark.py",
    ];
    let mut pytest = python::command(place, &python, &arguments);
    pytest.current_dir(place.at("zt-py"));
    pytest.env("ZT_BIN", zt).env(KEEP, "1");
    let ran = log.run(&mut pytest)?;
    Ok(Outcome::counted(
        Counts::of_pytest(&ran.output).with_exit(ran.success),
    ))
}

fn venv(place: &Place) -> PathBuf {
    place.target().join("spark-venv")
}

/// The commands that make the environment of the tests here.
pub(crate) fn preparation(place: &Place, system: &str) -> [Command; 2] {
    python::preparation(place, system, &venv(place), &PACKAGES)
}

/// What a developer's machine may lack must be there in CI.
fn lacking(why: &'static str) -> Outcome {
    if place::is_ci() {
        return Outcome::of(false, why);
    }
    Outcome::skipped(why)
}

fn is_there(program: &str) -> bool {
    let ran = Command::new(program).arg("-version").output();
    ran.is_ok_and(|ran| ran.status.success())
}
