//! Finds the rows that can cover a row, without looking at every row.
//!
//! In: rows, then a pattern of resources, principals and a condition. Out: rows whose resources reach as far, whose
//! principal can reach as far, and whose condition is empty, the same, or else one of the first [`MOST`] of a place. So the
//! cost of a lint does not grow with the square of the rows; what lies beyond is missed.

use std::collections::HashMap;

use super::row::{Row, principals, resources};
use super::world::World;
use crate::policy::{ResourceKind, ResourcePattern};

/// The most rows of one place and condition that are offered.
const MOST: usize = 128;

/// How a row's condition is looked for.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Asks {
    Nothing,
    This(String),
    Anything,
}

/// The rows of one place, by principal and condition.
type Place = HashMap<(String, Asks), Vec<usize>>;

#[derive(Debug, Default)]
struct Node {
    named: HashMap<Box<str>, Self>,
    any: Option<Box<Self>>,
    /// Patterns that end here.
    here: Place,
    /// Subtrees from here.
    below: Place,
}

#[derive(Debug, Default)]
pub(super) struct Candidates {
    everything: Place,
    kinds: HashMap<ResourceKind, Node>,
}

impl Candidates {
    pub(super) fn of(rows: &[Row<'_>]) -> Self {
        let mut found = Self::default();
        for (at, row) in rows.iter().enumerate() {
            for pattern in resources(row.policy) {
                let place = found.place(pattern);
                for principal in principals(row.policy) {
                    let asks = if row.is_plain() {
                        vec![Asks::Nothing]
                    } else {
                        vec![Asks::This(row.whole.to_string()), Asks::Anything]
                    };
                    for asks in asks {
                        let list = place.entry((principal.to_string(), asks)).or_default();
                        if list.len() < MOST {
                            list.push(at);
                        }
                    }
                }
            }
        }
        found
    }

    fn place(&mut self, pattern: &ResourcePattern) -> &mut Place {
        let Some((kind, segments, subtree)) = pattern.parts() else {
            return &mut self.everything;
        };
        let mut node = self.kinds.entry(kind).or_default();
        for segment in segments {
            node = match segment {
                Some(name) => node.named.entry(Box::from(name)).or_default(),
                None => node.any.get_or_insert_default(),
            };
        }
        if subtree {
            &mut node.below
        } else {
            &mut node.here
        }
    }

    /// The places of patterns that cover this one.
    fn places(&self, pattern: &ResourcePattern) -> Vec<&Place> {
        let mut places = vec![&self.everything];
        let Some((kind, segments, subtree)) = pattern.parts() else {
            return places;
        };
        let mut front: Vec<&Node> = self.kinds.get(&kind).into_iter().collect();
        for segment in segments {
            places.extend(front.iter().map(|node| &node.below));
            let named = front.iter().filter_map(|node| node.named.get(segment?));
            let any = front.iter().filter_map(|node| node.any.as_deref());
            front = named.chain(any).collect();
        }
        places.extend(front.iter().map(|node| &node.below));
        if !subtree {
            places.extend(front.iter().map(|node| &node.here));
        }
        places
    }

    /// The rows that can cover this one, in the order of the table. It is one of them.
    pub(super) fn covering(&self, world: &World<'_>, row: &Row<'_>) -> Vec<usize> {
        let (Some(pattern), Some(principal)) = (
            resources(row.policy).first(),
            principals(row.policy).first(),
        ) else {
            return Vec::new();
        };
        let asks = if row.is_plain() {
            vec![Asks::Nothing, Asks::Anything]
        } else {
            let same = Asks::This(row.whole.to_string());
            vec![Asks::Nothing, same, Asks::Anything]
        };
        let mut keys: Vec<(String, Asks)> = Vec::new();
        let wider = world.wider(principal);
        let mut wider: Vec<String> = wider.iter().map(ToString::to_string).collect();
        wider.sort_unstable();
        wider.dedup();
        for ask in asks {
            keys.extend(wider.iter().map(|name| (name.clone(), ask.clone())));
        }
        let mut found = Vec::new();
        for place in self
            .places(pattern)
            .iter()
            .filter(|place| !place.is_empty())
        {
            for key in &keys {
                found.extend(place.get(key).into_iter().flatten().copied());
            }
        }
        found.sort_unstable();
        found.dedup();
        found
    }
}
