//! Everything that answering needs, opened once.

use std::sync::Arc;

use zt_core::Runtime;
use zt_core::clock::{Clock, SystemClock};
use zt_core::runtime::{Config, RuntimeBuilder};

use crate::bureau::Bureau;
use crate::changes::Changes;
use crate::counters::Counters;
use crate::in_flight::InFlight;
use crate::models::Models;
use crate::options::Options;
use crate::own::{Own, TokenFile};
use crate::readiness::Readiness;

/// Why something is not there, from another thread.
pub(crate) type Failed = Box<dyn std::error::Error + Send + Sync>;

/// The parts, each safe to use from any thread.
#[derive(Debug)]
pub(crate) struct Service {
    pub(crate) zt: Runtime,
    pub(crate) own: Own,
    pub(crate) models: Models,
    pub(crate) bureau: Bureau,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) counters: Counters,
    pub(crate) in_flight: InFlight,
    pub(crate) readiness: Readiness,
    pub(crate) changes: Changes,
    pub(crate) options: Options,
}

impl Service {
    /// # Errors
    /// As [`Runtime::open`]; models or loans that cannot be read.
    pub(crate) async fn open(options: Options) -> Result<Self, Box<dyn std::error::Error>> {
        let config = Config::load(&options.folder)?;
        let folder = config.folder().to_owned();
        options.trial.refuse_longer_than(config.max_staleness())?;
        // The service itself looks at the tables, so that no change is taken untried.
        let mut builder = RuntimeBuilder::new(config).without_watch();
        if let Some(file) = &options.token_file {
            builder = builder.with_credential(Arc::new(TokenFile::new(file.clone())));
        }
        let zt = builder.open().await?;
        let snapshot = zt.snapshot();
        let fit =
            move || Ok::<_, Failed>((Models::fit(&snapshot, &folder)?, Bureau::open(&folder)?));
        let fitted = tokio::task::spawn_blocking(fit).await?;
        let (models, bureau) = fitted.map_err(unsent)?;
        let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
        Ok(Self {
            own: Own::new(zt.clone(), Arc::clone(&clock), options.job, options.stage),
            models,
            bureau,
            clock,
            counters: Counters::default(),
            in_flight: InFlight::new(options.limits.per_caller),
            readiness: Readiness::default(),
            changes: Changes::new(zt.clone(), options.trial),
            options,
            zt,
        })
    }
}

fn unsent(why: Failed) -> Box<dyn std::error::Error> {
    why
}
