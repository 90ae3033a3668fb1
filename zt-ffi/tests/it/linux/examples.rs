//! The examples of the other languages, where their tools are. All of them do the same job and say the same.

use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;

use zt_core::audit::verify;

use super::c::{Outcome, run, skip};
use super::cc::{Bench, built, has, source, succeed};
use super::world::{NEEDLE, World};

/// Packages are fetched once, also where two tests need them.
static FETCHING: Mutex<()> = Mutex::new(());

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

/// A finalizer may free what a call of C still uses, unless the call keeps it.
#[test]
fn every_method_of_the_go_package_keeps_its_handle_alive() -> Outcome {
    let package = fs::read_to_string(source("../examples/go/zt/zt.go"))?;
    let mut methods = 0;
    for method in package.split("\nfunc ").skip(1) {
        let receivers = [("(s *Session) ", "s"), ("(b *Batch) ", "b")];
        let found = receivers
            .iter()
            .find(|(start, _)| method.starts_with(start));
        let Some((_, name)) = found.filter(|(start, _)| {
            !method.starts_with(&format!("{start}kept("))
                && !method.starts_with(&format!("{start}Close("))
        }) else {
            continue;
        };
        methods += 1;
        let (_, body) = method.split_once("{\n").ok_or("no body")?;
        let keeps = format!("\tdefer runtime.KeepAlive({name})\n");
        assert!(body.starts_with(&keeps), "{method}");
        for given in ["decision", "batch", "sealed"] {
            if body.contains(&format!("{given}.c")) {
                assert!(
                    body.contains(&format!("\tdefer runtime.KeepAlive({given})\n")),
                    "{method}"
                );
            }
        }
    }
    assert_eq!(methods, 7);
    Ok(())
}

#[test]
fn the_example_of_java_does_its_job_by_jna() -> Outcome {
    let bench = Bench::new()?;
    match jna("Job201", &[])? {
        Ok(java) => does_its_job(&bench, java),
        Err(missing) => skip(missing),
    }
}

#[test]
fn the_example_of_java_does_its_job_by_the_foreign_function_api() -> Outcome {
    let bench = Bench::new()?;
    match ffm("Job201", &[])? {
        Ok(java) => does_its_job(&bench, java),
        Err(missing) => skip(missing),
    }
}

#[test]
fn the_wrapper_of_java_refuses_what_c_would_misread_by_jna() -> Outcome {
    match jna("Misuse", &[source("tests/languages/Misuse.java")])? {
        Ok(java) => refuses(java),
        Err(missing) => skip(missing),
    }
}

#[test]
fn the_wrapper_of_java_refuses_what_c_would_misread_by_the_foreign_function_api() -> Outcome {
    match ffm("Misuse", &[source("tests/languages/Misuse.java")])? {
        Ok(java) => refuses(java),
        Err(missing) => skip(missing),
    }
}

/// A program, or why there is none.
type Found = Result<Result<Command, &'static str>, Box<dyn Error>>;

/// A program in Java over JNA.
fn jna(class: &str, more: &[PathBuf]) -> Found {
    if !has("javac") || !has("java") {
        return Ok(Err("no JDK"));
    }
    let _alone = FETCHING.lock();
    let Some(jars) = jars()? else {
        return Ok(Err("no jar of JNA: Maven is missing or finds none"));
    };
    let classes = scratch(&format!("java/jna/{class}"))?;
    let mut javac = Command::new("javac");
    javac.arg("-cp").arg(flag("", &jars.join("*")));
    compile_java(&mut javac, "jna", &classes, more)?;
    let mut java = Command::new("java");
    java.arg(flag("-Dzt.library=", &built("libzt.so")?))
        .args(["-XX:+UseSerialGC", "-Xcheck:jni", "-cp"])
        .arg(format!("{}:{}/*", classes.display(), jars.display()))
        .arg(class);
    Ok(Ok(java))
}

/// A program in Java over the foreign function API, which needs no jar.
fn ffm(class: &str, more: &[PathBuf]) -> Found {
    let Some(jdk) = jdk_22() else {
        return Ok(Err("no JDK of version 22 or newer"));
    };
    let classes = scratch(&format!("java/ffm/{class}"))?;
    compile_java(&mut Command::new(jdk.join("javac")), "ffm", &classes, more)?;
    let mut java = Command::new(jdk.join("java"));
    java.arg(flag("-Dzt.library=", &built("libzt.so")?))
        .args(["-XX:+UseSerialGC", "--enable-native-access=ALL-UNNAMED"])
        .arg("-cp")
        .arg(&classes)
        .arg(class);
    Ok(Ok(java))
}

fn compile_java(javac: &mut Command, over: &str, classes: &Path, more: &[PathBuf]) -> Outcome {
    let folder = source("../examples/java");
    javac.args(["-Xlint:all", "-Werror", "-d"]).arg(classes);
    let files = [
        format!("{over}/Libzt"),
        "src/Zt".into(),
        "src/Job201".into(),
    ];
    for file in files {
        javac.arg(folder.join(file).with_extension("java"));
    }
    succeed(javac.args(more)).map(|_| ())
}

/// The programs of a JDK that has the foreign function API: the one in use, or one that stands beside it.
fn jdk_22() -> Option<PathBuf> {
    let home = std::env::var_os("JAVA_HOME").map(PathBuf::from);
    let beside = fs::read_dir("/usr/lib/jvm").into_iter().flatten().flatten();
    let homes = home.into_iter().chain(beside.map(|entry| entry.path()));
    let folders = homes.map(|home| home.join("bin"));
    // The last is the search path.
    folders
        .chain([PathBuf::new()])
        .find(|folder| is_new(&folder.join("javac")))
}

fn is_new(javac: &Path) -> bool {
    let said = Command::new(javac).arg("-version").output();
    let said = said.map(|said| String::from_utf8_lossy(&said.stdout).into_owned());
    let version = said.ok().and_then(|said| {
        let number = said
            .trim()
            .strip_prefix("javac ")?
            .split(['.', '-'])
            .next()?;
        number.parse::<u32>().ok()
    });
    version >= Some(22)
}

#[test]
fn the_example_of_csharp_does_its_job() -> Outcome {
    if !has("mcs") || !has("mono") {
        return skip("no Mono");
    }
    let bench = Bench::new()?;
    let program = scratch("csharp")?.join("job201.exe");
    let out = flag("-out:", &program);
    let mut mcs = Command::new("mcs");
    mcs.args(["-warnaserror", &out]);
    for file in ["Libzt", "Zt", "Job201"] {
        mcs.arg(source("../examples/csharp").join(file).with_extension("cs"));
    }
    succeed(&mut mcs)?;
    let mut mono = Command::new("mono");
    mono.arg(program);
    does_its_job(&bench, mono)
}

#[test]
fn the_example_of_node_does_its_job() -> Outcome {
    let bench = Bench::new()?;
    match node("main.js")? {
        Ok(node) => does_its_job(&bench, node),
        Err(missing) => skip(missing),
    }
}

#[test]
fn the_wrapper_of_node_refuses_what_c_would_misread() -> Outcome {
    match node("misuse.js")? {
        Ok(node) => refuses(node),
        Err(missing) => skip(missing),
    }
}

/// A program in JavaScript with the wrapper.
fn node(program: &str) -> Found {
    if !has("node") || !has("npm") {
        return Ok(Err("no Node.js with npm"));
    }
    let _alone = FETCHING.lock();
    let folder = scratch("node")?;
    for file in ["package.json", "main.js", "zt.js"] {
        fs::copy(source("../examples/node").join(file), folder.join(file))?;
    }
    fs::copy(
        source("tests/languages/misuse.js"),
        folder.join("misuse.js"),
    )?;
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
            return Ok(Err("npm finds no koffi"));
        }
    }
    let mut node = Command::new("node");
    node.arg(folder.join(program))
        .env("ZT_LIBRARY", built("libzt.so")?);
    Ok(Ok(node))
}

fn refuses(mut program: Command) -> Outcome {
    let world = World::new()?;
    program
        .arg(world.folder())
        .env("ZT_TOKEN", world.job_token());
    // JNA itself is warned of under -Xcheck:jni.
    let said = run(&mut program)?;
    assert!(said.ends_with("refused\n"), "{said}");
    assert!(!world.audit_leaks()?);
    Ok(())
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
    // The log is ended all the same.
    assert!(verify(world.folder().join(".zt/audit"))?.is_intact());
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
