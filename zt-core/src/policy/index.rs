//! Finds the rows that may speak of a request without looking at the others.
//!
//! In: the typed tables, once for each snapshot. Out: [`decide`], equal to [`oracle::decide`](super::oracle::decide), and
//! [`Projection::verdict`], the same without its reasons and without an allocation. Never: the meaning of a condition,
//! which the oracle alone knows.
//!
//! Resource patterns lie in a trie by segment; each of its ends holds four lists of rows (denies and allows, whole and
//! about columns). A list of many rows is probed by principal and action instead of walked. What a caller holds is looked
//! up once and kept as a [`Projection`]. So a decision costs as much as its resource has segments and its caller groups,
//! and as there are rows that do apply, however many policies there are. Two things still cost by the row: many rows on
//! one resource for one principal and action, each with a condition of its own; and patterns that spell one path in many
//! ways with `*`.

mod build;
mod decide;
mod edges;
mod lists;
mod near;
mod numbers;
mod principals;
mod trie;
mod verdict;

use std::fmt;

use rustc_hash::FxHashMap;

use super::{Resource, Window};
use crate::metadata::Snapshot;
pub use decide::decide;
pub(crate) use decide::decide_as;
use lists::Lists;
use near::AllowsOf;
use principals::Principals;
pub use principals::Projection;
use trie::Trie;
pub use verdict::Verdict;

/// The rows of Access_Policies of one snapshot, found by principal, action and resource.
pub(crate) struct Index {
    /// No other index of this process has it: handles of another snapshot are told by it.
    number: u64,
    principals: Principals,
    trie: Trie,
    lists: Lists,
    /// The columns of rows that name some, in lowercase and as numbers.
    columns: FxHashMap<u32, Box<[u32]>>,
    /// For whom and when rows are activated that are not standing.
    activated: FxHashMap<u32, Box<[Activation]>>,
    allows_of: AllowsOf,
}

/// For whom and when a row is activated.
struct Activation {
    principal: u32,
    /// Whether a caller of unknown groups may be meant.
    maybe: bool,
    window: Window,
}

impl fmt::Debug for Index {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Index")
            .field("number", &self.number)
            .finish_non_exhaustive()
    }
}

/// More rows than an index can number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "too many rows: the index numbers at most 4294967294 rows and segments, and follows at most 65536 ways from a principal \
     through Memberships to what it holds"
)]
pub(crate) struct TooMany;

/// A number that an index uses for rows, nodes and lists.
fn small(number: usize) -> Result<u32, TooMany> {
    u32::try_from(number)
        .ok()
        .filter(|number| *number != NONE)
        .ok_or(TooMany)
}

/// Back into a place of an array.
const fn at(number: u32) -> usize {
    number as usize
}

/// No row, node or list.
const NONE: u32 = u32::MAX;

/// A resource and where a snapshot's index speaks of it: worth keeping for what is asked again and again. On another
/// snapshot it finds its way anew, so an old one is slower but never wrong.
#[derive(Debug, Clone)]
pub struct Located {
    index: u64,
    resource: Resource,
    bundles: Box<[u32]>,
}

impl Located {
    /// Looks a resource up.
    #[must_use]
    pub fn new(snapshot: &Snapshot, resource: Resource) -> Self {
        let index = snapshot.index();
        let mut bundles = Vec::new();
        index
            .trie
            .walk(resource.kind(), resource.path(), &mut |bundle| {
                bundles.push(bundle);
            });
        Self {
            index: index.number,
            resource,
            bundles: Box::from(bundles),
        }
    }

    /// The resource.
    #[must_use]
    pub const fn resource(&self) -> &Resource {
        &self.resource
    }
}
