//! The contract of [`KeyWrapper`], which every adapter keeps: ours and yours.
//!
//! Give [`run`] an adapter without keys that can make some through [`SeedKey`]; it panics where the contract is broken and
//! never prints a key.
#![expect(
    clippy::panic,
    reason = "a contract suite speaks by panicking, like any test"
)]

use crate::envelope::{DataKey, KeyError, KeyWrapper, WrappedKey};
use crate::secrets::{SecretId, SecretVersion};

/// How the suite makes keys in the adapter under test.
pub trait SeedKey {
    /// Makes a new current version of a key and says which it is.
    fn create(&self, id: &SecretId) -> SecretVersion;

    /// Switches a version off, and says so; false where keys cannot be switched off.
    fn disable(&self, _id: &SecretId, _version: SecretVersion) -> bool {
        false
    }
}

/// Every part of the contract, one after the other.
///
/// # Panics
/// Where the adapter breaks the contract.
pub async fn run<K: KeyWrapper + SeedKey>(keys: &K) {
    what_is_wrapped_unwraps(keys).await;
    a_missing_key_is_not_found(keys).await;
    a_missing_version_is_not_found(keys).await;
    the_newest_version_wraps_and_old_ones_unwrap(keys).await;
    a_pinned_version_wraps_and_any_unwraps(keys).await;
    vaults_do_not_share_keys(keys).await;
    names_ignore_case(keys).await;
    what_was_changed_does_not_unwrap(keys).await;
    what_another_key_wrapped_does_not_unwrap(keys).await;
    a_version_that_is_switched_off_is_refused(keys).await;
}

/// A data key comes back, and its wrapped form does not show it.
///
/// # Panics
/// Where the adapter breaks the contract.
pub async fn what_is_wrapped_unwraps<K: KeyWrapper + SeedKey>(keys: &K) {
    let id = id("wraps");
    let version = keys.create(&id);
    let dek = dek();
    let wrapped = wrap(keys, &id, &dek).await;
    assert_eq!(wrapped.version, version);
    let shows = |part: &[u8]| wrapped.bytes.windows(part.len()).any(|bytes| bytes == part);
    assert!(!dek.reveal().chunks(8).any(shows), "the data key shows");
    assert!(unwraps(keys, &id, &wrapped, &dek).await);
}

/// A key that was never made is `NotFound`, for wrapping and unwrapping.
///
/// # Panics
/// Where the adapter breaks the contract.
pub async fn a_missing_key_is_not_found<K: KeyWrapper + SeedKey>(keys: &K) {
    let (there, missing) = (id("there"), id("missing"));
    keys.create(&there);
    let dek = dek();
    let wrapped = wrap(keys, &there, &dek).await;
    for error in [
        keys.wrap(&missing, &dek).await.err(),
        keys.unwrap(&missing, &wrapped).await.err(),
    ] {
        match error {
            Some(KeyError::NotFound { id, .. }) => assert_eq!(id, missing),
            other => panic!("{missing} gave {other:?}"),
        }
    }
}

/// A version that is not there is `NotFound`, and is named.
///
/// # Panics
/// Where the adapter breaks the contract.
pub async fn a_missing_version_is_not_found<K: KeyWrapper + SeedKey>(keys: &K) {
    let id = id("versions");
    keys.create(&id);
    let dek = dek();
    let mut wrapped = wrap(keys, &id, &dek).await;
    wrapped.version = SecretVersion::from_u128(1);
    let pinned = id.clone().at(wrapped.version);
    for error in [
        keys.wrap(&pinned, &dek).await.err(),
        keys.unwrap(&id, &wrapped).await.err(),
    ] {
        match error {
            Some(KeyError::NotFound { id, .. }) => assert_eq!(id, pinned),
            other => panic!("{pinned} gave {other:?}"),
        }
    }
}

/// After a rotation the new version wraps, and what the old one wrapped still unwraps.
///
/// # Panics
/// Where the adapter breaks the contract.
pub async fn the_newest_version_wraps_and_old_ones_unwrap<K: KeyWrapper + SeedKey>(keys: &K) {
    let id = id("rotates");
    let dek = dek();
    let first = keys.create(&id);
    let old = wrap(keys, &id, &dek).await;
    let second = keys.create(&id);
    let new = wrap(keys, &id, &dek).await;
    assert_ne!(first, second);
    assert_eq!((old.version, new.version), (first, second));
    assert_ne!(old.bytes, new.bytes);
    assert!(unwraps(keys, &id, &old, &dek).await && unwraps(keys, &id, &new, &dek).await);
    let mixed = WrappedKey::new(old.algorithm, second, old.bytes);
    refuses(keys, &id, &mixed).await;
}

/// A pinned reference wraps under its version and unwraps what any version wrapped.
///
/// # Panics
/// Where the adapter breaks the contract.
pub async fn a_pinned_version_wraps_and_any_unwraps<K: KeyWrapper + SeedKey>(keys: &K) {
    let id = id("pinned");
    let dek = dek();
    let first = keys.create(&id);
    keys.create(&id);
    let newest = wrap(keys, &id, &dek).await;
    let pinned = id.at(first);
    assert_eq!(wrap(keys, &pinned, &dek).await.version, first);
    assert!(unwraps(keys, &pinned, &newest, &dek).await);
}

/// The same name in two vaults is two keys.
///
/// # Panics
/// Where the adapter breaks the contract.
pub async fn vaults_do_not_share_keys<K: KeyWrapper + SeedKey>(keys: &K) {
    let (one, other) = (
        id("shared"),
        id_in("https://kv-other.vault.azure.net", "shared"),
    );
    let dek = dek();
    keys.create(&one);
    assert!(keys.wrap(&other, &dek).await.is_err());
    let version = keys.create(&other);
    let mut wrapped = wrap(keys, &one, &dek).await;
    wrapped.version = version;
    refuses(keys, &other, &wrapped).await;
}

/// Names that differ in case only are one key, as in Key Vault.
///
/// # Panics
/// Where the adapter breaks the contract.
pub async fn names_ignore_case<K: KeyWrapper + SeedKey>(keys: &K) {
    keys.create(&id("Mixed-Case"));
    let dek = dek();
    let wrapped = wrap(keys, &id("mixed-case"), &dek).await;
    assert!(unwraps(keys, &id("MIXED-CASE"), &wrapped, &dek).await);
}

/// No changed byte and no other length unwraps.
///
/// # Panics
/// Where the adapter breaks the contract.
pub async fn what_was_changed_does_not_unwrap<K: KeyWrapper + SeedKey>(keys: &K) {
    let id = id("changed");
    keys.create(&id);
    let wrapped = wrap(keys, &id, &dek()).await;
    for at in 0..wrapped.bytes.len() {
        let mut changed = wrapped.clone();
        if let Some(byte) = changed.bytes.get_mut(at) {
            *byte ^= 1;
        }
        refuses(keys, &id, &changed).await;
        changed.bytes.truncate(at);
        refuses(keys, &id, &changed).await;
    }
    let mut longer = wrapped;
    longer.bytes.extend_from_slice(&[0; 8]);
    refuses(keys, &id, &longer).await;
}

/// What one key wrapped does not unwrap under another.
///
/// # Panics
/// Where the adapter breaks the contract.
pub async fn what_another_key_wrapped_does_not_unwrap<K: KeyWrapper + SeedKey>(keys: &K) {
    let (one, other) = (id("one"), id("other"));
    keys.create(&one);
    let version = keys.create(&other);
    let mut wrapped = wrap(keys, &one, &dek()).await;
    wrapped.version = version;
    refuses(keys, &other, &wrapped).await;
}

/// A version that is switched off neither wraps nor unwraps, and the others go on.
///
/// # Panics
/// Where the adapter breaks the contract.
pub async fn a_version_that_is_switched_off_is_refused<K: KeyWrapper + SeedKey>(keys: &K) {
    let id = id("disabled");
    let first = keys.create(&id);
    let dek = dek();
    let old = wrap(keys, &id, &dek).await;
    let second = keys.create(&id);
    let new = wrap(keys, &id, &dek).await;
    if !keys.disable(&id, second) {
        return;
    }
    for error in [
        keys.wrap(&id, &dek).await.err(),
        keys.unwrap(&id, &new).await.err(),
    ] {
        match error {
            Some(KeyError::Disabled { .. }) => {}
            other => panic!("{id} gave {other:?}"),
        }
    }
    assert!(unwraps(keys, &id, &old, &dek).await);
    assert_eq!(wrap(keys, &id.clone().at(first), &dek).await.version, first);
}

async fn wrap<K: KeyWrapper>(keys: &K, id: &SecretId, dek: &DataKey) -> WrappedKey {
    match keys.wrap(id, dek).await {
        Ok(wrapped) => wrapped,
        Err(error) => panic!("{id} gave {error:?}"),
    }
}

async fn unwraps<K: KeyWrapper>(
    keys: &K,
    id: &SecretId,
    wrapped: &WrappedKey,
    dek: &DataKey,
) -> bool {
    match keys.unwrap(id, wrapped).await {
        Ok(unwrapped) => unwrapped.reveal() == dek.reveal(),
        Err(error) => panic!("{id} gave {error:?}"),
    }
}

async fn refuses<K: KeyWrapper>(keys: &K, id: &SecretId, wrapped: &WrappedKey) {
    match keys.unwrap(id, wrapped).await {
        Err(KeyError::Unwrap { .. }) => {}
        other => panic!("{id} gave {other:?}"),
    }
}

fn dek() -> DataKey {
    match DataKey::copy_of(b"zt-needle-dek-of-32-bytes-in-all") {
        Some(dek) => dek,
        None => panic!("a data key has 32 bytes"),
    }
}

fn id(name: &str) -> SecretId {
    id_in("https://kv-contract.vault.azure.net", name)
}

fn id_in(vault: &str, name: &str) -> SecretId {
    let (Ok(vault), Ok(name)) = (vault.parse(), name.parse()) else {
        panic!("{vault} or {name} is malformed");
    };
    SecretId::new(vault, name)
}
