//! The order of stages: each after all that it waits for, ties by number (Kahn, "Topological sorting of large networks",
//! 1962).

use std::collections::{BTreeMap, BTreeSet};

/// Puts stages in order. `waits` is pairs of a stage and one that it waits for.
///
/// Loading refuses cycles; were there one, its stages would come last, so that none is ever lost.
pub(super) fn order(stages: &BTreeSet<u32>, waits: &[(u32, u32)]) -> Vec<u32> {
    let mut open: BTreeMap<u32, usize> = stages.iter().map(|stage| (*stage, 0)).collect();
    let mut waiting: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
    for (stage, after) in waits {
        open.entry(*stage).and_modify(|count| *count += 1);
        waiting.entry(*after).or_default().push(*stage);
    }
    let mut ready: BTreeSet<u32> = open
        .iter()
        .filter(|(_, count)| **count == 0)
        .map(|(stage, _)| *stage)
        .collect();
    let mut ordered = Vec::with_capacity(stages.len());
    while let Some(next) = ready.pop_first() {
        ordered.push(next);
        open.remove(&next);
        for stage in waiting.remove(&next).unwrap_or_default() {
            if let Some(count) = open.get_mut(&stage) {
                *count -= 1;
                if *count == 0 {
                    ready.insert(stage);
                }
            }
        }
    }
    ordered.extend(open.into_keys());
    ordered
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn ties_go_to_the_lower_number_and_numbers_alone_decide_nothing() {
        let stages = BTreeSet::from([1, 2, 3, 4, 9]);
        let diamond = [(3, 9), (2, 9), (1, 2), (1, 3)];
        assert_eq!(order(&stages, &diamond), [4, 9, 2, 3, 1]);
    }

    #[test]
    fn no_stage_of_a_cycle_is_lost() {
        let stages = BTreeSet::from([1, 2, 3]);
        assert_eq!(order(&stages, &[(1, 2), (2, 1)]), [3, 1, 2]);
    }

    proptest! {
        #[test]
        fn every_stage_comes_once_and_after_what_it_waits_for(
            edges in prop::collection::btree_set((0..12u32, 0..12u32), 0..40),
            shuffle in any::<u64>(),
        ) {
            let stages: BTreeSet<u32> = (0..12).collect();
            let mut waits: Vec<(u32, u32)> = edges.into_iter().filter(|(stage, after)| after < stage).collect();
            let ordered = order(&stages, &waits);
            let each: BTreeSet<u32> = ordered.iter().copied().collect();
            prop_assert_eq!(&each, &stages);
            prop_assert_eq!(ordered.len(), stages.len());
            let place = |stage: u32| ordered.iter().position(|one| *one == stage).unwrap();
            for (stage, after) in &waits {
                prop_assert!(place(*after) < place(*stage));
            }
            let middle = usize::try_from(shuffle % 41).unwrap().min(waits.len());
            waits.rotate_left(middle);
            prop_assert_eq!(order(&stages, &waits), ordered, "the order of rows means nothing");
        }
    }
}
