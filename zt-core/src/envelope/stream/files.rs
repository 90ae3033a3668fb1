//! Files on the disk, sealed and unsealed: the result is there when it is whole, or not at all.
//!
//! In: paths. Out: a file under its own name, which nobody but its owner may read. Never: a part of a plain file under that
//! name.

mod nameless;

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use aws_lc_rs::rand;

use super::FileHeader;
use crate::durable::sync_folder;
use crate::envelope::{Opener, SealError, Sealer};
use crate::error::{Code, Error, Result};
use crate::text::shown;
use nameless::{name, nameless};

impl Sealer {
    /// Seals the file at `from` into one at `to`, and answers how many bytes it had. It opens under `name` alone; `None` is
    /// the name of the file at `from`. The sealed file is written beside its place, mode 0600, and moved there when it is
    /// whole: after an error nothing is there that was not before.
    ///
    /// ```no_run
    /// # use zt_core::{Result, Session};
    /// async fn keep(job: &Session) -> Result<u64> {
    ///     let sealer = job.sealer("models").await?;
    ///     sealer.seal_file(None, "model.onnx", "model.onnx.zt", false)
    /// }
    /// ```
    ///
    /// # Errors
    /// As [`seal_stream`](Self::seal_stream); `Invalid` too when a file is at `to` and `replaces` is false.
    pub fn seal_file(
        &self,
        name: Option<&str>,
        from: impl AsRef<Path>,
        to: impl AsRef<Path>,
        replaces: bool,
    ) -> Result<u64> {
        let from = from.as_ref();
        let name = named(name, from)?;
        let file = read(from)?;
        let mut draft = Draft::new(to, replaces)?;
        let length = self.seal_stream(name, file, &mut draft)?;
        draft.keep()?;
        Ok(length)
    }
}

impl Opener {
    /// Unseals the file at `from` into one at `to`, and answers how many bytes it has. It must have been sealed as `name`;
    /// `None` is the name of the file at `to`. The plain file is written beside its place, mode 0600, and moved there when all
    /// of it is verified: after an error nothing is there that was not before.
    ///
    /// # Errors
    /// As [`unseal_stream`](Self::unseal_stream); `Invalid` too when a file is at `to` and `replaces` is false.
    pub fn unseal_file(
        &self,
        name: Option<&str>,
        from: impl AsRef<Path>,
        to: impl AsRef<Path>,
        replaces: bool,
    ) -> Result<u64> {
        let to = to.as_ref();
        let name = named(name, to)?;
        let mut file = read(from.as_ref())?;
        let header = FileHeader::read(&mut file)?;
        let mut draft = Draft::new(to, replaces)?;
        let length = self.unseal_stream(name, &header, file, &mut draft)?;
        draft.keep()?;
        Ok(length)
    }
}

impl FileHeader {
    /// Reads the header of the sealed file at `path`.
    ///
    /// # Errors
    /// As [`read`](Self::read); `NotFound` when there is no such file.
    pub fn of_file(path: impl AsRef<Path>) -> Result<Self> {
        Ok(Self::read(read(path.as_ref())?)?)
    }
}

/// A file that is not there yet, and never will be unless it is kept. On Linux, where the file system can, what is written has
/// no name until then, so that a killed process leaves nothing of it; whether it can is tried with an empty file first.
/// Elsewhere, and without `/proc`, it lies beside its place under a name that begins
/// with a dot and ends with `.part`, mode 0600, and is removed when this is dropped.
#[derive(Debug)]
pub struct Draft {
    file: File,
    /// Where it lies; `None` while it has no name.
    path: Option<PathBuf>,
    goal: PathBuf,
    replaces: bool,
}

impl Draft {
    /// A draft of a file at `goal`.
    ///
    /// # Errors
    /// `Invalid` when it cannot be written there, and when a file is there and `replaces` is false.
    pub fn new(goal: impl AsRef<Path>, replaces: bool) -> Result<Self> {
        Self::with(nameless, goal.as_ref(), replaces)
    }

    fn with(
        nameless: impl FnOnce(&Path, &Path) -> Option<File>,
        goal: &Path,
        replaces: bool,
    ) -> Result<Self> {
        if !replaces && fs::symlink_metadata(goal).is_ok() {
            let message = format!("`{}` exists already", shown(&goal.display().to_string()));
            return Err(Error::new(Code::InvalidArgument, message)
                .with_help("name another place, or say that it is replaced"));
        }
        if fs::symlink_metadata(goal).is_ok_and(|there| !there.is_file()) {
            let message = format!("`{}` is no file", shown(&goal.display().to_string()));
            return Err(Error::new(Code::InvalidArgument, message)
                .with_help("a link, a device or a folder is not replaced: name another place"));
        }
        let path = beside(goal)?;
        let (file, path) = match nameless(goal, &path) {
            Some(file) => (file, None),
            None => {
                let mut options = OpenOptions::new();
                options.write(true).create_new(true);
                #[cfg(unix)]
                std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
                let file = options
                    .open(&path)
                    .map_err(|why| failed("write", goal, why))?;
                (file, Some(path))
            }
        };
        Ok(Self {
            file,
            path,
            goal: goal.to_owned(),
            replaces,
        })
    }

    /// Puts what was written on the disk and in its place.
    ///
    /// # Errors
    /// `Invalid` when that fails; then it is removed. One that replaced another is whole and in its place if only the folder
    /// could not be brought to the disk.
    pub fn keep(mut self) -> Result<()> {
        let written = self.file.sync_all();
        let moved = written.and_then(|()| self.put());
        moved.map_err(|why| failed("write", &self.goal, why))?;
        // Else the name may be gone after a power cut.
        let named = self.goal.parent().map_or(Ok(()), sync_folder);
        named.map_err(|why| {
            if !self.replaces {
                // An error leaves nothing behind. What took another's place stays: there is nothing to go back to.
                fs::remove_file(&self.goal).ok();
            }
            failed("write", &self.goal, why)
        })
    }
}

impl Draft {
    /// A name is given only where there is none, at that very moment; a rename would take the place of what came meanwhile.
    fn put(&mut self) -> io::Result<()> {
        let path = match &self.path {
            Some(path) => path,
            None if !self.replaces => return name(&self.file, &self.goal),
            // Nothing replaces a file but a rename, which needs a name.
            None => {
                let path = beside(&self.goal).map_err(io::Error::other)?;
                name(&self.file, &path)?;
                self.path.insert(path)
            }
        };
        if !self.replaces {
            match fs::hard_link(path, &self.goal) {
                // The first name goes when this is dropped.
                Ok(()) => return Ok(()),
                Err(why) if why.kind() == io::ErrorKind::AlreadyExists => return Err(why),
                // A file system without links: as near as can be.
                Err(_) if fs::symlink_metadata(&self.goal).is_ok() => {
                    return Err(io::ErrorKind::AlreadyExists.into());
                }
                Err(_) => {}
            }
        }
        fs::rename(path, &self.goal)?;
        self.path = None;
        Ok(())
    }
}

/// A name beside the goal that nothing has.
fn beside(goal: &Path) -> Result<PathBuf> {
    let mut random = [0; 8];
    rand::fill(&mut random).map_err(|_| SealError::Crypto)?;
    let mut name = std::ffi::OsString::from(".");
    name.push(goal.file_name().unwrap_or_default());
    name.push(format!(".{:016x}.part", u64::from_be_bytes(random)));
    Ok(goal.with_file_name(name))
}

impl Write for Draft {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        if let Some(path) = &self.path {
            // Nothing more can be done about a file that does not go.
            fs::remove_file(path).ok();
        }
    }
}

/// The name that a plain file is bound to.
fn named<'a>(name: Option<&'a str>, plain: &'a Path) -> Result<&'a str> {
    let own = || plain.file_name().and_then(|name| name.to_str());
    name.or_else(own).ok_or_else(|| {
        let path = shown(&plain.display().to_string());
        let message = format!("`{path}` has no name of a file in UTF-8");
        Error::new(Code::InvalidArgument, message).with_help("say the name that it is sealed as")
    })
}

fn read(path: &Path) -> Result<File> {
    File::open(path).map_err(|why| {
        let code = if why.kind() == io::ErrorKind::NotFound {
            Code::NotFound
        } else {
            Code::InvalidArgument
        };
        failed_as(code, "read", path, why)
    })
}

fn failed(doing: &str, path: &Path, why: io::Error) -> Error {
    failed_as(Code::InvalidArgument, doing, path, why)
}

fn failed_as(code: Code, doing: &str, path: &Path, why: io::Error) -> Error {
    let path = shown(&path.display().to_string());
    Error::new(code, format!("cannot {doing} `{path}`")).with_source(why)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        let files = fs::read_dir(folder).unwrap();
        let mut names: Vec<_> = files
            .map(|file| file.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    #[test]
    fn a_draft_is_there_when_it_is_kept_and_never_before() {
        let folder = tempfile::tempdir().unwrap();
        let goal = folder.path().join("report");
        let mut draft = Draft::new(&goal, false).unwrap();
        draft.write_all(b"half").unwrap();
        assert!(!goal.exists());
        drop(draft);
        assert_eq!(names(folder.path()), [""; 0]);

        let mut draft = Draft::new(&goal, false).unwrap();
        draft.write_all(b"whole").unwrap();
        draft.keep().unwrap();
        assert_eq!(names(folder.path()), ["report"]);
        assert_eq!(fs::read(&goal).unwrap(), b"whole");
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            let mode = fs::metadata(&goal).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600);
        }
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn what_is_not_kept_has_no_name_that_a_killed_process_could_leave() {
        let folder = tempfile::tempdir().unwrap();
        let goal = folder.path().join("report");
        let probe = folder.path().join("probe");
        if nameless(&goal, &probe).is_none() {
            println!("skipped: this file system has no files without a name");
            return;
        }
        for replaces in [false, true] {
            let mut draft = Draft::new(&goal, replaces).unwrap();
            draft.write_all(b"in plain").unwrap();
            let before = names(folder.path());
            assert!(before.iter().all(|name| name == "report"), "{before:?}");
            draft.keep().unwrap();
            assert_eq!(names(folder.path()), ["report"]);
        }
    }

    #[test]
    fn where_no_name_can_be_given_later_a_draft_has_one_from_the_start() {
        let folder = tempfile::tempdir().unwrap();
        let goal = folder.path().join("report");
        for replaces in [false, true] {
            let mut draft = Draft::with(|_, _| None, &goal, replaces).unwrap();
            draft.write_all(b"whole").unwrap();
            let before = names(folder.path());
            assert!(
                before.iter().any(|name| name.ends_with(".part")),
                "{before:?}"
            );
            draft.keep().unwrap();
            assert_eq!(names(folder.path()), ["report"]);
            drop(Draft::with(|_, _| None, &goal, true).unwrap());
            assert_eq!(names(folder.path()), ["report"]);
        }
        assert_eq!(fs::read(&goal).unwrap(), b"whole");
    }

    #[test]
    fn a_file_that_is_there_is_replaced_only_by_who_says_so() {
        let folder = tempfile::tempdir().unwrap();
        let goal = folder.path().join("report");
        fs::write(&goal, "old").unwrap();
        let why = Draft::new(&goal, false).unwrap_err();
        assert!(why.message().ends_with("report` exists already"), "{why}");
        let mut draft = Draft::new(&goal, true).unwrap();
        draft.write_all(b"new").unwrap();
        assert_eq!(fs::read(&goal).unwrap(), b"old");
        draft.keep().unwrap();
        assert_eq!(fs::read(&goal).unwrap(), b"new");
    }

    #[cfg(unix)]
    #[test]
    fn what_is_no_file_is_not_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let (file, link) = (folder.path().join("file"), folder.path().join("link"));
        fs::write(&file, "old").unwrap();
        std::os::unix::fs::symlink(&file, &link).unwrap();
        for goal in [&link, Path::new("/dev/null"), folder.path()] {
            let why = Draft::new(goal, true).unwrap_err();
            assert!(why.message().ends_with("` is no file"), "{why}");
        }
        assert_eq!(names(folder.path()), ["file", "link"]);
    }

    #[test]
    fn what_came_meanwhile_is_not_replaced_either() {
        let folder = tempfile::tempdir().unwrap();
        let goal = folder.path().join("report");
        let mut draft = Draft::new(&goal, false).unwrap();
        draft.write_all(b"late").unwrap();
        fs::write(&goal, "first").unwrap();
        assert!(draft.keep().is_err());
        assert_eq!(fs::read(&goal).unwrap(), b"first");
        assert_eq!(names(folder.path()), ["report"]);
    }

    #[test]
    fn a_path_without_a_name_needs_one() {
        assert_eq!(
            named(None, Path::new("a/model.onnx")).unwrap(),
            "model.onnx"
        );
        assert_eq!(named(Some("x"), Path::new("a/..")).unwrap(), "x");
        let why = named(None, Path::new("a/..")).unwrap_err();
        assert_eq!(why.code(), Code::InvalidArgument);
        assert_eq!(
            read(Path::new("no/such")).unwrap_err().code(),
            Code::NotFound
        );
    }
}
