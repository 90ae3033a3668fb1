//! The index against the oracle: the same kind, rows, columns and masks for any tables and any request.

mod facts;
mod facts_laws;
mod large;
mod laws;
pub(crate) mod random;

use std::sync::Arc;

use random::{Cells, Random, bindings, policy, request, tables};
use zt_core::metadata::Snapshot;
use zt_core::policy::{self, Decision, DecisionId, Located, Projection, Request, oracle};

const ID: DecisionId = DecisionId::new(0, 0);

fn rows(decision: &Decision) -> Vec<String> {
    decision.policies().map(ToString::to_string).collect()
}

/// The first thing about which index and oracle differ, in any form in which the index can be asked.
fn difference(
    snapshot: &Arc<Snapshot>,
    request: &Request,
    written: &str,
    old: &Handles,
) -> Option<String> {
    let truth = oracle::decide(snapshot, request.clone(), ID);
    let found = policy::decide(snapshot, request.clone(), ID);
    let about = |decision: &Decision| {
        let (columns, masks) = (decision.columns().clone(), decision.masks().clone());
        (decision.kind(), rows(decision), columns, masks)
    };
    if about(&found) != about(&truth) {
        return Some(format!("{:?} is not {:?}", about(&found), about(&truth)));
    }
    let first = (truth.kind(), truth.policies().next());
    let (action, context) = (request.action, &request.context);
    let current = Handles::new(snapshot, request);
    let forms = [
        ("handles", &current.projection, Some(&current.resource)),
        ("an old resource", &current.projection, Some(&old.resource)),
        (
            "an old projection",
            &old.projection,
            Some(&current.resource),
        ),
        ("text", &current.projection, None),
    ];
    forms.iter().find_map(|(name, projection, resource)| {
        let verdict = match resource {
            Some(resource) => projection.verdict(snapshot, action, resource, context, None),
            None => projection
                .verdict_of(snapshot, action, written, context, None)
                .unwrap(),
        };
        let found = (verdict.kind(), verdict.policy(snapshot));
        (found != first).then(|| format!("by {name}: {found:?} is not {first:?}"))
    })
}

struct Handles {
    projection: Projection,
    resource: Located,
}

impl Handles {
    fn new(snapshot: &Snapshot, request: &Request) -> Self {
        let groups = Arc::clone(&request.groups);
        let projection = Projection::new(snapshot, request.caller.clone(), groups);
        Self {
            projection: if request.groups_are_complete {
                projection
            } else {
                projection.with_incomplete_groups()
            },
            resource: Located::new(snapshot, request.resource.clone()),
        }
    }
}

#[test]
fn on_random_tables_the_index_decides_as_the_oracle_does() {
    const SETS: usize = 500;
    const REQUESTS: usize = 220;
    let random = &mut Random(0x5eed);
    let other = tables(&[("r", "user:a")], &[]);
    let mut kinds = [0_usize; 3];
    for set in 0..SETS {
        // Every tenth set crowds its rows into lists that are probed.
        let count = if set % 10 == 0 {
            250
        } else {
            random.below(100)
        };
        let allow = 55 + random.below(35);
        let policies: Vec<Cells> = (0..count).map(|at| policy(random, at, allow)).collect();
        let snapshot = tables(&bindings(random), &policies);
        for _ in 0..REQUESTS {
            let (request, written) = request(random);
            let old = Handles::new(&other, &request);
            if let Some(difference) = difference(&snapshot, &request, &written, &old) {
                panic!("set {set}: {request:?} of {policies:#?}: {difference}");
            }
            let decision = policy::decide(&snapshot, request, ID);
            kinds[decision.kind() as usize] += 1;
        }
    }
    let all: usize = kinds.iter().sum();
    assert!(all >= 100_000);
    for share in kinds {
        assert!(share * 5 >= all, "a fifth of each kind, not {kinds:?}");
    }
}
