//! What a call costs from other languages, beside the same call from Rust.
//!
//! In: a folder that `cargo xtask install-c` filled, in release. Out: one table of medians, and how much of each the crossing
//! is. Samples are interleaved: each program waits while another one measures.

mod languages;
mod program;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;
use std::time::{Duration, Instant};

use tempfile::TempDir;
use zt_core::policy::Action;

use crate::Outcome;
use crate::harness::Effort;
use crate::secrets::at_once;
use crate::world::World;
use program::Program;

/// So many calls are one sample.
const CALLS: u32 = 20_000;
/// So many questions are one call of `check_many`.
const MANY: usize = 100;

/// The columns, and the case of Rust that each is compared with.
const CASES: [(&str, &str, &str); 6] = [
    ("nothing", "nothing", "a call that does nothing"),
    ("handle", "handle", "check by handle"),
    ("text", "text", "check by text"),
    ("secret", "secret", "cached secret, by reference"),
    ("copy", "secret", "cached secret, copied out"),
    ("many", "many", "100 checks at once"),
];

/// Nanoseconds of a call: of each speaker, of each case, all samples.
type Times = BTreeMap<String, Vec<f64>>;

/// Checks by handle, by text and in bulk, and reads of a cached secret.
pub fn markdown(world: &World, prefix: &Path, effort: Effort) -> Outcome<String> {
    let calls = if effort.is_quick() { 100 } else { CALLS };
    let folder = TempDir::new()?;
    let zt = world.open()?;
    let token = world.token(&zt, "sp:sp-score-201")?;
    let mut text = String::new();
    let mut programs = Vec::new();
    for (name, command) in languages::all(prefix, folder.path()) {
        let started = command.and_then(|mut command| {
            command.env("ZT_TOKEN", &token);
            Program::start(name, command, world.path(), calls).map_err(|why| why.to_string())
        });
        match started {
            Ok(program) => programs.push(program),
            Err(why) => writeln!(text, "{name} is left out: {why}\n")?,
        }
    }
    let mut rust = Times::new();
    let mut others = vec![Times::new(); programs.len()];
    for _ in 0..effort.samples() {
        sample_rust(world, &zt, calls, &mut rust)?;
        for (program, times) in programs.iter_mut().zip(&mut others) {
            for (case, took) in program.sample()? {
                times.entry(case).or_default().push(took);
            }
        }
    }
    text.push_str("## A call over the C ABI\n\n| from |");
    for (_, _, title) in CASES {
        write!(text, " {title} |")?;
    }
    text.push_str("\n|---|---:|---:|---:|---:|---:|---:|\n");
    line(&mut text, "Rust", &rust, None)?;
    for (program, times) in programs.iter().zip(&others) {
        line(&mut text, program.name(), times, Some(&rust))?;
    }
    text.push_str("\nMedians; in brackets what is over the call of Rust.\n");
    for program in programs {
        program.end()?;
    }
    world.executor.block_on(zt.close(Duration::from_secs(60)))?;
    Ok(text)
}

fn line(text: &mut String, name: &str, times: &Times, rust: Option<&Times>) -> Outcome {
    write!(text, "| {name} |")?;
    for (case, beside, _) in CASES {
        match (
            median(times, case),
            rust.and_then(|rust| median(rust, beside)),
        ) {
            (Some(own), Some(rust)) => write!(text, " {own:.0} ns ({:+.0}) |", own - rust)?,
            (Some(own), None) => write!(text, " {own:.0} ns |")?,
            (None, _) => text.push_str(" |"),
        }
    }
    text.push('\n');
    Ok(())
}

fn median(times: &Times, case: &str) -> Option<f64> {
    let mut times = times.get(case)?.clone();
    times.sort_by(f64::total_cmp);
    times.get(times.len() / 2).copied()
}

fn sample_rust(
    world: &World,
    zt: &zt_core::runtime::Runtime,
    calls: u32,
    times: &mut Times,
) -> Outcome {
    let job = world.sign_in(zt, "sp:sp-score-201")?.claiming(201, 2);
    let resource = job.locate("secret:bureau-api-key")?;
    let key = job.secret_handle("bureau-api-key");
    let many = ["secret:bureau-api-key"; MANY];
    let _warm = world.executor.block_on(key.get())?;
    let mut note = |case: &str, of_calls: u32, call: &mut dyn FnMut() -> bool| -> Outcome {
        let count = calls / of_calls + 1;
        let began = Instant::now();
        for _ in 0..count {
            if !std::hint::black_box(call()) {
                return Err(format!("the case `{case}` of Rust is wrong").into());
            }
        }
        let took = began.elapsed().as_secs_f64() * 1e9 / f64::from(count);
        times.entry(case.to_owned()).or_default().push(took);
        Ok(())
    };
    note("nothing", 1, &mut || true)?;
    note("handle", 1, &mut || {
        let found = job.check_at(Action::SecretGet, &resource);
        found.is_ok_and(|found| found.is_allowed())
    })?;
    note("text", 1, &mut || {
        let found = job.check("secret.get", "secret:bureau-api-key");
        found.is_ok_and(|found| found.is_allowed())
    })?;
    note("secret", 1, &mut || {
        at_once(key.get()).is_some_and(|key| key.is_ok())
    })?;
    note("many", MANY as u32, &mut || {
        let found = job.check_many("secret.get", &many);
        found.is_ok_and(|found| found.iter().all(|one| one.is_allowed()))
    })
}
