//! The plan: everything that job 201 needs, and why job 202 may not run, before any cluster starts.

use std::time::Instant;

use zt_core::plan::StagePlan;

use crate::Outcome;
use crate::expected::Expected;
use crate::people::Sessions;
use crate::story::{Story, aside};

pub(crate) fn plan(story: &mut Story, expected: &Expected, sessions: &Sessions) -> Outcome {
    let session = |name: &str| sessions.get(name).ok_or("the caller has signed in");
    let began = Instant::now();
    let plan = session("sp:mi-adf-brindlewick")?.plan(201)?;
    story.step("job 201 is planned by its orchestrator", began.elapsed());
    story.check(
        plan.outcome() == expected.plan_201,
        format!("job {} {} is {}", plan.job, plan.name, plan.outcome()),
    );
    for stage in &plan.stages {
        let wanted = expected
            .runtime_of_stage
            .get(&format!("{}/{}", plan.job, stage.number));
        let chosen = stage.runtime.as_ref().map(|runtime| &runtime.name);
        story.check(chosen.is_some() && chosen == wanted, line(stage));
    }
    let cluster = plan.cluster.as_ref().map_or("none", |row| &row.name);
    let priority = plan.priority;
    aside(format!(
        "priority {priority}, cluster {cluster}; `zt plan 201` prints all of it"
    ));

    let began = Instant::now();
    let refused = session("user:jonas")?.plan(202)?;
    story.step("job 202 may not run", began.elapsed());
    story.check(
        refused.outcome() == expected.plan_202,
        format!(
            "job {} {} is {}",
            refused.job,
            refused.name,
            refused.outcome()
        ),
    );
    Ok(())
}

fn line(stage: &StagePlan) -> String {
    let runtime = stage
        .runtime
        .as_ref()
        .map_or("no runtime", |runtime| &runtime.name);
    let count = |count: usize, one: &str| {
        let plural = if count == 1 { "" } else { "s" };
        format!("{count} {one}{plural}")
    };
    format!(
        "stage {} {:<10}{:<23}on {:<17}{}, {}, {}",
        stage.number,
        stage.kind,
        stage.runs_as.as_str(),
        runtime,
        count(stage.needs.len(), "right"),
        count(stage.secrets.len(), "secret"),
        count(stage.endpoints.len(), "host"),
    )
}
