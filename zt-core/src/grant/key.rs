//! The keys that sign grants and those that are trusted.
//!
//! In: random bits of the operating system, made once per process. Out: signatures, and the public half. A private half is
//! 32 bytes in protected memory; a forked child finds none there and makes its own. It never leaves the process.

use std::fmt;
use std::str::FromStr;

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::rand;
use aws_lc_rs::signature::{ED25519, Ed25519KeyPair, KeyPair as _, UnparsedPublicKey};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use zeroize::Zeroizing;
use zt_memory::fork::Local;

use super::GrantError;
use crate::error::{Code, Error, Result};
use crate::secrets::SecretBytes;

/// How long a seed and a public key are, in bytes.
const LEN: usize = 32;

/// The public half of a key that signs grants. Prints as 43 letters of base64url.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct GrantPublicKey([u8; LEN]);

impl GrantPublicKey {
    /// Its short name, by which a grant says who signed it: the beginning of its SHA-256.
    #[must_use]
    pub fn name(&self) -> String {
        let hash = digest(&SHA256, &self.0);
        URL_SAFE_NO_PAD.encode(hash.as_ref().get(..12).unwrap_or_default())
    }

    pub(super) fn verify(&self, message: &[u8], signature: &[u8]) -> Result<(), GrantError> {
        let key = UnparsedPublicKey::new(&ED25519, self.0);
        key.verify(message, signature)
            .map_err(|_| GrantError::Forged)
    }
}

impl fmt::Display for GrantPublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&URL_SAFE_NO_PAD.encode(self.0))
    }
}

impl fmt::Debug for GrantPublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "GrantPublicKey({self})")
    }
}

/// The text is not a public key of grants.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a public key of grants: expected 43 letters of base64url")]
#[non_exhaustive]
pub struct NotAGrantKey;

impl FromStr for GrantPublicKey {
    type Err = NotAGrantKey;

    fn from_str(text: &str) -> Result<Self, NotAGrantKey> {
        let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| NotAGrantKey)?;
        Ok(Self(bytes.try_into().map_err(|_| NotAGrantKey)?))
    }
}

/// A key that signs grants.
pub(crate) struct GrantKey {
    seed: SecretBytes,
    public: GrantPublicKey,
}

impl GrantKey {
    /// A new one.
    pub(crate) fn generate() -> Result<Self> {
        let mut seed = Zeroizing::new([0; LEN]);
        rand::fill(seed.as_mut_slice()).map_err(|_| refused())?;
        Self::of_seed(seed.as_slice())
    }

    /// The key of a seed.
    pub(crate) fn of_seed(seed: &[u8]) -> Result<Self> {
        let pair = Ed25519KeyPair::from_seed_unchecked(seed).map_err(|_| refused())?;
        let public: &[u8] = pair.public_key().as_ref();
        Ok(Self {
            seed: SecretBytes::copy_of(seed),
            public: GrantPublicKey(public.try_into().map_err(|_| refused())?),
        })
    }

    pub(crate) const fn public(&self) -> GrantPublicKey {
        self.public
    }

    /// The key lives for the signature alone outside protected memory, and is overwritten then.
    pub(super) fn sign(&self, message: &[u8]) -> Result<Vec<u8>> {
        if !self.seed.is_of_this_process() {
            return Err(refused());
        }
        let pair = Ed25519KeyPair::from_seed_and_public_key(self.seed.reveal(), &self.public.0);
        let pair = pair.map_err(|_| refused())?;
        Ok(pair.sign(message).as_ref().to_vec())
    }
}

impl fmt::Debug for GrantKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "GrantKey({})", self.public)
    }
}

fn refused() -> Error {
    Error::new(
        Code::Internal,
        "the cryptographic library makes no key or signature",
    )
}

/// Where a process gets its key from.
pub(crate) type MakeKey = Box<dyn Fn() -> Result<GrantKey> + Send + Sync>;

/// The key of this process, and the ones it trusts.
pub(crate) struct Authority {
    make: MakeKey,
    own: Local<Result<GrantKey>>,
    /// That of the process that opened the runtime: what it issued is good in its children too.
    first: GrantPublicKey,
    trusted: Vec<GrantPublicKey>,
}

impl Authority {
    /// An authority with a key of its own, that trusts these too.
    pub(crate) fn new(make: MakeKey, trusted: Vec<GrantPublicKey>) -> Result<Self> {
        let own = Local::new();
        let first = own.get_or_init(&make);
        Ok(Self {
            first: again(first)?.public(),
            make,
            own,
            trusted,
        })
    }

    /// The key that this process signs with. A forked child makes or reads its own: the parent's is not in its memory.
    pub(crate) fn key(&self) -> Result<&GrantKey> {
        again(self.own.get_or_init(&self.make))
    }

    /// Whose grants are taken.
    pub(crate) fn trusted(&self) -> Vec<GrantPublicKey> {
        let own = self.own.get().and_then(|own| own.as_ref().ok());
        let own = own.map(GrantKey::public);
        let mut all = self.trusted.clone();
        all.push(self.first);
        all.extend(own);
        all
    }
}

fn again(made: &Result<GrantKey>) -> Result<&GrantKey> {
    made.as_ref()
        .map_err(|why| Error::new(why.code(), why.message()))
}

impl fmt::Debug for Authority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Authority")
            .field("first", &self.first)
            .field("trusted", &self.trusted)
            .finish_non_exhaustive()
    }
}
