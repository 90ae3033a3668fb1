//! Resource patterns by segment: which bundles of rows speak of a path.
//!
//! A node has an edge for each name, one for `*`, a bundle for patterns that end at it and one for subtrees that begin at
//! it. Bundle numbers are the index's.

use super::edges::Edges;
use super::{NONE, at};
use crate::policy::ResourceKind;

/// The node of `**`, which speaks of every resource.
pub(super) const EVERYTHING: u32 = 0;

/// The node under which a kind's patterns lie.
pub(super) const fn root(kind: ResourceKind) -> u32 {
    1 + kind as u32
}

/// How many nodes there are before any pattern: [`EVERYTHING`] and the roots.
pub(super) const FIRST: usize = 1 + ResourceKind::ALL.len();

#[derive(Clone, Copy)]
pub(super) struct Node {
    /// Where `*` leads.
    pub(super) star: u32,
    /// The bundle of patterns that end here.
    pub(super) exact: u32,
    /// The bundle of subtrees from here.
    pub(super) subtree: u32,
}

pub(super) const EMPTY: Node = Node {
    star: NONE,
    exact: NONE,
    subtree: NONE,
};

pub(super) struct Trie {
    pub(super) nodes: Box<[Node]>,
    pub(super) edges: Edges,
}

impl Trie {
    /// Visits each bundle with patterns that match the path. A path that several of them spell differently is met once
    /// in each; no bundle is met twice.
    pub(super) fn walk(&self, kind: ResourceKind, path: &str, visit: &mut impl FnMut(u32)) {
        let all = self.nodes.get(at(EVERYTHING)).unwrap_or(&EMPTY);
        if all.subtree != NONE {
            visit(all.subtree);
        }
        self.descend(root(kind), Some(path), kind.separator(), visit);
    }

    /// Goes on alone where only one edge fits; where a name and `*` both do, one of them is a call of its own. A path of
    /// 1024 bytes has at most 512 segments, and so has the deepest call.
    fn descend(
        &self,
        mut node: u32,
        mut rest: Option<&str>,
        separator: char,
        visit: &mut impl FnMut(u32),
    ) {
        while let Some(here) = self.nodes.get(at(node)) {
            if here.subtree != NONE {
                visit(here.subtree);
            }
            let Some(path) = rest else {
                if here.exact != NONE {
                    visit(here.exact);
                }
                return;
            };
            let (segment, tail) = match path.split_once(separator) {
                Some((segment, tail)) => (segment, Some(tail)),
                None => (path, None),
            };
            let star = here.star;
            match self.edges.find(node, segment) {
                Some(named) => {
                    if star != NONE {
                        self.descend(star, tail, separator, visit);
                    }
                    node = named;
                }
                None => node = star,
            }
            rest = tail;
        }
    }
}
