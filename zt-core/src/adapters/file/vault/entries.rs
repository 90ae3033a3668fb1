//! What is inside a vault file: secrets and keys with their versions, as JSON.
//!
//! `{"entries":[{"vault":…,"name":…,"kind":"key","versions":[{"version":…,"created_ms":…,"enabled":…,"not_before_ms":…,"expires_ms":…,
//! "value":base64}]}]}`, versions newest first, times in milliseconds since the Unix epoch. A secret has no `kind`: files
//! from before there were keys read the same, and a zt from then refuses a file with a key instead of taking it for a
//! secret. Who reads one value decodes that one alone; the others stay base64. Every buffer that holds values, as text or
//! decoded, is wiped, and the writer wipes what it grows out of.

use std::collections::BTreeMap;
use std::io;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::clock::Timestamp;
use crate::metadata::SecretKind;
use crate::secrets::{
    SecretBytes, SecretId, SecretName, SecretVersion, Validity, VaultError, VaultUrl,
};

use super::{Listed, ListedVersion};

/// How many versions of a secret stay behind the current one.
const KEPT_VERSIONS: usize = 10;

/// All secrets and keys of a vault file. Wiped on drop, like everything in it.
#[derive(Default)]
pub(super) struct Entries(BTreeMap<(VaultUrl, SecretName), Entry>);

struct Entry {
    kind: Kind,
    versions: Vec<Stored>,
}

/// One version as it stands in the file.
struct Stored {
    about: ListedVersion,
    base64: Zeroizing<String>,
}

/// Whether a value may be read or only used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Kind {
    #[default]
    Secret,
    Key,
}

impl Kind {
    #[expect(
        clippy::trivially_copy_pass_by_ref,
        reason = "serde passes a reference"
    )]
    fn is_secret(&self) -> bool {
        *self == Self::Secret
    }
}

/// One version with its value.
pub(super) struct Version {
    pub(super) version: SecretVersion,
    pub(super) created: Timestamp,
    pub(super) validity: Validity,
    pub(super) value: SecretBytes,
}

/// What is found under a name.
pub(super) enum Found {
    /// No such name of this kind.
    NoName,
    /// The name, and not this version of it.
    NoVersion,
    One(Version),
}

impl Entries {
    /// `None` if the text is not what [`write`](Self::write) writes. Says no more: it is full of values.
    pub(super) fn read(json: &[u8]) -> Option<Self> {
        let text: FileText<'_> = serde_json::from_slice(json).ok()?;
        let mut entries = BTreeMap::new();
        for entry in text.entries {
            let key = (entry.vault.parse().ok()?, entry.name.parse().ok()?);
            let versions = entry.versions.iter().map(Stored::read);
            let entry = Entry {
                kind: entry.kind,
                versions: versions.collect::<Option<_>>()?,
            };
            entries.insert(key, entry);
        }
        Some(Self(entries))
    }

    pub(super) fn write(&self) -> Option<Zeroizing<Vec<u8>>> {
        let entries = self.0.iter().map(|((vault, name), entry)| EntryText {
            vault: vault.as_str(),
            name: name.as_str(),
            kind: entry.kind,
            versions: entry.versions.iter().map(Stored::text).collect(),
        });
        let text = FileText {
            entries: entries.collect(),
        };
        let mut writer = Wiping::default();
        serde_json::to_writer(&mut writer, &text).ok()?;
        Some(writer.0)
    }

    /// Makes `version` the current one. Of a secret some versions are kept, of a key all.
    ///
    /// # Errors
    /// [`VaultError::Invalid`] if the name belongs to the other kind.
    pub(super) fn push(
        &mut self,
        id: &SecretId,
        kind: Kind,
        version: &Version,
    ) -> Result<(), VaultError> {
        let too_long = || VaultError::invalid("the value is too long");
        let stored = Stored::of(version).ok_or_else(too_long)?;
        let entry = self.0.entry(key(id)).or_insert(Entry {
            kind,
            versions: Vec::new(),
        });
        let other = match entry.kind {
            _ if entry.kind == kind => None,
            Kind::Secret => Some("a secret"),
            Kind::Key => Some("a key"),
        };
        if let Some(other) = other {
            let reason = format!("`{}` is the name of {other}", id.name());
            return Err(VaultError::invalid(&reason));
        }
        entry.versions.insert(0, stored);
        if kind == Kind::Secret {
            entry.versions.truncate(KEPT_VERSIONS + 1);
        }
        Ok(())
    }

    /// Whether there was something of this kind to remove.
    pub(super) fn remove(&mut self, id: &SecretId, kind: Kind) -> bool {
        let key = key(id);
        let Some(entry) = self.0.get_mut(&key).filter(|entry| entry.kind == kind) else {
            return false;
        };
        let before = entry.versions.len();
        match id.version() {
            Some(pinned) => entry
                .versions
                .retain(|stored| stored.about.version != pinned),
            None => entry.versions.clear(),
        }
        let removed = entry.versions.len() < before;
        if entry.versions.is_empty() {
            self.0.remove(&key);
        }
        removed
    }

    pub(super) fn list(&self) -> Vec<Listed> {
        let listed = |stored: &Stored| stored.about;
        self.0
            .iter()
            .map(|((vault, name), entry)| Listed {
                vault: vault.clone(),
                name: name.clone(),
                kind: match entry.kind {
                    Kind::Secret => SecretKind::Secret,
                    Kind::Key => SecretKind::Key,
                },
                versions: entry.versions.iter().map(listed).collect(),
            })
            .collect()
    }
}

fn key(id: &SecretId) -> (VaultUrl, SecretName) {
    (id.vault().clone(), id.name().clone())
}

/// This version of a name of this kind, the current one without. `None` if the text is not what [`Entries::write`] writes.
pub(super) fn find(
    json: &[u8],
    id: &SecretId,
    kind: Kind,
    version: Option<SecretVersion>,
) -> Option<Found> {
    let text: FileText<'_> = serde_json::from_slice(json).ok()?;
    let (wanted, mut found) = (key(id), Found::NoName);
    for entry in text.entries {
        let own: (VaultUrl, SecretName) = (entry.vault.parse().ok()?, entry.name.parse().ok()?);
        let is_it = own == wanted && entry.kind == kind;
        if is_it {
            found = Found::NoVersion;
        }
        for text in entry.versions {
            let about = text.about()?;
            let is_wanted = version.is_none_or(|version| version == about.version);
            if is_it && is_wanted && !matches!(found, Found::One(_)) {
                found = Found::One(Version {
                    version: about.version,
                    created: about.created,
                    validity: about.validity,
                    value: decoded(text.value)?,
                });
            }
        }
    }
    Some(found)
}

fn decoded(base64: &str) -> Option<SecretBytes> {
    let room = base64::decoded_len_estimate(base64.len());
    let mut bytes = Zeroizing::new(vec![0; room]);
    let len = STANDARD.decode_slice(base64, &mut bytes).ok()?;
    Some(SecretBytes::copy_of(bytes.get(..len)?))
}

/// Written into a buffer of the right length: one that grows leaves pieces behind.
fn encoded(bytes: &[u8]) -> Option<Zeroizing<String>> {
    let room = base64::encoded_len(bytes.len(), true)?;
    let mut text = Zeroizing::new(vec![0; room]);
    STANDARD.encode_slice(bytes, &mut text).ok()?;
    let text = String::from_utf8(std::mem::take(&mut *text)).ok()?;
    Some(Zeroizing::new(text))
}

impl Stored {
    fn of(version: &Version) -> Option<Self> {
        Some(Self {
            about: ListedVersion {
                version: version.version,
                created: version.created,
                validity: version.validity,
            },
            base64: encoded(version.value.reveal())?,
        })
    }

    fn read(text: &VersionText<'_>) -> Option<Self> {
        Some(Self {
            about: text.about()?,
            base64: Zeroizing::new(text.value.to_owned()),
        })
    }

    fn text(&self) -> VersionText<'_> {
        let ListedVersion {
            version,
            created,
            validity,
        } = self.about;
        VersionText {
            version: version.to_string(),
            created_ms: created.as_millis(),
            enabled: validity.enabled,
            not_before_ms: validity.not_before.map(Timestamp::as_millis),
            expires_ms: validity.expires.map(Timestamp::as_millis),
            value: &self.base64,
        }
    }
}

impl VersionText<'_> {
    fn about(&self) -> Option<ListedVersion> {
        let mut validity = Validity::ALWAYS;
        validity.enabled = self.enabled;
        validity.not_before = self.not_before_ms.map(Timestamp::from_millis);
        validity.expires = self.expires_ms.map(Timestamp::from_millis);
        Some(ListedVersion {
            version: self.version.parse().ok()?,
            created: Timestamp::from_millis(self.created_ms),
            validity,
        })
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct FileText<'a> {
    #[serde(borrow)]
    entries: Vec<EntryText<'a>>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct EntryText<'a> {
    vault: &'a str,
    name: &'a str,
    #[serde(default, skip_serializing_if = "Kind::is_secret")]
    kind: Kind,
    #[serde(borrow)]
    versions: Vec<VersionText<'a>>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct VersionText<'a> {
    version: String,
    created_ms: i64,
    enabled: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    not_before_ms: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    expires_ms: Option<i64>,
    /// Base64.
    value: &'a str,
}

/// A buffer that leaves nothing behind when it grows.
#[derive(Default)]
struct Wiping(Zeroizing<Vec<u8>>);

impl io::Write for Wiping {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.0.capacity() - self.0.len() < bytes.len() {
            let room = (self.0.len() + bytes.len()).max(4096).saturating_mul(2);
            let mut grown = Zeroizing::new(Vec::with_capacity(room));
            grown.extend_from_slice(&self.0);
            self.0 = grown;
        }
        self.0.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BEFORE_KEYS: &str = r#"{"entries":[{"vault":"https://kv.vault.azure.net","name":"adb-token","versions":[{"version":"00000000000000000000000000000abc","created_ms":1,"enabled":true,"value":"enQtbmVlZGxlLXZhbHVl"}]}]}"#;

    fn id() -> SecretId {
        let vault = "https://kv.vault.azure.net".parse().unwrap();
        SecretId::new(vault, "adb-token".parse().unwrap())
    }

    fn secret(json: &str, version: Option<SecretVersion>) -> Option<Found> {
        find(json.as_bytes(), &id(), Kind::Secret, version)
    }

    #[test]
    fn a_file_from_before_there_were_keys_reads_and_is_written_the_same() {
        let entries = Entries::read(BEFORE_KEYS.as_bytes()).unwrap();
        assert!(*entries.write().unwrap() == BEFORE_KEYS.as_bytes());
        let Some(Found::One(found)) = secret(BEFORE_KEYS, None) else {
            panic!("it is not found");
        };
        assert!(found.value.reveal() == b"zt-needle-value");
    }

    #[test]
    fn of_all_values_the_one_that_is_asked_for_is_decoded() {
        let bad = r#"[{"version":"00000000000000000000000000000def","created_ms":1,"enabled":true,"value":"!"},{"version""#;
        let with_bad = BEFORE_KEYS.replacen("[{\"version\"", bad, 1);
        assert!(secret(&with_bad, None).is_none());
        let wanted = Some(SecretVersion::from_u128(0xabc));
        assert!(matches!(secret(&with_bad, wanted), Some(Found::One(_))));
        let other = Some(SecretVersion::from_u128(1));
        assert!(matches!(secret(&with_bad, other), Some(Found::NoVersion)));
    }

    #[test]
    fn a_key_is_marked_and_an_unknown_kind_is_refused() {
        let with_kind = |kind: &str| {
            let marked = format!("\"kind\":\"{kind}\",\"versions\"");
            BEFORE_KEYS.replacen("\"versions\"", &marked, 1)
        };
        let key = with_kind("key");
        let entries = Entries::read(key.as_bytes()).unwrap();
        assert!(*entries.write().unwrap() == key.as_bytes());
        assert!(matches!(secret(&key, None), Some(Found::NoName)));
        let as_key = find(key.as_bytes(), &id(), Kind::Key, None);
        assert!(matches!(as_key, Some(Found::One(_))));
        assert!(Entries::read(with_kind("token").as_bytes()).is_none());
    }
}
