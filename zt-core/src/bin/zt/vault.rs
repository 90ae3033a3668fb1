//! `zt vault`: the encrypted local vault. Values come from a prompt or standard input, never from the command line,
//! which other users of the machine can read.

use std::io::{IsTerminal as _, Read as _};
use std::sync::Arc;
use std::time::Duration;

use anstream::println;
use clap::Subcommand;
use zeroize::Zeroizing;
use zt_core::audit::{AuditLog, Durability, Kind, Outcome, Record};
use zt_core::clock::{Clock as _, SystemClock};
use zt_core::envelope::DeterministicKey;
use zt_core::id::SecretRef;
use zt_core::metadata::{Problem, SecretKind, Snapshot};
use zt_core::runtime::{self, Config};
use zt_core::secrets::{SecretId, Validity};
use zt_core::{Code, Error, Result};

use crate::{Answer, paint};

#[derive(Debug, Subcommand)]
pub(crate) enum Vault {
    /// Write a new version of a secret; the value is asked for, or read from standard input.
    Set {
        /// The id of a row of Secret_References.
        reference: String,
    },
    /// Make a new version of a key; what was sealed under the old ones still opens.
    CreateKey {
        /// The id of a row of Secret_References of kind `key`.
        reference: String,
        /// An RSA key, whose public half executors seal by.
        #[arg(long)]
        rsa: bool,
    },
    /// Print a key for the deterministic columns of a rule, wrapped: `deterministic_key` of its row. With `--again` the key
    /// that the row has, under the newest version of the rule's key.
    CreateDeterministicKey {
        /// The id of a row of Encryption_Rules.
        rule: String,
        /// Wrap the key that the row has, instead of a new one.
        #[arg(long)]
        again: bool,
    },
    /// Names, versions and dates; never values.
    List,
    /// Remove a secret with all its versions.
    Remove {
        /// The id of a row of Secret_References.
        reference: String,
    },
}

impl Vault {
    pub(crate) async fn run(self, config: &Config) -> Result<Answer> {
        match self {
            Self::Set { reference } => {
                let id = id_of(
                    &runtime::tables(config).await?.current(),
                    &reference,
                    SecretKind::Secret,
                )?;
                let value = read_value(&reference)?;
                let version = audited(config, "vault.set", &reference, || {
                    Ok(runtime::local_vault(config)?.set(&id, value, Validity::ALWAYS)?)
                })
                .await?;
                println!("{reference} is set, version {version}");
            }
            Self::CreateKey { reference, rsa } => {
                let snapshot = runtime::tables(config).await?.current();
                let id = id_of(&snapshot, &reference, SecretKind::Key)?;
                let version = audited(config, "vault.create_key", &reference, || {
                    let vault = runtime::local_vault(config)?;
                    Ok(match rsa {
                        true => vault.create_rsa_key(&id)?,
                        false => vault.create_key(&id)?,
                    })
                })
                .await?;
                println!("{reference} is created, version {version}");
            }
            Self::CreateDeterministicKey { rule, again } => {
                println!("{}", deterministic_key(config, &rule, again).await?);
            }
            Self::List => list(config)?,
            Self::Remove { reference } => {
                let id = id_of(
                    &runtime::tables(config).await?.current(),
                    &reference,
                    SecretKind::Secret,
                )?;
                audited(config, "vault.remove", &reference, || {
                    Ok(runtime::local_vault(config)?.remove(&id)?)
                })
                .await?;
                println!("{reference} is removed");
            }
        }
        Ok(Answer::Yes)
    }
}

/// Changes the vault between two records: that it will be tried, and how it ended. No audit, no change.
async fn audited<T>(
    config: &Config,
    action: &'static str,
    reference: &str,
    change: impl FnOnce() -> Result<T>,
) -> Result<T> {
    Log::open(config, action, reference).await?.close(change())
}

/// The log between two records of one change.
struct Log {
    log: AuditLog,
    clock: Arc<SystemClock>,
    action: &'static str,
    resource: String,
}

impl Log {
    async fn open(config: &Config, action: &'static str, reference: &str) -> Result<Self> {
        let clock = Arc::new(SystemClock::new());
        let options = runtime::audit_options(config).await?;
        let log = Self {
            log: AuditLog::open(options, Arc::<SystemClock>::clone(&clock))?,
            clock,
            action,
            resource: format!("secret:{reference}"),
        };
        let record = log.record("begun", Outcome::Ok);
        log.log.append(record, Durability::Durable)?;
        Ok(log)
    }

    fn record(&self, state: &str, outcome: Outcome) -> Record {
        let (now, resource) = (self.clock.now(), self.resource.clone());
        Record::new(Kind::Admin, now, self.action, resource, outcome).with_detail("state", state)
    }

    fn close<T>(self, changed: Result<T>) -> Result<T> {
        let ended = match &changed {
            Ok(_) => self.record("done", Outcome::Ok),
            Err(error) => {
                let failed = self.record("failed", Outcome::Failed);
                failed.with_detail("reason", error.message())
            }
        };
        self.log.append(ended, Durability::Durable)?;
        self.log.close(Duration::from_secs(5))?;
        changed
    }
}

async fn deterministic_key(config: &Config, rule: &str, again: bool) -> Result<DeterministicKey> {
    let snapshot = runtime::tables(config).await?.current();
    let rules = &snapshot.tables().encryption_rules;
    let row = rules.iter().find(|row| row.id == rule).ok_or_else(|| {
        let names: Vec<&str> = rules.iter().map(|row| row.id.as_str()).collect();
        let problem = Problem::new("no row of Encryption_Rules has it").text(rule);
        Error::new(Code::NotFound, problem.nearest(&names).to_string())
    })?;
    let id = id_of(&snapshot, row.key.as_str(), SecretKind::Key)?;
    let keys = runtime::key_wrapper(config, &snapshot)?;
    let (action, reference) = ("vault.create_deterministic_key", row.key.as_str());
    let log = Log::open(config, action, reference).await?;
    let made = match &row.deterministic_key {
        Some(key) if again => key.rewrap(&*keys, &id).await,
        None if again => {
            let message = format!("`{rule}` has no deterministic key yet");
            Err(Error::new(Code::InvalidArgument, message))
        }
        Some(_) | None => DeterministicKey::create(&*keys, &id, rule, &row.key).await,
    };
    log.close(made)
}

fn id_of(snapshot: &Snapshot, reference: &str, kind: SecretKind) -> Result<SecretId> {
    let row = snapshot
        .secret_reference(&SecretRef::new(reference))
        .ok_or_else(|| {
            let rows = snapshot.tables().secret_references.iter();
            let names: Vec<&str> = rows.map(|row| row.id.as_str()).collect();
            let problem = Problem::new("no row of Secret_References has it").text(reference);
            Error::new(Code::NotFound, problem.nearest(&names).to_string())
        })?;
    if row.kind != kind {
        let (is, help) = if kind == SecretKind::Key {
            ("a secret", "`zt vault set` writes a secret")
        } else {
            (
                "a key",
                "`zt vault create-key` makes a new version of a key",
            )
        };
        let message = format!("`{reference}` is {is}");
        return Err(Error::new(Code::InvalidArgument, message).with_help(help));
    }
    Ok(SecretId::new(row.vault.clone(), row.name.clone()))
}

/// Without the line feed that a shell's `echo` adds.
fn read_value(reference: &str) -> Result<Zeroizing<Vec<u8>>> {
    let unreadable = |why: std::io::Error| {
        Error::new(Code::InvalidArgument, "the value cannot be read").with_source(why)
    };
    if std::io::stdin().is_terminal() {
        let prompt = format!("value of {reference} (not shown): ");
        let value = Zeroizing::new(rpassword::prompt_password(prompt).map_err(unreadable)?);
        return Ok(Zeroizing::new(value.as_bytes().to_vec()));
    }
    // Room for the longest value and one byte more, so that the buffer never moves and leaves a copy behind.
    let mut value = Zeroizing::new(Vec::with_capacity(MOST_BYTES + 1));
    let most = u64::try_from(MOST_BYTES).unwrap_or(u64::MAX);
    std::io::stdin()
        .lock()
        .take(most + 1)
        .read_to_end(&mut value)
        .map_err(unreadable)?;
    if value.last() == Some(&b'\n') {
        value.pop();
    }
    Ok(value)
}

/// More than a vault takes, so that its own message tells the limit.
const MOST_BYTES: usize = 64 * 1024;

fn list(config: &Config) -> Result<()> {
    let dim = paint::DIM;
    for secret in runtime::local_vault(config)?.list()? {
        let kind = if secret.kind == SecretKind::Key {
            " key"
        } else {
            ""
        };
        println!("{} {dim}{}{dim:#}{kind}", secret.name, secret.vault);
        for version in secret.versions {
            let state = if version.validity.enabled {
                ""
            } else {
                " disabled"
            };
            println!(
                "    {} {dim}{}{dim:#}{state}",
                version.version, version.created
            );
        }
    }
    Ok(())
}
