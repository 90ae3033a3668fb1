//! Private keys in files: PKCS#8 in PEM, made at first use, readable by their owner alone.
//!
//! In: a path, and what makes a key. Out: its DER, in memory that is overwritten. Messages name the file, never what is in it.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use aws_lc_rs::rand;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

use crate::durable::{create_folder, sync_folder};

const BEGIN: &str = "-----BEGIN PRIVATE KEY-----\n";
const END: &str = "\n-----END PRIVATE KEY-----\n";
/// The longest file that is read.
pub(super) const MOST_BYTES: u64 = 4096;
/// How often a file that another process is just making is read again, 10 ms apart.
const TRIES: usize = 50;

/// The key of a file, which must exist; else what is wrong with it.
pub(super) fn read(path: &Path) -> Result<Zeroizing<Vec<u8>>, String> {
    let wrong = || {
        let path = path.display();
        format!("its file `{path}` holds no PKCS#8 key in PEM")
    };
    let mut text = text(path)?;
    for _ in 0..TRIES {
        if text.contains(END.trim_end()) {
            break;
        }
        thread::sleep(Duration::from_millis(10));
        text = self::text(path)?;
    }
    let body = text.split_once(BEGIN.trim_end()).map(|(_, rest)| rest);
    let body = body.and_then(|rest| rest.split_once(END.trim()));
    let (body, _) = body.ok_or_else(wrong)?;
    let body: Zeroizing<String> = Zeroizing::new(body.split_whitespace().collect());
    let der = STANDARD.decode(body.as_bytes()).map(Zeroizing::new);
    der.map_err(|_| wrong())
}

/// Makes the file, if there is none.
pub(super) fn make(
    path: &Path,
    key: impl FnOnce() -> Option<Zeroizing<Vec<u8>>>,
) -> Result<(), String> {
    match write(path, key) {
        Ok(()) => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(failed("make", path, &error)),
    }
}

fn failed(what: &str, path: &Path, error: &io::Error) -> String {
    format!("cannot {what} its file `{}`: {error}", path.display())
}

fn write(path: &Path, key: impl FnOnce() -> Option<Zeroizing<Vec<u8>>>) -> io::Result<()> {
    put(path, || {
        let made = key()?;
        let body = Zeroizing::new(STANDARD.encode(made.as_slice()));
        let mut pem = Zeroizing::new(String::with_capacity(512));
        pem.push_str(BEGIN);
        for (at, letter) in body.chars().enumerate() {
            if at > 0 && at % 64 == 0 {
                pem.push('\n');
            }
            pem.push(letter);
        }
        pem.push_str(END);
        Some(pem)
    })
}

/// Makes the file of another form of keys, if there is none.
pub(super) fn make_text(
    path: &Path,
    text: impl FnOnce() -> Option<Zeroizing<String>>,
) -> Result<(), String> {
    match put(path, text) {
        Ok(()) => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(failed("make", path, &error)),
    }
}

/// Puts another text in its place, whole or not at all.
pub(super) fn replace_text(path: &Path, text: &str) -> Result<(), String> {
    let replaced = draft(path, text).and_then(|draft| {
        let moved = fs::rename(&draft, path);
        if moved.is_err() {
            let _left_behind = fs::remove_file(&draft);
        }
        moved.and_then(|()| path.parent().map_or(Ok(()), sync_folder))
    });
    replaced.map_err(|error| failed("replace", path, &error))
}

/// Written and synced under another name, so that it is whole or not there, also after a crash.
fn put(path: &Path, text: impl FnOnce() -> Option<Zeroizing<String>>) -> io::Result<()> {
    if let Some(folder) = path.parent() {
        create_folder(folder)?;
    }
    // Not made in vain where there is one.
    if path.exists() {
        return Err(io::ErrorKind::AlreadyExists.into());
    }
    let made = text().ok_or_else(refused)?;
    let draft = draft(path, &made)?;
    // Only where there is none: a key that others use is never replaced.
    let published = publish(&draft, path);
    let _not_there_after_a_rename = fs::remove_file(&draft);
    published?;
    path.parent().map_or(Ok(()), sync_folder)
}

/// A file beside the place, on the disk.
fn draft(path: &Path, text: &str) -> io::Result<PathBuf> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut random = [0; 8];
    rand::fill(&mut random).map_err(|_| refused())?;
    let draft = path.with_extension(format!("{:016x}.new", u64::from_be_bytes(random)));
    let mut file = options.open(&draft)?;
    let written = file
        .write_all(text.as_bytes())
        .and_then(|()| file.sync_all());
    if written.is_err() {
        let _left_behind = fs::remove_file(&draft);
    }
    written.map(|()| draft)
}

fn refused() -> io::Error {
    io::Error::other("the cryptographic library makes no key")
}

fn publish(draft: &Path, path: &Path) -> io::Result<()> {
    match fs::hard_link(draft, path) {
        // A file system without links: as near as can be.
        Err(why) if why.kind() != io::ErrorKind::AlreadyExists && !path.exists() => {
            fs::rename(draft, path)
        }
        linked => linked,
    }
}

/// The text of a file that its owner alone may read.
pub(super) fn text(path: &Path) -> Result<Zeroizing<String>, String> {
    let mut file = File::open(path).map_err(|error| failed("read", path, &error))?;
    // Asked of the open file, so that nobody can exchange it in between.
    let meta = file
        .metadata()
        .map_err(|error| failed("read", path, &error))?;
    let path = path.display();
    if !meta.is_file() || meta.len() > MOST_BYTES {
        return Err(format!("`{path}` is no key file"));
    }
    #[cfg(unix)]
    if std::os::unix::fs::PermissionsExt::mode(&meta.permissions()) & 0o077 != 0 {
        return Err(format!(
            "its file `{path}` may be read by others: allow its owner alone with `chmod 600`"
        ));
    }
    let mut text = Zeroizing::new(String::with_capacity(4096));
    match file.read_to_string(&mut text) {
        Ok(_) => Ok(text),
        Err(error) => Err(format!("cannot read its file `{path}`: {error}")),
    }
}
