//! The decision without its reasons: kind and first row, found without an allocation.

use std::ops::ControlFlow;

use super::decide::Asked;
use super::lists::Class;
use super::{Located, NONE, Projection, at};
use crate::id::PolicyId;
use crate::metadata::Snapshot;
use crate::policy::resource;
use crate::policy::{Action, Context, DecisionKind, Effect, NotAResource, ResourceKind};

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
    /// What [`decide`](crate::policy::decide) would say first: kind and first row. Allocates nothing on the snapshot of
    /// both handles. It is no effect and stands in no audit log: what acts on it goes through a
    /// [`Session`](crate::Session).
    pub fn verdict(
        &self,
        snapshot: &Snapshot,
        action: Action,
        resource: &Located,
        context: &Context,
    ) -> Verdict {
        let place = if resource.index == snapshot.index().number {
            Place::Bundles(&resource.bundles)
        } else {
            Place::Path(resource.resource.kind(), resource.resource.path())
        };
        self.verdict_at(snapshot, action, place, context)
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
    ) -> Result<Verdict, NotAResource> {
        resource::read(resource, |kind, path| {
            self.verdict_at(snapshot, action, Place::Path(kind, path), context)
        })
    }

    fn verdict_at(
        &self,
        snapshot: &Snapshot,
        action: Action,
        place: Place<'_>,
        context: &Context,
    ) -> Verdict {
        let fresh;
        let projection = if self.is_of(snapshot) {
            self
        } else {
            fresh = self.again(snapshot);
            &fresh
        };
        let asked = Asked {
            snapshot,
            who: projection.who(),
            caller: projection.caller(),
            action,
            facts: &context.facts_on(snapshot),
        };
        asked.verdict(place)
    }
}

/// Where to look.
#[derive(Clone, Copy)]
enum Place<'a> {
    /// There.
    Bundles(&'a [u32]),
    /// Wherever this path leads.
    Path(ResourceKind, &'a str),
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
            (DecisionKind::Allow, whole.min(columns))
        };
        Verdict { kind, row }
    }

    fn each_bundle(&self, place: Place<'_>, visit: &mut impl FnMut(u32)) {
        match place {
            Place::Bundles(bundles) => bundles.iter().for_each(|bundle| visit(*bundle)),
            Place::Path(kind, path) => self.index().trie.walk(kind, path, visit),
        }
    }

    /// Lowers `least` to the first applying row of a list, if that comes earlier.
    fn first(&self, list: (u32, Class), least: &mut u32) {
        let effect = match list.1 {
            Class::WholeDenies | Class::ColumnDenies => Effect::Deny,
            Class::WholeAllows | Class::ColumnAllows => Effect::Allow,
        };
        let lists = &self.index().lists;
        lists.each(list, &self.who, self.action, &mut |entry| {
            if entry.row < *least {
                if !self.applies(entry, effect) {
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
        let effect = match class {
            Class::WholeDenies | Class::ColumnDenies => Effect::Deny,
            Class::WholeAllows | Class::ColumnAllows => Effect::Allow,
        };
        let lists = &self.index().lists;
        let mut is_done = false;
        self.each_bundle(place, &mut |bundle| {
            lists.each((bundle, class), &self.who, self.action, &mut |entry| {
                is_done = is_done || self.applies(entry, effect) && !goes_on(entry.row);
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
