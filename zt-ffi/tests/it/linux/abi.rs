//! What compiled programs rely on: exported names, the library's own name, numbers.

use std::error::Error;
use std::process::Command;

use super::cc::{built, has, source, succeed, warnings};

#[test]
fn the_library_exports_what_the_list_says_and_nothing_else() -> Result<(), Box<dyn Error>> {
    if !has("nm") {
        println!("skipped: no nm");
        return Ok(());
    }
    let mut nm = Command::new("nm");
    nm.args(["-D", "--defined-only"]).arg(built("libzt.so")?);
    let listing = String::from_utf8(succeed(&mut nm)?.stdout)?;
    let mut exported: Vec<&str> = listing
        .lines()
        .filter_map(|line| line.split(' ').nth(2))
        .collect();
    exported.sort_unstable();
    let listed = std::fs::read_to_string(source("abi/symbols.txt"))?;
    let listed: Vec<&str> = listed.lines().collect();
    assert_eq!(
        exported, listed,
        "a name may be added to abi/symbols.txt; without a new ABI version none may go"
    );
    Ok(())
}

#[test]
fn every_exported_name_stands_in_the_header() -> Result<(), Box<dyn Error>> {
    let header = std::fs::read_to_string(source("include/zt.h"))?;
    let listed = std::fs::read_to_string(source("abi/symbols.txt"))?;
    let missing: Vec<&str> = listed
        .lines()
        .filter(|name| !header.contains(&format!("{name}(")))
        .collect();
    assert_eq!(missing, [""; 0]);
    Ok(())
}

#[test]
fn the_library_is_named_after_its_abi_version() -> Result<(), Box<dyn Error>> {
    if !has("readelf") {
        println!("skipped: no readelf");
        return Ok(());
    }
    let mut readelf = Command::new("readelf");
    readelf.arg("-d").arg(built("libzt.so")?);
    let dynamic = String::from_utf8(succeed(&mut readelf)?.stdout)?;
    let name = format!("[libzt.so.{}]", zt::ZT_ABI_VERSION);
    assert!(
        dynamic
            .lines()
            .any(|line| line.contains("SONAME") && line.contains(&name))
    );
    Ok(())
}

#[test]
fn the_numbers_are_those_that_programs_were_compiled_with() -> Result<(), Box<dyn Error>> {
    if !has("cc") {
        println!("skipped: no C compiler");
        return Ok(());
    }
    let mut cc = warnings("cc", "c11");
    cc.arg("-fsyntax-only").arg(source("abi/layout.c"));
    drop(succeed(&mut cc)?);
    Ok(())
}
