//! C programs against both libraries: the contract, and the example.

use std::error::Error;
use std::fs;
use std::process::Command;

use super::cc::{Bench, Library, has, source, succeed, warnings};
use super::world::{NEEDLE, World};

pub(crate) type Outcome = Result<(), Box<dyn Error>>;

#[test]
fn the_contract_holds_in_the_shared_library() -> Outcome {
    contract(Library::Shared, false)
}

#[test]
fn the_contract_holds_in_the_static_library() -> Outcome {
    contract(Library::Static, false)
}

#[test]
fn the_contract_touches_no_foreign_memory_and_loses_none() -> Outcome {
    if !has("valgrind") {
        return skip("no valgrind");
    }
    contract(Library::Shared, true)
}

#[test]
fn the_example_reads_the_secret_and_shows_nothing_of_it() -> Outcome {
    if !has("cc") {
        return skip("no C compiler");
    }
    let (world, bench) = (World::new()?, Bench::new()?);
    let program = bench.compile(&source("../examples/c/main.c"), Library::Shared)?;
    let mut example = bench.command(&program, false);
    let report = world.folder().join("report.txt");
    fs::write(&report, "20 of 100 loans are at risk\n")?;
    example
        .arg(world.folder())
        .arg(&report)
        .arg(world.folder().join("report.zt"))
        .env("ZT_TOKEN", world.job_token())
        .env("ZT_ENGINEER", world.token("ZT_JONAS"));
    let said = run(&mut example)?;
    assert!(said.contains("job 201 is runnable"), "{said}");
    assert!(said.contains("sealed: 70000,zt1."), "{said}");
    assert!(said.contains("sealed the report: 28 bytes"), "{said}");
    assert!(fs::read(world.folder().join("report.zt"))?.starts_with(b"zt1file\n"));
    assert!(said.contains("default_deny"), "{said}");
    assert!(said.contains(&format!("{} bytes", NEEDLE.len())), "{said}");
    assert!(!world.audit_leaks()?);

    let stranger = bench
        .command(&program, false)
        .arg(world.folder())
        .env("ZT_TOKEN", "none")
        .env("ZT_ENGINEER", world.token("ZT_JONAS"))
        .output()?;
    assert_eq!(stranger.status.code(), Some(1));
    assert!(String::from_utf8(stranger.stderr)?.starts_with("ZT-2001 "));
    Ok(())
}

#[test]
fn the_lines_of_the_readme_run() -> Outcome {
    if !has("cc") {
        return skip("no C compiler");
    }
    let readme = fs::read_to_string(source("../README.md"))?;
    let lines = readme
        .split("```c\n")
        .nth(1)
        .and_then(|rest| rest.split("```").next());
    let lines = lines.ok_or("README has no C")?;
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("readme.c");
    let program = format!(
        "#include <stdint.h>\n#include <stdio.h>\n#include <stdlib.h>\n#include <zt.h>\n\
         static void connect_with(const uint8_t *value, size_t length) {{\n\
         printf(\"%s %lu\\n\", value == NULL ? \"nothing\" : \"value\", (unsigned long)length);\n}}\n\
         int main(void) {{\n{lines}return 0;\n}}\n"
    );
    fs::write(&file, program)?;
    let (world, bench) = (World::new()?, Bench::new()?);
    fs::create_dir(folder.path().join("examples"))?;
    std::os::unix::fs::symlink(world.folder(), folder.path().join("examples/world"))?;
    let program = bench.compile(&file, Library::Shared)?;
    let mut readme = bench.command(&program, false);
    let said = run(readme
        .current_dir(folder.path())
        .env("ZT_TOKEN", world.job_token()))?;
    assert_eq!(said, format!("value {}\n", NEEDLE.len()));
    Ok(())
}

#[test]
fn one_session_serves_many_threads() -> Outcome {
    if !has("cc") {
        return skip("no C compiler");
    }
    let (world, bench) = (World::new()?, Bench::new()?);
    let program = bench.compile(&source("tests/threads.c"), Library::Shared)?;
    let mut threads = bench.command(&program, false);
    let said = run(threads.arg(world.folder()).envs(world.tokens()))?;
    assert_eq!(said, "400 of 400 right\n");
    Ok(())
}

#[test]
fn the_header_is_clean_in_every_standard_that_we_promise() -> Outcome {
    let languages = [
        ("cc", "c", "c99"),
        ("cc", "c", "c17"),
        ("c++", "c++", "c++17"),
    ];
    for (compiler, language, standard) in languages {
        if !has(compiler) {
            skip(&format!("{standard}, no {compiler}"))?;
            continue;
        }
        let mut check = warnings(compiler, standard);
        check
            .args(["-fsyntax-only", "-x", language])
            .arg(source("include/zt.h"));
        succeed(&mut check).map_err(|why| format!("{standard}: {why}"))?;
    }
    Ok(())
}

fn contract(library: Library, valgrind: bool) -> Outcome {
    if !has("cc") {
        return skip("no C compiler");
    }
    let (world, bench) = (World::new()?, Bench::new()?);
    let program = bench.compile(&source("tests/contract.c"), library)?;
    let mut contract = bench.command(&program, valgrind);
    contract
        .arg(world.folder())
        .arg(world.nowhere())
        .envs(world.tokens());
    for variable in OWN_IDENTITY {
        contract.env_remove(variable);
    }
    let said = run(&mut contract)?;
    if !said.contains(" 0 failed") || world.audit_leaks()? {
        return Err(format!("the contract is broken: {said}").into());
    }
    Ok(())
}

/// What would give the program an identity of its own.
pub(crate) const OWN_IDENTITY: [&str; 3] =
    ["AZURE_TENANT_ID", "AZURE_CLIENT_ID", "IDENTITY_ENDPOINT"];

/// What a program wrote, which never has the secret's value.
pub(crate) fn run(command: &mut Command) -> Result<String, Box<dyn Error>> {
    let output = command.output()?;
    let said = String::from_utf8([output.stdout, output.stderr].concat())?;
    if said.contains(NEEDLE) {
        return Err("the program wrote the secret's value".into());
    }
    if output.status.success() {
        Ok(said)
    } else {
        Err(format!("{:?}: {said}", output.status).into())
    }
}

#[expect(clippy::print_stdout, reason = "a skipped test must say so")]
pub(crate) fn skip(why: &str) -> Outcome {
    println!("skipped: {why}");
    Ok(())
}
