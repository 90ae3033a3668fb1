//! Every setting, once: its name in the file, in the environment, and what it means.

use std::fmt;

macro_rules! config_keys {
    ($($(#[doc = $doc:literal])+ $name:ident = $key:literal, $env:literal;)+) => {
        /// Every setting: one name in the file, one in the environment, one meaning.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum ConfigKey {
            $($(#[doc = $doc])+ $name,)+
        }

        impl ConfigKey {
            /// Every key.
            pub const ALL: &'static [Self] = &[$(Self::$name),+];

            /// Its name in `zt.toml`: `section.key`.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $key,)+ }
            }

            /// Its environment variable.
            #[must_use]
            pub const fn env(self) -> &'static str {
                match self { $(Self::$name => $env,)+ }
            }

            /// What it means, in Markdown.
            #[must_use]
            pub const fn doc(self) -> &'static str {
                match self { $(Self::$name => concat!($($doc, "\n"),+),)+ }
            }
        }
    };
}

config_keys! {
    /// `production` (default) or `development`. Only development accepts tokens of the development issuer.
    Mode = "mode", "ZT_MODE";
    /// The metadata tables: a TOML or CSV file, or a folder of them. Default: the folder of `zt.toml`.
    Tables = "tables", "ZT_TABLES";
    /// After how many seconds without a successful look at the tables every decision is refused. Default: never.
    MetadataMaxStaleness = "metadata.max_staleness_s", "ZT_METADATA_MAX_STALENESS_S";
    /// How often the tables are looked at for a change, in seconds. Default: a third of `metadata.max_staleness_s`, else only
    /// when the runtime is told to reload.
    MetadataWatch = "metadata.watch_s", "ZT_METADATA_WATCH_S";
    /// The Entra cloud: `public` (default), `us_gov`, `china`, or `development`.
    IdentityCloud = "identity.cloud", "ZT_IDENTITY_CLOUD";
    /// The Entra tenant, a GUID. Default: the tenant of the table `world`.
    IdentityTenant = "identity.tenant", "ZT_IDENTITY_TENANT";
    /// The audience: the client id of the application that callers ask tokens for, a GUID.
    IdentityAudience = "identity.audience", "ZT_IDENTITY_AUDIENCE";
    /// The App ID URI that v1.0 tokens may name as their audience instead.
    IdentityAppIdUri = "identity.app_id_uri", "ZT_IDENTITY_APP_ID_URI";
    /// The pinned JSON Web Key Set, a file. In development default `.zt/dev-issuer.jwks.json`.
    IdentityKeys = "identity.keys", "ZT_IDENTITY_KEYS";
    /// The encrypted local vault, a file. Default `.zt/vault`.
    VaultFile = "vault.file", "ZT_VAULT_FILE";
    /// The local vault's key, a file that only its owner may read. Default `.zt/vault.key`.
    VaultKeyFile = "vault.key_file", "ZT_VAULT_KEY_FILE";
    /// The local vault's passphrase, instead of a key file. Never in `zt.toml`.
    VaultPassphrase = "vault.passphrase", "ZT_VAULT_PASSPHRASE";
    /// The folder of the audit log. Default `.zt/audit`.
    AuditFolder = "audit.folder", "ZT_AUDIT_FOLDER";
    /// The file that fired alerts are appended to. Default `.zt/alerts.jsonl`.
    AlertsFile = "alerts.file", "ZT_ALERTS_FILE";
}

impl fmt::Display for ConfigKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl ConfigKey {
    /// Whether its value is a count of seconds.
    pub(super) const fn is_seconds(self) -> bool {
        matches!(self, Self::MetadataMaxStaleness | Self::MetadataWatch)
    }

    /// Whether leaving it out means something of its own.
    pub(super) const fn has_default(self) -> bool {
        match self {
            Self::Mode
            | Self::Tables
            | Self::IdentityCloud
            | Self::VaultFile
            | Self::VaultKeyFile
            | Self::AuditFolder
            | Self::AlertsFile => true,
            // Adding either in the environment tightens: there was no limit, and nobody looked.
            Self::MetadataMaxStaleness
            | Self::MetadataWatch
            | Self::IdentityTenant
            | Self::IdentityAudience
            | Self::IdentityAppIdUri
            | Self::IdentityKeys
            | Self::VaultPassphrase => false,
        }
    }
}
