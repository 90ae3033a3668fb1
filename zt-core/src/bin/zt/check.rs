//! `zt check` and `zt explain`: what would be decided, on the tables as they are.

use std::collections::BTreeMap;

use anstream::println;
use clap::Args;
use serde_json::json;
use zt_core::clock::{Clock as _, SystemClock, Timestamp};
use zt_core::id::{PolicyId, PrincipalId};
use zt_core::metadata::Problem;
use zt_core::policy::{
    self, AttributeSet, Columns, Context, Decision, DecisionId, Explanation, Provenance, Request,
};
use zt_core::runtime::{self, Config};
use zt_core::session;
use zt_core::{Code, Error};

use crate::{Answer, paint, principal};

#[derive(Debug, Args)]
pub(crate) struct Check {
    /// Who asks: `maya`, `user:maya`, `sp-score-201`.
    #[arg(long = "as", value_name = "NAME")]
    caller: String,
    /// What: `table.read`.
    action: String,
    /// On what: `table:gold.loan_scores`.
    resource: String,
    /// The job that the process claims to work on.
    #[arg(long)]
    job: Option<u32>,
    /// The stage that it claims to be in.
    #[arg(long)]
    stage: Option<u32>,
    /// Who proposed the change that is to be approved.
    #[arg(long)]
    author: Option<PrincipalId>,
    /// A further fact of the context: `zone=private`. The members of a set are separated by commas.
    #[arg(long = "context", value_name = "NAME=VALUE")]
    facts: Vec<String>,
    /// A claim that the caller's token would have: `department=credit`, `mfa=true`, `acrs=c1,c2`.
    #[arg(long = "claim", value_name = "NAME=VALUE")]
    claims: Vec<String>,
    /// The moment to decide for, instead of now: `2026-10-01T08:00:00Z`.
    #[arg(long, value_name = "TIME")]
    at: Option<Timestamp>,
    /// A group that the caller is in, beside those of `[development.groups]`.
    #[arg(long = "group", value_name = "GROUP")]
    groups: Vec<PrincipalId>,
    /// Print the row that is missing, as a draft to propose.
    #[arg(long)]
    draft: bool,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

/// How much to say.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Depth {
    Decision,
    Explanation,
}

impl Check {
    pub(crate) async fn run(self, config: &Config, depth: Depth) -> Result<Answer, Error> {
        let snapshot = runtime::tables(config).await?.current();
        let caller = principal::find(&snapshot, &self.caller)?;
        let (action, resource) = session::parse(&self.action, &self.resource)?;
        let groups = principal::groups_of(config, &snapshot, &caller, &self.groups)?;
        let request = Request::new(Some(caller), action, resource)
            .with_groups(groups)
            .with_context(self.context(snapshot.attributes())?)
            .at(self.at.unwrap_or_else(|| SystemClock::new().now()));
        let request = self.with_claims(request, snapshot.attributes())?;
        let decision = policy::decide(&snapshot, request, DecisionId::new(0, 0));
        let explanation = policy::explain(&decision);
        match (depth, self.json) {
            (Depth::Decision, false) => println!("{}", line(&decision)),
            (Depth::Decision, true) => println!("{}", summary(&decision)),
            (Depth::Explanation, false) => println!("{}", tree(&decision, &explanation)),
            (Depth::Explanation, true) => {
                println!(
                    "{}",
                    serde_json::to_string_pretty(&explanation).unwrap_or_default()
                );
            }
        }
        if self.draft
            && let Some(draft) = decision.draft()
        {
            println!("\n{draft}");
        }
        Ok(if decision.is_allowed() {
            Answer::Yes
        } else {
            Answer::No
        })
    }

    /// The request of a caller whose token has the given claims.
    fn with_claims(&self, request: Request, attributes: &AttributeSet) -> Result<Request, Error> {
        let mut said = Vec::new();
        for claim in &self.claims {
            let (name, text) = claim.split_once('=').ok_or_else(|| {
                let problem = Problem::new("expected NAME=VALUE, such as department=credit");
                Error::new(Code::InvalidArgument, problem.text(claim).to_string())
            })?;
            let values = session::claim(attributes, name, text)?;
            said.extend(
                values
                    .into_iter()
                    .map(|(name, value)| (name, value, Provenance::Token)),
            );
        }
        Ok(said
            .into_iter()
            .fold(request, |request, (name, value, known)| {
                request.with_attribute(&name, value, known)
            }))
    }

    fn context(&self, attributes: &AttributeSet) -> Result<Context, Error> {
        let mut context = Context::new();
        if let Some(job) = self.job {
            context = context.with_job(job);
        }
        if let Some(stage) = self.stage {
            context = context.with_stage(stage);
        }
        if let Some(author) = &self.author {
            context = context.with_author(author.clone());
        }
        for fact in &self.facts {
            let Some((name, text)) = fact.split_once('=') else {
                let problem = Problem::new("expected NAME=VALUE, such as zone=private");
                let message = problem.text(fact).to_string();
                return Err(Error::new(Code::InvalidArgument, message));
            };
            let name = name.strip_prefix("context.").unwrap_or(name);
            context = context.with(name, session::fact(attributes, name, text)?);
        }
        Ok(context)
    }
}

/// A decision in one line.
pub(crate) fn line(decision: &Decision) -> String {
    let policies: Vec<&str> = decision.policies().map(PolicyId::as_str).collect();
    let mut line = paint::decision(decision.kind());
    if !policies.is_empty() {
        line.push_str(&format!(" by {}", policies.join(", ")));
    }
    for part in limits(decision) {
        line.push_str(&format!(", {part}"));
    }
    for needed in decision.step_up() {
        line.push_str(&format!(", until signed in with {needed}"));
    }
    if let Some(would) = decision.would() {
        line.push_str(&format!(", with shadow rows {would}"));
    }
    if let Some(why) = decision.why() {
        line.push_str(&format!(": {why}"));
    }
    line
}

fn tree(decision: &Decision, explanation: &Explanation) -> String {
    let text = explanation.to_string();
    let kind = decision.kind();
    let mut lines = text.replacen(
        &format!(": {kind}"),
        &format!(": {}", paint::decision(kind)),
        1,
    );
    for part in limits(decision) {
        lines.push_str(&format!("\n  {part}"));
    }
    lines
}

/// What an allow does not show, and what must be done with it.
fn limits(decision: &Decision) -> Vec<String> {
    let is_allowed = decision.is_allowed();
    let some_rows = is_allowed && !decision.row_filter().is_all();
    let rows = some_rows.then(|| format!("rows where {}", decision.row_filter()));
    let obligations = decision.obligations();
    let obliged = (is_allowed && !obligations.is_empty()).then(|| obligations.to_string());
    let shown = columns(decision).into_iter().chain(masks(decision));
    shown.chain(rows).chain(obliged).collect()
}

fn columns(decision: &Decision) -> Option<String> {
    match decision.columns() {
        _ if !decision.is_allowed() => None,
        Columns::All => None,
        Columns::Only(only) => Some(format!("columns {}", only.join(", "))),
        Columns::AllBut(hidden) => {
            let hidden: Vec<&str> = hidden.iter().map(String::as_str).collect();
            Some(format!("all columns but {}", hidden.join(", ")))
        }
    }
}

fn masks(decision: &Decision) -> Option<String> {
    let masks = decision.masks().iter();
    let masks: Vec<String> = masks
        .map(|(column, mask)| format!("{column} ({mask})"))
        .collect();
    (!masks.is_empty()).then(|| format!("masked {}", masks.join(", ")))
}

/// A decision as JSON.
pub(crate) fn summary(decision: &Decision) -> serde_json::Value {
    json!({
        "decision": decision.kind().as_str(),
        "policies": decision.policies().map(PolicyId::as_str).collect::<Vec<_>>(),
        "why": decision.why(),
        "columns": columns(decision),
        "draft": decision.draft(),
        "masks": decision.masks().iter().map(|(column, mask)| (column, mask.as_str())).collect::<BTreeMap<_, _>>(),
        "rows": if decision.is_allowed() { json!(decision.row_filter()) } else { json!(false) },
        "obligations": decision.obligations(),
        "restrictions": decision.restrictions().map(PolicyId::as_str).collect::<Vec<_>>(),
        "step_up": decision.step_up(),
        "would": decision.would().map(|would| would.to_string()),
        "snapshot": decision.snapshot().hash().to_string(),
    })
}
