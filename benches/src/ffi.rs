//! What a call costs from C and from C++, beside the same call from Rust.
//!
//! In: a folder that `cargo xtask install-c` filled, in release. Out: one table; the ratio is to Rust's call. The programs of C
//! run after Rust's samples, in processes of their own: read them beside each other on a machine that does nothing else.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use tempfile::TempDir;
use zt_core::policy::Action;

use crate::Outcome;
use crate::harness::{Case, Effort, Group, Measured, compare};
use crate::secrets::at_once;
use crate::world::World;

/// So many calls are one sample.
const CALLS: u32 = 20_000;

/// Checks by handle and by text, and reads of a cached secret.
pub fn groups(world: &World, prefix: &Path, effort: Effort) -> Outcome<Vec<Group>> {
    let zt = world.open()?;
    let job = world.sign_in(&zt, "sp:sp-score-201")?.claiming(201, 2);
    let resource = job.locate("secret:bureau-api-key")?;
    let key = job.secret_handle("bureau-api-key");
    let _warm = world.executor.block_on(key.get())?;
    let cases = vec![
        Case::new("Rust: `Session::check_at`", || {
            let found = job.check_at(Action::SecretGet, &resource);
            found.is_ok_and(|found| found.is_allowed())
        }),
        Case::new("Rust: `Session::check`", || {
            let found = job.check("secret.get", "secret:bureau-api-key");
            found.is_ok_and(|found| found.is_allowed())
        }),
        Case::new("Rust: `SecretHandle::get`", || at_once(key.get())),
    ];
    let mut group = compare("A call over the C ABI", effort, cases);
    let token = world.token(&zt, "sp:sp-score-201")?;
    world.executor.block_on(zt.close(Duration::from_secs(60)))?;
    for (compiler, file) in [("cc", "calls.c"), ("c++", "calls.cpp")] {
        group
            .measured
            .extend(called(world, prefix, effort, &token, compiler, file)?);
    }
    Ok(vec![group])
}

fn called(
    world: &World,
    prefix: &Path,
    effort: Effort,
    token: &str,
    compiler: &str,
    file: &str,
) -> Outcome<Vec<Measured>> {
    let folder = TempDir::new()?;
    let program = folder.path().join("calls");
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("ffi").join(file);
    let standard = match compiler {
        "cc" => "-std=gnu11",
        _ => "-std=c++17",
    };
    let compiled = Command::new(compiler)
        .args([standard, "-O2", "-Wall", "-Wextra", "-Werror", "-I"])
        .arg(prefix.join("include"))
        .arg(source)
        .arg("-o")
        .arg(&program)
        .arg("-L")
        .arg(prefix.join("lib"))
        .arg("-lzt")
        .status()?;
    if !compiled.success() {
        return Err(format!("{compiler} does not compile {file}").into());
    }
    let answer = Command::new(&program)
        .arg(world.path())
        .arg(if effort.is_quick() { 100 } else { CALLS }.to_string())
        .arg(effort.samples().to_string())
        .env("LD_LIBRARY_PATH", prefix.join("lib"))
        .env("ZT_TOKEN", token)
        .output()?;
    if !answer.status.success() {
        return Err(format!("{file} ended with {}", answer.status).into());
    }
    String::from_utf8(answer.stdout)?
        .lines()
        .map(read)
        .collect()
}

/// `MEDIAN LEAST NAME`, in nanoseconds.
fn read(line: &str) -> Outcome<Measured> {
    let mut parts = line.splitn(3, ' ');
    let mut time = || -> Outcome<Duration> {
        let ns: f64 = parts.next().ok_or("a time is missing")?.parse()?;
        Ok(Duration::from_nanos(ns.round() as u64))
    };
    let (median, least) = (time()?, time()?);
    Ok(Measured {
        name: parts.next().ok_or("a name is missing")?.to_owned(),
        median,
        least,
    })
}
