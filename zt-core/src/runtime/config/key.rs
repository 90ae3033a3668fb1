//! Every setting, once: its name in the file, in the environment, and what it means.

use std::fmt;

use super::number::Number;

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
    /// The Entra cloud: `public` (default), `us_gov`, `china`, `sovereign_fr`, `sovereign_de`, `sovereign_sg`, or `development`.
    IdentityCloud = "identity.cloud", "ZT_IDENTITY_CLOUD";
    /// The Entra tenant, a GUID. Default: the tenant of the table `world`.
    IdentityTenant = "identity.tenant", "ZT_IDENTITY_TENANT";
    /// Further tenants whose callers are let in, GUIDs with spaces between them. Default: none. Their rows of Principals name
    /// the tenant.
    IdentityAllowedTenants = "identity.allowed_tenants", "ZT_IDENTITY_ALLOWED_TENANTS";
    /// The audience: the client id of the application that callers ask tokens for, a GUID.
    IdentityAudience = "identity.audience", "ZT_IDENTITY_AUDIENCE";
    /// The App ID URI that v1.0 tokens may name as their audience instead.
    IdentityAppIdUri = "identity.app_id_uri", "ZT_IDENTITY_APP_ID_URI";
    /// The pinned JSON Web Key Set, a file. Default: the keys that Entra publishes, and with the development issuer
    /// `.zt/dev-issuer.jwks.json`.
    IdentityKeys = "identity.keys", "ZT_IDENTITY_KEYS";
    /// Where the published keys are kept for the next start, a folder. Default `.zt/issuer-keys`.
    IdentityKeyCache = "identity.key_cache", "ZT_IDENTITY_KEY_CACHE";
    /// The signature algorithms of tokens: `RS256` (default), or `RS256 PS256`.
    IdentityAlgorithms = "identity.algorithms", "ZT_IDENTITY_ALGORITHMS";
    /// The header `typ` of tokens: `JWT` (default), or `JWT at+jwt`.
    IdentityTokenTypes = "identity.token_types", "ZT_IDENTITY_TOKEN_TYPES";
    /// Whose keys sign: `tenant` (default), or `application` for an application with signing keys of its own, as claims mapping
    /// needs them.
    IdentitySigningKeys = "identity.signing_keys", "ZT_IDENTITY_SIGNING_KEYS";
    /// How far the clocks of Entra and this machine may differ, in seconds, at most 300. Default 60.
    IdentityClockSkew = "identity.clock_skew_s", "ZT_IDENTITY_CLOCK_SKEW_S";
    /// Where the groups of a caller with too many of them come from: `token` (default: nowhere, they stay unknown), or `graph`
    /// for Microsoft Graph.
    IdentityGroups = "identity.groups", "ZT_IDENTITY_GROUPS";
    /// The client id of the public client that people sign in with by device code, a GUID. Default: the audience.
    IdentitySignInClient = "identity.sign_in_client", "ZT_IDENTITY_SIGN_IN_CLIENT";
    /// The key that signs grants, a file that only its owner may read, made at first use. Default: a key of each process, which
    /// ends with it.
    IdentityGrantKey = "identity.grant_key", "ZT_IDENTITY_GRANT_KEY";
    /// The public keys of other runtimes whose grants prove job and stage here, with spaces between them. Default: none.
    IdentityGrantKeys = "identity.grant_keys", "ZT_IDENTITY_GRANT_KEYS";
    /// Where secrets come from: `local` (default), the encrypted file of this machine, which answers for every vault, or
    /// `key_vault`, the vaults that Secret_References names.
    VaultStore = "vault.store", "ZT_VAULT_STORE";
    /// The version of Key Vault's API. Default: that of the SDK. For emulators that know an older one.
    VaultApiVersion = "vault.api_version", "ZT_VAULT_API_VERSION";
    /// How often each vault is called in a second at most, over time; bursts may be five times as long. Default 40.
    VaultCallsPerSecond = "vault.calls_per_s", "ZT_VAULT_CALLS_PER_S";
    /// What secret bytes are kept in: `locked` where the system allows it and the heap else (`prefer_locked`, the default), or
    /// `locked` alone, which refuses a secret that finds no room in it.
    VaultMemory = "vault.memory", "ZT_VAULT_MEMORY";
    /// The encrypted local vault, a file. Default `.zt/vault`.
    VaultFile = "vault.file", "ZT_VAULT_FILE";
    /// The local vault's key, a file that only its owner may read. Default `.zt/vault.key`.
    VaultKeyFile = "vault.key_file", "ZT_VAULT_KEY_FILE";
    /// The local vault's passphrase, instead of a key file. Never in `zt.toml`.
    VaultPassphrase = "vault.passphrase", "ZT_VAULT_PASSPHRASE";
    /// The folder of the audit log. Default `.zt/audit`.
    AuditFolder = "audit.folder", "ZT_AUDIT_FOLDER";
    /// The audit key, which vouches for the checkpoints of the log: a file that only its owner may read, made at first use.
    /// Default `.zt/audit.key`.
    AuditCheckpointKey = "audit.checkpoint_key", "ZT_AUDIT_CHECKPOINT_KEY";
    /// The audit key in Key Vault instead, `https://VAULT/keys/NAME` and `/VERSION` for a pinned one: an EC key on P-256 that
    /// signs. Default: none, and the file counts. Needs a row of Network_Rules.
    AuditCheckpointVaultKey = "audit.checkpoint_vault_key", "ZT_AUDIT_CHECKPOINT_VAULT_KEY";
    /// What the audit log writes for values of attributes with `sensitivity = "secret"`: `drop` (default), `[secret]` for each, or
    /// `pseudonym`, the same word for the same value.
    AuditSecretValues = "audit.secret_values", "ZT_AUDIT_SECRET_VALUES";
    /// The keys of these pseudonyms, a file that only its owner may read, made at first use. Default `.zt/pseudonym.keys`.
    AuditPseudonymKeys = "audit.pseudonym_keys", "ZT_AUDIT_PSEUDONYM_KEYS";
    /// After how many days closed and signed segments of the audit log are removed, from 1 to 36500. Default: never.
    AuditRetentionDays = "audit.retention_days", "ZT_AUDIT_RETENTION_DAYS";
    /// The public parts of audit keys that vouched before, PEM, one after another in one file: retention removes their logs too.
    /// Default: none, and logs that another key vouches for stay.
    AuditFormerKeys = "audit.former_keys", "ZT_AUDIT_FORMER_KEYS";
    /// Copies the audit log to this folder too: a mounted volume, a share. Default: nowhere.
    AuditFileSink = "audit.file_sink", "ZT_AUDIT_FILE_SINK";
    /// Copies the audit log to this `SQLite` database too, a file in a folder that exists. Default: none.
    AuditSqliteSink = "audit.sqlite_sink", "ZT_AUDIT_SQLITE_SINK";
    /// Copies the audit log to Azure Monitor too: the logs ingestion endpoint, `https://NAME.REGION.ingest.monitor.azure.com`.
    /// Default: none. Needs a row of Network_Rules, and `audit.monitor_rule`.
    AuditMonitorEndpoint = "audit.monitor_endpoint", "ZT_AUDIT_MONITOR_ENDPOINT";
    /// The immutable id of the data collection rule there, `dcr-` and 32 hexadecimal digits.
    AuditMonitorRule = "audit.monitor_rule", "ZT_AUDIT_MONITOR_RULE";
    /// The stream of that rule. Default `Custom-ZtAudit_CL`.
    AuditMonitorStream = "audit.monitor_stream", "ZT_AUDIT_MONITOR_STREAM";
    /// The sink that must have a record before the answer where a row demands `audit = "remote"`: `file`, `sqlite` or
    /// `monitor`. Default: none, which refuses what demands it.
    AuditRemoteSink = "audit.remote_sink", "ZT_AUDIT_REMOTE_SINK";
    /// How long a record waits for that sink, in seconds. Default 10.
    AuditRemoteWithin = "audit.remote_within_s", "ZT_AUDIT_REMOTE_WITHIN_S";
    /// After how many seconds in which a sink lacked records every effect is refused. Default: never.
    AuditMaxLag = "audit.max_lag_s", "ZT_AUDIT_MAX_LAG_S";
    /// The file that fired alerts are appended to. Default `.zt/alerts.jsonl`.
    AlertsFile = "alerts.file", "ZT_ALERTS_FILE";
    /// Where the process writes how it is, for `zt status`: a folder, one file for each process, never a value of a secret.
    /// Default: nowhere.
    StatusFolder = "status.folder", "ZT_STATUS_FOLDER";
}

impl fmt::Display for ConfigKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl ConfigKey {
    /// Which number its value is, if it is one.
    pub(super) fn number(self) -> Option<Number> {
        if self == Self::VaultCallsPerSecond {
            return Some(Number::CALLS);
        }
        if self == Self::AuditRetentionDays {
            return Some(Number::DAYS);
        }
        let is_seconds = matches!(
            self,
            Self::MetadataMaxStaleness
                | Self::MetadataWatch
                | Self::IdentityClockSkew
                | Self::AuditRemoteWithin
                | Self::AuditMaxLag
        );
        is_seconds.then_some(Number::SECONDS)
    }

    /// Whether leaving it out means something of its own.
    pub(super) const fn has_default(self) -> bool {
        match self {
            Self::Mode
            | Self::Tables
            | Self::IdentityCloud
            | Self::IdentityAllowedTenants
            | Self::IdentityAppIdUri
            | Self::IdentityKeys
            | Self::IdentitySignInClient
            | Self::IdentityKeyCache
            | Self::IdentityAlgorithms
            | Self::IdentityTokenTypes
            | Self::IdentitySigningKeys
            | Self::IdentityClockSkew
            | Self::IdentityGroups
            | Self::IdentityGrantKey
            | Self::IdentityGrantKeys
            | Self::VaultStore
            | Self::VaultApiVersion
            | Self::VaultCallsPerSecond
            | Self::VaultMemory
            | Self::VaultFile
            | Self::VaultKeyFile
            | Self::AuditFolder
            | Self::AuditCheckpointKey
            | Self::AuditCheckpointVaultKey
            | Self::AuditSecretValues
            | Self::AuditPseudonymKeys
            | Self::AuditRetentionDays
            | Self::AuditFormerKeys
            | Self::AuditFileSink
            | Self::AuditSqliteSink
            | Self::AuditMonitorEndpoint
            | Self::AuditMonitorRule
            | Self::AuditMonitorStream
            | Self::AuditRemoteSink
            | Self::AuditRemoteWithin
            | Self::AuditMaxLag
            | Self::AlertsFile => true,
            // Adding either in the environment tightens: there was no limit, and nobody looked.
            Self::MetadataMaxStaleness
            | Self::MetadataWatch
            | Self::IdentityTenant
            | Self::IdentityAudience
            | Self::StatusFolder
            | Self::VaultPassphrase => false,
        }
    }
}
