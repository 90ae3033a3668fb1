//! The decision without its reasons: kind and first row, found without an allocation.

use std::ops::ControlFlow;

use super::decide::Asked;
use super::lists::Class;
use super::{Located, NONE, Projection, at};
use crate::clock::Timestamp;
use crate::id::PolicyId;
use crate::metadata::Snapshot;
use crate::policy::resource;
use crate::policy::{Action, Context, DecisionKind, Facts, NotAResource, ResourceKind};

/// How a request was decided, and by which row first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use = "a verdict that nobody reads protects nothing"]
pub struct Verdict {
    kind: DecisionKind,
    row: u32,
}

impl Verdict {
    /// How it was decided.
    #[must_use]
    pub const fn kind(self) -> DecisionKind {
        self.kind
    }

    /// Whether the request may proceed. Which columns it may see, the whole decision says.
    #[must_use]
    pub fn is_allowed(self) -> bool {
        self.kind == DecisionKind::Allow
    }

    /// The place in Access_Policies of the first row that decided; none for a default deny.
    #[must_use]
    pub fn row(self) -> Option<usize> {
        (self.row != NONE).then_some(at(self.row))
    }

    /// The id of that row, on the snapshot that decided.
    #[must_use]
    pub fn policy(self, snapshot: &Snapshot) -> Option<&PolicyId> {
        snapshot.policy(self.row()?).map(|policy| &policy.id)
    }
}

impl Projection {
    /// What [`decide`](crate::policy::decide) would say first: kind and first row. Without a time, windows and `time.*` are
    /// unknown. Allocates nothing on the snapshot of
    /// both handles. It is no effect and stands in no audit log: what acts on it goes through a
    /// [`Session`](crate::Session).
    pub fn verdict(
        &self,
        snapshot: &Snapshot,
        action: Action,
        resource: &Located,
        context: &Context,
        now: Option<Timestamp>,
    ) -> Verdict {
        let is_known = resource.index == snapshot.index().number;
        let place = Place {
            bundles: is_known.then_some(&*resource.bundles),
            kind: resource.resource.kind(),
            path: resource.resource.path(),
        };
        self.verdict_at(snapshot, action, place, context, now)
    }

    /// Those of these resources on which the action is allowed, in their order: a verdict each, and no allocation.
    ///
    /// ```
    /// # use zt_core::{metadata::Snapshot, policy::{Action, Context, Located, Projection}};
    /// fn readable(snapshot: &Snapshot, caller: &Projection, tables: &[Located]) -> usize {
    ///     let nothing = Context::new();
    ///     caller.allowed(snapshot, Action::TableRead, tables, &nothing, None).count()
    /// }
    /// ```
    pub fn allowed<'r>(
        &'r self,
        snapshot: &'r Snapshot,
        action: Action,
        resources: &'r [Located],
        context: &'r Context,
        now: Option<Timestamp>,
    ) -> impl Iterator<Item = &'r Located> {
        resources.iter().filter(move |resource| {
            let verdict = self.verdict(snapshot, action, resource, context, now);
            verdict.is_allowed()
        })
    }

    /// The same for a resource as people write it, `table:gold.loan_scores`. Allocates only for names that are not plain
    /// ASCII.
    ///
    /// # Errors
    /// What is wrong with the resource.
    pub fn verdict_of(
        &self,
        snapshot: &Snapshot,
        action: Action,
        resource: &str,
        context: &Context,
        now: Option<Timestamp>,
    ) -> Result<Verdict, NotAResource> {
        resource::read(resource, |kind, path| {
            let place = Place {
                bundles: None,
                kind,
                path,
            };
            self.verdict_at(snapshot, action, place, context, now)
        })
    }

    fn verdict_at(
        &self,
        snapshot: &Snapshot,
        action: Action,
        place: Place<'_>,
        context: &Context,
        now: Option<Timestamp>,
    ) -> Verdict {
        let fresh;
        let projection = if self.is_of(snapshot) {
            self
        } else {
            fresh = self.again(snapshot);
            &fresh
        };
        let resource = (place.kind, place.path);
        let facts = Facts::new(snapshot, projection.caller(), action, resource, context);
        let asked = Asked {
            snapshot,
            who: projection.who(snapshot, resource, now),
            action,
            facts: facts.at(now).proven(projection.proven()),
        };
        asked.verdict(place)
    }
}

/// Where to look: in the bundles that are known, else wherever the path leads.
#[derive(Clone, Copy)]
struct Place<'a> {
    bundles: Option<&'a [u32]>,
    kind: ResourceKind,
    path: &'a str,
}

impl Asked<'_> {
    fn verdict(&self, place: Place<'_>) -> Verdict {
        let (mut deny, mut whole, mut columns) = (NONE, NONE, NONE);
        self.each_bundle(place, &mut |bundle| {
            self.first((bundle, Class::WholeDenies), &mut deny);
            if deny == NONE {
                self.first((bundle, Class::WholeAllows), &mut whole);
                self.first((bundle, Class::ColumnAllows), &mut columns);
            }
        });
        let (kind, row) = if deny != NONE {
            (DecisionKind::ExplicitDeny, deny)
        } else if whole == NONE && columns == NONE {
            (DecisionKind::DefaultDeny, NONE)
        } else if whole == NONE && self.hides_all(place) {
            let mut hiding = NONE;
            self.each_bundle(place, &mut |bundle| {
                self.first((bundle, Class::ColumnDenies), &mut hiding);
            });
            (DecisionKind::ExplicitDeny, hiding)
        } else {
            match self.gate(place) {
                NONE => (DecisionKind::Allow, whole.min(columns)),
                gate => (DecisionKind::ExplicitDeny, gate),
            }
        };
        Verdict { kind, row }
    }

    fn each_bundle(&self, place: Place<'_>, visit: &mut impl FnMut(u32)) {
        match place.bundles {
            Some(bundles) => bundles.iter().for_each(|bundle| visit(*bundle)),
            None => self.index().trie.walk(place.kind, place.path, visit),
        }
    }

    /// The first restriction that demands a stronger sign-in, if one does.
    fn gate(&self, place: Place<'_>) -> u32 {
        let mut gate = NONE;
        if !self.index().lists.aside.is_empty() {
            self.each_bundle(place, &mut |bundle| {
                self.first((bundle, Class::Gates), &mut gate);
            });
        }
        gate
    }

    /// Lowers `least` to the first applying row of a list, if that comes earlier.
    fn first(&self, list: (u32, Class), least: &mut u32) {
        let lists = &self.index().lists;
        lists.each(list, &self.who, self.action, &mut |entry| {
            if entry.row < *least {
                if !self.applies(entry, list.1) {
                    return ControlFlow::Continue(());
                }
                *least = entry.row;
            }
            ControlFlow::Break(())
        });
    }

    /// Whether denies name every column that the allows name. Asked only where no allow shows the whole resource.
    fn hides_all(&self, place: Place<'_>) -> bool {
        let mut is_shown = false;
        self.each_applying(place, Class::ColumnAllows, &mut |allow| {
            let columns = self.columns(allow);
            is_shown = columns.iter().any(|column| !self.is_hidden(place, *column));
            !is_shown
        });
        !is_shown
    }

    fn is_hidden(&self, place: Place<'_>, column: u32) -> bool {
        let mut is_hidden = false;
        self.each_applying(place, Class::ColumnDenies, &mut |deny| {
            is_hidden = self.columns(deny).contains(&column);
            !is_hidden
        });
        is_hidden
    }

    /// Visits applying rows of one class until the visitor has seen enough.
    fn each_applying(&self, place: Place<'_>, class: Class, goes_on: &mut impl FnMut(u32) -> bool) {
        let lists = &self.index().lists;
        let mut is_done = false;
        self.each_bundle(place, &mut |bundle| {
            lists.each((bundle, class), &self.who, self.action, &mut |entry| {
                is_done = is_done || self.applies(entry, class) && !goes_on(entry.row);
                if is_done {
                    ControlFlow::Break(())
                } else {
                    ControlFlow::Continue(())
                }
            });
        });
    }

    fn columns(&self, row: u32) -> &[u32] {
        let columns = self.index().columns.get(&row);
        columns.map_or(&[], |columns| &**columns)
    }
}
