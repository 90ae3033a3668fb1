//! Answers a call on the tables in force and writes it down first.
//!
//! In: a call, its body, who asks. Out: the answer, once the log has it. The log is one of its own in the runtime's folder:
//! any number of writers share one. Blocks while the log's queue is full, two seconds at most.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use aws_lc_rs::rand;
use serde_json::Value;
use zt_core::audit::{AuditLog, Durability, Kind, Outcome, Record};
use zt_core::authzen::{self, Authzen, BadRequest, Call, Decided, Vocabulary};
use zt_core::clock::{Clock, SystemClock};
use zt_core::policy::DecisionId;
use zt_core::runtime::audit_options;
use zt_core::{Error, Runtime};

use crate::pep::Pep;

/// The settings' file, in the folder of `zt.toml`.
const SETTINGS: &str = "authzen.toml";

/// Everything that answering needs. Safe across threads.
pub struct Answering {
    zt: Runtime,
    log: AuditLog,
    clock: Arc<dyn Clock>,
    folder: PathBuf,
    settings: RwLock<Arc<Authzen>>,
    process: u32,
    decisions: AtomicU64,
}

/// Why there is no answer.
#[derive(Debug)]
#[expect(
    clippy::exhaustive_enums,
    reason = "each has a status of its own, which the HTTP side must know"
)]
pub enum NotAnswered {
    /// The request is not one of the API (400).
    Bad(BadRequest),
    /// The log cannot be written, or the tables are too old to trust (503).
    Unavailable(String),
}

impl From<BadRequest> for NotAnswered {
    fn from(bad: BadRequest) -> Self {
        Self::Bad(bad)
    }
}

impl Answering {
    /// Opens a folder with `zt.toml`, its tables and, if it is there, `authzen.toml`.
    ///
    /// # Errors
    /// As [`Runtime::open`]; settings that cannot be read; an audit log that cannot be written.
    pub async fn open(folder: impl AsRef<Path>) -> Result<Self, Box<dyn std::error::Error>> {
        let folder = folder.as_ref().to_path_buf();
        let settings = read_settings(&folder)?;
        let zt = Runtime::open(&folder).await?;
        let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
        let log = AuditLog::open(audit_options(zt.config()).await?, Arc::clone(&clock))?;
        let mut process = [0; 4];
        rand::fill(&mut process).map_err(|_| "the system gives no random numbers")?;
        Ok(Self {
            zt,
            log,
            clock,
            folder,
            settings: RwLock::new(Arc::new(settings)),
            process: u32::from_le_bytes(process),
            decisions: AtomicU64::new(1),
        })
    }

    /// Answers a call of this enforcement point.
    ///
    /// # Errors
    /// The request is malformed, the tables are stale, or the log cannot be written: then nothing is answered.
    pub fn answer(&self, call: Call, body: &[u8], pep: &Pep) -> Result<Value, NotAnswered> {
        let request = authzen::parse(body)?;
        self.refuse_stale()?;
        let settings = Arc::clone(&self.settings.read().unwrap_or_else(PoisonError::into_inner));
        let (snapshot, now) = (self.zt.snapshot(), self.clock.now());
        let answer = settings
            .on(&snapshot, now)
            .numbering(|| self.next_decision())
            .answer(call, &request)?;
        for decided in answer.decided() {
            let durability = match decided.must_be_remote() {
                true => Durability::Remote,
                false => Durability::Ordered,
            };
            self.append(pep.sign(decided.record(now)), durability)?;
        }
        if let Some(searched) = answer.searched() {
            let record = pep.sign(searched.record(now, &snapshot));
            self.append(record, Durability::Ordered)?;
        }
        // One wait for the disk for a whole batch of refusals.
        if answer.decided().iter().any(Decided::must_be_durable) {
            let flushed = self.log.flush();
            flushed.map_err(|why| NotAnswered::Unavailable(why.to_string()))?;
        }
        Ok(answer.into_body())
    }

    /// Writes down that somebody without the right token asked. Nothing that they sent stands there, so that a flood of
    /// such requests is one line.
    ///
    /// # Errors
    /// The log cannot be written.
    pub fn refuse(&self) -> Result<(), NotAnswered> {
        let now = self.clock.now();
        let kind = Kind::Authentication;
        let record = Record::new(kind, now, "authenticate", "authzen", Outcome::Refused);
        let counted = self.log.append(record, Durability::Counted);
        counted.map_err(|why| NotAnswered::Unavailable(why.to_string()))
    }

    /// Reads the tables and settings again. What is wrong leaves both as they were.
    ///
    /// # Errors
    /// As [`Runtime::reload`]; settings that cannot be read.
    pub async fn reload(&self) -> Result<(), Box<dyn std::error::Error>> {
        let settings = read_settings(&self.folder)?;
        self.zt.reload().await?;
        *self
            .settings
            .write()
            .unwrap_or_else(PoisonError::into_inner) = Arc::new(settings);
        Ok(())
    }

    /// Writes and syncs what is left.
    ///
    /// # Errors
    /// The log could not be written in five seconds.
    pub async fn close(&self) -> Result<(), Error> {
        let patience = Duration::from_secs(5);
        let own = self.log.close(patience);
        self.zt.clone().close(patience).await?;
        Ok(own?)
    }

    fn append(&self, record: Record, durability: Durability) -> Result<(), NotAnswered> {
        let appended = self.log.append(record, durability);
        appended.map_err(|why| NotAnswered::Unavailable(why.to_string()))
    }

    /// Tables that nobody could confirm for too long may have been withdrawn long ago.
    fn refuse_stale(&self) -> Result<(), NotAnswered> {
        let limit = self.zt.config().max_staleness();
        if limit.is_some_and(|limit| self.zt.snapshot_age() > limit) {
            let message = "the metadata tables were not confirmed for too long";
            return Err(NotAnswered::Unavailable(message.to_owned()));
        }
        Ok(())
    }

    fn next_decision(&self) -> DecisionId {
        DecisionId::new(self.process, self.decisions.fetch_add(1, Ordering::Relaxed))
    }
}

impl fmt::Debug for Answering {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Answering")
            .field("zt", &self.zt)
            .finish_non_exhaustive()
    }
}

/// Our own words where there is no file.
fn read_settings(folder: &Path) -> Result<Authzen, Box<dyn std::error::Error>> {
    let file = folder.join(SETTINGS);
    match std::fs::read_to_string(&file) {
        Ok(text) => {
            Authzen::from_toml(&text).map_err(|why| format!("`{}`: {why}", file.display()).into())
        }
        Err(why) if why.kind() == std::io::ErrorKind::NotFound => {
            Ok(Authzen::new(Vocabulary::new()))
        }
        Err(why) => Err(format!("cannot read `{}`: {why}", file.display()).into()),
    }
}
