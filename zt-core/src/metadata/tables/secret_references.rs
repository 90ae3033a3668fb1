//! `Secret_References`: where secrets live. Names only, never values.

use std::time::Duration;

use super::words::words;
use crate::id::SecretRef;
use crate::metadata::Column;
use crate::metadata::reader::{Row, RowReader};
use crate::secrets::{SecretId, SecretName, SecretRequest, SecretVersion, VaultUrl};

/// One secret or key of a vault.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct SecretReference {
    /// The name that policies use: `secret:bureau-api-key`.
    pub id: SecretRef,
    /// The vault.
    pub vault: VaultUrl,
    /// Its name in the vault.
    pub name: SecretName,
    /// The pinned version; none means the current one.
    pub version: Option<SecretVersion>,
    /// A secret to read or a key to wrap with.
    pub kind: SecretKind,
    /// The vault that is asked for the same name while the first one cannot answer.
    pub fallback_vault: Option<VaultUrl>,
    /// How long a value may be served from the cache, in seconds; 0 means never.
    pub ttl_s: u32,
    /// For how many seconds after its TTL a value may still be served while the vault cannot answer; 0 means never.
    pub max_stale_s: Option<u32>,
    /// After how many days a new value is due.
    pub rotate_days: Option<u32>,
}

/// What lies under a reference.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum SecretKind {
    /// A value that may be read.
    Secret,
    /// A key that never leaves the vault.
    Key,
}

words!(SecretKind {
    Secret = "secret",
    Key = "key",
});

/// The time to live when a row gives none: 15 minutes.
const DEFAULT_TTL_S: u32 = 900;

impl SecretReference {
    /// What the slots need to know to serve it.
    #[must_use]
    pub fn request(&self) -> SecretRequest {
        let id = SecretId::new(self.vault.clone(), self.name.clone());
        let id = match self.version {
            Some(version) => id.at(version),
            None => id,
        };
        let seconds = |count: u32| Duration::from_secs(u64::from(count));
        let mut request = SecretRequest::new(id).with_ttl(seconds(self.ttl_s));
        if let Some(max_stale) = self.max_stale_s {
            request = request.with_max_stale(seconds(max_stale));
        }
        match &self.fallback_vault {
            Some(vault) => request.with_fallback(vault.clone()),
            None => request,
        }
    }
}

impl Row for SecretReference {
    const TABLE: &'static str = "Secret_References";
    const KEY: &'static [&'static str] = &["id"];
    const COLUMNS: &'static [Column] = &[
        Column::text("id"),
        Column::text("vault"),
        Column::text("name"),
        Column::text("version"),
        Column::text("kind"),
        Column::text("fallback_vault"),
        Column::number("ttl_s"),
        Column::number("max_stale_s"),
        Column::number("rotate_days"),
    ];

    fn read(cells: &mut RowReader<'_>) -> Option<Self> {
        let id = cells.required_text("id");
        let vault = cells.required("vault", &[]);
        let name = cells.required("name", &[]);
        let version = cells.parse("version");
        let kind = cells
            .one_of("kind", SecretKind::WORDS)
            .unwrap_or(SecretKind::Secret);
        let fallback_vault = read_fallback(cells, vault.as_ref());
        let ttl_s = cells.number("ttl_s").unwrap_or(DEFAULT_TTL_S);
        let max_stale_s = cells.number("max_stale_s");
        let rotate_days = cells.number("rotate_days");
        Some(Self {
            id: SecretRef::new(&id?),
            vault: vault?,
            name: name?,
            version,
            kind,
            fallback_vault,
            ttl_s,
            max_stale_s,
            rotate_days,
        })
    }
}

/// The same vault again would be no help when it is down.
fn read_fallback(cells: &mut RowReader<'_>, vault: Option<&VaultUrl>) -> Option<VaultUrl> {
    let fallback: VaultUrl = cells.parse("fallback_vault")?;
    if vault == Some(&fallback) {
        cells.problem(
            "fallback_vault",
            fallback.as_str(),
            "name another vault than `vault`, or leave it out",
        );
        return None;
    }
    Some(fallback)
}
