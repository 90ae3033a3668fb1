//! `zt.hpp` as C++ programs meet it.

use super::c::{Outcome, run, skip};
use super::cc::{Bench, SANITIZERS, has, source};
use super::world::World;

#[test]
fn the_wrapper_keeps_its_contract_in_cpp_17() -> Outcome {
    wrapper("c++17", &[])
}

#[test]
fn the_wrapper_keeps_its_contract_in_cpp_20() -> Outcome {
    wrapper("c++20", &[])
}

#[test]
fn the_wrapper_needs_neither_exceptions_nor_types_at_run_time() -> Outcome {
    wrapper("c++2b", &["-fno-exceptions", "-fno-rtti"])
}

#[test]
fn the_sanitizers_have_nothing_to_say_of_the_wrapper() -> Outcome {
    wrapper("c++17", &SANITIZERS)
}

fn wrapper(standard: &str, arguments: &[&str]) -> Outcome {
    if !has("c++") {
        return skip("no C++ compiler");
    }
    let (world, bench) = (World::new()?, Bench::new()?);
    if !bench.knows(standard, arguments) {
        return skip(&format!("{standard} {arguments:?}: not with this compiler"));
    }
    let program = bench.compile_cpp(&source("tests/wrapper.cpp"), standard, arguments)?;
    let mut wrapper = bench.command(&program, false);
    let said = run(wrapper.arg(world.folder()).envs(world.tokens()))?;
    if !said.contains(" 0 failed") || world.audit_leaks()? {
        return Err(format!("the contract is broken: {said}").into());
    }
    Ok(())
}
