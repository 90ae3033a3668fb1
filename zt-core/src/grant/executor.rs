//! The hands of an executor: a process without tables, network and secrets, which has a grant and a public key.
//!
//! In: a [`Grant`] and the keys that are trusted. Out: yes or no from its scope alone, sealers, and at the end a [`Statement`] of
//! what was done, which the driver merges into its audit log. Wrapping is by the public half of a key: an executor that seals
//! cannot open.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::{Grant, GrantError, GrantKind, GrantPublicKey, Seal};
use crate::audit::{Act, Acts, COLUMNS, MALFORMED, Statement, Task};
use crate::clock::{Clock, SystemClock, Timestamp};
use crate::envelope::{Binding, DataKey, Form, Scope, Sealer, oaep};
use crate::error::{Code, Error, Result};
use crate::policy::Action;
use crate::session::parse;

/// How far the clocks of driver and executor may differ.
pub(crate) const SKEW: Duration = Duration::from_secs(60);

/// What an executor may, for one task. Safe across threads. A forked child draws its own keys, and should open an executor of
/// its own: this one's account goes on under the chain and process of its parent, and of two accounts of one chain only one
/// is taken for the whole task's.
///
/// ```no_run
/// # use zt_core::grant::{Executor, Grant, GrantPublicKey};
/// # fn task(text: &str, key: GrantPublicKey, rows: &zt_core::batch::Batch) -> zt_core::Result<String> {
/// let executor = Executor::open(&Grant::parse(text)?, &[key])?;
/// executor.require("model.infer", "model:car_loan_scorer")?;
/// let sealed = executor.sealer("loan_scores_delta")?.seal(rows)?; // a data key of its own
/// executor.sealed("loan_scores_delta", 500)?;
/// let statement = executor.statement()?;                          // for the driver's audit log
/// # Ok(statement.to_string())
/// # }
/// ```
pub struct Executor {
    grant: Grant,
    clock: Arc<dyn Clock>,
    opened: Timestamp,
    /// The same on the monotonic tick, which no set wall clock moves: times of acts are counted from it.
    tick: Duration,
    /// The end on the tick: a wall clock set back does not revive the grant.
    ends: Duration,
    acts: Mutex<Acts>,
}

impl Executor {
    /// The hands that this grant gives.
    ///
    /// # Errors
    /// [`GrantError`], folded: none of the keys signed it, it is over or not valid yet, or it is for a stage.
    pub fn open(grant: &Grant, trusted: &[GrantPublicKey]) -> Result<Self> {
        Self::open_with(grant, trusted, Arc::new(SystemClock::new()))
    }

    /// The same with a clock.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub fn open_with(
        grant: &Grant,
        trusted: &[GrantPublicKey],
        clock: Arc<dyn Clock>,
    ) -> Result<Self> {
        grant.refuse_other_kind(GrantKind::Executors)?;
        let now = clock.now();
        grant.verify(trusted, now, SKEW)?;
        let left = grant.expires_at().as_millis() - now.as_millis();
        let left = Duration::from_millis(u64::try_from(left).unwrap_or(0));
        let tick = clock.elapsed();
        Ok(Self {
            opened: now,
            tick,
            ends: tick.saturating_add(left),
            acts: Mutex::new(Acts::open(grant.id(), &grant.mark())?),
            grant: grant.clone(),
            clock,
        })
    }

    /// The same, whose account says which task of a distributed computation it is of: what a first try did, and what a second.
    #[must_use]
    pub fn of_task(self, task: Task) -> Self {
        self.acts().of_task(task);
        self
    }

    /// The grant.
    #[must_use]
    pub const fn grant(&self) -> &Grant {
        &self.grant
    }

    /// Whether the grant covers this. What is refused stands in the [`statement`](Self::statement) as what is allowed does.
    ///
    /// # Errors
    /// `Denied` with [`Code::OutOfGrant`], `Unauthenticated` after its end, `Invalid` for an unknown action or a malformed
    /// resource.
    pub fn require(&self, action: &str, resource: &str) -> Result<()> {
        let (action, resource) = match parse(action, resource) {
            Ok(parsed) => parsed,
            Err(error) => {
                let asked = cut(&format!("{action} {resource}"));
                self.acts().add(self.act(MALFORMED, &asked).refused());
                return Err(error);
            }
        };
        let act = self.act(action.as_str(), resource.as_str());
        if let Err(over) = self.require_valid() {
            self.acts().add(act.refused());
            return Err(over);
        }
        let mut rights = self.grant.rights().iter();
        if rights.any(|right| right.action == action && right.resource == resource) {
            self.acts().add(act.allowed());
            return Ok(());
        }
        self.acts().add(act.refused());
        Err(GrantError::OutOfScope {
            action: action.to_string(),
            resource: resource.to_string(),
            covers: self.covers(),
        }
        .into())
    }

    /// Whether the grant covers these columns of tables. A grant that names none covers all.
    ///
    /// # Errors
    /// `Denied` with [`Code::OutOfGrant`] and the first that it does not cover, `Unauthenticated` after its end.
    pub fn require_columns(&self, columns: &[&str]) -> Result<()> {
        if let Err(over) = self.require_valid() {
            self.acts().add(self.act(COLUMNS, "*").refused());
            return Err(over);
        }
        let Some(covered) = self.grant.columns() else {
            return Ok(());
        };
        let is_bare = |column: &&str| {
            let folded = crate::text::fold(column);
            covered.iter().all(|own| crate::text::fold(own) != folded)
        };
        let Some(column) = columns.iter().copied().find(is_bare) else {
            self.acts().add(self.act(COLUMNS, "*").allowed());
            return Ok(());
        };
        let asked = cut(column);
        self.acts().add(self.act(COLUMNS, &asked).refused());
        Err(GrantError::ColumnOutOfScope {
            column: column.to_owned(),
            covers: covered.join(", "),
        }
        .into())
    }

    /// A sealer with a fresh data key, wrapped by the public half that the grant names. No network, no secret: what it seals
    /// only the vault's key opens.
    ///
    /// # Errors
    /// As [`require`](Self::require) for `data.seal`.
    pub fn sealer(&self, output: &str) -> Result<Sealer> {
        self.require(Action::DataSeal.as_str(), &format!("output:{output}"))?;
        let mut seals = self.grant.claims().seals.iter();
        let seal = seals.find(|seal| seal.output == output);
        let seal = seal.ok_or(GrantError::Malformed("it names no key for an output"))?;
        let unfit = || GrantError::Malformed("its public key does not wrap");
        let spki = URL_SAFE_NO_PAD.decode(&seal.public_key);
        let spki = spki.map_err(|_| unfit())?;
        let version = seal.version.parse().map_err(|_| unfit())?;
        let dek = DataKey::generate()?;
        let wrapped = oaep::wrap(&spki, version, &dek).ok_or_else(unfit)?;
        Ok(Sealer::new(&scope(seal), &dek, wrapped, None)?)
    }

    /// Notes that so many rows of an output were sealed, after the end of the grant too: a sealer that was there before it
    /// may have been at work.
    ///
    /// # Errors
    /// `Denied` with [`Code::OutOfGrant`] for an output that the grant does not seal.
    pub fn sealed(&self, output: &str, rows: u64) -> Result<()> {
        if self.grant.sealed_columns(output).is_none() {
            return self.require(Action::DataSeal.as_str(), &format!("output:{output}"));
        }
        let resource = format!("output:{output}");
        let act = self.act(Action::DataSeal.as_str(), &resource);
        self.acts().add(act.done(rows));
        Ok(())
    }

    /// What was done, as a chain of its own for the driver's audit log. Later acts stand in no statement: take it last.
    ///
    /// # Errors
    /// `Internal` if it cannot be written.
    pub fn statement(&self) -> Result<Statement> {
        Ok(self.acts().statement(true)?)
    }

    /// What was done so far. Sent ahead, it tells the driver that a task began, should its
    /// [`statement`](Self::statement) never come.
    ///
    /// # Errors
    /// `Internal` if it cannot be written.
    pub fn interim(&self) -> Result<Statement> {
        Ok(self.acts().statement(false)?)
    }

    /// Whether the grant has not ended: to be asked before each batch of a long task.
    ///
    /// # Errors
    /// `Unauthenticated` after its end.
    pub fn require_valid(&self) -> Result<()> {
        let until = self.grant.expires_at();
        if self.clock.now() < until && self.clock.elapsed() < self.ends {
            return Ok(());
        }
        Err(GrantError::Expired { until }.into())
    }

    /// An act of now; of the end of the grant at the latest.
    fn act(&self, action: &str, resource: &str) -> Act {
        let passed = self.clock.elapsed().saturating_sub(self.tick);
        let at = self.opened.after(passed).min(self.grant.expires_at());
        Act::new(at, action, resource)
    }

    /// What the grant covers, in words.
    fn covers(&self) -> String {
        let rights = self.grant.rights().iter().map(|right| format!("`{right}`"));
        rights.collect::<Vec<_>>().join(", ")
    }

    /// Held for a few instructions, never over a wait.
    fn acts(&self) -> MutexGuard<'_, Acts> {
        self.acts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Text of others, of a length that a record takes.
fn cut(text: &str) -> String {
    text.chars().take(256).collect()
}

fn scope(seal: &Seal) -> Scope {
    Scope {
        binding: Binding::new(&seal.rule, &seal.table, seal.reference()),
        columns: seal.columns.clone(),
        form: Form::new(&seal.row_key, &[]),
    }
}

impl fmt::Debug for Executor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Executor").field(&self.grant).finish()
    }
}

/// Seals on executors by a public half alone.
pub(crate) fn no_public_half(reference: &str) -> Error {
    let message = format!(
        "`{reference}` has no public half: executors seal by the public half of an RSA key, and this is a key of AES"
    );
    let help = format!(
        "make it an RSA key: `zt vault create-key {reference} --rsa`, in Key Vault `az keyvault key create --kty RSA`; \
         or seal on the driver"
    );
    Error::new(Code::InvalidArgument, message).with_help(help)
}
