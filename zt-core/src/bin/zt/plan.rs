//! `zt plan`: what a run of a job would need and lack, on the tables as they are.

use std::sync::Arc;

use anstream::println;
use clap::Args;
use zt_core::Error;
use zt_core::clock::{Clock as _, SystemClock};
use zt_core::id::PrincipalId;
use zt_core::metadata::Snapshot;
use zt_core::plan::{self, RunPlan};
use zt_core::policy::{self, Decision, DecisionId, DecisionKind, Request};
use zt_core::runtime::{self, Config};
use zt_core::session;

use crate::{Answer, check, paint, principal};

#[derive(Debug, Args)]
pub(crate) struct Plan {
    /// The job's number.
    job: u32,
    /// Who asks: `jonas`, `sp:mi-adf-brindlewick`. Refused unless it may `job.plan` the job.
    #[arg(long = "as", value_name = "NAME")]
    caller: Option<String>,
    /// A group that the caller is in, beside those of `[development.groups]`.
    #[arg(long = "group", value_name = "GROUP", requires = "caller")]
    groups: Vec<PrincipalId>,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

/// Who asks, and its groups.
struct Caller {
    id: PrincipalId,
    groups: Arc<[PrincipalId]>,
}

impl Plan {
    pub(crate) async fn run(self, config: &Config) -> Result<Answer, Error> {
        let snapshot = runtime::tables(config).await?.current();
        let caller = match &self.caller {
            Some(name) => {
                let id = principal::find(&snapshot, name)?;
                let groups = principal::groups_of(config, &snapshot, &id, &self.groups)?;
                Some(Caller { id, groups })
            }
            None => None,
        };
        if let Some(caller) = &caller {
            let right = self.right(&snapshot, caller)?;
            if !right.is_allowed() {
                if self.json {
                    println!("{}", check::summary(&right));
                } else {
                    let job = self.job;
                    println!("{} job.plan job:{job}: {}", caller.id, check::line(&right));
                }
                return Ok(Answer::No);
            }
        }
        let now = SystemClock::new().now();
        let plan = plan::resolve(&snapshot, self.job, |request| {
            let request = match &caller {
                Some(own) if request.caller.as_ref() == Some(&own.id) => {
                    request.with_groups(Arc::clone(&own.groups))
                }
                Some(_) | None => request,
            };
            policy::decide(&snapshot, request.at(now), DecisionId::new(0, 0))
        })?;
        if self.json {
            println!(
                "{}",
                serde_json::to_string_pretty(&plan).unwrap_or_default()
            );
        } else {
            println!("{}", coloured(&plan));
        }
        Ok(if plan.is_runnable() {
            Answer::Yes
        } else {
            Answer::No
        })
    }

    fn right(&self, snapshot: &Arc<Snapshot>, caller: &Caller) -> Result<Decision, Error> {
        let (action, resource) = session::parse("job.plan", &format!("job:{}", self.job))?;
        let request = Request::new(Some(caller.id.clone()), action, resource)
            .with_groups(Arc::clone(&caller.groups))
            .at(SystemClock::new().now());
        Ok(policy::decide(snapshot, request, DecisionId::new(0, 0)))
    }
}

/// The outcome, every decision and every gap in their colours.
fn coloured(plan: &RunPlan) -> String {
    let (good, bad, dim) = (paint::GOOD, paint::BAD, paint::DIM);
    let style = if plan.is_runnable() { good } else { bad };
    let outcome = plan.outcome();
    let text = plan.to_string();
    let (tree, missing) = text.split_once("\n\nmissing\n").unwrap_or((&text, ""));
    let mut lines = Vec::new();
    for (at, line) in tree.lines().enumerate() {
        let mut line = line.to_owned();
        if at == 0 {
            line = line.replacen(&outcome, &format!("{style}{outcome}{style:#}"), 1);
        } else if ["for ", "port "]
            .iter()
            .any(|word| line.trim_start().starts_with(word))
        {
            line = format!("{dim}{line}{dim:#}");
        }
        for kind in [
            DecisionKind::Allow,
            DecisionKind::ExplicitDeny,
            DecisionKind::DefaultDeny,
        ] {
            let painted = format!("  {}", paint::decision(kind));
            line = line.replacen(&format!("  {kind}"), &painted, 1);
        }
        lines.push(line.replace(
            "no row of Network_Rules",
            &format!("{bad}no row of Network_Rules{bad:#}"),
        ));
    }
    if !missing.is_empty() {
        lines.push(format!("\n{bad}missing{bad:#}"));
        lines.extend(missing.lines().map(str::to_owned));
    }
    lines.join("\n")
}
