//! Sealing from C programs: files, streams and batches of Arrow, against both libraries.

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

fn program(name: &str, library: Library, valgrind: bool) -> Outcome {
    if !has("cc") {
        return skip("no C compiler");
    }
    let (world, bench, scratch) = (World::new()?, Bench::new()?, tempfile::tempdir()?);
    let program = bench.compile(&source(&format!("tests/{name}")), library)?;
    let mut command = bench.command(&program, valgrind);
    command.arg(world.folder()).arg(scratch.path());
    let said = run(command.envs(world.tokens()))?;
    if !said.contains(" 0 failed") || world.audit_leaks()? {
        return Err(format!("the contract is broken: {said}").into());
    }
    Ok(())
}
