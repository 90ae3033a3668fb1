//! The bytes of a secret, which nothing prints and which are overwritten when they are dropped.
//!
//! In: bytes that a vault gave. Out: [`Secret::reveal`], the one way to them and easy to search for. What is promised:
//! one copy per version in zt's own memory, in the arena of [`zt_memory`], wiped when the last reader lets go and empty in
//! a forked child. What is not: copies that a reader makes, and what `zt_memory` itself does not promise.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};
use zt_memory::SecretBuf;

use crate::clock::Timestamp;
use crate::error::{Code, Error, Result};

use super::{Fetched, SecretId, SecretName, SecretVersion, Validity, VaultError, VaultUrl};

/// Secret bytes on their way from a vault into a [`Secret`]: unprintable, in protected memory where there is any,
/// overwritten on drop, empty in a child that was forked after they were stored.
#[derive(Zeroize, ZeroizeOnDrop)]
pub struct SecretBytes(SecretBuf);

impl SecretBytes {
    /// Copies `bytes`. The original stays the caller's to wipe.
    #[must_use]
    pub fn copy_of(bytes: &[u8]) -> Self {
        Self(SecretBuf::copy_of(bytes))
    }

    /// How many bytes.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The bytes themselves.
    #[must_use]
    pub fn reveal(&self) -> &[u8] {
        self.0.reveal()
    }

    /// Whether they lie in memory that is neither swapped nor dumped.
    pub(crate) const fn is_protected(&self) -> bool {
        self.0.is_protected()
    }

    /// Whether this process stored them. If not, a fork lies between, and they must be fetched anew.
    pub(crate) fn is_of_this_process(&self) -> bool {
        self.0.is_of_this_process()
    }
}

impl From<Zeroizing<Vec<u8>>> for SecretBytes {
    /// Copies once and wipes the vector, its spare capacity included: shrinking in place could leave a copy behind.
    fn from(bytes: Zeroizing<Vec<u8>>) -> Self {
        Self::copy_of(&bytes)
    }
}

impl fmt::Debug for SecretBytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[secret bytes]")
    }
}

/// One version of one secret. Every reader of a slot shares the same bytes.
///
/// Its `Debug` says which secret it is and nothing else: `[secret sql-loans-password@…version…]`. It cannot be
/// formatted, cloned, compared or serialized; each of these would be a way for the bytes to get somewhere else:
///
/// ```
/// fn use_it(secret: &zt_core::secrets::Secret) -> usize { secret.reveal().len() }
/// ```
/// ```compile_fail,E0277
/// fn print(secret: &zt_core::secrets::Secret) -> String { format!("{secret}") }
/// ```
/// ```compile_fail,E0599
/// fn copy(secret: zt_core::secrets::Secret) -> zt_core::secrets::Secret { secret.clone() }
/// ```
/// ```compile_fail,E0369
/// fn compare(a: zt_core::secrets::Secret, b: zt_core::secrets::Secret) -> bool { a == b }
/// ```
/// ```compile_fail,E0277
/// fn save(secret: zt_core::secrets::Secret) -> String { serde_json::to_string(&secret).unwrap() }
/// ```
#[must_use = "a secret that nobody reads was fetched and audited for nothing"]
pub struct Secret {
    inner: Arc<Inner>,
    /// For how long it had outlived its TTL when it was handed out.
    stale_for: Option<Duration>,
}

struct Inner {
    name: SecretName,
    vault: VaultUrl,
    version: SecretVersion,
    validity: Validity,
    path_proof: Cow<'static, str>,
    details: Vec<(&'static str, String)>,
    bytes: SecretBytes,
    fetch: u64,
}

/// Counts the fetches of this process.
static FETCHES: AtomicU64 = AtomicU64::new(0);

impl Secret {
    /// What `fetched` holds, if it answers `id` and may be used at `now`.
    pub(crate) fn admit(
        id: &SecretId,
        fetched: Fetched,
        now: Timestamp,
    ) -> Result<Self, VaultError> {
        if id.version().is_some_and(|pinned| pinned != fetched.version) {
            return Err(VaultError::Integrity {
                at: id.vault().as_str().into(),
                reason: "it answered with another version than the one asked for".into(),
            });
        }
        fetched.validity.check(id, now)?;
        Ok(Self {
            inner: Arc::new(Inner {
                name: id.name().clone(),
                vault: id.vault().clone(),
                version: fetched.version,
                validity: fetched.validity,
                path_proof: fetched.path_proof,
                details: fetched.details,
                bytes: fetched.value,
                fetch: FETCHES.fetch_add(1, Ordering::Relaxed),
            }),
            stale_for: None,
        })
    }

    /// The bytes. Do not copy them further than they must go: what is copied is no longer wiped.
    #[must_use]
    pub fn reveal(&self) -> &[u8] {
        self.inner.bytes.reveal()
    }

    /// The bytes as text.
    ///
    /// # Errors
    /// [`Code::InvalidArgument`] if they are not UTF-8; the error shows none of them.
    pub fn reveal_str(&self) -> Result<&str> {
        str::from_utf8(self.reveal()).map_err(|_| {
            Error::new(
                Code::InvalidArgument,
                format!("secret `{}` is not UTF-8 text", self.inner.name),
            )
            .with_help("read it as bytes")
        })
    }

    /// The name in its vault.
    #[must_use]
    pub fn name(&self) -> &SecretName {
        &self.inner.name
    }

    /// Which version it is; never "the current one".
    #[must_use]
    pub fn version(&self) -> SecretVersion {
        self.inner.version
    }

    /// When the vault says it ends, if it does.
    #[must_use]
    pub fn expires_at(&self) -> Option<Timestamp> {
        self.inner.validity.expires
    }

    /// How the path to the vault was proven when it was fetched, for the audit record: `local`, `memory`, `private`.
    #[must_use]
    pub fn path_proof(&self) -> &str {
        &self.inner.path_proof
    }

    /// How many bytes.
    #[must_use]
    pub fn len(&self) -> usize {
        self.inner.bytes.len()
    }

    /// Whether it has no bytes. Key Vault takes empty values.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.inner.bytes.is_empty()
    }

    /// For how long its TTL had passed when it was handed out, because the vault could not answer; none for a fresh one.
    #[must_use]
    pub const fn stale_for(&self) -> Option<Duration> {
        self.stale_for
    }

    /// What else the audit record says of the call that fetched it: who answered, under which request id.
    pub fn details(&self) -> impl Iterator<Item = (&'static str, &str)> {
        self.inner
            .details
            .iter()
            .map(|(name, text)| (*name, text.as_str()))
    }

    /// Another reader of the same bytes.
    pub(crate) fn share(&self) -> Self {
        Self {
            inner: Arc::clone(&self.inner),
            stale_for: self.stale_for,
        }
    }

    /// The same, handed out so long after its TTL.
    pub(super) fn share_stale(&self, stale_for: Duration) -> Self {
        Self {
            inner: Arc::clone(&self.inner),
            stale_for: Some(stale_for),
        }
    }

    /// Which fetch of this process it came by: two that differ may hold other bytes.
    pub(crate) fn fetch(&self) -> u64 {
        self.inner.fetch
    }

    /// False in a forked child: its bytes stayed with the parent.
    pub(super) fn is_of_this_process(&self) -> bool {
        self.inner.bytes.is_of_this_process()
    }

    /// The vault that gave it.
    pub(crate) fn vault(&self) -> &VaultUrl {
        &self.inner.vault
    }

    /// How many readers hold it.
    pub(super) fn readers(&self) -> usize {
        Arc::strong_count(&self.inner)
    }

    pub(crate) fn validity(&self) -> &Validity {
        &self.inner.validity
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[secret {}@{}]", self.inner.name, self.inner.version)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const VERSION: SecretVersion = SecretVersion::from_u128(0xabc);

    fn id() -> SecretId {
        let vault = "https://kv.vault.azure.net".parse().unwrap();
        SecretId::new(vault, "sql-password".parse().unwrap())
    }

    fn secret(bytes: &[u8]) -> Secret {
        let fetched = Fetched::new(SecretBytes::copy_of(bytes), VERSION);
        Secret::admit(&id(), fetched, Timestamp::from_secs(0)).unwrap()
    }

    #[test]
    fn debug_names_the_secret_and_shows_nothing_of_it() {
        let fetched = Fetched::new(SecretBytes::copy_of(b"zt-needle-debug"), VERSION);
        assert!(!format!("{fetched:?}").contains("needle"));
        assert_eq!(
            format!("{:?}", secret(b"zt-needle-debug")),
            "[secret sql-password@00000000000000000000000000000abc]"
        );
    }

    #[test]
    fn text_that_is_not_text_is_refused_without_being_shown() {
        assert!(secret(b"zt-needle-text").reveal_str().unwrap() == "zt-needle-text");
        let error = secret(b"zt-needle-\xff").reveal_str().unwrap_err();
        assert_eq!(error.code(), Code::InvalidArgument);
        assert!(!format!("{error} {error:?}").contains("needle"));
    }

    #[test]
    fn the_last_reader_to_let_go_wipes_the_bytes() {
        // Safe code cannot look at freed memory; what it can show is that the type wipes on drop and that the drop comes.
        fn wipes_on_drop<T: ZeroizeOnDrop>() {}
        wipes_on_drop::<SecretBytes>();
        let first = secret(b"zt-needle-drop");
        let second = first.share();
        let watch = Arc::downgrade(&first.inner);
        drop(first);
        assert!(watch.upgrade().is_some());
        drop(second);
        assert!(watch.upgrade().is_none());

        let mut bytes = SecretBytes::copy_of(b"zt-needle-wipe");
        bytes.zeroize();
        assert!(bytes.reveal() == [0; 14]);
    }

    #[test]
    fn an_answer_with_another_version_than_the_pinned_one_is_refused() {
        let pinned = id().at(SecretVersion::from_u128(1));
        let fetched = Fetched::new(SecretBytes::copy_of(b"zt-needle-pin"), VERSION);
        let error = Secret::admit(&pinned, fetched, Timestamp::from_secs(0)).unwrap_err();
        assert!(matches!(error, VaultError::Integrity { .. }));
    }
}
