//! Cycles of directed edges.
//!
//! An edge is on a cycle exactly when its two ends are in one strongly connected component (Sharir, "A strong-connectivity
//! algorithm and its applications in data flow analysis", 1981): two walks over all edges, however long the chains are.

use std::collections::{BTreeMap, BTreeSet};

type Edges<N> = BTreeMap<N, Vec<N>>;

/// The component of every node that has an edge, named by one of its nodes.
pub(super) fn components<N: Copy + Ord>(edges: impl Iterator<Item = (N, N)>) -> BTreeMap<N, N> {
    let (mut forth, mut back) = (Edges::new(), Edges::new());
    for (from, to) in edges {
        forth.entry(from).or_default().push(to);
        back.entry(to).or_default().push(from);
    }
    let mut seen = BTreeSet::new();
    let mut finished = Vec::new();
    for start in forth.keys() {
        walk(*start, &forth, &mut seen, |node| finished.push(node));
    }
    let mut seen = BTreeSet::new();
    let mut components = BTreeMap::new();
    for start in finished.into_iter().rev() {
        walk(start, &back, &mut seen, |node| {
            components.insert(node, start);
        });
    }
    components
}

/// Visits what is not yet seen and names each node after all behind it. The stack is on the heap: a chain may be long.
fn walk<N: Copy + Ord>(
    start: N,
    edges: &Edges<N>,
    seen: &mut BTreeSet<N>,
    mut done: impl FnMut(N),
) {
    let of = |node: &N| edges.get(node).map_or(&[][..], Vec::as_slice).iter();
    if !seen.insert(start) {
        return;
    }
    let mut open = vec![(start, of(&start))];
    while let Some((node, next)) = open.last_mut() {
        match next.next() {
            Some(next) if seen.insert(*next) => open.push((*next, of(next))),
            Some(_) => {}
            None => {
                done(*node);
                open.pop();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Whether stage `from` waits for stage `to`, the obvious way.
    fn reaches(waits: &[(u32, u32)], from: u32, to: u32) -> bool {
        let (mut seen, mut open) = (BTreeSet::new(), vec![from]);
        while let Some(stage) = open.pop() {
            if stage == to {
                return true;
            }
            if seen.insert(stage) {
                open.extend(waits.iter().filter(|row| row.0 == stage).map(|row| row.1));
            }
        }
        false
    }

    proptest! {
        #[test]
        fn two_stages_are_in_one_component_exactly_when_each_waits_for_the_other(
            waits in prop::collection::vec((0..8u32, 0..8u32), 0..16),
        ) {
            let components = components(waits.iter().copied());
            for (stage, after) in &waits {
                let is_cycle = components[stage] == components[after];
                prop_assert_eq!(is_cycle, reaches(&waits, *after, *stage), "{} {}", stage, after);
            }
        }
    }

    #[test]
    fn the_longest_chain_and_the_longest_cycle_need_neither_stack_nor_patience() {
        let mut waits: Vec<(u32, u32)> = (1..200_000).map(|stage| (stage + 1, stage)).collect();
        for (cycle, expected) in [(false, 200_000), (true, 1)] {
            if cycle {
                waits.push((1, 200_000));
            }
            let distinct: BTreeSet<u32> = components(waits.iter().copied()).into_values().collect();
            assert_eq!(distinct.len(), expected);
        }
    }
}
