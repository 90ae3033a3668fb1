//! Sealing from C programs: files, streams and batches of Arrow, against both libraries.

use std::fs;
use std::process::Command;

use tempfile::TempDir;

use super::c::{Outcome, run, skip};
use super::cc::{Bench, Library, has, source};
use super::world::World;

#[test]
fn files_are_sealed_and_opened_as_the_header_says() -> Outcome {
    program("sealing.c", Library::Shared, false)
}

#[test]
fn files_are_sealed_by_the_static_library_too() -> Outcome {
    program("sealing.c", Library::Static, false)
}

#[test]
fn sealing_files_touches_no_foreign_memory_and_loses_none() -> Outcome {
    if !has("valgrind") {
        return skip("no valgrind");
    }
    program("sealing.c", Library::Shared, true)
}

#[test]
fn batches_of_arrow_are_consumed_sealed_and_opened() -> Outcome {
    program("arrow.c", Library::Shared, false)
}

#[test]
fn batches_of_arrow_are_sealed_by_the_static_library_too() -> Outcome {
    program("arrow.c", Library::Static, false)
}

#[test]
fn sealing_arrow_touches_no_foreign_memory_and_loses_none() -> Outcome {
    if !has("valgrind") {
        return skip("no valgrind");
    }
    program("arrow.c", Library::Shared, true)
}

#[test]
fn the_sanitizers_have_nothing_to_say_of_files() -> Outcome {
    sanitized("sealing.c")
}

#[test]
fn the_sanitizers_have_nothing_to_say_of_arrow() -> Outcome {
    sanitized("arrow.c")
}

#[test]
fn the_log_of_a_c_program_reaches_sqlite() -> Outcome {
    let world = World::new()?;
    let configuration = world.folder().join("zt.toml");
    let text = fs::read_to_string(&configuration)?;
    let with_sink = text.replace("[audit]\n", "[audit]\nsqlite_sink = \"copy.db\"\n");
    fs::write(&configuration, with_sink)?;
    program_in(&world, "arrow.c", Library::Shared, false)?;
    if has("cc") {
        let copy = fs::read(world.folder().join("copy.db"))?;
        assert!(copy.starts_with(b"SQLite format 3\0"));
        let records = copy.windows(9).filter(|part| part == b"data.seal");
        assert!(records.count() > 0);
    }
    Ok(())
}

fn program(name: &str, library: Library, valgrind: bool) -> Outcome {
    program_in(&World::new()?, name, library, valgrind)
}

fn program_in(world: &World, name: &str, library: Library, valgrind: bool) -> Outcome {
    if !has("cc") {
        return skip("no C compiler");
    }
    let (bench, scratch) = (Bench::new()?, tempfile::tempdir()?);
    let program = bench.compile(&source(&format!("tests/{name}")), library)?;
    ran(world, bench.command(&program, valgrind), &scratch)
}

fn sanitized(name: &str) -> Outcome {
    if !has("cc") {
        return skip("no C compiler");
    }
    let (world, bench, scratch) = (World::new()?, Bench::new()?, tempfile::tempdir()?);
    let Some(program) = bench.sanitized(&source(&format!("tests/{name}")))? else {
        return skip("a compiler without sanitizers");
    };
    ran(&world, bench.command(&program, false), &scratch)
}

fn ran(world: &World, mut command: Command, scratch: &TempDir) -> Outcome {
    command.arg(world.folder()).arg(scratch.path());
    let said = run(command.envs(world.tokens()))?;
    if !said.contains(" 0 failed") || world.audit_leaks()? {
        return Err(format!("the contract is broken: {said}").into());
    }
    Ok(())
}
