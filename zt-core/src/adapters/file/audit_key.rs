//! The audit key in a file: PKCS#8 in PEM, made at first use, readable by its owner alone.
//!
//! Who can read the file can vouch for checkpoints: it proves nothing against the administrator of the machine. Keep it
//! where the log's writers alone read it, or the key in a vault.

use std::fmt;
use std::path::PathBuf;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
use zeroize::Zeroizing;

use super::pem;
use crate::audit::{CheckpointSigner, PublicKey, SignError};

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
        pem::make(&path, new_key).map_err(SignError::new)?;
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
        let der = pem::read(&path).map_err(SignError::new)?;
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

fn new_key() -> Option<Zeroizing<Vec<u8>>> {
    let random = SystemRandom::new();
    let made = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random).ok()?;
    Some(Zeroizing::new(made.as_ref().to_vec()))
}

#[cfg(test)]
mod tests {
    use std::{fs, thread};

    use super::*;

    #[cfg(feature = "testing")]
    #[test]
    fn it_keeps_the_contract_of_audit_keys() {
        let folder = tempfile::tempdir().unwrap();
        let key = FileAuditKey::open(folder.path().join("audit.key")).unwrap();
        crate::testing::signer_contract::run(&key);
    }

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
