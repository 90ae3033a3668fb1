//! Configuration: `zt.toml`, the environment and the builder, all through one [`ConfigKey`].
//!
//! The file speaks first. The environment (`ZT_*`) and keywords may **add** what it leaves out; they never replace what it
//! sets. In production a setting with a default counts as set, so nobody can point a production service at other tables,
//! another cloud or another log from outside. The one exception tightens: `ZT_MODE=production` over a development file.

mod development;
mod key;
mod number;
mod seconds;

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use toml::de::{DeTable, DeValue};
use zeroize::Zeroizing;

use development::Development;
pub use development::DevelopmentGroups;
pub use key::ConfigKey;

use crate::error::{Code, Error, Result};
use crate::metadata::{Lines, Place, Problem};

/// Whether the process guards real data.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Mode {
    /// It does: tokens of Entra only.
    #[default]
    Production,
    /// It does not: tokens of the development issuer are accepted.
    Development,
}

/// A read and checked configuration. Its `Debug` never shows the passphrase.
#[derive(Clone)]
pub struct Config {
    folder: PathBuf,
    values: BTreeMap<ConfigKey, String>,
    passphrase: Option<Arc<Zeroizing<String>>>,
    development: Development,
    /// How often to look by the file alone.
    watch_of_file: Option<Duration>,
}

impl Config {
    /// Reads `folder/zt.toml` and then the process environment.
    ///
    /// # Errors
    /// [`Code::Config`] with every problem of the file, or with what the environment tries to replace.
    pub fn load(folder: impl AsRef<Path>) -> Result<Self> {
        Self::load_with(folder, |name| std::env::var_os(name))
    }

    /// The same with an environment of the caller's choice.
    ///
    /// # Errors
    /// As [`load`](Self::load).
    pub fn load_with(
        folder: impl AsRef<Path>,
        environment: impl Fn(&str) -> Option<OsString>,
    ) -> Result<Self> {
        let folder = folder.as_ref();
        let file = folder.join("zt.toml");
        let text = std::fs::read_to_string(&file).map_err(|why| {
            Error::new(Code::Config, format!("cannot read `{}`", file.display()))
                .with_help("name a folder that holds `zt.toml`, such as `examples/world`")
                .with_source(why)
        })?;
        let mut config = Self::parse(folder, &text)?;
        for key in ConfigKey::ALL {
            if let Some(value) = environment(key.env()) {
                let value = value
                    .into_string()
                    .map_err(|_| invalid(*key, "is not UTF-8"))?;
                config.add(*key, value, &format!("`{}`", key.env()))?;
            }
        }
        config.check()?;
        Ok(config)
    }

    /// Adds a setting that neither the file nor the environment made, as builders and keywords do.
    ///
    /// # Errors
    /// [`Code::Config`] when it would replace another value.
    pub fn set(mut self, key: ConfigKey, value: impl Into<String>) -> Result<Self> {
        self.add(key, value.into(), "a keyword")?;
        self.check()?;
        Ok(self)
    }

    fn add(&mut self, key: ConfigKey, value: String, by: &str) -> Result<()> {
        let help = "change `zt.toml`; the environment and keywords add, they never replace";
        let refused = |why: &str| {
            let message = format!("{by} may not set `{key}`: {why}");
            Err(Error::new(Code::Config, message).with_help(help))
        };
        if value.trim().is_empty() {
            return refused("the value is empty");
        }
        if key == ConfigKey::VaultPassphrase {
            if self.values.contains_key(&ConfigKey::VaultKeyFile) {
                return refused("`vault.key_file` is set already");
            }
            if self.vault_passphrase().is_some_and(|set| set != value) {
                return refused("another one is set already");
            }
            self.passphrase = Some(Arc::new(Zeroizing::new(value)));
            return Ok(());
        }
        if key == ConfigKey::VaultKeyFile && self.passphrase.is_some() {
            return refused("a passphrase is set already");
        }
        let value = match key.number() {
            Some(number) => match number.read(&value) {
                Some(value) => value,
                None => return refused(number.expected),
            },
            None => value,
        };
        let tightens = key == ConfigKey::Mode && value == "production";
        match self.values.get(&key) {
            Some(set) if *set == value => Ok(()),
            None if key == ConfigKey::MetadataWatch && self.is_slower_than_file(&value) => {
                refused("the limit of `zt.toml` means to look at least every third of it")
            }
            Some(_) if !tightens => refused("another value is set already"),
            // What a production file leaves out has its default, and that default is what its authors relied on.
            None if key.has_default() && self.mode() == Mode::Production && !tightens => {
                refused("a production `zt.toml` without it means the default")
            }
            Some(_) | None => {
                self.values.insert(key, value);
                Ok(())
            }
        }
    }

    fn check(&self) -> Result<()> {
        self.check_watch()?;
        if !matches!(
            self.value(ConfigKey::Mode),
            None | Some("production" | "development")
        ) {
            return Err(invalid(
                ConfigKey::Mode,
                "must be `production` or `development`",
            ));
        }
        if self.mode() == Mode::Production && !self.development.is_empty() {
            let error = invalid(ConfigKey::Mode, "is production, but `[development]` is set");
            return Err(error.with_help(
                "remove that section; `mode = \"development\"` is for processes that guard nothing",
            ));
        }
        if self.mode() == Mode::Production
            && self.value(ConfigKey::IdentityCloud) == Some("development")
        {
            let reason = "is `development`: a production configuration refuses that issuer";
            return Err(invalid(ConfigKey::IdentityCloud, reason));
        }
        Ok(())
    }

    /// The folder of `zt.toml`; relative paths start there.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Whether the process guards real data.
    #[must_use]
    pub fn mode(&self) -> Mode {
        match self.value(ConfigKey::Mode) {
            Some("development") => Mode::Development,
            _ => Mode::Production,
        }
    }

    /// The value of a setting, if anybody made it.
    #[must_use]
    pub fn value(&self, key: ConfigKey) -> Option<&str> {
        self.values.get(&key).map(String::as_str)
    }

    /// A path setting against the folder, or its default.
    #[must_use]
    pub fn path(&self, key: ConfigKey, default: &str) -> PathBuf {
        self.folder.join(self.value(key).unwrap_or(default))
    }

    /// Where the tables are.
    #[must_use]
    pub fn tables(&self) -> PathBuf {
        self.path(ConfigKey::Tables, ".")
    }

    /// Where the audit log is.
    #[must_use]
    pub fn audit_folder(&self) -> PathBuf {
        self.path(ConfigKey::AuditFolder, ".zt/audit")
    }

    /// Where the audit key is.
    #[must_use]
    pub fn audit_key_file(&self) -> PathBuf {
        self.path(ConfigKey::AuditCheckpointKey, ".zt/audit.key")
    }

    /// Where the keys of pseudonyms are.
    #[must_use]
    pub fn pseudonym_keys_file(&self) -> PathBuf {
        self.path(ConfigKey::AuditPseudonymKeys, ".zt/pseudonym.keys")
    }

    /// How long the audit log is kept, if not for ever.
    pub(super) fn audit_retention(&self) -> Option<Duration> {
        let days: u32 = self.value(ConfigKey::AuditRetentionDays)?.parse().ok()?;
        Some(Duration::from_secs(u64::from(days) * 86_400))
    }

    /// Where the public parts of earlier audit keys are, if there are any.
    pub(super) fn audit_former_keys(&self) -> Option<PathBuf> {
        let file = self.value(ConfigKey::AuditFormerKeys)?;
        Some(self.folder.join(file))
    }

    /// Where fired alerts are appended to.
    #[must_use]
    pub fn alerts_file(&self) -> PathBuf {
        self.path(ConfigKey::AlertsFile, ".zt/alerts.jsonl")
    }

    /// Whether a secret that finds no room in locked memory is refused.
    pub(super) fn must_lock_secrets(&self) -> Result<bool> {
        self.one_of(ConfigKey::VaultMemory, ["prefer_locked", "locked"])
    }

    /// Whether a setting has its second value; the first is its default.
    pub(super) fn one_of(&self, key: ConfigKey, [default, other]: [&str; 2]) -> Result<bool> {
        match self.value(key) {
            None => Ok(false),
            Some(value) if value == default => Ok(false),
            Some(value) if value == other => Ok(true),
            Some(_) => {
                let message = format!("`{key}` must be `{default}` or `{other}`");
                Err(Error::new(Code::Config, message))
            }
        }
    }

    /// How often each vault may be called in a second.
    pub(super) fn calls_per_second(&self) -> Option<u32> {
        self.value(ConfigKey::VaultCallsPerSecond)?.parse().ok()
    }

    /// Where the local vault is.
    #[must_use]
    pub fn vault_file(&self) -> PathBuf {
        self.path(ConfigKey::VaultFile, ".zt/vault")
    }

    /// Where the local vault's key is.
    #[must_use]
    pub fn vault_key_file(&self) -> PathBuf {
        self.path(ConfigKey::VaultKeyFile, ".zt/vault.key")
    }

    /// The local vault's passphrase, if the environment or a keyword gave one.
    #[must_use]
    pub fn vault_passphrase(&self) -> Option<&str> {
        self.passphrase
            .as_deref()
            .map(|passphrase| passphrase.as_str())
    }

    /// Where the pinned key set is, if keys are pinned.
    #[must_use]
    pub fn keys_file(&self) -> Option<PathBuf> {
        match self.value(ConfigKey::IdentityKeys) {
            Some(path) => Some(self.folder.join(path)),
            None if self.value(ConfigKey::IdentityCloud) == Some("development") => {
                Some(self.folder.join(".zt/dev-issuer.jwks.json"))
            }
            None => None,
        }
    }

    /// Where the keys that Entra publishes are kept for the next start.
    #[must_use]
    pub fn key_cache(&self) -> PathBuf {
        self.path(ConfigKey::IdentityKeyCache, ".zt/issuer-keys")
    }

    fn parse(folder: &Path, text: &str) -> Result<Self> {
        let mut config = Self {
            folder: folder.to_owned(),
            values: BTreeMap::new(),
            passphrase: None,
            development: Development::default(),
            watch_of_file: None,
        };
        let mut problems = Vec::new();
        let lines = Lines::of(Arc::from("zt.toml"), text);
        let (document, errors) = DeTable::parse_recoverable(text);
        for error in &errors {
            // The parser's own message quotes no text of the file.
            let at = error.span().map(|span| lines.place(span.start));
            problems.push(Problem::new(format!("not TOML: {}", error.message())).at(at));
        }
        for (name, value) in document.get_ref() {
            let at = lines.place(name.span().start);
            let Some(section) = value.get_ref().as_table() else {
                config.read_setting(name.get_ref(), value.get_ref(), at, &mut problems);
                continue;
            };
            if name.get_ref() == "development" {
                config.development.read(section, &at, &mut problems);
                continue;
            }
            for (key, value) in section {
                let at = lines.place(key.span().start);
                let full = format!("{}.{}", name.get_ref(), key.get_ref());
                config.read_setting(&full, value.get_ref(), at, &mut problems);
            }
        }
        config.watch_of_file = config.watch_every();
        if problems.is_empty() {
            Ok(config)
        } else {
            Err(refused(&problems))
        }
    }

    fn read_setting(
        &mut self,
        name: &str,
        value: &DeValue<'_>,
        at: Place,
        problems: &mut Vec<Problem>,
    ) {
        let Some(key) = ConfigKey::ALL
            .iter()
            .copied()
            .find(|key| key.as_str() == name)
        else {
            let names: Vec<&str> = ConfigKey::ALL.iter().map(|key| key.as_str()).collect();
            let problem = Problem::new("not a setting").text(name).nearest(&names);
            return problems.push(problem.at(Some(at)));
        };
        if key == ConfigKey::VaultPassphrase {
            let reason = "a passphrase does not belong in a file: set ZT_VAULT_PASSPHRASE";
            return problems.push(Problem::new(reason).text(name).at(Some(at)));
        }
        let (read, expected) = match key.number() {
            Some(number) => (number.of_file(value), number.expected),
            None => {
                let text = value.as_str().filter(|text| !text.trim().is_empty());
                (text.map(str::to_owned), "expected text")
            }
        };
        match read {
            Some(text) => drop(self.values.insert(key, text)),
            None => problems.push(Problem::new(expected).text(name).at(Some(at))),
        }
    }
}

fn invalid(key: ConfigKey, reason: &str) -> Error {
    Error::new(Code::Config, format!("`{key}` {reason}"))
}

fn refused(problems: &[Problem]) -> Error {
    let lines: Vec<String> = problems.iter().map(ToString::to_string).collect();
    Error::new(Code::Config, lines.join("; "))
}

impl fmt::Debug for Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Config")
            .field("folder", &self.folder)
            .field("values", &self.values)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_taken_bare_and_as_text_and_another_is_refused_by_its_line() {
        let read = |text: &str| Config::parse(Path::new("."), text);
        for (text, calls) in [("7", 7), ("\"7\"", 7), ("400", 400)] {
            let config = read(&format!("[vault]\ncalls_per_s = {text}")).unwrap();
            assert_eq!(config.calls_per_second(), Some(calls));
        }
        for text in ["0", "401", "-1", "1.5", "\"\"", "\"many\"", "true"] {
            let why = read(&format!("[vault]\ncalls_per_s = {text}")).unwrap_err();
            let why = why.to_string();
            assert!(
                why.contains("zt.toml:2:") && why.contains("from 1 to 400"),
                "{why}"
            );
        }
    }

    #[test]
    fn nobody_points_a_production_process_at_other_keys_by_a_variable() {
        let folder = tempfile::tempdir().unwrap();
        let text = "[identity]\ntenant = \"11111111-1111-4111-8111-111111111111\"\naudience = \"d0000000-0000-4000-8000-000000000001\"\n";
        std::fs::write(folder.path().join("zt.toml"), text).unwrap();
        for key in ConfigKey::ALL
            .iter()
            .filter(|key| key.as_str().starts_with("identity."))
        {
            let set = |asked: &str| (asked == key.env()).then(|| OsString::from("60"));
            let read = Config::load_with(folder.path(), set);
            assert!(read.is_err(), "{key} was taken");
        }
    }
}
