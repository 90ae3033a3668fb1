//! The C compiler of the machine, and the libraries that cargo built beside this test.

use std::error::Error;
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use tempfile::TempDir;

/// Which of the two libraries a program is linked with, if any.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Library {
    Shared,
    Static,
    ByHand,
}

pub(crate) const SANITIZERS: [&str; 3] = [
    "-g",
    "-fsanitize=address,undefined",
    "-fno-sanitize-recover=all",
];

/// Whether the machine has a program of this name.
pub(crate) fn has(program: &str) -> bool {
    Command::new(program)
        .arg("--version")
        .output()
        .is_ok_and(|answer| answer.status.success())
}

/// A file that cargo made of this package's library: it stands beside the running test.
pub(crate) fn built(name: &str) -> Result<PathBuf, Box<dyn Error>> {
    let test = std::env::current_exe()?;
    let file = test.parent().ok_or("the test has no folder")?.join(name);
    if file.is_file() {
        Ok(file)
    } else {
        Err(format!("cargo made no `{name}`").into())
    }
}

/// A file of this package.
pub(crate) fn source(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// A folder for compiled programs, with the shared library under the name that the loader asks for.
pub(crate) struct Bench(TempDir);

impl Bench {
    pub(crate) fn new() -> Result<Self, Box<dyn Error>> {
        let folder = tempfile::tempdir()?;
        for name in ["libzt.so", "libzt.so.1"] {
            std::os::unix::fs::symlink(built("libzt.so")?, folder.path().join(name))?;
        }
        // Alone in its folder, so that -lzt can only mean it.
        let alone = folder.path().join("static");
        fs::create_dir(&alone)?;
        std::os::unix::fs::symlink(built("libzt.a")?, alone.join("libzt.a"))?;
        Ok(Self(folder))
    }

    /// Where the shared library is.
    pub(crate) fn folder(&self) -> &Path {
        self.0.path()
    }

    /// Compiles one C file, every warning an error.
    pub(crate) fn compile(&self, file: &Path, library: Library) -> Result<PathBuf, Box<dyn Error>> {
        self.compile_with(&[], file, library)
    }

    /// The same under the sanitizers of addresses, leaks and undefined behaviour; `None` where the compiler has none. The
    /// library's memory comes from the same allocator, so that they see what it frees and loses.
    pub(crate) fn sanitized(&self, file: &Path) -> Result<Option<PathBuf>, Box<dyn Error>> {
        let probe = self.0.path().join("probe.c");
        fs::write(&probe, "int main(void) { return 0; }\n")?;
        if self
            .compile_with(&SANITIZERS, &probe, Library::Shared)
            .is_err()
        {
            return Ok(None);
        }
        let program = self.compile_with(&SANITIZERS, file, Library::Shared)?;
        Ok(Some(program))
    }

    fn compile_with(
        &self,
        arguments: &[&str],
        file: &Path,
        library: Library,
    ) -> Result<PathBuf, Box<dyn Error>> {
        let folder = self.0.path();
        let stem = file
            .file_stem()
            .and_then(OsStr::to_str)
            .ok_or("the file has no name")?;
        let program = folder.join(format!("{stem}-{library:?}"));
        let mut cc = warnings("cc", "c99");
        cc.args(["-pthread", "-D_POSIX_C_SOURCE=200809L"])
            .args(arguments)
            .arg(file)
            .arg("-o")
            .arg(&program);
        match library {
            Library::Shared => cc.arg("-L").arg(folder).arg("-lzt"),
            Library::ByHand => cc.arg("-ldl"),
            Library::Static => {
                let found = cc.arg("-L").arg(folder.join("static")).arg("-lzt");
                found.args(["-lpthread", "-ldl", "-lm"])
            }
        };
        succeed(&mut cc)?;
        Ok(program)
    }

    /// Compiles one C++ file against the shared library, every warning an error.
    pub(crate) fn compile_cpp(
        &self,
        file: &Path,
        standard: &str,
        arguments: &[&str],
    ) -> Result<PathBuf, Box<dyn Error>> {
        let folder = self.0.path();
        let program = folder.join(format!("program-{standard}"));
        let mut cc = warnings("c++", standard);
        cc.args(["-Wshadow", "-Wconversion", "-pthread"])
            .args(arguments)
            .arg(file)
            .arg("-o")
            .arg(&program)
            .arg("-L")
            .arg(folder)
            .arg("-lzt");
        succeed(&mut cc)?;
        Ok(program)
    }

    /// Whether the compiler of C++ knows a standard, with these arguments.
    pub(crate) fn knows(&self, standard: &str, arguments: &[&str]) -> bool {
        let probe = self.0.path().join("probe.cpp");
        fs::write(&probe, "int main() { return 0; }\n").is_ok()
            && self.compile_cpp(&probe, standard, arguments).is_ok()
    }

    /// Runs a program with the shared library in reach.
    pub(crate) fn command(&self, program: &Path, valgrind: bool) -> Command {
        let mut command = if valgrind {
            valgrind_of(program)
        } else {
            Command::new(program)
        };
        command.env("LD_LIBRARY_PATH", self.0.path());
        command
    }
}

/// A compiler with the header in reach that lets no warning pass.
pub(crate) fn warnings(compiler: &str, standard: &str) -> Command {
    let mut cc = Command::new(compiler);
    cc.arg(format!("-std={standard}"))
        .args(["-pedantic", "-Wall", "-Wextra", "-Werror", "-I"])
        .arg(source("include"));
    cc
}

/// Runs it and gives its output, or what it complained about.
pub(crate) fn succeed(command: &mut Command) -> Result<Output, Box<dyn Error>> {
    let output = command.output()?;
    if output.status.success() {
        return Ok(output);
    }
    let said = [output.stdout, output.stderr].concat();
    Err(format!("{:?}: {}", output.status, String::from_utf8_lossy(&said)).into())
}

/// Every error and every lost block makes it fail.
fn valgrind_of(program: &Path) -> Command {
    let mut valgrind = Command::new("valgrind");
    valgrind
        .args(["--quiet", "--error-exitcode=99", "--leak-check=full"])
        .args(["--errors-for-leak-kinds=definite,indirect"])
        .arg(program);
    valgrind
}
