//! Python: a virtual environment, the wheel as a team would build it, its pytest.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::cargo::{FEATURES, cargo};
use crate::counts::Counts;
use crate::needle::KEEP;
use crate::place::{self, Place};
use crate::report::{Log, Outcome};

/// Oldest Python that the wheel supports.
const OLDEST: (u32, u32) = (3, 11);

/// What builds the wheel and what runs its tests.
const TOOLS: [&str; 2] = ["maturin>=1.9,<2", "pytest>=8"];

const NAMES: [&str; 5] = [
    "python3",
    "python3.14",
    "python3.13",
    "python3.12",
    "python3.11",
];

const NO_VENV: &str = "Python has no venv; on Debian install python3-venv";
const NO_TOOLS: &str = "pip cannot install maturin and pytest";

/// What tests want beside the tools: type checkers, another library for cryptography, those whose frames are sealed, a kernel
/// that runs notebooks, libraries of plots and one of models, and values at random.
const HELPS: [&str; 13] = [
    "mypy",
    "cryptography",
    "pyarrow",
    "deltalake",
    "polars",
    "pandas",
    "hypothesis",
    "ipykernel",
    "nbclient",
    "matplotlib",
    "altair",
    "mlflow-skinny",
    "pyright",
];

/// What tests of Python run on.
pub(crate) struct Built {
    /// The environment that built the wheel, without it.
    python: PathBuf,
    /// The `zt` command.
    pub(crate) zt: PathBuf,
    pub(crate) wheel: PathBuf,
}

/// Builds the wheel, and what its tests call.
pub(crate) fn wheel(place: &Place, log: &mut Log) -> io::Result<(Option<Built>, Outcome)> {
    if !place.has("zt-py/pyproject.toml") {
        return Ok((None, Outcome::skipped("there is no zt-py here")));
    }
    let Some(system) = system() else {
        let (major, minor) = OLDEST;
        let why = format!("no Python of {major}.{minor} or newer on this machine");
        return Ok((None, Outcome::skipped(&why)));
    };
    let python = match environment(place, system, log)? {
        Ok(python) => python,
        // Else a run without network would be green and have tested no Python.
        Err(why) if place::is_ci() => return Ok((None, Outcome::of(false, why))),
        Err(why) => return Ok((None, Outcome::skipped(why))),
    };
    let zt = build_zt(place, log)?;
    let wheel = build_wheel(place, &python, log)?;
    Ok(match (zt, wheel) {
        (Some(zt), Some(wheel)) => {
            let built = Built { python, zt, wheel };
            (Some(built), Outcome::of(true, ""))
        }
        _ => (None, Outcome::of(false, "`zt` or the wheel was not built")),
    })
}

/// Installs the wheel and runs its tests.
pub(crate) fn run(place: &Place, built: Option<&Built>, log: &mut Log) -> io::Result<Outcome> {
    let Some(Built { python, zt, wheel }) = built else {
        return Ok(Outcome::skipped("there is no wheel"));
    };
    if !install(place, python, wheel, log)? {
        return Ok(Outcome::of(false, "the wheel does not install"));
    }
    // `P` prints what passing tests printed, for the needle scan. Those of Spark have a step of their own.
    let mut pytest = command(
        place,
        python,
        &[
            "-m",
            "pytest",
            "-raP",
            "-p",
            "no:cacheprovider",
            "-m",
            "not spark",
            "tests",
        ],
    );
    pytest.current_dir(place.at("zt-py"));
    pytest.env("ZT_BIN", zt).env(KEEP, "1");
    pytest.env("ZT_AZURE_SIMULATOR", simulator(place));
    let ran = log.run(&mut pytest)?;
    Ok(Outcome::counted(
        Counts::of_pytest(&ran.output).with_exit(ran.success),
    ))
}

/// A Python of this machine that is new enough.
pub(crate) fn system() -> Option<&'static str> {
    NAMES.into_iter().find(|name| is_new_enough(name))
}

fn is_new_enough(name: &str) -> bool {
    let print = "import sys; print('%d.%d' % sys.version_info[:2])";
    let output = Command::new(name).args(["-c", print]).output();
    let text = output.map(|output| String::from_utf8_lossy(&output.stdout).into_owned());
    text.ok().and_then(|text| version(&text)) >= Some(OLDEST)
}

fn version(text: &str) -> Option<(u32, u32)> {
    let (major, minor) = text.trim().split_once('.')?;
    Some((major.parse().ok()?, minor.parse().ok()?))
}

/// A virtual environment with the tools, or why there is none.
fn environment(
    place: &Place,
    system: &str,
    log: &mut Log,
) -> io::Result<Result<PathBuf, &'static str>> {
    let python = match builder(place, system, log)? {
        Ok(python) => python,
        Err(why) => return Ok(Err(why)),
    };
    // On a developer's machine the type checker, the auditor's library and the frames are a help, not a need: tests
    // that want them skip themselves.
    if !pip(place, &python, &HELPS, log)? && place::is_ci() {
        return Ok(Err("pip cannot install the libraries that tests want"));
    }
    Ok(Ok(python))
}

/// The Python of a virtual environment, which is made if it is not there; `None` if it cannot be.
pub(crate) fn created(system: &str, venv: &Path, log: &mut Log) -> io::Result<Option<PathBuf>> {
    let python = python_of(venv);
    if !is_new_enough(&python.to_string_lossy()) && !log.run(&mut creation(system, venv))?.success {
        return Ok(None);
    }
    Ok(Some(python))
}

fn python_of(venv: &Path) -> PathBuf {
    venv.join(if cfg!(windows) {
        "Scripts/python.exe"
    } else {
        "bin/python"
    })
}

fn creation(system: &str, venv: &Path) -> Command {
    let mut create = Command::new(system);
    create.args(["-m", "venv", "--clear"]).arg(venv);
    create
}

/// The commands that make a virtual environment with these packages.
pub(crate) fn preparation(
    place: &Place,
    system: &str,
    venv: &Path,
    packages: &[&str],
) -> [Command; 2] {
    let install = installation(place, &python_of(venv), packages);
    [creation(system, venv), install]
}

/// Those of the tests here.
pub(crate) fn own_preparation(place: &Place, system: &str) -> [Command; 2] {
    preparation(place, system, &place.venv(), &[&TOOLS[..], &HELPS].concat())
}

/// In CI twice, because a failure there is one of the run, and networks stumble.
pub(crate) fn pip(
    place: &Place,
    python: &Path,
    packages: &[&str],
    log: &mut Log,
) -> io::Result<bool> {
    let mut install = installation(place, python, packages);
    Ok(log.run(&mut install)?.success || (place::is_ci() && log.run(&mut install)?.success))
}

fn installation(place: &Place, python: &Path, packages: &[&str]) -> Command {
    let mut install = command(place, python, &["-m", "pip", "install", "--quiet"]);
    install.arg("--disable-pip-version-check").args(packages);
    install
}

/// The `zt` command, for tests that need a vault or a token, and the Azure simulator: as the tests of Rust have built them,
/// for another choice of packages would be other features, and so another build.
fn build_zt(place: &Place, log: &mut Log) -> io::Result<Option<PathBuf>> {
    let arguments = [
        "test",
        "--workspace",
        "--exclude",
        "zt-py",
        "--no-run",
        "--features",
        FEATURES,
    ];
    let ran = log.run(&mut cargo(place, &arguments))?;
    let program = place.target().join("debug").join("zt");
    let program = program.with_extension(std::env::consts::EXE_EXTENSION);
    Ok((ran.success && program.exists()).then_some(program))
}

/// The Azure that tests talk to, which is built with `zt`: a test that builds it may not be done in time.
fn simulator(place: &Place) -> PathBuf {
    let program = place.target().join("debug").join("zt-azure-simulator");
    program.with_extension(std::env::consts::EXE_EXTENSION)
}

/// Builds in the dev profile, whose dependencies the Rust tests have built already.
fn build_wheel(place: &Place, python: &Path, log: &mut Log) -> io::Result<Option<PathBuf>> {
    let wheels = place.own().join("wheels");
    Place::empty(&wheels)?;
    if !log
        .run(&mut building(place, python, python, &wheels))?
        .success
    {
        return Ok(None);
    }
    let first = fs::read_dir(&wheels)?.next().transpose()?;
    Ok(first.map(|entry| entry.path()))
}

/// The command by which the maturin of `tools` builds a wheel for `python`, in the dev profile unless it is told more.
pub(crate) fn building(place: &Place, tools: &Path, python: &Path, out: &Path) -> Command {
    let mut build = command(place, tools, &["-m", "maturin", "build", "--out"]);
    build.arg(out).arg("--interpreter").arg(python);
    build.current_dir(place.at("zt-py"));
    build
}

/// A virtual environment with what builds wheels and runs tests, or why there is none.
pub(crate) fn builder(
    place: &Place,
    system: &str,
    log: &mut Log,
) -> io::Result<Result<PathBuf, &'static str>> {
    let Some(python) = created(system, &place.venv(), log)? else {
        return Ok(Err(NO_VENV));
    };
    if !pip(place, &python, &TOOLS, log)? {
        return Ok(Err(NO_TOOLS));
    }
    Ok(Ok(python))
}

/// Replaces an older build of the same version; then adds what the wheel depends on.
pub(crate) fn install(
    place: &Place,
    python: &Path,
    wheel: &Path,
    log: &mut Log,
) -> io::Result<bool> {
    let wheel = wheel.to_string_lossy();
    let replaced = pip(
        place,
        python,
        &["--force-reinstall", "--no-deps", &wheel],
        log,
    )?;
    Ok(replaced && pip(place, python, &[&wheel], log)?)
}

pub(crate) fn command(place: &Place, python: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(python);
    command
        .args(arguments)
        .current_dir(place.root())
        .env("CARGO_TARGET_DIR", place.target())
        .env("TMPDIR", place.temporary())
        .env("VIRTUAL_ENV", place.venv());
    command
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_compare_as_numbers() {
        assert!(version("3.9\n") < Some(OLDEST));
        assert!(version("3.11\n") >= Some(OLDEST));
        assert!(version("3.14\n") >= Some(OLDEST));
        assert!(version("no python") < Some(OLDEST));
    }
}
