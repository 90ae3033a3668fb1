//! What a service takes beside the contract, and what a program gets wrong: plain, under valgrind, under the sanitizers.

use std::fs;
use std::net::TcpListener;
use std::process::Command;

use super::c::{Outcome, run, skip};
use super::cc::{Bench, Library, has, source};
use super::world::World;

#[test]
fn checks_settings_metrics_log_and_operations_keep_their_contract() -> Outcome {
    surface(Library::Shared, Tool::None)
}

#[test]
fn operations_run_in_the_static_library_too() -> Outcome {
    surface(Library::Static, Tool::None)
}

#[test]
fn operations_touch_no_foreign_memory_and_lose_none() -> Outcome {
    surface(Library::Shared, Tool::Valgrind)
}

#[test]
fn the_sanitizers_have_nothing_to_say_of_operations() -> Outcome {
    surface(Library::Shared, Tool::Sanitizers)
}

#[test]
fn misuse_is_answered_and_never_ends_the_process() -> Outcome {
    misuse(Tool::None)
}

#[test]
fn misuse_touches_no_foreign_memory_and_loses_none() -> Outcome {
    misuse(Tool::Valgrind)
}

#[test]
fn the_sanitizers_have_nothing_to_say_of_misuse() -> Outcome {
    misuse(Tool::Sanitizers)
}

#[test]
fn what_must_not_wait_does_not() -> Outcome {
    with_numbers("waits.c", &[], Tool::None)
}

#[test]
fn the_sanitizers_have_nothing_to_say_of_what_waits() -> Outcome {
    with_numbers("waits.c", &[], Tool::Sanitizers)
}

#[test]
fn eight_threads_hammer_one_runtime() -> Outcome {
    with_numbers("hammer.c", &["250"], Tool::None)
}

#[test]
fn the_sanitizers_have_nothing_to_say_of_eight_threads() -> Outcome {
    with_numbers("hammer.c", &["50"], Tool::Sanitizers)
}

#[test]
fn mutated_inputs_are_refused_or_taken() -> Outcome {
    with_numbers("fuzz.c", &["600", "1"], Tool::Sanitizers)
}

#[test]
fn the_library_may_be_closed_while_its_threads_end() -> Outcome {
    if !has("cc") {
        return skip("no C compiler");
    }
    let (world, bench) = (World::new()?, Bench::new()?);
    let program = bench.compile(&source("tests/load.c"), Library::ByHand)?;
    let mut load = bench.command(&program, false);
    let said = run(load
        .arg(super::cc::built("libzt.so")?)
        .arg(world.folder())
        .envs(world.tokens()))?;
    assert_eq!(said, "loaded 5 times\n");
    Ok(())
}

#[test]
fn every_exported_name_is_misused_once() -> Outcome {
    let program = fs::read_to_string(source("tests/misuse.c"))?;
    let listed = fs::read_to_string(source("abi/symbols.txt"))?;
    let missing: Vec<&str> = listed
        .lines()
        .filter(|name| !program.contains(&format!("{name}(")))
        .collect();
    assert_eq!(missing, [""; 0]);
    Ok(())
}

/// What a program runs under.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Tool {
    None,
    Valgrind,
    Sanitizers,
}

/// The program, compiled for the tool; `None` where the machine lacks it.
pub(crate) fn prepared(
    bench: &Bench,
    name: &str,
    library: Library,
    tool: Tool,
) -> Result<Option<Command>, Box<dyn std::error::Error>> {
    let file = source(&format!("tests/{name}"));
    let program = match tool {
        Tool::Valgrind if !has("valgrind") => None,
        Tool::None | Tool::Valgrind => Some(bench.compile(&file, library)?),
        Tool::Sanitizers => bench.sanitized(&file)?,
    };
    let is_valgrind = matches!(tool, Tool::Valgrind);
    Ok(program.map(|program| bench.command(&program, is_valgrind)))
}

/// Connections are taken by the system and never answered.
fn surface(library: Library, tool: Tool) -> Outcome {
    if !has("cc") {
        return skip("no C compiler");
    }
    let (world, bench) = (World::new()?, Bench::new()?);
    let Some(mut program) = prepared(&bench, "surface.c", library, tool)? else {
        return skip("neither valgrind nor sanitizers");
    };
    let silent = TcpListener::bind("127.0.0.1:0")?;
    let configuration = world.folder().join("zt.toml");
    let text = fs::read_to_string(&configuration)?;
    let text = text.replace("127.0.0.1:9\"", &format!("{}\"", silent.local_addr()?));
    fs::write(&configuration, text)?;
    program.arg(world.folder());
    program.arg(world.folder().join("copy"));
    for variable in super::c::OWN_IDENTITY {
        program.env_remove(variable);
    }
    let said = run(program.envs(world.tokens()))?;
    if !said.contains(" 0 failed") || world.audit_leaks()? {
        return Err(format!("the contract is broken: {said}").into());
    }
    // The setting of the program was followed.
    assert!(fs::read_dir(world.folder().join("copy"))?.next().is_some());
    Ok(())
}

fn misuse(tool: Tool) -> Outcome {
    with_numbers("misuse.c", &[], tool)
}

/// Runs a program on a world of its own, with numbers behind the folder.
fn with_numbers(name: &str, numbers: &[&str], tool: Tool) -> Outcome {
    if !has("cc") {
        return skip("no C compiler");
    }
    let (world, bench) = (World::new()?, Bench::new()?);
    let Some(mut program) = prepared(&bench, name, Library::Shared, tool)? else {
        return skip("neither valgrind nor sanitizers");
    };
    let arguments = program.arg(world.folder()).args(numbers);
    let said = run(arguments.envs(world.tokens()))?;
    if !said.contains(" 0 failed") || world.audit_leaks()? {
        return Err(format!("the contract is broken: {said}").into());
    }
    Ok(())
}
