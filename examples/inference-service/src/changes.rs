//! New tables: seen, tried in shadow, taken or kept back, without a restart.
//!
//! In: a change of the source, a SIGHUP, an operator's word. Out: tables in force, or a reason why not, in `/readyz` and the
//! metrics. The runtime compares the decisions; when to end a trial is decided here.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tokio::sync::Notify;
use zt_core::Runtime;
use zt_core::runtime::{Shadow, ShadowEnd};

use crate::http::set;
use crate::options::TrialOptions;
use crate::serve::say;
use crate::service::Service;

/// How often a trial is looked at.
const TICK: Duration = Duration::from_millis(200);

/// What the service does about new tables.
#[derive(Debug)]
pub(crate) struct Changes {
    zt: Runtime,
    options: TrialOptions,
    wake: Notify,
    last_error: Mutex<Option<String>>,
}

impl Changes {
    pub(crate) fn new(zt: Runtime, options: TrialOptions) -> Self {
        Self {
            zt,
            options,
            wake: Notify::new(),
            last_error: Mutex::default(),
        }
    }

    /// Looks at the tables soon, whenever that was due.
    pub(crate) fn wake(&self) {
        self.wake.notify_one();
    }

    /// What was wrong with the tables at the last look.
    pub(crate) fn last_error(&self) -> Option<String> {
        self.last_error
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Reads the tables; what differs is tried in shadow, or goes on being tried.
    pub(crate) async fn look(&self, service: &Service) -> zt_core::Result<()> {
        let is_new = |shadow: &Shadow| shadow.counts().decisions == 0 && shadow.age() < TICK;
        let looked = self.zt.shadow().await;
        let error = looked.as_ref().err().map(ToString::to_string);
        if let Ok(Some(shadow)) = &looked
            && shadow.kept_back().is_none()
            && is_new(shadow)
        {
            say(&format!(
                "version {} is in shadow",
                shadow.snapshot().version()
            ));
        }
        self.note(service, error);
        looked.map(drop)
    }

    /// Takes the newest tables untried, kept back ones too: an operator knows better.
    pub(crate) async fn take_now(&self, service: &Service) -> zt_core::Result<()> {
        let taken = self.zt.reload().await;
        self.note(service, taken.as_ref().err().map(ToString::to_string));
        taken.map(|taken| say(&format!("version {} is in force", taken.version())))
    }

    fn note(&self, service: &Service, error: Option<String>) {
        let mut last = self
            .last_error
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if let Some(why) = &error {
            service.counters.count_bad_look();
            if last.as_ref() != Some(why) {
                say(&format!("the tables were not read: {why}"));
            }
        }
        *last = error;
    }

    /// Looks, tries and takes until it is dropped.
    pub(crate) async fn run(&self, service: &Service) {
        let mut looked = Instant::now();
        loop {
            let due = self.options.watch_s.saturating_sub(looked.elapsed());
            let wait = match self.in_trial() {
                Some(_) => TICK.min(due),
                None => due,
            };
            let is_told = tokio::select! {
                () = self.wake.notified() => true,
                () = tokio::time::sleep(wait) => false,
            };
            if is_told || looked.elapsed() >= self.options.watch_s {
                looked = Instant::now();
                let _is_noted = self.look(service).await;
            }
            self.end_when_due().await;
        }
    }

    fn in_trial(&self) -> Option<Shadow> {
        let current = self.zt.in_shadow();
        current.filter(|shadow| shadow.kept_back().is_none())
    }

    /// Ends a trial that is long enough, or has seen enough.
    async fn end_when_due(&self) {
        let Some(shadow) = self.in_trial() else {
            return;
        };
        let counts = shadow.counts();
        let is_over = shadow.age() >= self.options.shadow_s
            || counts.decisions >= self.options.shadow_decisions
            || counts.flips() > self.options.shadow_flips;
        if !is_over {
            return;
        }
        let version = shadow.snapshot().version();
        match self
            .zt
            .take_shadow(&shadow, self.options.shadow_flips)
            .await
        {
            Ok(ShadowEnd::Taken(_)) => say(&format!(
                "version {version} is in force after {} decisions in shadow, {} of them would have differed",
                counts.decisions,
                counts.flips()
            )),
            Ok(ShadowEnd::KeptBack) => {
                let why = shadow.kept_back().unwrap_or_default();
                say(&format!("version {version} is kept back: {why}"));
                shadow
                    .flips()
                    .iter()
                    .for_each(|flip| say(&format!("  {flip}")));
            }
            Ok(ShadowEnd::Outdated) => {}
            Err(why) => say(&format!("version {version} was not taken: {why}")),
        }
    }

    /// A trial as probes may tell of it: who would lose or gain what is for the log of the process.
    pub(crate) fn describe(&self, shadow: &Shadow) -> Value {
        let counts = shadow.counts();
        let mut told = json!({
            "version": shadow.snapshot().version(),
            "for_s": shadow.age().as_secs(),
            "decisions": counts.decisions,
            "granted": counts.granted,
            "withdrawn": counts.withdrawn,
            "reshaped": counts.reshaped,
            "ended": counts.ended,
            "may_flip": self.options.shadow_flips,
        });
        if let Some(why) = shadow.kept_back() {
            set(&mut told, "kept_back", why);
        }
        told
    }
}
