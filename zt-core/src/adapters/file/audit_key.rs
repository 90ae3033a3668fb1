//! The audit key in a file: PKCS#8 in PEM, made at first use, readable by its owner alone.
//!
//! Who can read the file can vouch for checkpoints: it proves nothing against the administrator of the machine. Keep it
//! where the log's writers alone read it, or the key in a vault.

use std::fmt;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use aws_lc_rs::rand::{self, SystemRandom};
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

use crate::audit::{CheckpointSigner, PublicKey, SignError};
use crate::durable::{create_folder, sync_folder};

const BEGIN: &str = "-----BEGIN PRIVATE KEY-----\n";
const END: &str = "\n-----END PRIVATE KEY-----\n";
/// The longest file that is read.
const MOST_BYTES: u64 = 4096;
/// How often a file that another process is just making is read again, 10 ms apart.
const TRIES: usize = 50;

/// An ECDSA P-256 key in a file.
pub struct FileAuditKey {
    path: PathBuf,
    pair: EcdsaKeyPair,
    public: PublicKey,
}

impl FileAuditKey {
    /// Reads the key, or makes one if there is no such file. OpenSSL makes one as well:
    /// `openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256`.
    ///
    /// # Errors
    /// [`SignError`] if it cannot be read or made, is no P-256 key in PKCS#8, or may be read by others.
    pub fn open(path: impl Into<PathBuf>) -> Result<Self, SignError> {
        let path = path.into();
        match make(&path) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(failed("make", &path, &error)),
        }
        Self::read(path)
    }

    /// Reads the key, which must exist.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub fn read(path: impl Into<PathBuf>) -> Result<Self, SignError> {
        let path = path.into();
        let wrong = |why: &str| {
            let path = path.display();
            SignError::new(format!("its file `{path}` {why}"))
        };
        let mut text = read(&path)?;
        for _ in 0..TRIES {
            if text.contains(END.trim_end()) {
                break;
            }
            thread::sleep(Duration::from_millis(10));
            text = read(&path)?;
        }
        let body = text.split_once(BEGIN.trim_end()).map(|(_, rest)| rest);
        let body = body.and_then(|rest| rest.split_once(END.trim()));
        let (body, _) = body.ok_or_else(|| wrong("holds no PKCS#8 key in PEM"))?;
        let body: Zeroizing<String> = Zeroizing::new(body.split_whitespace().collect());
        let der = STANDARD.decode(body.as_bytes()).map(Zeroizing::new);
        let der = der.map_err(|_| wrong("holds no PKCS#8 key in PEM"))?;
        let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &der);
        let pair = pair.map_err(|_| wrong("holds no key of the curve P-256"))?;
        let public = PublicKey::from_point(pair.public_key().as_ref());
        let public = public.ok_or_else(|| wrong("holds no key of the curve P-256"))?;
        Ok(Self { path, pair, public })
    }
}

impl CheckpointSigner for FileAuditKey {
    fn public_key(&self) -> Result<PublicKey, SignError> {
        Ok(self.public.clone())
    }

    fn sign(&self, message: &[u8]) -> Result<[u8; 64], SignError> {
        let signed = self.pair.sign(&SystemRandom::new(), message).ok();
        signed
            .and_then(|signed| signed.as_ref().try_into().ok())
            .ok_or_else(|| SignError::new("the cryptographic library refused"))
    }
}

impl fmt::Debug for FileAuditKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "FileAuditKey({}, {:?})",
            self.path.display(),
            self.public
        )
    }
}

fn failed(what: &str, path: &Path, error: &io::Error) -> SignError {
    SignError::new(format!(
        "cannot {what} its file `{}`: {error}",
        path.display()
    ))
}

/// Makes the file: written and synced under another name, so that it is whole or not there, also after a crash.
fn make(path: &Path) -> io::Result<()> {
    let refused = || io::Error::other("the cryptographic library makes no key");
    if let Some(folder) = path.parent() {
        create_folder(folder)?;
    }
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let made = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &SystemRandom::new());
    let made = made.map_err(|_| refused())?;
    let body = Zeroizing::new(STANDARD.encode(made.as_ref()));
    let mut pem = Zeroizing::new(String::with_capacity(512));
    pem.push_str(BEGIN);
    for (at, letter) in body.chars().enumerate() {
        if at > 0 && at % 64 == 0 {
            pem.push('\n');
        }
        pem.push(letter);
    }
    pem.push_str(END);
    let mut random = [0; 8];
    rand::fill(&mut random).map_err(|_| refused())?;
    let draft = path.with_extension(format!("{:016x}.new", u64::from_be_bytes(random)));
    let mut file = options.open(&draft)?;
    let written = file
        .write_all(pem.as_bytes())
        .and_then(|()| file.sync_all())
        // Only where there is none: a key that others use is never replaced.
        .and_then(|()| publish(&draft, path));
    let _not_there_after_a_rename = fs::remove_file(&draft);
    written?;
    path.parent().map_or(Ok(()), sync_folder)
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

fn read(path: &Path) -> Result<Zeroizing<String>, SignError> {
    let mut file = File::open(path).map_err(|error| failed("read", path, &error))?;
    // Asked of the open file, so that nobody can exchange it in between.
    let meta = file
        .metadata()
        .map_err(|error| failed("read", path, &error))?;
    let path = path.display();
    if !meta.is_file() || meta.len() > MOST_BYTES {
        return Err(SignError::new(format!("`{path}` is no key file")));
    }
    #[cfg(unix)]
    if std::os::unix::fs::PermissionsExt::mode(&meta.permissions()) & 0o077 != 0 {
        return Err(SignError::new(format!(
            "its file `{path}` may be read by others: allow its owner alone with `chmod 600`"
        )));
    }
    let mut text = Zeroizing::new(String::with_capacity(4096));
    match file.read_to_string(&mut text) {
        Ok(_) => Ok(text),
        Err(error) => Err(SignError::new(format!(
            "cannot read its file `{path}`: {error}"
        ))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_made_once_and_read_again_and_shows_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("deep/audit.key");
        assert!(FileAuditKey::read(&path).is_err());
        let made = FileAuditKey::open(&path).unwrap();
        let read = FileAuditKey::read(&path).unwrap();
        assert_eq!(made.public_key().unwrap(), read.public_key().unwrap());
        let text = fs::read_to_string(&path).unwrap();
        let secret = text.lines().nth(1).unwrap();
        assert!(!format!("{made:?}").contains(secret));
        fs::write(&path, text.replace("PRIVATE", "PUBLIC")).unwrap();
        let error = FileAuditKey::open(&path).unwrap_err().to_string();
        assert!(error.contains("holds no PKCS#8") && !error.contains(secret));
    }

    #[cfg(unix)]
    #[test]
    fn a_key_that_others_may_read_is_refused() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("audit.key");
        FileAuditKey::open(&path).unwrap();
        let mode = |mode| fs::set_permissions(&path, PermissionsExt::from_mode(mode)).unwrap();
        mode(0o640);
        let error = FileAuditKey::open(&path).unwrap_err();
        assert!(error.to_string().contains("chmod 600"), "{error}");
        mode(0o600);
        FileAuditKey::open(&path).unwrap();
    }

    #[test]
    fn who_comes_at_the_same_time_gets_the_same_key() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("audit.key");
        let open = || FileAuditKey::open(&path).unwrap().public_key().unwrap();
        let keys: Vec<_> = thread::scope(|scope| {
            let threads: Vec<_> = (0..8).map(|_| scope.spawn(open)).collect();
            threads
                .into_iter()
                .map(|thread| thread.join().unwrap())
                .collect()
        });
        assert!(keys.windows(2).all(|pair| pair[0] == pair[1]));
    }
}
