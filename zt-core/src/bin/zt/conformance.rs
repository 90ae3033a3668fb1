//! `zt conformance azure`: the contract that zt's vaults keep, checked against a real one.
//!
//! In: a scratch vault that has a row of Network_Rules, and whoever this process is. Out: which parts of the contract hold
//! there. It writes secrets whose names begin with `zt-conformance-` and deletes them at the end; nothing else is changed.

use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use anstream::println;
use clap::{Args, Subcommand};
use tokio::runtime::Runtime;
use zt_core::adapters::azure::{KeyVaultSecrets, KeyVaultWriter};
use zt_core::clock::{Clock, SystemClock};
use zt_core::port::BoxFuture;
use zt_core::runtime::{self, Config};
use zt_core::secrets::{
    Attempt, AttemptId, Fetched, SecretBytes, SecretId, SecretName, SecretVault, SecretVersion,
    Validity, VaultError, VaultUrl,
};
use zt_core::testing::vault_contract::{self, Seed};
use zt_core::text::shown;
use zt_core::{Code, Error, Result};

use crate::{Answer, paint};

#[derive(Debug, Subcommand)]
pub(crate) enum Conformance {
    /// Against Azure Key Vault, or an emulator of it.
    Azure(Azure),
}

#[derive(Debug, Args)]
pub(crate) struct Azure {
    /// The scratch vault, such as `https://kv-scratch.vault.azure.net`. It needs a row of Network_Rules, and this identity the
    /// role `Key Vault Secrets Officer` on it.
    #[arg(long)]
    vault: String,
    /// Remove the deleted secrets for good too; needs the right to purge.
    #[arg(long)]
    purge: bool,
}

/// Each call is over within this.
const DEADLINE: Duration = Duration::from_secs(15);

impl Conformance {
    pub(crate) async fn run(self, config: &Config) -> Result<Answer> {
        let Self::Azure(azure) = self;
        let vault: VaultUrl =
            azure
                .vault
                .parse()
                .map_err(|why: zt_core::secrets::NotAVaultUrl| {
                    Error::new(Code::InvalidArgument, why.to_string())
                })?;
        let snapshot = runtime::tables(config).await?.current();
        let inner = runtime::key_vault(config, &snapshot)?;
        // As names go: apart from every other run, and readable by whoever finds one.
        let run = SystemClock::new().now().as_millis();
        let scratch = Scratch {
            inner,
            vault,
            run,
            attempts: AtomicU64::new(1),
            written: Mutex::default(),
            executor: executor()?,
        };
        // A vault that is not reached, or that lets us do less than the suite does, breaks no contract.
        let admitted = scratch.wait(scratch.try_out());
        let is_kept = admitted.is_ok() && scratch.check_all();
        let is_clean = scratch.clean_up(azure.purge).await;
        scratch.executor.shutdown_background();
        admitted.map_err(explained)?;
        Ok(if is_kept && is_clean {
            Answer::Yes
        } else {
            Answer::No
        })
    }
}

/// A vault whose every name is the suite's, behind a prefix; the suite's two vaults are one here.
struct Scratch {
    inner: KeyVaultSecrets,
    vault: VaultUrl,
    run: i64,
    attempts: AtomicU64,
    written: Mutex<Vec<SecretName>>,
    /// The suite writes from synchronous functions, in the midst of what it awaits: connections must go on meanwhile, so
    /// they are driven by threads that nobody blocks.
    executor: Runtime,
}

impl std::fmt::Debug for Scratch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Scratch({})", self.vault)
    }
}

/// The role that lets one read does not do here.
fn explained(why: VaultError) -> Error {
    let is_denied = matches!(why, VaultError::Denied { .. });
    let error = Error::from(why);
    if is_denied {
        error.with_help("give this identity the role `Key Vault Secrets Officer` on the vault")
    } else {
        error
    }
}

impl Scratch {
    /// Writes a secret and reads it.
    async fn try_out(&self) -> Result<(), VaultError> {
        let name = format!("zt-conformance-{}-first", self.run);
        let name: SecretName = name
            .parse()
            .map_err(|_| VaultError::invalid("the suite uses a name that is too long"))?;
        let value = SecretBytes::copy_of(b"nobody's");
        let writer = self.inner.writer(&self.vault)?;
        let attempt = self.attempt();
        let _version = writer
            .set(&name, &value, Validity::ALWAYS, &attempt)
            .await?;
        self.written().push(name.clone());
        let id = SecretId::new(self.vault.clone(), name);
        self.inner.fetch(&id, &self.attempt()).await.map(drop)
    }

    fn check_all(&self) -> bool {
        let checks: [(&str, &dyn Fn() -> bool); 9] = [
            ("an existing secret is found", &|| {
                self.holds(vault_contract::an_existing_secret_is_found(self))
            }),
            ("a missing secret is not found", &|| {
                self.holds(vault_contract::a_missing_secret_is_not_found(self))
            }),
            ("two names are two secrets", &|| {
                self.holds(vault_contract::vaults_do_not_share_names(self))
            }),
            ("names ignore case", &|| {
                self.holds(vault_contract::names_ignore_case(self))
            }),
            ("versions stay readable", &|| {
                self.holds(vault_contract::versions_stay_readable(self))
            }),
            ("any text comes back", &|| {
                self.holds(vault_contract::any_bytes_come_back(self))
            }),
            ("a disabled secret is refused", &|| {
                self.holds(vault_contract::a_disabled_secret_is_refused(self))
            }),
            ("the span of validity is told", &|| {
                self.holds(vault_contract::the_span_of_validity_is_told(self))
            }),
            ("readers do not disturb each other", &|| {
                self.holds(vault_contract::readers_do_not_disturb_each_other(self))
            }),
        ];
        let mut is_kept = true;
        for (name, check) in checks {
            let passed = check();
            is_kept &= passed;
            let (good, bad) = (paint::GOOD, paint::BAD);
            if passed {
                println!("{good}holds{good:#}  {name}");
            } else {
                println!("{bad}fails{bad:#}  {name}");
            }
        }
        is_kept
    }

    /// A check of the suite panics where the contract is broken, and its message tells where.
    fn holds(&self, check: impl Future<Output = ()> + Send) -> bool {
        catch_unwind(AssertUnwindSafe(|| self.wait(check))).is_ok()
    }

    /// Runs a future to its end from a synchronous function, on a thread that may wait.
    fn wait<T: Send>(&self, future: impl Future<Output = T> + Send) -> T {
        std::thread::scope(|scope| {
            let work = scope.spawn(|| self.executor.block_on(future));
            match work.join() {
                Ok(outcome) => outcome,
                Err(why) => std::panic::resume_unwind(why),
            }
        })
    }

    /// Deletes what was written, and says what it could not.
    async fn clean_up(&self, purge: bool) -> bool {
        let names = std::mem::take(&mut *self.written());
        let writer = match self.inner.writer(&self.vault) {
            Ok(writer) => writer,
            Err(why) => {
                println!("nothing was deleted: {why}");
                return names.is_empty();
            }
        };
        let mut left = 0_usize;
        for name in &names {
            if let Err(why) = writer.delete(name, &self.attempt()).await {
                println!("{name} is left: {}", shown(&why.to_string()));
                left += 1;
                continue;
            }
            if purge && let Err(why) = self.purge(&writer, name).await {
                println!("{name} is not purged: {}", shown(&why.to_string()));
                left += 1;
            }
        }
        println!("{} secrets were written, {left} are left", names.len());
        left == 0
    }

    /// A deletion takes some seconds to be done.
    async fn purge(&self, writer: &KeyVaultWriter, name: &SecretName) -> Result<(), VaultError> {
        let mut purged = writer.purge(name, &self.attempt()).await;
        for _ in 0..30 {
            let is_early = matches!(
                purged,
                Err(VaultError::Unavailable { .. } | VaultError::NotFound { .. })
            );
            if !is_early {
                break;
            }
            tokio::time::sleep(Duration::from_secs(1)).await;
            purged = writer.purge(name, &self.attempt()).await;
        }
        purged
    }

    fn here(&self, id: &SecretId) -> Result<SecretId, VaultError> {
        let other = if id.vault().as_str().contains("other") {
            "other-"
        } else {
            ""
        };
        let name = format!("zt-conformance-{}-{other}{}", self.run, id.name());
        let name = name
            .parse()
            .map_err(|_| VaultError::invalid("the suite uses a name that is too long"))?;
        let here = SecretId::new(self.vault.clone(), name);
        Ok(match id.version() {
            Some(version) => here.at(version),
            None => here,
        })
    }

    fn attempt(&self) -> Attempt {
        let number = self.attempts.fetch_add(1, Ordering::Relaxed);
        let run = u128::from(self.run.unsigned_abs()) << 64;
        Attempt::new(AttemptId::from_u128(run | u128::from(number)), DEADLINE)
    }

    fn written(&self) -> std::sync::MutexGuard<'_, Vec<SecretName>> {
        self.written.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl SecretVault for Scratch {
    fn fetch<'a>(
        &'a self,
        id: &'a SecretId,
        _attempt: &'a Attempt,
    ) -> BoxFuture<'a, Result<Fetched, VaultError>> {
        Box::pin(async move {
            let here = self.here(id)?;
            let fetched = self.inner.fetch(&here, &self.attempt()).await;
            // The suite looks for the name that it asked for.
            fetched.map_err(|error| {
                if matches!(error, VaultError::NotFound { .. }) {
                    VaultError::not_found(id)
                } else {
                    error
                }
            })
        })
    }
}

impl Seed for Scratch {
    #[expect(clippy::panic, reason = "the suite's way to say that a check fails")]
    fn put(&self, id: &SecretId, value: &[u8], validity: Validity) -> SecretVersion {
        let write = async {
            let here = self.here(id)?;
            let writer = self.inner.writer(&self.vault)?;
            let value = SecretBytes::copy_of(value);
            let attempt = self.attempt();
            let version = writer.set(here.name(), &value, validity, &attempt).await?;
            let mut names = self.written();
            if !names.contains(here.name()) {
                names.push(here.name().clone());
            }
            Ok::<_, VaultError>(version)
        };
        match self.wait(write) {
            Ok(version) => version,
            Err(why) => panic!("the vault takes no secret: {why}"),
        }
    }

    fn takes_bytes(&self) -> bool {
        false
    }
}

fn executor() -> Result<Runtime> {
    let built = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build();
    built.map_err(|why| Error::new(Code::Internal, "no executor").with_source(why))
}
