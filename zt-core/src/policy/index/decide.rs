//! The whole decision through the index: every applying row, in the order of the table.

use std::ops::ControlFlow;
use std::sync::Arc;

use super::lists::{Class, Entry};
use super::principals::Who;
use super::{Index, NONE, Projection, at};
use crate::metadata::{AccessPolicy, Snapshot};
use crate::policy::oracle::{condition_of, suffices, weakness};
use crate::policy::outcome::{Applying, Placed, conclude};
use crate::policy::{
    Action, Decision, DecisionId, Facts, PolicyKind, Request, ResourceKind, Truth,
};

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
    let place = (request.resource.kind(), request.resource.path());
    let asked = Asked {
        snapshot,
        who: projection.who(snapshot, place, request.now),
        action: request.action,
        facts,
    };
    let applying = asked.applying(place);
    let outcome = conclude(&applying, &asked.facts);
    Decision::new(id, outcome, request, Arc::clone(snapshot))
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

    /// Every row that applies.
    fn applying(&self, (kind, path): (ResourceKind, &str)) -> Applying<'a> {
        let (mut denies, mut allows) = (Vec::new(), Vec::new());
        let (mut restricts, mut gates) = (Vec::new(), Vec::new());
        let index = self.index();
        let (own, aside) = Class::ALL.split_at(Class::COUNT);
        let has_aside = !index.lists.aside.is_empty();
        index.trie.walk(kind, path, &mut |bundle| {
            let aside = aside.iter().filter(|_| has_aside);
            for class in own.iter().chain(aside) {
                let rows = match class {
                    Class::WholeDenies | Class::ColumnDenies | Class::RowDenies => &mut denies,
                    Class::WholeAllows | Class::ColumnAllows => &mut allows,
                    Class::Restricts => &mut restricts,
                    Class::Gates => &mut gates,
                };
                self.collect((bundle, *class), rows);
            }
        });
        Applying {
            denies: in_order(self.snapshot, denies),
            allows: in_order(self.snapshot, allows),
            restricts: in_order(self.snapshot, restricts),
            gates: in_order(self.snapshot, gates),
        }
    }

    /// Whether a row applies whose action and resource match, and whose principal the caller holds or, but for an allow, may
    /// hold.
    pub(super) fn applies(&self, entry: Entry, class: Class) -> bool {
        let mut truth = Truth::True;
        if entry.condition != NONE {
            // A row that is not there is no grant, and no reason to lift a deny.
            truth = match self.snapshot.policy(at(entry.condition)) {
                Some(policy) => {
                    condition_of(policy, &self.facts).and(self.activation(entry.row, policy))
                }
                None => Truth::Unknown,
            };
        }
        if class == Class::Gates {
            let gate = self.snapshot.policy(at(entry.row));
            truth = truth.and(gate.map_or(Truth::Unknown, |row| weakness(row, &self.facts)));
        }
        suffices(truth, class.effect())
    }

    /// Whether a row is activated for the caller now; a standing one always is.
    fn activation(&self, row: u32, policy: &AccessPolicy) -> Truth {
        if policy.kind == PolicyKind::Standing {
            return Truth::True;
        }
        let rows = self.index().activated.get(&row);
        let rows = rows.map_or(&[][..], |rows| &**rows).iter();
        rows.map(|activation| {
            let is_guessed = activation.maybe && self.who.guesses();
            let guessed = if is_guessed {
                Truth::Unknown
            } else {
                Truth::False
            };
            let holds = self.who.holds(activation.principal).or(guessed);
            holds.and(activation.window.holds(self.facts.now()))
        })
        .fold(Truth::False, Truth::or)
    }

    fn collect(&self, list: (u32, Class), rows: &mut Vec<u32>) {
        let lists = &self.index().lists;
        lists.each(list, &self.who, self.action, &mut |entry| {
            if self.applies(entry, list.1) {
                rows.push(entry.row);
            }
            ControlFlow::Continue(())
        });
    }
}

/// The rows in the order of the table, each once.
fn in_order(snapshot: &Snapshot, mut rows: Vec<u32>) -> Vec<Placed<'_>> {
    rows.sort_unstable();
    rows.dedup();
    let policy = |row: u32| Some((at(row), snapshot.policy(at(row))?));
    rows.into_iter().filter_map(policy).collect()
}
