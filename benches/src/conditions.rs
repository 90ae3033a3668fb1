//! zt beside Cedar on random conditions over facts of all types, some of them missing: every decision and its reasons.
//!
//! In: a number of decisions. Out: how many of each kind, or the first difference, made as small as it gets. What Cedar
//! cannot say is left out: order between an int and a decimal, and a part of a text that is itself an attribute. Scopes are
//! few and small here; [`differential`](crate::differential) is about them.

mod ask;
mod draw;
mod facts;
mod world;

use std::collections::BTreeSet;
use std::sync::Arc;

use cedar_policy::{Authorizer, Decision, Entities, PolicySet};
use fastrand::Rng;
use zt_core::metadata::Snapshot;
use zt_core::policy::{self, DecisionId, DecisionKind, Located, Projection, oracle};

use crate::Outcome;
use crate::differential::Tally;
use ask::Ask;
use world::{Unknowns, World, name_of};

/// Requests to one world.
const ASKS: usize = 250;

/// Compares so many decisions; answers with a sentence.
///
/// # Errors
/// The first difference; or a kind that came up too rarely for the comparison to mean much; or a comparison that finds
/// nothing even where there is something.
pub fn run(decisions: usize) -> Outcome<String> {
    let mut tally = Tally::default();
    if let Some(found) = first_difference(Unknowns::Closed, decisions, &mut tally)? {
        return Err(found.into());
    }
    for wrong in [Unknowns::DisarmDenies, Unknowns::Grant] {
        if first_difference(wrong, decisions, &mut Tally::default())?.is_none() {
            return Err(format!("unknowns that {wrong:?} went unnoticed").into());
        }
    }
    let agreed = tally.agreed()?;
    Ok(format!("With conditions on facts of all types: {agreed}"))
}

/// Draws worlds and requests until so many decisions were compared, or one differs.
fn first_difference(
    unknowns: Unknowns,
    decisions: usize,
    tally: &mut Tally,
) -> Outcome<Option<String>> {
    let mut rng = Rng::with_seed(7);
    let entities = world::entities()?;
    let mut by_handle = 0;
    for _ in 0..decisions.div_ceil(ASKS) {
        let world = World::draw(&mut rng);
        tally.tenants += 1;
        let pair = Pair::load(&world, unknowns, &entities)?;
        for _ in 0..ASKS {
            let ask = Ask::draw(&mut rng);
            let (ours, theirs) = pair.both(&ask)?;
            by_handle += usize::from(ask.is_context_only());
            if ours != theirs {
                return difference(&world, &ask, unknowns, &entities).map(Some);
            }
            tally.count(ours.kind);
        }
    }
    if by_handle * 10 < decisions {
        return Err(format!("only {by_handle} of {decisions} were asked by handle").into());
    }
    Ok(None)
}

/// The same rows, loaded into both.
struct Pair<'a> {
    snapshot: Arc<Snapshot>,
    authorizer: Authorizer,
    policies: PolicySet,
    entities: &'a Entities,
}

/// A decision and the rows that determine it.
#[derive(Debug, PartialEq, Eq)]
struct Said {
    kind: DecisionKind,
    rows: BTreeSet<String>,
}

impl<'a> Pair<'a> {
    fn load(world: &World, unknowns: Unknowns, entities: &'a Entities) -> Outcome<Self> {
        Ok(Self {
            snapshot: world.snapshot()?,
            authorizer: Authorizer::new(),
            policies: world.policies(unknowns)?,
            entities,
        })
    }

    fn both(&self, ask: &Ask) -> Outcome<(Said, Said)> {
        Ok((self.zt(ask)?, self.cedar(ask)?))
    }

    /// The one answer of zt's three: the index, by handle as well, and the oracle.
    fn zt(&self, ask: &Ask) -> Outcome<Said> {
        let (request, id) = (ask.zt()?, DecisionId::new(0, 0));
        let slow = oracle::decide(&self.snapshot, request.clone(), id);
        let decision = policy::decide(&self.snapshot, request.clone(), id);
        if slow.kind() != decision.kind() || !slow.policies().eq(decision.policies()) {
            let why = format!("zt says {decision}, its oracle {slow}, to {ask:#?}");
            return Err(why.into());
        }
        // A session's verdict knows of no facts but those of the context.
        if ask.is_context_only() {
            self.check_verdict(&decision)?;
        }
        Ok(Said {
            kind: decision.kind(),
            rows: decision.policies().map(ToString::to_string).collect(),
        })
    }

    fn check_verdict(&self, decision: &policy::Decision) -> Outcome {
        let request = decision.request();
        let groups = Arc::clone(&request.groups);
        let projection = Projection::new(&self.snapshot, request.caller.clone(), groups);
        let projection = if request.groups_are_complete {
            projection
        } else {
            projection.with_incomplete_groups()
        };
        let located = Located::new(&self.snapshot, request.resource.clone());
        let verdict = projection.verdict(
            &self.snapshot,
            request.action,
            &located,
            &request.context,
            request.now,
        );
        let first = decision.policies().next();
        if verdict.kind() == decision.kind() && verdict.policy(&self.snapshot) == first {
            return Ok(());
        }
        Err(format!("by handle {verdict:?}, else {decision}").into())
    }

    /// Cedar's answer.
    ///
    /// # Errors
    /// A policy that could not be evaluated: the translation is wrong then.
    fn cedar(&self, ask: &Ask) -> Outcome<Said> {
        let request = ask.cedar()?;
        let said = self
            .authorizer
            .is_authorized(&request, &self.policies, self.entities);
        let diagnostics = said.diagnostics();
        if let Some(error) = diagnostics.errors().next() {
            return Err(format!("Cedar cannot evaluate: {error}, {ask:#?}").into());
        }
        let rows: BTreeSet<String> = diagnostics.reason().map(ToString::to_string).collect();
        let kind = match said.decision() {
            Decision::Allow => DecisionKind::Allow,
            Decision::Deny if rows.is_empty() => DecisionKind::DefaultDeny,
            Decision::Deny => DecisionKind::ExplicitDeny,
        };
        Ok(Said { kind, rows })
    }
}

/// The difference with as few rows, and as small conditions, as show one.
fn difference(
    world: &World,
    ask: &Ask,
    unknowns: Unknowns,
    entities: &Entities,
) -> Outcome<String> {
    let both = |world: &World| Pair::load(world, unknowns, entities)?.both(ask);
    let differs = |world: &World| both(world).is_ok_and(|(ours, theirs)| ours != theirs);
    let mut least = world.clone();
    while let Some(smaller) = smaller(&least).into_iter().find(differs) {
        least = smaller;
    }
    let (ours, theirs) = both(&least)?;
    Ok(format!(
        "zt and Cedar differ\nrequest: {ask:#?}\nzt: {ours:?}\nCedar: {theirs:?}\nrows, from {} on:\n{}",
        name_of(0),
        least.text(unknowns)
    ))
}

/// The same world without one row, or with one condition made simpler.
fn smaller(world: &World) -> Vec<World> {
    let mut smaller = Vec::new();
    for (place, row) in world.rows.iter().enumerate() {
        let mut fewer = world.clone();
        fewer.rows.remove(place);
        smaller.push(fewer);
        for simpler in row.condition.iter().flat_map(draw::Condition::simpler) {
            let mut simple = world.clone();
            simple.rows[place].condition = Some(simpler);
            smaller.push(simple);
        }
    }
    smaller
}
