//! The examples of the other languages, where their tools are. All of them do the same job and say the same.

use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::c::{Outcome, run, skip};
use super::cc::{Bench, built, has, source, succeed};
use super::world::{NEEDLE, World};

#[test]
fn the_example_of_cpp_does_its_job() -> Outcome {
    if !has("c++") {
        return skip("no C++ compiler");
    }
    let bench = Bench::new()?;
    let program = bench.compile_cpp(&source("../examples/cpp/main.cpp"), "c++17", &[])?;
    does_its_job(&bench, Command::new(program))
}

#[test]
fn the_example_of_go_does_its_job() -> Outcome {
    let has_go = Command::new("go").arg("version").output();
    if !has_go.is_ok_and(|answer| answer.status.success()) || !has("cc") {
        return skip("no Go, or no C compiler for cgo");
    }
    let bench = Bench::new()?;
    let program = scratch("go")?.join("job201");
    let mut build = Command::new("go");
    build
        .current_dir(source("../examples/go"))
        .args(["build", "-o"])
        .arg(&program)
        .arg(".")
        .env("CGO_ENABLED", "1")
        .env("CGO_CFLAGS", flag("-I", &source("include")))
        .env("CGO_LDFLAGS", flag("-L", bench.folder()))
        .env("GOFLAGS", "-mod=readonly")
        .env("GOTOOLCHAIN", "local");
    succeed(&mut build)?;
    does_its_job(&bench, Command::new(program))
}

#[test]
fn the_example_of_java_does_its_job() -> Outcome {
    if !has("javac") || !has("java") {
        return skip("no JDK");
    }
    let Some(jars) = jars()? else {
        return skip("no jar of JNA: Maven is missing or finds none");
    };
    let bench = Bench::new()?;
    let classes = scratch("java/classes")?;
    let folder = source("../examples/java/src");
    let mut javac = Command::new("javac");
    javac
        .args(["-Xlint:all", "-Werror", "-cp"])
        .arg(flag("", &jars.join("*")))
        .arg("-d")
        .arg(&classes);
    for class in ["Libzt", "Zt", "Job201"] {
        javac.arg(folder.join(format!("{class}.java")));
    }
    succeed(&mut javac)?;
    let mut java = Command::new("java");
    java.arg(flag("-Dzt.library=", &built("libzt.so")?))
        .args(["-XX:+UseSerialGC", "-Xcheck:jni", "-cp"])
        .arg(format!("{}:{}/*", classes.display(), jars.display()))
        .arg("Job201");
    does_its_job(&bench, java)
}

#[test]
fn the_example_of_node_does_its_job() -> Outcome {
    if !has("node") || !has("npm") {
        return skip("no Node.js with npm");
    }
    let folder = scratch("node")?;
    for file in ["package.json", "main.js", "zt.js"] {
        fs::copy(source("../examples/node").join(file), folder.join(file))?;
    }
    if !folder.join("node_modules/koffi").is_dir() {
        let mut npm = Command::new("npm");
        npm.current_dir(&folder).args([
            "install",
            "--no-package-lock",
            "--no-audit",
            "--no-fund",
            "--ignore-scripts",
        ]);
        if succeed(&mut npm).is_err() {
            return skip("npm finds no koffi");
        }
    }
    let bench = Bench::new()?;
    let mut node = Command::new("node");
    node.arg(folder.join("main.js"))
        .env("ZT_LIBRARY", built("libzt.so")?);
    does_its_job(&bench, node)
}

/// What all of them say, the secret's value nowhere.
fn does_its_job(bench: &Bench, mut program: Command) -> Outcome {
    let world = World::new()?;
    program
        .arg(world.folder())
        .env("LD_LIBRARY_PATH", bench.folder())
        .env("ZT_TOKEN", world.job_token())
        .env("ZT_RISK", world.token("ZT_INES"))
        .env("ZT_SECURITY", world.token("ZT_PRIYA"));
    let said = run(&mut program)?;
    for line in [
        "model.infer: allow\n",
        &format!("bureau-api-key: {} bytes", NEEDLE.len()),
        "sealed and opened: 1 row\n",
        "sql-loans-password: default_deny\n",
        "explained: {",
        "audit log: intact\n",
    ] {
        assert!(said.contains(line), "{line} in {said}");
    }
    assert!(!world.audit_leaks()?);

    let refused = program.env("ZT_TOKEN", "no.token.this").output()?;
    assert!(!refused.status.success());
    assert!(String::from_utf8(refused.stderr)?.contains("ZT-2001"));
    Ok(())
}

/// JNA's jar, fetched once.
fn jars() -> Result<Option<PathBuf>, Box<dyn Error>> {
    let folder = scratch("java/lib")?;
    if fs::read_dir(&folder)?.next().is_some() {
        return Ok(Some(folder));
    }
    if !has("mvn") {
        return Ok(None);
    }
    let mut maven = Command::new("mvn");
    maven
        .args(["-q", "-B", "-f"])
        .arg(source("../examples/java/pom.xml"))
        .arg("dependency:copy-dependencies")
        .arg(flag("-DoutputDirectory=", &folder));
    let fetched = succeed(&mut maven).is_ok() && fs::read_dir(&folder)?.next().is_some();
    Ok(fetched.then_some(folder))
}

/// A folder that stays from run to run.
fn scratch(name: &str) -> Result<PathBuf, Box<dyn Error>> {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"))
        .join("examples")
        .join(name);
    fs::create_dir_all(&folder)?;
    Ok(folder)
}

fn flag(name: &str, path: &Path) -> String {
    format!("{name}{}", path.display())
}
