//! Tables that are tried in shadow: what this process decides is decided on them too, and the differences are counted, before
//! they are taken.
//!
//! In: tables that the source holds and that are not in force, and each decision as it was made. Out: a count of what would
//! change, then the tables in force, or kept back. Never: another answer, an error in the place of one, or a record that
//! could be taken for an answer. Beginning, taking and keeping back are administrative acts and stand in the audit log.

mod report;
mod trial;

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use arc_swap::{ArcSwapOption, Guard};
use zt_memory::fork::Local;

pub use report::{ShadowCounts, ShadowEnd, ShadowFlip};
pub use trial::Shadow;
use trial::Tally;
pub(crate) use trial::Trial;

use super::Runtime;
use crate::audit::{Durability, Kind, Outcome, Record};
use crate::error::{Error, Result};
use crate::metadata::{Draft, Snapshot};

/// A refusal that lasts is recorded again after this.
const AGAIN: Duration = Duration::from_secs(60);

/// What this process tries, and tried. A forked child tries nothing until it is told to.
#[derive(Debug, Default)]
pub(crate) struct Shadows(Local<State>);

#[derive(Debug, Default)]
struct State {
    current: ArcSwapOption<Trial>,
    /// What was refused last, and when.
    refused: Mutex<Option<(String, Duration)>>,
    totals: Arc<Totals>,
}

/// Counts of all trials of this process: they only grow.
#[derive(Debug, Default)]
pub(super) struct Totals {
    pub(super) tally: Tally,
    pub(super) taken: AtomicU64,
    pub(super) kept_back: AtomicU64,
    pub(super) outdated: AtomicU64,
}

impl Shadows {
    fn state(&self) -> &State {
        self.0.get_or_init(State::default)
    }

    /// The tables that decisions are compared with now.
    pub(crate) fn in_trial(&self) -> Guard<Option<Arc<Trial>>> {
        self.state().current.load()
    }

    pub(super) fn totals(&self) -> &Totals {
        &self.state().totals
    }
}

impl Runtime {
    /// Reads the tables again and tries them in shadow: from now on each decision of a session is made on them too, and what
    /// would change is counted. Answers what is tried, or nothing where the tables are those in force, which confirms them.
    /// Tables that are tried or kept back already go on as they are. To be called again and again, in the place of
    /// `metadata.watch_s`.
    ///
    /// While tables are in shadow, those in force are not confirmed: `metadata.max_staleness_s` must be longer than a trial.
    /// What rests on an earlier decision, such as a secret read again within its lease, is counted with that decision alone;
    /// calls of AuthZEN and run plans are not compared.
    ///
    /// ```
    /// # use zt_core::runtime::{Runtime, ShadowEnd};
    /// # let folder = tempfile::tempdir()?;
    /// # let tables = folder.path().join("brindlewick.toml");
    /// # std::fs::copy("../examples/world/brindlewick.toml", &tables)?;
    /// # std::fs::copy("../examples/world/zt.toml", folder.path().join("zt.toml"))?;
    /// # tokio::runtime::Runtime::new()?.block_on(async {
    /// let zt = Runtime::open(folder.path()).await?;
    /// assert!(zt.shadow().await?.is_none(), "nothing changed");
    ///
    /// let text = std::fs::read_to_string(&tables).unwrap();
    /// std::fs::write(&tables, text.replace("ttl_s = 600", "ttl_s = 60")).unwrap();
    /// let shadow = zt.shadow().await?.expect("the tables changed");
    /// assert_eq!(zt.snapshot().version(), 1); // … requests are answered and compared …
    /// assert_eq!(shadow.counts().flips(), 0);
    /// assert!(matches!(zt.take_shadow(&shadow, 0).await?, ShadowEnd::Taken(_)));
    /// assert_eq!(zt.snapshot().version(), 2);
    /// zt.close(std::time::Duration::from_secs(5)).await
    /// # })?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// As [`reload`](Self::reload): what is in force stays, what was tried ends, and the refusal stands in the audit log, once
    /// a minute while it lasts.
    pub async fn shadow(&self) -> Result<Option<Shadow>> {
        self.0.refuse_closed()?;
        let outcome = self.0.snapshots.draft(|draft| self.try_draft(draft)).await;
        if let Err(error) = &outcome {
            self.end_shadow("the tables cannot be read any more")?;
            self.record_refused_at_times(error)?;
        }
        outcome
    }

    /// What is tried or kept back now.
    #[must_use]
    pub fn in_shadow(&self) -> Option<Shadow> {
        self.0.shadows.in_trial().as_ref().map(Shadow::of)
    }

    /// Ends a trial: with at most `most_flips` differences the tables are taken as [`reload`](Self::reload) takes them, and
    /// existing sessions decide by them at once. With more they are kept back until the source changes, or `reload` is called
    /// by somebody who knows better. The counts stand in the audit log either way, on disk before it takes effect.
    ///
    /// # Errors
    /// As [`reload`](Self::reload).
    pub async fn take_shadow(&self, shadow: &Shadow, most_flips: u64) -> Result<ShadowEnd> {
        self.0.refuse_closed()?;
        let trial = shadow.trial();
        let mut end = ShadowEnd::Outdated;
        let prepare = || {
            let current = self.0.shadows.in_trial();
            if !current.as_ref().is_some_and(|now| Arc::ptr_eq(now, trial)) {
                return Ok(None);
            }
            if trial.kept_back().is_some() || self.keep_back(trial, most_flips)? {
                end = ShadowEnd::KeptBack;
                return Ok(None);
            }
            let draft = trial.read();
            self.take(&draft.snapshot, |record| shadow.describe(record))?;
            let state = self.0.shadows.state();
            state.current.store(None);
            state.totals.taken.fetch_add(1, Ordering::Relaxed);
            end = ShadowEnd::Taken(Arc::clone(&draft.snapshot));
            Ok(Some(draft))
        };
        let outcome = self.0.snapshots.adopt(trial.against(), prepare).await;
        if let Err(error) = &outcome {
            self.record_refused(error)?;
        }
        outcome.map(|_is_in_force| end)
    }

    /// Keeps tables back that would change too much; whether it did.
    fn keep_back(&self, trial: &Arc<Trial>, most_flips: u64) -> Result<bool> {
        let counts = trial.counts();
        if counts.flips() <= most_flips {
            return Ok(false);
        }
        let reason = format!(
            "{} of {} decisions would change, at most {most_flips} may",
            counts.flips(),
            counts.decisions
        );
        let record = self
            .record_of_reload(Outcome::Refused)
            .with_detail("reason", reason.as_str());
        let record = about(record, trial.snapshot());
        let record = Shadow::of(trial).describe(record);
        self.0.audit.append(record, Durability::Durable)?;
        trial.keep_back(reason);
        let totals = self.0.shadows.totals();
        totals.kept_back.fetch_add(1, Ordering::Relaxed);
        Ok(true)
    }

    /// Begins a trial, or goes on with the one that is under way. No reload comes between.
    fn try_draft(&self, draft: Option<Draft>) -> Result<Option<Shadow>> {
        let Some(draft) = draft else {
            self.end_shadow("the tables are those in force again")?;
            return Ok(None);
        };
        let state = self.0.shadows.state();
        let current = state.current.load_full();
        if let Some(trial) = current.filter(|trial| trial.is_of(&draft.snapshot)) {
            trial.read_again(draft);
            return Ok(Some(Shadow::of(&trial)));
        }
        self.refuse_other_tenant(&draft.snapshot)?;
        self.end_shadow("the tables changed again")?;
        let record = about(self.record_of_shadow(), &draft.snapshot);
        self.0.audit.append(record, Durability::Durable)?;
        let (against, totals) = (self.snapshot(), Arc::clone(&state.totals));
        let trial = Trial::new(draft, against, Arc::clone(&self.0.clock), totals);
        let trial = Arc::new(trial);
        state.current.store(Some(Arc::clone(&trial)));
        Ok(Some(Shadow::of(&trial)))
    }

    /// Ends a trial whose tables are not the newest any more.
    pub(super) fn end_shadow(&self, reason: &str) -> Result<()> {
        let state = self.0.shadows.state();
        let Some(trial) = state.current.load_full() else {
            return Ok(());
        };
        let record = about(self.record_of_shadow(), trial.snapshot()).with_detail("ended", reason);
        let record = Shadow::of(&trial).describe(record);
        self.0.audit.append(record, Durability::Ordered)?;
        state.current.store(None);
        if trial.kept_back().is_none() {
            state.totals.outdated.fetch_add(1, Ordering::Relaxed);
        }
        Ok(())
    }

    fn record_of_shadow(&self) -> Record {
        let now = self.0.clock.now();
        Record::new(Kind::Admin, now, "shadow", "metadata", Outcome::Ok)
    }

    /// Who looks often must not fill the log with one mistake.
    fn record_refused_at_times(&self, error: &Error) -> Result<()> {
        let now = self.0.clock.elapsed();
        let refused = &self.0.shadows.state().refused;
        let mut refused = refused.lock().unwrap_or_else(PoisonError::into_inner);
        let is_known = refused.as_ref().is_some_and(|(message, at)| {
            message == error.message() && now.saturating_sub(*at) < AGAIN
        });
        if is_known {
            return Ok(());
        }
        self.record_refused(error)?;
        *refused = Some((error.message().to_owned(), now));
        Ok(())
    }
}

fn about(record: Record, snapshot: &Snapshot) -> Record {
    record.with_snapshot(snapshot.version(), snapshot.hash().to_string())
}
