//! Pipeline_Dependencies: both ends exist, and no stage waits for itself, through however many others.
//!
//! A row is on a cycle exactly when its two ends are in one strongly connected component (Sharir, "A strong-connectivity
//! algorithm and its applications in data flow analysis", 1981): two walks over all rows, however long the chains are.

use std::collections::{BTreeMap, BTreeSet};

use super::{At, Check};
use crate::metadata::{Problem, Tables};

/// Job and number.
type StageKey = (u32, u32);
type Edges = BTreeMap<StageKey, Vec<StageKey>>;

pub(super) fn dependencies(tables: &Tables, check: &mut Check<'_>) {
    let (mut forth, mut back) = (Edges::new(), Edges::new());
    for row in &tables.pipeline_dependencies {
        let (stage, after) = ((row.job_id, row.stage), (row.job_id, row.after));
        forth.entry(stage).or_default().push(after);
        back.entry(after).or_default().push(stage);
    }
    let components = components(&forth, &back);
    for row in &tables.pipeline_dependencies {
        let key = format!("{}/{}/{}", row.job_id, row.stage, row.after);
        let at = |column| At {
            table: "Pipeline_Dependencies",
            key: &key,
            column,
        };
        for (column, stage) in [("stage", row.stage), ("after", row.after)] {
            if !check.known.stages.contains(&(row.job_id, stage)) {
                let reason = format!("job {} has no such stage", row.job_id);
                check.problem(at(column), Problem::new(reason).text(&stage.to_string()));
            }
        }
        let component = |stage| components.get(&(row.job_id, stage));
        if component(row.stage) == component(row.after) {
            let reason = format!("stage {} would wait for itself", row.stage);
            let problem = Problem::new(reason).text(&row.after.to_string());
            check.problem(at("after"), problem);
        }
    }
}

/// The component of every stage that has an edge, named by one of its stages.
fn components(forth: &Edges, back: &Edges) -> BTreeMap<StageKey, StageKey> {
    let mut seen = BTreeSet::new();
    let mut finished = Vec::new();
    for start in forth.keys() {
        walk(*start, forth, &mut seen, |stage| finished.push(stage));
    }
    let mut seen = BTreeSet::new();
    let mut components = BTreeMap::new();
    for start in finished.into_iter().rev() {
        walk(start, back, &mut seen, |stage| {
            components.insert(stage, start);
        });
    }
    components
}

/// Visits what is not yet seen and names each stage after all behind it. The stack is on the heap: a chain may be long.
fn walk(
    start: StageKey,
    edges: &Edges,
    seen: &mut BTreeSet<StageKey>,
    mut done: impl FnMut(StageKey),
) {
    let of = |stage: &StageKey| edges.get(stage).map_or(&[][..], Vec::as_slice).iter();
    if !seen.insert(start) {
        return;
    }
    let mut open = vec![(start, of(&start))];
    while let Some((stage, next)) = open.last_mut() {
        match next.next() {
            Some(next) if seen.insert(*next) => open.push((*next, of(next))),
            Some(_) => {}
            None => {
                done(*stage);
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

    fn both_ways(waits: &[(u32, u32)]) -> (Edges, Edges) {
        let (mut forth, mut back) = (Edges::new(), Edges::new());
        for (stage, after) in waits {
            forth.entry((1, *stage)).or_default().push((1, *after));
            back.entry((1, *after)).or_default().push((1, *stage));
        }
        (forth, back)
    }

    proptest! {
        #[test]
        fn two_stages_are_in_one_component_exactly_when_each_waits_for_the_other(
            waits in prop::collection::vec((0..8u32, 0..8u32), 0..16),
        ) {
            let (forth, back) = both_ways(&waits);
            let components = components(&forth, &back);
            for (stage, after) in &waits {
                let is_cycle = components[&(1, *stage)] == components[&(1, *after)];
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
            let (forth, back) = both_ways(&waits);
            let distinct: BTreeSet<StageKey> = components(&forth, &back).into_values().collect();
            assert_eq!(distinct.len(), expected);
        }
    }
}
