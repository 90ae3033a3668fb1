//! The key of a vault file: a passphrase, or a file of 32 random bytes that only its owner may read.
//!
//! In: a [`VaultKey`] and what a header asks for. Out: a master key, derived once and kept while the vault is open; a
//! passphrase costs memory and time on purpose. Nothing is locked: a child that was forked meanwhile would wait for ever. Who
//! comes at the same time derives the same.

use std::fmt;
use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arc_swap::ArcSwapOption;
use argon2::{Algorithm, Argon2, Block, Params};
use aws_lc_rs::rand;
use zeroize::{Zeroize, Zeroizing};

use crate::secrets::VaultError;

use super::format::{Flaw, Header, Kdf, MasterKey, Salt};

/// What opens a vault file. Shows neither passphrase nor key.
pub struct VaultKey(Origin);

enum Origin {
    Passphrase(Zeroizing<String>),
    KeyFile(PathBuf),
}

impl VaultKey {
    /// A passphrase, stretched by Argon2id (19 MiB, 3 passes: about 50 ms when the vault is opened).
    #[must_use]
    pub const fn passphrase(passphrase: Zeroizing<String>) -> Self {
        Self(Origin::Passphrase(passphrase))
    }

    /// A file of 32 random bytes. If neither it nor the vault exists, the first write makes it, readable by its owner
    /// alone. A key file that its group or others may read is refused (on Unix; elsewhere the folder has to protect it).
    #[must_use]
    pub fn key_file(path: impl Into<PathBuf>) -> Self {
        Self(Origin::KeyFile(path.into()))
    }
}

impl fmt::Debug for VaultKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Origin::Passphrase(_) => f.write_str("[vault passphrase]"),
            Origin::KeyFile(path) => write!(f, "[vault key file {}]", path.display()),
        }
    }
}

/// A [`VaultKey`] and the master key that was last derived from it.
pub(super) struct KeyRing {
    origin: Origin,
    derived: ArcSwapOption<Derived>,
}

struct Derived {
    kdf: Kdf,
    salt: Salt,
    key: MasterKey,
}

impl KeyRing {
    pub(super) fn new(key: VaultKey) -> Result<Self, VaultError> {
        if matches!(&key.0, Origin::Passphrase(passphrase) if passphrase.is_empty()) {
            return Err(VaultError::invalid("the passphrase of the vault is empty"));
        }
        Ok(Self {
            origin: key.0,
            derived: ArcSwapOption::empty(),
        })
    }

    /// The master key for a file that exists, so its key must exist too.
    pub(super) fn existing(&self, header: &Header, at: &str) -> Result<MasterKey, VaultError> {
        if let Some(known) = &*self.derived.load()
            && known.kdf == header.kdf
            && known.salt == header.salt
        {
            return Ok(known.key.clone());
        }
        let key = self.derive(header.kdf, &header.salt, at)?;
        self.keep(header.kdf, header.salt, &key);
        Ok(key)
    }

    /// The same parameters, salt and key as the file that was read last; new ones if there was none.
    pub(super) fn for_writing(&self) -> Result<(Kdf, Salt, MasterKey), VaultError> {
        if let Some(known) = &*self.derived.load() {
            return Ok((known.kdf, known.salt, known.key.clone()));
        }
        let mut salt = [0; 16];
        rand::fill(&mut salt).map_err(|_| Flaw::Crypto.at("new"))?;
        let (kdf, key) = match &self.origin {
            Origin::Passphrase(passphrase) => {
                let key = stretch(passphrase, Kdf::PASSPHRASE, &salt);
                (Kdf::PASSPHRASE, key.ok_or_else(no_memory)?)
            }
            Origin::KeyFile(path) => (Kdf::KeyFile, make_or_read(path)?),
        };
        self.keep(kdf, salt, &key);
        Ok((kdf, salt, key))
    }

    fn keep(&self, kdf: Kdf, salt: Salt, key: &MasterKey) {
        let key = key.clone();
        self.derived
            .store(Some(Arc::new(Derived { kdf, salt, key })));
    }

    /// Wipes the master key; the next use derives it again.
    pub(super) fn forget(&self) {
        self.derived.store(None);
    }

    fn derive(&self, kdf: Kdf, salt: &Salt, at: &str) -> Result<MasterKey, VaultError> {
        let other = |reason: &str| VaultError::WrongKey {
            at: at.into(),
            reason: reason.into(),
        };
        match (&self.origin, kdf) {
            (Origin::Passphrase(passphrase), Kdf::Argon2id { .. }) => {
                stretch(passphrase, kdf, salt).ok_or_else(no_memory)
            }
            (Origin::KeyFile(path), Kdf::KeyFile) => read_key(path),
            (Origin::Passphrase(_), Kdf::KeyFile) => {
                Err(other("it needs a key file, not a passphrase"))
            }
            (Origin::KeyFile(_), Kdf::Argon2id { .. }) => {
                Err(other("it needs a passphrase, not a key file"))
            }
        }
    }
}

/// `None` if there is no memory for it, or the parameters are none.
fn stretch(passphrase: &str, kdf: Kdf, salt: &Salt) -> Option<MasterKey> {
    let Kdf::Argon2id {
        memory_kib,
        passes,
        lanes,
    } = kdf
    else {
        return None;
    };
    let params = Params::new(memory_kib, passes, lanes, Some(32)).ok()?;
    let mut blocks: Vec<Block> = Vec::new();
    blocks.try_reserve_exact(params.block_count()).ok()?;
    blocks.resize(params.block_count(), Block::new());
    let mut key = Zeroizing::new([0; 32]);
    let argon2 = Argon2::new(Algorithm::Argon2id, argon2::Version::V0x13, params);
    let done = argon2.hash_password_into_with_memory(
        passphrase.as_bytes(),
        salt,
        key.as_mut_slice(),
        blocks.as_mut_slice(),
    );
    // The last block alone gives the key away.
    for block in &mut blocks {
        block.as_mut().zeroize();
    }
    done.ok().map(|()| key)
}

fn no_memory() -> VaultError {
    VaultError::unavailable("there is not enough memory to derive its key", None)
}

fn make_or_read(path: &Path) -> Result<MasterKey, VaultError> {
    let what = || format!("make key file `{}`", path.display());
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    owner_only(&mut options);
    let mut file = match options.open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => return read_key(path),
        Err(error) => return Err(VaultError::io(&what(), error)),
    };
    let mut key = Zeroizing::new([0; 32]);
    rand::fill(key.as_mut_slice()).map_err(|_| Flaw::Crypto.at("new"))?;
    file.write_all(key.as_slice())
        .and_then(|()| file.sync_all())
        .map_err(|error| VaultError::io(&what(), error))?;
    Ok(key)
}

fn read_key(path: &Path) -> Result<MasterKey, VaultError> {
    let io = |error| VaultError::io(&format!("read key file `{}`", path.display()), error);
    let mut file = File::open(path).map_err(io)?;
    // Asked of the open file, so that nobody can exchange it in between.
    let meta = file.metadata().map_err(io)?;
    let refuse = |why: &str| {
        let path = path.display();
        Err(VaultError::invalid(&format!("key file `{path}` {why}")))
    };
    if !meta.is_file() {
        return refuse("is not a file");
    }
    if others_may_read(&meta) {
        return refuse("may be read by others: allow its owner alone with `chmod 600`");
    }
    if meta.len() != 32 {
        return refuse("must hold 32 random bytes");
    }
    let mut key = Zeroizing::new([0; 32]);
    file.read_exact(key.as_mut_slice()).map_err(io)?;
    Ok(key)
}

/// Makes a new file readable and writable by its owner alone.
pub(super) fn owner_only(options: &mut OpenOptions) {
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(options, 0o600);
    #[cfg(not(unix))]
    let _ = options;
}

#[cfg(unix)]
fn others_may_read(meta: &std::fs::Metadata) -> bool {
    std::os::unix::fs::PermissionsExt::mode(&meta.permissions()) & 0o077 != 0
}

#[cfg(not(unix))]
const fn others_may_read(_: &std::fs::Metadata) -> bool {
    false
}
