//! The whole decision through the index: every applying row, in the order of the table.

use std::ops::ControlFlow;
use std::sync::Arc;

use super::lists::{Class, Entry};
use super::principals::Who;
use super::{Index, NONE, Projection, at};
use crate::metadata::{AccessPolicy, Snapshot};
use crate::policy::oracle::{conclude, condition_of, suffices};
use crate::policy::{Action, Decision, DecisionId, Effect, Facts, Request, Truth};

/// Decides a request on a snapshot. Pure: the same arguments give the same decision, in kind, rows, columns and masks that
/// of [`oracle::decide`](crate::policy::oracle::decide). Its cost does not grow with the number of policies, but with the
/// segments of the resource, the groups of the caller and the rows that apply.
pub fn decide(snapshot: &Arc<Snapshot>, request: Request, id: DecisionId) -> Decision {
    let projection = Projection::of(snapshot, &request);
    decide_as(snapshot, &projection, request, id)
}

/// The same with what the caller of the request is already known to hold. Another caller's projection, or one of another
/// snapshot, is made anew.
pub(crate) fn decide_as(
    snapshot: &Arc<Snapshot>,
    projection: &Projection,
    request: Request,
    id: DecisionId,
) -> Decision {
    let fresh;
    let projection = if projection.is_of(snapshot) && projection.is_about(&request) {
        projection
    } else {
        fresh = Projection::of(snapshot, &request);
        &fresh
    };
    let facts = request.facts(snapshot);
    let asked = Asked {
        snapshot,
        who: projection.who(),
        action: request.action,
        facts,
    };
    let (mut denies, mut allows) = (Vec::new(), Vec::new());
    let (kind, path) = (request.resource.kind(), request.resource.path());
    asked.index().trie.walk(kind, path, &mut |bundle| {
        for class in [Class::WholeDenies, Class::ColumnDenies] {
            asked.collect((bundle, class), Effect::Deny, &mut denies);
        }
        for class in [Class::WholeAllows, Class::ColumnAllows] {
            asked.collect((bundle, class), Effect::Allow, &mut allows);
        }
    });
    let (denies, allows) = (in_order(snapshot, denies), in_order(snapshot, allows));
    let (kind, rows, sees) = conclude(&denies, &allows);
    Decision::new(id, kind, rows, sees, request, Arc::clone(snapshot))
}

/// What is asked, in the index's words.
pub(super) struct Asked<'a> {
    pub(super) snapshot: &'a Snapshot,
    pub(super) who: Who<'a>,
    pub(super) action: Action,
    pub(super) facts: Facts<'a>,
}

impl<'a> Asked<'a> {
    pub(super) const fn index(&self) -> &'a Index {
        self.snapshot.index()
    }

    /// Whether a row applies whose action and resource match, and whose principal the caller holds or, for a deny, may
    /// hold.
    pub(super) fn applies(&self, entry: Entry, effect: Effect) -> bool {
        if entry.condition == NONE {
            return true;
        }
        let policy = self.snapshot.policy(at(entry.condition));
        // A row that is not there is no grant, and no reason to lift a deny.
        let truth = policy.map_or(Truth::Unknown, |policy| condition_of(policy, &self.facts));
        suffices(truth, effect)
    }

    fn collect(&self, list: (u32, Class), effect: Effect, rows: &mut Vec<u32>) {
        let lists = &self.index().lists;
        lists.each(list, &self.who, self.action, &mut |entry| {
            if self.applies(entry, effect) {
                rows.push(entry.row);
            }
            ControlFlow::Continue(())
        });
    }
}

/// The rows in the order of the table, each once.
fn in_order(snapshot: &Snapshot, mut rows: Vec<u32>) -> Vec<(usize, &AccessPolicy)> {
    rows.sort_unstable();
    rows.dedup();
    let policy = |row: u32| Some((at(row), snapshot.policy(at(row))?));
    rows.into_iter().filter_map(policy).collect()
}
