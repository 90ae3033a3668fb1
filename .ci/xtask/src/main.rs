//! `cargo xtask`: everything that must hold before a change lands, as one command without dependencies.
//!
//! In: the workspace. Out: the output of each step, live, and one closing line `N passed, N failed, N skipped`.
//! What a machine lacks is skipped and said; what fails ends in exit code 1 after all other steps have run.

#![expect(clippy::print_stdout, reason = "a command line program")]

mod ahead;
mod cargo;
mod check;
mod child;
mod ci;
mod counts;
mod install;
mod needle;
mod place;
mod python;
mod report;
mod source;
mod spark;
mod test;
mod wheels;

use std::process::ExitCode;

use ahead::Ahead;
use place::Place;
use report::{Outcome, Report};

const USAGE: &str = "\
cargo xtask test       all tests: Rust, doctests, C, the Python wheel, Spark, the quickstart, the needle scan
cargo xtask ci         format, lints, docs, structure and licences; then test
cargo xtask check      structure and documentation only, in a second
cargo xtask licences   the licence and the source of every dependency, against deny.toml
cargo xtask header     writes the C header of zt-ffi
cargo xtask install-c --prefix DIR [--libdir lib] [--from DIR]
                       headers, shared and static library, pkg-config and CMake files of zt-ffi; --from takes libraries that
                       are built already
cargo xtask wheels [--out DIR] [--python PYTHON]
                       the wheels of zt for Python, in release: one for 3.11 and later, and one for each PYTHON that it cannot
                       serve; without any for those that the machine has";

fn main() -> ExitCode {
    let command = std::env::args().nth(1).unwrap_or_default();
    let place = match Place::find() {
        Ok(place) => place,
        Err(why) => {
            println!("{why}");
            return ExitCode::from(2);
        }
    };
    let done = Report::new(&place).and_then(|mut report| {
        match command.as_str() {
            "test" => test::run(&place, &mut report, Ahead::begin(&place)?)?,
            "ci" => {
                let ahead = Ahead::begin(&place)?;
                ci::run(&place, &mut report)?;
                test::run(&place, &mut report, ahead)?;
            }
            "check" => ci::structure(&place, &mut report)?,
            "licences" => ci::licences(&place, &mut report)?,
            "header" => header(&place, &mut report)?,
            "install-c" => match install::Options::read(std::env::args().skip(2)) {
                Ok(options) => install::run(&place, &mut report, &options)?,
                Err(why) => {
                    println!("{why}");
                    return Ok(None);
                }
            },
            "wheels" => match wheels::Options::read(&place, std::env::args().skip(2)) {
                Ok(options) => wheels::run(&place, &mut report, &options)?,
                Err(why) => {
                    println!("{why}");
                    return Ok(None);
                }
            },
            _ => return Ok(None),
        }
        Ok(Some(report))
    });
    match done {
        Ok(Some(report)) => report.close(),
        Ok(None) => {
            println!("{USAGE}");
            ExitCode::from(2)
        }
        Err(why) => {
            println!("cannot go on: {why}");
            ExitCode::from(2)
        }
    }
}

fn header(place: &Place, report: &mut Report) -> std::io::Result<()> {
    report.step("header of zt-ffi", |log| {
        if !place.has("zt-ffi/Cargo.toml") {
            return Ok(Outcome::skipped("there is no zt-ffi here"));
        }
        let mut command = cargo::cargo(place, &["test", "-p", "zt-ffi", "header"]);
        let ran = log.run(command.env("ZT_WRITE_HEADER", "1"))?;
        Ok(Outcome::of(ran.success, "the header was not written"))
    })
}
