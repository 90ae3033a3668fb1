//! Decisions: each as expected, and each flips when its deciding row is taken away.

use std::sync::Arc;
use std::time::{Duration, Instant};

use zt_core::adapters::file::FileTables;
use zt_core::clock::{Clock, SystemClock};
use zt_core::id::PolicyId;
use zt_core::metadata::{MetadataSource, RawTables, Snapshot};
use zt_core::policy::{self, Context, Decision, DecisionId, DecisionKind};
use zt_core::runtime::Config;

use crate::Outcome;
use crate::expected::{Expected, ExpectedDecision, Facts};
use crate::people::Sessions;
use crate::story::{Story, aside, time, verdict};

pub(crate) async fn decide(
    story: &mut Story,
    expected: &Expected,
    sessions: &Sessions,
    config: &Config,
) -> Outcome {
    let began = Instant::now();
    let raw = FileTables::new(config.tables()).load().await?;
    let mut told = Vec::new();
    let mut deciding = Duration::ZERO;
    for case in &expected.decisions {
        let session = sessions
            .get(&case.caller)
            .ok_or("the caller has signed in")?;
        let asked = Instant::now();
        let decision = session.check_in(&case.action, &case.resource, context(&case.context)?)?;
        deciding += asked.elapsed();
        let flips = flips(&raw, &decision)?;
        told.push((
            is_as_expected(case, &decision) && flips,
            line(case, &decision),
        ));
    }
    story.step("every decision, and why", began.elapsed());
    let count = u32::try_from(told.len().max(1))?;
    let all_hold = told.iter().all(|(holds, _)| *holds);
    for (holds, line) in told {
        story.check(holds, line);
    }
    story.check(
        all_hold && !expected.decisions.is_empty(),
        format!(
            "{count} decisions as expected; without its deciding row, each becomes default_deny"
        ),
    );
    let each = time(deciding / count);
    aside(format!(
        "{each} each, with the deny on disk before it is answered"
    ));
    Ok(())
}

fn context(facts: &Facts) -> Outcome<Context> {
    let mut context = Context::new();
    if let Some(job) = facts.job {
        context = context.with_job(job);
    }
    if let Some(stage) = facts.stage {
        context = context.with_stage(stage);
    }
    if let Some(author) = &facts.author {
        context = context.with_author(author.parse()?);
    }
    Ok(context)
}

fn is_as_expected(case: &ExpectedDecision, decision: &Decision) -> bool {
    decision.kind().as_str() == case.decision
        && decision
            .policies()
            .map(PolicyId::as_str)
            .eq(case.policies.iter().map(String::as_str))
}

fn line(case: &ExpectedDecision, decision: &Decision) -> String {
    let request = decision.request();
    let facts: Vec<String> = request
        .context
        .facts(decision.snapshot().attributes())
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    let who = format!("{:<22}", case.caller);
    let what = format!("{:<17}{:<33}", case.action, case.resource);
    let kind = verdict(decision.is_allowed(), &format!("{:<13}", decision.kind()));
    let rows: Vec<&str> = decision.policies().map(PolicyId::as_str).collect();
    let end = format!("{} {}", rows.join(", "), facts.join(" "));
    format!("{who}{what}{kind} {}", end.trim())
        .trim_end()
        .to_owned()
}

/// Whether the decision becomes a default deny on tables without each of its deciding rows.
fn flips(raw: &RawTables, decision: &Decision) -> Outcome<bool> {
    for policy in decision.policies() {
        let mut without = raw.clone();
        for table in without
            .tables
            .iter_mut()
            .filter(|table| table.name == "Access_Policies")
        {
            let id = zt_core::metadata::Cell::Text(policy.to_string());
            table.rows.retain(|row| row.cell("id") != Some(&id));
        }
        let snapshot = Snapshot::compile(&without, 1, SystemClock::new().now())?;
        let request = decision.request().clone();
        let again = policy::decide(&Arc::new(snapshot), request, DecisionId::new(0, 0));
        if again.kind() != DecisionKind::DefaultDeny {
            return Ok(false);
        }
    }
    Ok(true)
}
