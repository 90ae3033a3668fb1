//! What `cargo xtask install-c` installs, found by pkg-config and by CMake, from C and from C++.

use std::error::Error;
use std::fs;
use std::path::Path;
use std::process::Command;

use tempfile::TempDir;

use super::c::{Outcome, run, skip};
use super::cc::{built, has, source, succeed};
use super::world::World;

const C: &str = "#include <stdio.h>\n#include <zt.h>\n\
    int main(int argc, char **argv) {\n\
        zt_runtime *zt = NULL;\n\
        if (argc != 2 || zt_abi_version() != ZT_ABI_VERSION || zt_open(argv[1], &zt, NULL) != ZT_STATUS_OK ||\n\
            zt_runtime_close(zt, 5000, NULL) != ZT_STATUS_OK) { return 1; }\n\
        zt_runtime_free(zt);\n\
        puts(zt_version());\n\
        return 0;\n\
    }\n";

const CPP: &str = "#include <cstdio>\n#include <zt.hpp>\n\
    int main(int, char **argv) {\n\
        auto zt = zt::runtime::open(argv[1]);\n\
        if (!zt || !zt->close(std::chrono::seconds(5))) { return 1; }\n\
        std::puts(zt_version());\n\
    }\n";

const CMAKE: &str = "cmake_minimum_required(VERSION 3.16)\nproject(consumer LANGUAGES C CXX)\n\
    set(CMAKE_CXX_STANDARD 17)\n\
    find_package(zt 0.1 CONFIG REQUIRED)\n\
    add_executable(shared consumer.c)\ntarget_link_libraries(shared PRIVATE zt::zt)\n\
    add_executable(static consumer.c)\ntarget_link_libraries(static PRIVATE zt::static)\n\
    add_executable(wrapped consumer.cpp)\ntarget_link_libraries(wrapped PRIVATE zt::zt)\n";

#[test]
fn what_is_installed_is_found_by_pkg_config_and_by_cmake() -> Outcome {
    if !has("cc") || !has("c++") {
        return skip("no C or C++ compiler");
    }
    let folder = tempfile::tempdir()?;
    let prefix = folder.path().join("moved");
    install(folder.path(), &prefix)?;
    for name in ["consumer.c", "consumer.cpp", "CMakeLists.txt"] {
        let text = match name {
            "consumer.c" => C,
            "consumer.cpp" => CPP,
            _ => CMAKE,
        };
        fs::write(folder.path().join(name), text)?;
    }
    let world = World::new()?;
    if has("pkg-config") {
        by_pkg_config(&folder, &prefix, &world)?;
    } else {
        skip("no pkg-config")?;
    }
    if has("cmake") {
        by_cmake(&folder, &prefix, &world)
    } else {
        skip("no CMake")
    }
}

/// Installed in one place and moved to another.
fn install(folder: &Path, prefix: &Path) -> Outcome {
    let libraries = built("libzt.so")?;
    let first = folder.join("first");
    let mut xtask = Command::new(env!("CARGO"));
    xtask
        .current_dir(source(".."))
        .args(["run", "--quiet", "--package", "xtask", "--", "install-c"])
        .arg("--prefix")
        .arg(&first)
        .args(["--libdir", "lib/here", "--from"])
        .arg(libraries.parent().ok_or("the library has no folder")?);
    succeed(&mut xtask)?;
    fs::rename(&first, prefix)?;
    for file in [
        "include/zt.h",
        "include/zt.hpp",
        "lib/here/libzt.so",
        "lib/here/libzt.so.1",
        "lib/here/libzt.a",
        "share/doc/zt/LICENSE-MIT",
    ] {
        assert!(prefix.join(file).is_file(), "{file}");
    }
    Ok(())
}

fn by_pkg_config(folder: &TempDir, prefix: &Path, world: &World) -> Outcome {
    for (compiler, standard, file) in [
        ("cc", "-std=c99", "consumer.c"),
        ("c++", "-std=c++17", "consumer.cpp"),
    ] {
        let mut ask = Command::new("pkg-config");
        ask.args(["--cflags", "--libs", "zt >= 0.1"])
            .env("PKG_CONFIG_PATH", prefix.join("lib/here/pkgconfig"));
        let flags = String::from_utf8(succeed(&mut ask)?.stdout)?;
        let program = folder.path().join("by-pkg-config");
        let mut cc = Command::new(compiler);
        cc.arg(standard)
            .arg(folder.path().join(file))
            .args(flags.split_whitespace())
            .arg("-o")
            .arg(&program);
        succeed(&mut cc)?;
        let mut consumer = Command::new(&program);
        consumer.env("LD_LIBRARY_PATH", prefix.join("lib/here"));
        answers(&mut consumer, world)?;
    }
    Ok(())
}

fn by_cmake(folder: &TempDir, prefix: &Path, world: &World) -> Outcome {
    let build = folder.path().join("build");
    let mut configure = Command::new("cmake");
    configure
        .arg("-S")
        .arg(folder.path())
        .arg("-B")
        .arg(&build)
        .arg(format!("-DCMAKE_PREFIX_PATH={}", prefix.display()))
        .arg(format!(
            "-Dzt_DIR={}",
            prefix.join("lib/here/cmake/zt").display()
        ));
    succeed(&mut configure)?;
    succeed(Command::new("cmake").arg("--build").arg(&build))?;
    for program in ["shared", "static", "wrapped"] {
        answers(&mut Command::new(build.join(program)), world)?;
    }
    let newer = CMAKE.replace("zt 0.1 ", "zt 0.2 ");
    fs::write(folder.path().join("CMakeLists.txt"), newer)?;
    let refused = configure.output()?;
    assert!(!refused.status.success(), "a newer version was found");
    Ok(())
}

fn answers(consumer: &mut Command, world: &World) -> Result<(), Box<dyn Error>> {
    let said = run(consumer.arg(world.folder()))?;
    assert_eq!(said.trim(), env!("CARGO_PKG_VERSION"));
    Ok(())
}
