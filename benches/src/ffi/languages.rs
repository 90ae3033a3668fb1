//! Builds the programs of the languages whose tools are here.
//!
//! In: the folder that libzt is installed in. Out: commands, and the names of those that cannot be had.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::Outcome;

/// A program, or why there is none.
pub(super) type Found = (&'static str, Result<Command, String>);

/// Every language, built in this folder.
pub(super) fn all(prefix: &Path, folder: &Path) -> Vec<Found> {
    let lib = prefix.join("lib");
    let languages: [(&'static str, fn(&Path, &Path) -> Outcome<Command>); 6] = [
        ("C", c),
        ("C++", cpp),
        ("Go, cgo", go),
        ("Java, FFM", ffm),
        ("Java, JNA", jna),
        ("Node, koffi", node),
    ];
    let built = languages.into_iter().map(|(name, build)| {
        let command = build(prefix, folder).map(|mut command| {
            command.env("LD_LIBRARY_PATH", &lib);
            command
        });
        (name, command.map_err(|why| why.to_string()))
    });
    built.collect()
}

fn c(prefix: &Path, folder: &Path) -> Outcome<Command> {
    compiled("cc", "-std=gnu11", "calls.c", prefix, &folder.join("c"))
}

fn cpp(prefix: &Path, folder: &Path) -> Outcome<Command> {
    compiled(
        "c++",
        "-std=c++17",
        "calls.cpp",
        prefix,
        &folder.join("cpp"),
    )
}

fn compiled(
    compiler: &str,
    standard: &str,
    file: &str,
    prefix: &Path,
    program: &Path,
) -> Outcome<Command> {
    let mut command = Command::new(compiler);
    command
        .args([standard, "-O2", "-Wall", "-Wextra", "-Werror", "-I"])
        .arg(prefix.join("include"))
        .arg(source(file))
        .arg("-o")
        .arg(program)
        .arg("-L")
        .arg(prefix.join("lib"))
        .arg("-lzt");
    succeed(&mut command)?;
    Ok(Command::new(program))
}

fn go(prefix: &Path, folder: &Path) -> Outcome<Command> {
    let program = folder.join("go");
    let mut build = Command::new("go");
    build
        .current_dir(source("go"))
        .args(["build", "-o"])
        .arg(&program)
        .arg(".")
        .env("CGO_ENABLED", "1")
        .env("CGO_CFLAGS", flag("-I", &prefix.join("include")))
        .env("CGO_LDFLAGS", flag("-L", &prefix.join("lib")))
        .env("GOTOOLCHAIN", "local");
    succeed(&mut build)?;
    Ok(Command::new(program))
}

/// By the JDK of `JAVA_HOME`, or the one on the path: 22 or later.
fn ffm(prefix: &Path, folder: &Path) -> Outcome<Command> {
    let classes = folder.join("ffm");
    let mut javac = Command::new(jdk("javac"));
    javac.arg("-d").arg(&classes).arg(source("ffm/Calls.java"));
    succeed(&mut javac)?;
    let mut java = Command::new(jdk("java"));
    java.arg("--enable-native-access=ALL-UNNAMED")
        .arg(flag("-Dzt.library=", &prefix.join("lib/libzt.so")))
        .arg("-cp")
        .arg(classes)
        .arg("Calls");
    Ok(java)
}

fn jna(prefix: &Path, folder: &Path) -> Outcome<Command> {
    let (classes, jars) = (folder.join("jna"), folder.join("jars"));
    let mut maven = Command::new("mvn");
    maven
        .args(["-q", "-B", "-f"])
        .arg(source("../../examples/java/pom.xml"))
        .arg("dependency:copy-dependencies")
        .arg(flag("-DoutputDirectory=", &jars));
    succeed(&mut maven)?;
    let mut javac = Command::new(jdk("javac"));
    javac
        .arg("-cp")
        .arg(jars.join("*"))
        .arg("-d")
        .arg(&classes)
        .arg(source("jna/Calls.java"));
    succeed(&mut javac)?;
    let mut java = Command::new(jdk("java"));
    java.arg(flag("-Dzt.library=", &prefix.join("lib/libzt.so")))
        .arg("-cp")
        .arg(format!("{}:{}/*", classes.display(), jars.display()))
        .arg("Calls");
    Ok(java)
}

fn node(_prefix: &Path, folder: &Path) -> Outcome<Command> {
    let folder = folder.join("node");
    fs::create_dir_all(&folder)?;
    fs::copy(
        source("../../examples/node/package.json"),
        folder.join("package.json"),
    )?;
    fs::copy(source("calls.mjs"), folder.join("calls.mjs"))?;
    let mut npm = Command::new("npm");
    npm.current_dir(&folder).args([
        "install",
        "--no-package-lock",
        "--no-audit",
        "--no-fund",
        "--ignore-scripts",
    ]);
    succeed(&mut npm)?;
    let mut node = Command::new("node");
    node.arg(folder.join("calls.mjs"));
    Ok(node)
}

fn jdk(program: &str) -> PathBuf {
    let home = std::env::var_os("JAVA_HOME").map(PathBuf::from);
    home.map_or_else(|| program.into(), |home| home.join("bin").join(program))
}

fn source(file: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("ffi").join(file)
}

fn flag(name: &str, path: &Path) -> String {
    format!("{name}{}", path.display())
}

fn succeed(command: &mut Command) -> Outcome {
    let program = command.get_program().to_string_lossy().into_owned();
    let output = command
        .output()
        .map_err(|why| format!("{program}: {why}"))?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    let first = said.lines().next().unwrap_or_default().to_owned();
    Err(format!("{program} ended with {}: {first}", output.status).into())
}
