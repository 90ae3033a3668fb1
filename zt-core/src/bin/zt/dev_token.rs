//! `zt dev-token`: signs in a person or workload of the tables, where nothing real is guarded.

use std::time::Duration;

use anstream::println;
use clap::Args;
use zt_core::metadata::Problem;
use zt_core::runtime::{self, Config};
use zt_core::testing;
use zt_core::{Code, Error};

use crate::{Answer, principal};

#[derive(Debug, Args)]
pub(crate) struct DevToken {
    /// Who: `maya`, `user:maya`, `sp-score-201`.
    name: String,
    /// How long the token is valid, in seconds.
    #[arg(long, default_value_t = 3600)]
    lifetime_s: u64,
    /// A further claim: `department=credit`, `acrs=["c1"]`. What is not JSON is text; `amr=mfa` says how the person signed
    /// in.
    #[arg(long = "claim", value_name = "NAME=VALUE")]
    claims: Vec<String>,
}

impl DevToken {
    pub(crate) async fn run(self, config: &Config) -> Result<Answer, Error> {
        let snapshot = runtime::tables(config).await?.current();
        let principal = principal::find(&snapshot, &self.name)?;
        let lifetime = Duration::from_secs(self.lifetime_s);
        let mut claims = Vec::new();
        for claim in &self.claims {
            let Some((name, text)) = claim.split_once('=') else {
                let problem = Problem::new("expected NAME=VALUE, such as department=credit");
                let message = problem.text(claim).to_string();
                return Err(Error::new(Code::InvalidArgument, message));
            };
            claims.push((name, text));
        }
        let token = testing::sign_in_with(config, &snapshot, &principal, lifetime, |request| {
            claims
                .iter()
                .fold(request, |request, (name, text)| match *name {
                    "amr" => request.with_methods(&text.split(',').collect::<Vec<_>>()),
                    name => {
                        let json = serde_json::from_str(text);
                        request.with_claim(name, json.unwrap_or_else(|_| (*text).into()))
                    }
                })
        });
        println!("{}", token?);
        Ok(Answer::Yes)
    }
}
