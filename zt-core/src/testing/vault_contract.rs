//! The contract of [`SecretVault`], which every adapter keeps: ours and yours.
//!
//! Give [`run`] an empty vault that can be written through [`Seed`]; it panics where the contract is broken and never
//! prints a value.
#![expect(
    clippy::panic,
    reason = "a contract suite speaks by panicking, like any test"
)]

use std::time::Duration;

use crate::clock::Timestamp;
use crate::secrets::{
    Attempt, AttemptId, Fetched, SecretId, SecretVault, SecretVersion, Validity, VaultError,
};

/// How the suite puts secrets into the vault under test.
pub trait Seed {
    /// Writes a new current version and says which it is.
    fn put(&self, id: &SecretId, value: &[u8], validity: Validity) -> SecretVersion;

    /// Whether values may be any bytes. Those of Key Vault are text, and the suite writes no others then.
    fn takes_bytes(&self) -> bool {
        true
    }
}

/// Every part of the contract, one after the other.
///
/// # Panics
/// Where the vault breaks the contract.
pub async fn run<V: SecretVault + Seed>(vault: &V) {
    an_existing_secret_is_found(vault).await;
    a_missing_secret_is_not_found(vault).await;
    vaults_do_not_share_names(vault).await;
    names_ignore_case(vault).await;
    versions_stay_readable(vault).await;
    any_bytes_come_back(vault).await;
    a_disabled_secret_is_refused(vault).await;
    the_span_of_validity_is_told(vault).await;
    readers_do_not_disturb_each_other(vault).await;
}

const ATTEMPT: Attempt = Attempt::new(AttemptId::from_u128(1), Duration::from_secs(5));
const NOW: Timestamp = Timestamp::from_secs(1_790_000_000);

/// What was written is what is fetched, with its version and the proof of its path.
///
/// # Panics
/// Where the vault breaks the contract.
pub async fn an_existing_secret_is_found<V: SecretVault + Seed>(vault: &V) {
    let id = id("existing");
    let version = vault.put(&id, b"zt-needle-existing", Validity::ALWAYS);
    let fetched = fetch(vault, &id).await;
    assert!(fetched.value.reveal() == b"zt-needle-existing");
    assert_eq!(fetched.version, version);
    assert_eq!(fetched.validity, Validity::ALWAYS);
    assert_ne!(fetched.path_proof, "");
}

/// A name or a version that is not there is `NotFound`, and names what was asked for.
///
/// # Panics
/// Where the vault breaks the contract.
pub async fn a_missing_secret_is_not_found<V: SecretVault + Seed>(vault: &V) {
    vault.put(&id("present"), b"zt-needle-present", Validity::ALWAYS);
    for missing in [id("missing"), id("present").at(SecretVersion::from_u128(1))] {
        match vault.fetch(&missing, &ATTEMPT).await {
            Err(VaultError::NotFound { id, .. }) => assert_eq!(id, missing),
            other => panic!("{missing} gave {other:?}"),
        }
    }
}

/// The same name in two vaults is two secrets.
///
/// # Panics
/// Where the vault breaks the contract.
pub async fn vaults_do_not_share_names<V: SecretVault + Seed>(vault: &V) {
    let (one, other) = (
        id("shared"),
        id_in("https://kv-other.vault.azure.net", "shared"),
    );
    vault.put(&one, b"zt-needle-one", Validity::ALWAYS);
    vault.put(&other, b"zt-needle-other", Validity::ALWAYS);
    assert!(fetch(vault, &one).await.value.reveal() == b"zt-needle-one");
    assert!(fetch(vault, &other).await.value.reveal() == b"zt-needle-other");
}

/// Names that differ in case only are one secret, as in Key Vault.
///
/// # Panics
/// Where the vault breaks the contract.
pub async fn names_ignore_case<V: SecretVault + Seed>(vault: &V) {
    vault.put(&id("Mixed-Case"), b"zt-needle-case", Validity::ALWAYS);
    assert!(fetch(vault, &id("mixed-case")).await.value.reveal() == b"zt-needle-case");
}

/// The newest version is the current one; older ones answer to their version.
///
/// # Panics
/// Where the vault breaks the contract.
pub async fn versions_stay_readable<V: SecretVault + Seed>(vault: &V) {
    let id = id("versions");
    let first = vault.put(&id, b"zt-needle-first", Validity::ALWAYS);
    let second = vault.put(&id, b"zt-needle-second", Validity::ALWAYS);
    assert_ne!(first, second);
    let current = fetch(vault, &id).await;
    assert_eq!(current.version, second);
    assert!(current.value.reveal() == b"zt-needle-second");
    let pinned = fetch(vault, &id.clone().at(first)).await;
    assert_eq!(pinned.version, first);
    assert!(pinned.value.reveal() == b"zt-needle-first");
}

/// Text of any script comes back unchanged, so does the empty value, and what is no text where the vault takes it.
///
/// # Panics
/// Where the vault breaks the contract.
pub async fn any_bytes_come_back<V: SecretVault + Seed>(vault: &V) {
    let binary: Vec<u8> = b"zt-needle-".iter().copied().chain(0..=255).collect();
    let long = b"zt-needle-".repeat(2560);
    let values: [(&str, &[u8], bool); 4] = [
        (
            "unicode",
            "zt-needle-påsswörd-秘密-\"\\\u{0}\u{1f511}".as_bytes(),
            true,
        ),
        ("binary", &binary, vault.takes_bytes()),
        ("empty", b"", true),
        ("long", &long, true),
    ];
    for (name, value, is_taken) in values {
        if !is_taken {
            continue;
        }
        vault.put(&id(name), value, Validity::ALWAYS);
        let fetched = fetch(vault, &id(name)).await;
        assert!(fetched.value.reveal() == value, "{name} came back changed");
    }
}

/// A disabled current version is `Disabled`, not the version before it.
///
/// # Panics
/// Where the vault breaks the contract.
pub async fn a_disabled_secret_is_refused<V: SecretVault + Seed>(vault: &V) {
    let id = id("disabled");
    vault.put(&id, b"zt-needle-enabled", Validity::ALWAYS);
    vault.put(&id, b"zt-needle-disabled", Validity::ALWAYS.disabled());
    match usable(vault, &id).await {
        Err(VaultError::Disabled { .. }) => {}
        other => panic!("a disabled secret gave {other:?}"),
    }
}

/// `nbf` and `exp` are told with the value, or the vault refuses by itself; either way the value is not usable.
///
/// # Panics
/// Where the vault breaks the contract.
pub async fn the_span_of_validity_is_told<V: SecretVault + Seed>(vault: &V) {
    let hour = 3600;
    let (past, future) = (
        Timestamp::from_secs(NOW.as_secs() - hour),
        Timestamp::from_secs(NOW.as_secs() + hour),
    );
    let over = id("over");
    vault.put(&over, b"zt-needle-over", Validity::ALWAYS.ending(past));
    match usable(vault, &over).await {
        Err(VaultError::Expired { expires, .. }) => assert_eq!(expires, past),
        other => panic!("an expired secret gave {other:?}"),
    }
    let early = id("early");
    vault.put(
        &early,
        b"zt-needle-early",
        Validity::ALWAYS.starting(future),
    );
    match usable(vault, &early).await {
        Err(VaultError::NotYetValid { not_before, .. }) => assert_eq!(not_before, future),
        other => panic!("a secret of tomorrow gave {other:?}"),
    }
    let within = id("within");
    let span = Validity::ALWAYS.starting(past).ending(future);
    vault.put(&within, b"zt-needle-within", span);
    match usable(vault, &within).await {
        Ok(fetched) => assert_eq!(fetched.validity, span),
        Err(error) => panic!("a valid secret gave {error:?}"),
    }
}

/// Fetches that overlap each get their own secret.
///
/// # Panics
/// Where the vault breaks the contract.
pub async fn readers_do_not_disturb_each_other<V: SecretVault + Seed>(vault: &V) {
    let ids: Vec<SecretId> = (0..8).map(|n| id(&format!("reader-{n}"))).collect();
    for id in &ids {
        let value = format!("zt-needle-{}", id.name());
        vault.put(id, value.as_bytes(), Validity::ALWAYS);
    }
    // All begun before the first is awaited; dropping some of them must not disturb the others.
    let mut fetches: Vec<_> = ids
        .iter()
        .map(|id| (id, vault.fetch(id, &ATTEMPT)))
        .collect();
    drop(fetches.pop());
    for (id, fetch) in fetches {
        match fetch.await {
            Ok(fetched) => {
                let expected = format!("zt-needle-{}", id.name());
                assert!(fetched.value.reveal() == expected.as_bytes());
            }
            Err(error) => panic!("{id} gave {error:?}"),
        }
    }
}

async fn fetch<V: SecretVault>(vault: &V, id: &SecretId) -> Fetched {
    match vault.fetch(id, &ATTEMPT).await {
        Ok(fetched) => fetched,
        Err(error) => panic!("{id} gave {error:?}"),
    }
}

/// What the slots make of an answer.
async fn usable<V: SecretVault>(vault: &V, id: &SecretId) -> Result<Fetched, VaultError> {
    let fetched = vault.fetch(id, &ATTEMPT).await?;
    fetched.validity.check(id, NOW)?;
    Ok(fetched)
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
