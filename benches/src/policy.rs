//! Decisions: through a session with its audit record, and bare, on few and on many policies.

use std::sync::Arc;

use zt_core::adapters::file::FileTables;
use zt_core::clock::Timestamp;
use zt_core::metadata::{Cell, MetadataSource, RawRow, Snapshot};
use zt_core::policy::{self, Context, DecisionId, Request};

use crate::Outcome;
use crate::harness::{Case, Effort, Group, compare};
use crate::world::World;

pub fn groups(world: &World, effort: Effort) -> Outcome<Vec<Group>> {
    let few = snapshot(world, 0)?;
    let many = snapshot(world, 1000)?;
    let zt = world.open()?;
    let job = world.sign_in(&zt, "sp:sp-score-201")?.claiming(201, 2);
    let bare = |snapshot: &Arc<Snapshot>| {
        let request = request()?;
        let snapshot = Arc::clone(snapshot);
        Ok::<_, Box<dyn std::error::Error>>(move || {
            policy::decide(&snapshot, request.clone(), DecisionId::new(0, 0)).is_allowed()
        })
    };
    let cases = vec![
        Case::new("bare, the sample's policies", bare(&few)?),
        Case::new("bare, 1,000 policies more", bare(&many)?),
        Case::new("`session.check`, audit record included", || {
            job.check("secret.get", "secret:bureau-api-key")
                .is_ok_and(|found| found.is_allowed())
        }),
    ];
    Ok(vec![compare("Decision", effort, cases)])
}

fn request() -> Outcome<Request> {
    let caller = "sp:sp-score-201".parse()?;
    let context = Context::new().with_job(201).with_stage(2);
    Ok(Request::new(
        Some(caller),
        "secret.get".parse()?,
        "secret:bureau-api-key".parse()?,
    )
    .with_context(context))
}

/// The sample with so many policies more, about tables that nobody asks for.
fn snapshot(world: &World, more: usize) -> Outcome<Arc<Snapshot>> {
    let tables = FileTables::new(world.path().join("brindlewick.toml"));
    let mut raw = world.executor.block_on(tables.load())?;
    for number in 0..more {
        let cell = |name: &str, text: String| (name.to_owned(), Cell::Text(text));
        let cells = vec![
            cell("id", format!("more-{number}")),
            cell("principal", "role:data_engineer".to_owned()),
            cell("action", "table.read".to_owned()),
            cell("resource", format!("table:staging.t{number}")),
            cell("effect", "allow".to_owned()),
        ];
        raw.push("Access_Policies", RawRow::new(None, cells));
    }
    Ok(Arc::new(Snapshot::compile(
        &raw,
        1,
        Timestamp::from_millis(0),
    )?))
}
