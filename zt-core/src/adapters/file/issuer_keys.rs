//! The issuer's keys across processes: files in a folder that only its owner may write, each proven by a MAC.
//!
//! The keys are public, but whoever could plant one here could sign tokens. So every file carries an HMAC-SHA-256 under a key
//! that lies beside it for the owner alone, and a folder or a key that others may write to is not used at all. Nothing here is
//! needed: without it a start during an outage of the issuer has no keys, as before.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};

use aws_lc_rs::hmac;
use aws_lc_rs::rand;
use zeroize::Zeroizing;

use crate::identity::KeyStore;

/// See the module.
#[derive(Debug)]
pub struct IssuerKeys {
    folder: PathBuf,
}

impl IssuerKeys {
    /// In a folder that is made with the first file.
    #[must_use]
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        Self {
            folder: folder.into(),
        }
    }

    fn read(&self, name: &str) -> io::Result<Option<Vec<u8>>> {
        refuse_others(&self.folder)?;
        let Some(key) = self.key(false)? else {
            return Ok(None);
        };
        let bytes = read_bounded(&self.folder.join(format!("{name}.json")))?;
        let Some((tag, body)) = bytes.split_at_checked(TAG_BYTES) else {
            return Ok(None);
        };
        let is_ours = hmac::verify(&key, &about(name, body), tag).is_ok();
        Ok(is_ours.then(|| body.to_vec()))
    }

    fn write(&self, name: &str, body: &[u8]) -> io::Result<()> {
        make_folder(&self.folder)?;
        refuse_others(&self.folder)?;
        let Some(key) = self.key(true)? else {
            return Ok(());
        };
        let tag = hmac::sign(&key, &about(name, body));
        let path = self.folder.join(format!("{name}.json"));
        replace(&path, &[tag.as_ref(), body])
    }

    /// The key of the MAC; made if there is none and `make` says so.
    fn key(&self, make: bool) -> io::Result<Option<hmac::Key>> {
        let path = self.folder.join("mac.key");
        let bytes = match read_bounded(&path) {
            Ok(bytes) => Zeroizing::new(bytes),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                if !make {
                    return Ok(None);
                }
                let mut bytes = Zeroizing::new(vec![0; KEY_BYTES]);
                rand::fill(&mut bytes).map_err(io::Error::other)?;
                // Whoever comes first: the other's files are then not proven, and written anew an hour later.
                replace(&path, &[&bytes])?;
                bytes
            }
            Err(error) => return Err(error),
        };
        if bytes.len() != KEY_BYTES {
            return Err(io::Error::other("not a key"));
        }
        refuse_others(&path)?;
        Ok(Some(hmac::Key::new(hmac::HMAC_SHA256, &bytes)))
    }
}

impl KeyStore for IssuerKeys {
    fn load(&self, name: &str) -> Option<Vec<u8>> {
        self.read(name).ok().flatten()
    }

    fn save(&self, name: &str, bytes: &[u8]) {
        // The keys in memory serve on; the next fetch tries again.
        drop(self.write(name, bytes));
    }
}

const KEY_BYTES: usize = 32;
const TAG_BYTES: usize = 32;
const MOST_BYTES: u64 = 2 * 1024 * 1024;

/// The name is under the MAC too: a file under another name is another tenant's.
fn about(name: &str, body: &[u8]) -> Vec<u8> {
    [name.as_bytes(), &[0], body].concat()
}

fn read_bounded(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path)?.take(MOST_BYTES).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Writes beside the file and renames, so that a reader sees the old or the new one.
fn replace(path: &Path, parts: &[&[u8]]) -> io::Result<()> {
    let beside = path.with_extension(format!("{}.new", std::process::id()));
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt as _;
        options.mode(0o600);
    }
    let mut file = options.open(&beside)?;
    for part in parts {
        file.write_all(part)?;
    }
    file.sync_all()?;
    fs::rename(&beside, path)
}

fn make_folder(folder: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::DirBuilderExt as _;
        builder.mode(0o700);
    }
    builder.create(folder)
}

/// What others may write to proves nothing.
fn refuse_others(path: &Path) -> io::Result<()> {
    let found = fs::metadata(path)?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let others = if found.is_dir() { 0o022 } else { 0o077 };
        if found.permissions().mode() & others != 0 {
            return Err(io::Error::other("others may write to it"));
        }
    }
    #[cfg(not(unix))]
    let _has_no_mode = found;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_saved_is_loaded_and_nothing_else_is() {
        let folder = tempfile::tempdir().unwrap();
        let place = folder.path().join("keys");
        let store = IssuerKeys::new(&place);
        assert_eq!(store.load("a"), None);
        store.save("a", b"one");
        store.save("a", b"two");
        store.save("b", b"three");
        assert_eq!(store.load("a").as_deref(), Some(&b"two"[..]));
        assert_eq!(
            IssuerKeys::new(&place).load("b").as_deref(),
            Some(&b"three"[..])
        );
        // A changed byte, a file under another name, a cut file.
        let file = place.join("a.json");
        let good = fs::read(&file).unwrap();
        for at in 0..good.len() {
            let mut bad = good.clone();
            bad[at] ^= 1;
            fs::write(&file, bad).unwrap();
            assert_eq!(store.load("a"), None, "byte {at}");
        }
        fs::copy(place.join("b.json"), &file).unwrap();
        assert_eq!(store.load("a"), None);
        fs::write(&file, &good[..20]).unwrap();
        assert_eq!(store.load("a"), None);
    }

    #[cfg(unix)]
    #[test]
    fn what_others_may_write_to_is_not_used() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let place = folder.path().join("keys");
        let store = IssuerKeys::new(&place);
        store.save("a", b"one");
        let set = |path: &Path, mode| {
            fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
        };
        set(&place, 0o777);
        assert_eq!(store.load("a"), None);
        set(&place, 0o700);
        set(&place.join("mac.key"), 0o644);
        assert_eq!(store.load("a"), None);
        set(&place.join("mac.key"), 0o600);
        assert!(store.load("a").is_some());
    }
}
