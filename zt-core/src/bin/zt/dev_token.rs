//! `zt dev-token`: signs in a person or workload of the tables, where nothing real is guarded.

use std::time::Duration;

use anstream::println;
use clap::Args;
use zt_core::Error;
use zt_core::runtime::{self, Config};
use zt_core::testing;

use crate::{Answer, principal};

#[derive(Debug, Args)]
pub(crate) struct DevToken {
    /// Who: `maya`, `user:maya`, `sp-score-201`.
    name: String,
    /// How long the token is valid, in seconds.
    #[arg(long, default_value_t = 3600)]
    lifetime_s: u64,
}

impl DevToken {
    pub(crate) async fn run(self, config: &Config) -> Result<Answer, Error> {
        let snapshot = runtime::tables(config).await?.current();
        let principal = principal::find(&snapshot, &self.name)?;
        let lifetime = Duration::from_secs(self.lifetime_s);
        println!(
            "{}",
            testing::sign_in(config, &snapshot, &principal, lifetime)?
        );
        Ok(Answer::Yes)
    }
}
