//! Secrets in C programs: handles and upkeep, forks, and where the value lies.

use std::fs;

use zt_core::audit::{self, Verification, VerifyOptions};

use super::c::{Outcome, run, skip};
use super::cc::{Bench, Library, has, source};
use super::world::World;

#[test]
fn handles_versions_warming_and_upkeep_keep_their_contract() -> Outcome {
    if !has("cc") {
        return skip("no C compiler");
    }
    let (world, bench) = (World::new()?, Bench::new()?);
    let program = bench.compile(&source("tests/secrets.c"), Library::Shared)?;
    let mut secrets = bench.command(&program, has("valgrind"));
    let said = run(secrets.arg(world.folder()).envs(world.tokens()))?;
    assert!(said.contains(" 0 failed"), "{said}");
    assert!(!world.audit_leaks()?);
    Ok(())
}

#[test]
fn a_forked_child_goes_on_and_writes_a_log_of_its_own() -> Outcome {
    forks(1, 0)
}

#[test]
fn forks_under_threads_that_read_never_hang() -> Outcome {
    forks(50, 4)
}

#[test]
fn no_nonce_is_used_twice_across_forks() -> Outcome {
    if !has("cc") {
        return skip("no C compiler");
    }
    let (world, bench) = (World::new()?, Bench::new()?);
    let program = bench.compile(&source("tests/fork_seal.c"), Library::Shared)?;
    let mut forks = bench.command(&program, false);
    let said = run(forks.arg(world.folder()).arg("12").envs(world.tokens()))?;
    assert!(said.contains(" 0 failed"), "{said}");
    let found = audit::verify(world.folder().join(".zt/audit"))?;
    assert!(found.is_intact(), "{:?}", found.findings);
    assert_eq!(found.writers, 13);
    // The data key that its parent holds a child unwraps anew, once.
    let log = audit::tail(world.folder().join(".zt/audit"), 10_000, |entry| {
        entry.kind == "release" && entry.action == "data.open"
    })?;
    let held = |count: &str| {
        let said = log.iter().filter_map(|entry| entry.detail.get("cached"));
        said.filter(|held| *held == count).count()
    };
    assert_eq!((held("0"), held("1")), (12 * 2 + 1, 12 + 1));
    Ok(())
}

#[test]
fn the_value_lies_in_one_place_and_in_none_after_the_end() -> Outcome {
    if !has("cc") {
        return skip("no C compiler");
    }
    let (world, bench) = (World::new()?, Bench::new()?);
    let program = bench.compile(&source("tests/memory.c"), Library::Shared)?;
    let mut memory = bench.command(&program, false);
    let said = run(memory.arg(world.folder()).envs(world.tokens()))?;
    let counts = said.lines().next().unwrap_or_default();
    assert_eq!(
        counts, "before 0, held 1, copied 2, cached 1, closed 0",
        "{said}"
    );
    Ok(())
}

/// Each process has a log of its own with the read in it, and all of them verify.
fn forks(children: u64, threads: u64) -> Outcome {
    if !has("cc") {
        return skip("no C compiler");
    }
    let (world, bench) = (World::new()?, Bench::new()?);
    let configuration = world.folder().join("zt.toml");
    let text = fs::read_to_string(&configuration)?;
    let with_sink = text.replace("[audit]\n", "[audit]\nfile_sink = \"copy\"\n");
    fs::write(&configuration, with_sink)?;
    let program = bench.compile(&source("tests/fork.c"), Library::Shared)?;
    let mut fork = bench.command(&program, false);
    fork.arg(world.folder())
        .args([children.to_string(), threads.to_string()])
        .envs(world.tokens());
    let said = run(&mut fork)?;
    assert_eq!(said, format!("{children} of {children} right\n"));

    let folder = world.folder().join(".zt/audit");
    let found = audit::verify(&folder)?;
    assert!(found.is_intact(), "{:?}", found.findings);
    assert_eq!(found.writers, children + 1);
    let mut logs = 0_u64;
    for file in fs::read_dir(&folder)? {
        let path = file?.path();
        if path.extension().is_some_and(|ending| ending == "jsonl") {
            let text = fs::read_to_string(path)?;
            assert!(text.contains("\"secret.get\"") && text.contains("audit.close"));
            logs += 1;
        }
    }
    assert_eq!(logs, children + 1);
    // The child's sink is its own, too: each log was copied to its end by whoever wrote it.
    let options = VerifyOptions::new().of_copy();
    let copied = audit::verify_with(world.folder().join("copy"), &options)?;
    assert!(copied.is_intact(), "{:?}", copied.findings);
    let heads = |found: &Verification| {
        let heads = found.heads.iter().cloned();
        heads
            .map(|head| (head.writer, head.seq, head.hash))
            .collect::<Vec<_>>()
    };
    assert_eq!(heads(&copied), heads(&found));
    assert!(!world.audit_leaks()?);
    Ok(())
}
