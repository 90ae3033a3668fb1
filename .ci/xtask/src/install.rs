//! `cargo xtask install-c`: headers, both libraries, what pkg-config and CMake find them by.
//!
//! In: a prefix. Out: files below it, each whole or not at all: a program that runs with the old library keeps it. Writes
//! nothing elsewhere, and nothing with the prefix in it: the folder may be moved.

use std::fs;
use std::io;
use std::path::{Component, Path, PathBuf};

use crate::cargo::cargo;
use crate::place::Place;
use crate::report::{Outcome, Report};

/// How to install.
pub(crate) struct Options {
    prefix: PathBuf,
    libdir: PathBuf,
    /// A folder that has the libraries already.
    from: Option<PathBuf>,
}

impl Options {
    /// Reads `--prefix DIR`, `--libdir NAME` and `--from DIR`; else says what is wrong.
    pub(crate) fn read(mut arguments: impl Iterator<Item = String>) -> Result<Self, String> {
        let (mut prefix, mut libdir, mut from) = (None, PathBuf::from("lib"), None);
        while let Some(argument) = arguments.next() {
            let (name, value) = match argument.split_once('=') {
                Some((name, value)) => (name.to_owned(), Some(value.to_owned())),
                None => (argument, arguments.next()),
            };
            let value = value.filter(|value| !value.is_empty());
            let value = PathBuf::from(value.ok_or_else(|| format!("`{name}` needs a value"))?);
            match name.as_str() {
                "--prefix" => prefix = Some(value),
                "--libdir" => libdir = value,
                "--from" => from = Some(value),
                _ => return Err(format!("there is no `{name}`")),
            }
        }
        let is_below = libdir
            .components()
            .all(|part| matches!(part, Component::Normal(_)));
        if !is_below {
            return Err("`--libdir` is a path below the prefix".to_owned());
        }
        let prefix = prefix.ok_or("`--prefix DIR` says where to")?;
        Ok(Self {
            prefix,
            libdir,
            from,
        })
    }
}

/// Builds in release, unless the libraries are there, and installs.
pub(crate) fn run(place: &Place, report: &mut Report, options: &Options) -> io::Result<()> {
    report.step("install zt-ffi", |log| {
        let from = match &options.from {
            Some(from) => from.clone(),
            None => {
                let mut build = cargo(place, &["build", "--release", "-p", "zt-ffi"]);
                if !log.run(&mut build)?.success {
                    return Ok(Outcome::of(false, "zt-ffi was not built"));
                }
                place.target().join("release")
            }
        };
        let outcome = Outcome::of(true, "");
        Ok(install(&place.at("zt-ffi"), &from, options)?
            .into_iter()
            .fold(outcome, |outcome, file| {
                outcome.with_note(format!("installed {}", file.display()))
            }))
    })
}

/// What the libraries are called on this system.
struct Names {
    /// As the loader asks for it.
    shared: String,
    /// As cargo makes it.
    built: &'static str,
    /// As the linker asks for it, where that is a link.
    link: Option<&'static str>,
    fixed: &'static str,
    /// What a linker needs beside it.
    import: Option<&'static str>,
    /// What follows `-l`. On Windows `zt` alone is the static library.
    wanted: &'static str,
    /// As programs remember it.
    remembered: String,
    /// What the static library needs of the system, for a command line and for CMake.
    system: [&'static str; 2],
}

/// As `rustc --print native-static-libs` says, with what the system's own certificates need.
const WINDOWS: [&str; 2] = [
    "-ladvapi32 -lbcrypt -lcrypt32 -ldbghelp -lkernel32 -lncrypt -lntdll -lsecur32 -luserenv -lws2_32",
    "advapi32;bcrypt;crypt32;dbghelp;kernel32;ncrypt;ntdll;secur32;userenv;ws2_32",
];
const MACOS: [&str; 2] = [
    "-framework Security -framework CoreFoundation -liconv -lm",
    "-framework Security;-framework CoreFoundation;iconv;m",
];
const OTHERS: [&str; 2] = ["-lpthread -ldl -lm", "m"];

impl Names {
    fn of(abi: &str) -> Self {
        if cfg!(windows) {
            return Self {
                shared: "zt.dll".to_owned(),
                built: "zt.dll",
                link: None,
                fixed: "zt.lib",
                import: Some("zt.dll.lib"),
                wanted: "zt.dll",
                remembered: "zt.dll".to_owned(),
                system: WINDOWS,
            };
        }
        let (shared, built, rpath, system) = if cfg!(target_os = "macos") {
            let shared = format!("libzt.{abi}.dylib");
            (shared, "libzt.dylib", "@rpath/", MACOS)
        } else {
            (format!("libzt.so.{abi}"), "libzt.so", "", OTHERS)
        };
        Self {
            remembered: format!("{rpath}{shared}"),
            shared,
            built,
            link: Some(built),
            fixed: "libzt.a",
            import: None,
            wanted: "zt",
            system,
        }
    }
}

fn install(package: &Path, from: &Path, options: &Options) -> io::Result<Vec<PathBuf>> {
    let header = fs::read_to_string(package.join("include/zt.h"))?;
    let abi = header
        .lines()
        .find_map(|line| line.strip_prefix("#define ZT_ABI_VERSION "));
    let abi = abi.ok_or_else(|| io::Error::other("zt.h has no ZT_ABI_VERSION"))?;
    let names = Names::of(abi);
    let (include, lib) = (
        options.prefix.join("include"),
        options.prefix.join(&options.libdir),
    );
    let mut installed = Vec::new();
    let mut put = |source: PathBuf, target: PathBuf| -> io::Result<()> {
        place(&target, |draft| fs::copy(source, draft).map(drop))?;
        installed.push(target);
        Ok(())
    };
    for name in ["zt.h", "zt.hpp"] {
        put(package.join("include").join(name), include.join(name))?;
    }
    put(from.join(names.built), lib.join(&names.shared))?;
    put(from.join(names.fixed), lib.join(names.fixed))?;
    if let Some(import) = names.import {
        put(from.join(import), lib.join(import))?;
    }
    for name in ["LICENSE-APACHE", "LICENSE-MIT"] {
        let target = options.prefix.join("share/doc/zt").join(name);
        put(package.join("..").join(name), target)?;
    }
    if let Some(name) = names.link {
        let target = lib.join(name);
        link(&names.shared, &target)?;
        installed.push(target);
    }
    for (template, folder) in [
        ("zt.pc.in", "pkgconfig"),
        ("ztConfig.cmake.in", "cmake/zt"),
        ("ztConfigVersion.cmake.in", "cmake/zt"),
    ] {
        let text = fs::read_to_string(package.join("package").join(template))?;
        let text = filled(&text, options, &names);
        let target = lib.join(folder).join(template.trim_end_matches(".in"));
        place(&target, |draft| fs::write(draft, text))?;
        installed.push(target);
    }
    Ok(installed)
}

fn filled(template: &str, options: &Options, names: &Names) -> String {
    let version = env!("CARGO_PKG_VERSION");
    let depth = options.libdir.components().count();
    let up = |further: usize| vec![".."; depth + further].join("/");
    let libdir = options.libdir.to_string_lossy().replace('\\', "/");
    let [command_line, cmake] = names.system;
    let replaced = [
        ("@VERSION@", version),
        ("@MAJOR@", version.split('.').next().unwrap_or_default()),
        ("@UP@", &up(1)),
        ("@UP_CMAKE@", &up(2)),
        ("@LIBDIR@", &libdir),
        ("@SHARED@", &names.shared),
        ("@SONAME@", &names.remembered),
        ("@STATIC@", names.fixed),
        ("@LINK@", names.wanted),
        ("@PRIVATE@", command_line),
        ("@LIBRARIES@", cmake),
        ("@POINTER@", &size_of::<usize>().to_string()),
    ];
    replaced
        .iter()
        .fold(template.to_owned(), |text, (name, value)| {
            text.replace(name, value)
        })
}

/// Makes a file beside its place and moves it there.
fn place(target: &Path, make: impl FnOnce(&Path) -> io::Result<()>) -> io::Result<()> {
    let told = |why: io::Error| io::Error::new(why.kind(), format!("{}: {why}", target.display()));
    let (Some(folder), Some(name)) = (target.parent(), target.file_name()) else {
        return Err(told(io::ErrorKind::InvalidInput.into()));
    };
    let draft = folder.join(format!(".{}.new", name.to_string_lossy()));
    fs::create_dir_all(folder)
        .and_then(|()| make(&draft))
        .and_then(|()| fs::rename(&draft, target))
        .map_err(told)
}

#[cfg(unix)]
fn link(name: &str, target: &Path) -> io::Result<()> {
    place(target, |draft| {
        let _left_by_one_that_was_killed = fs::remove_file(draft);
        std::os::unix::fs::symlink(name, draft)
    })
}

#[cfg(not(unix))]
fn link(_: &str, _: &Path) -> io::Result<()> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(arguments: &[&str]) -> Result<Options, String> {
        Options::read(arguments.iter().map(ToString::to_string))
    }

    #[test]
    fn a_prefix_is_needed_and_the_libraries_stay_below_it() {
        assert!(read(&[]).is_err());
        assert!(read(&["--prefix"]).is_err());
        assert!(read(&["--prefix", "out", "--libdir", "../lib"]).is_err());
        assert!(read(&["--prefix", "out", "--libdir=/lib"]).is_err());
        assert!(read(&["--perfix", "out"]).is_err());
        let options = read(&["--prefix=out", "--libdir", "lib/x86_64-linux-gnu"]).unwrap();
        let names = Names::of("1");
        let text = filled("@UP@ @UP_CMAKE@ @LIBDIR@ @STATIC@", &options, &names);
        assert!(text.starts_with("../../.. ../../../.. lib/x86_64-linux-gnu "));
        let templates = ["zt.pc.in", "ztConfig.cmake.in", "ztConfigVersion.cmake.in"];
        let package = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../zt-ffi/package");
        for template in templates {
            let text = fs::read_to_string(package.join(template)).unwrap();
            let text = filled(&text, &options, &names);
            let left = text.split('@').nth(1);
            assert!(left.is_none_or(|word| word.starts_with("rpath")), "{text}");
        }
    }
}
