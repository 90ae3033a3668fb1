use std::collections::BTreeMap;

use proptest::prelude::*;

use super::blocks::size_for;
use super::*;

impl Arena {
    /// Every free block, and all of it zeros.
    fn has_only_zeros_free(&self) -> bool {
        let state = self.state();
        state.regions.values().all(|region| {
            let mut free = region.blocks.free();
            free.all(|(offset, size)| {
                let block = Slot::new(&region.mapping, offset, size, 0);
                block.whole().iter().all(|byte| *byte == 0)
            })
        })
    }
}

#[derive(Debug, Clone)]
enum Step {
    Store(usize, u8),
    TakeBack(usize),
}

fn step() -> impl Strategy<Value = Step> {
    let len = prop_oneof![4 => 1..200_usize, 2 => 200..5_000_usize, 1 => 5_000..70_000_usize];
    prop_oneof![
        3 => (len, any::<u8>()).prop_map(|(len, byte)| Step::Store(len, byte)),
        2 => any::<usize>().prop_map(Step::TakeBack),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn an_arena_behaves_as_a_list_of_vectors(steps in prop::collection::vec(step(), 1..80)) {
        let arena = Arena::new();
        let mut model: Vec<(Slot, Vec<u8>)> = Vec::new();
        for step in steps {
            match step {
                Step::Store(len, byte) => {
                    let bytes = vec![byte; len];
                    // A machine with little memory to lock is a smaller test, not another outcome.
                    if let Ok(slot) = arena.store(&bytes) {
                        model.push((slot, bytes));
                    }
                }
                Step::TakeBack(index) if !model.is_empty() => {
                    let (slot, _) = model.swap_remove(index % model.len());
                    arena.take_back(slot);
                }
                Step::TakeBack(_) => {}
            }
            let mut ends = 0;
            let by_address: BTreeMap<usize, usize> =
                model.iter().map(|(slot, _)| (slot.address(), slot.room())).collect();
            prop_assert_eq!(by_address.len(), model.len());
            for (address, room) in by_address {
                prop_assert!(address >= ends, "two slots overlap");
                ends = address + room;
            }
            prop_assert!(model.iter().all(|(slot, bytes)| slot.bytes() == bytes));
            prop_assert!(arena.has_only_zeros_free());
            prop_assert_eq!(arena.status().slots_in_use, model.len());
        }
        for (slot, _) in model {
            arena.take_back(slot);
        }
        let status = arena.status();
        prop_assert_eq!((status.slots_in_use, status.broken_canaries), (0, 0));
        prop_assert!(status.regions <= 1, "empty regions are given back");
        prop_assert!(arena.has_only_zeros_free());
    }

    #[test]
    fn blocks_do_not_overlap_and_join_again(sizes in prop::collection::vec(1..9_000_usize, 1..200)) {
        let mut blocks = Blocks::new(LARGEST_REGION);
        let mut taken: BTreeMap<usize, usize> = BTreeMap::new();
        for (number, needed) in sizes.into_iter().enumerate() {
            let size = size_for(needed);
            prop_assert!(size >= needed && size.is_power_of_two());
            if let Some(offset) = blocks.take(size) {
                prop_assert!(offset.is_multiple_of(size) && offset + size <= LARGEST_REGION);
                let before = taken.range(..offset + size).next_back();
                prop_assert!(before.is_none_or(|(other, size)| other + size <= offset));
                taken.insert(offset, size);
            }
            if number % 3 == 0 && let Some((offset, size)) = taken.pop_first() {
                blocks.give_back(offset, size);
            }
            let free: usize = blocks.free().map(|(_, size)| size).sum();
            prop_assert_eq!(free + taken.values().sum::<usize>(), LARGEST_REGION);
        }
        for (offset, size) in taken {
            blocks.give_back(offset, size);
        }
        prop_assert!(blocks.is_unused());
        prop_assert_eq!(blocks.take(LARGEST_REGION), Some(0));
    }
}

/// A slot of `len` bytes, or none where no memory can be locked.
fn stored(arena: &Arena, len: usize) -> Option<Slot> {
    let slot = arena.store(&vec![b'x'; len]);
    if let Err(why) = &slot {
        println!("skipped: {why}");
    }
    slot.ok()
}

#[test]
fn a_write_past_the_end_is_counted_and_wiped_all_the_same() {
    let arena = Arena::new();
    let Some(mut slot) = stored(&arena, 40) else {
        return;
    };
    slot.whole_mut()[40] ^= 1;
    slot.whole_mut()[63] = 1;
    arena.take_back(slot);
    assert_eq!(arena.status().broken_canaries, 1);
    assert!(arena.has_only_zeros_free());
}

#[test]
fn a_freed_slot_is_used_again() {
    let arena = Arena::new();
    let Some(first) = stored(&arena, 40) else {
        return;
    };
    let address = first.address();
    arena.take_back(first);
    let second = arena.store(b"another").unwrap();
    assert_eq!(second.address(), address);
    assert_eq!(arena.status().regions, 1);
    arena.take_back(second);
}

#[test]
fn a_value_above_the_largest_block_has_a_mapping_of_its_own_that_ends_with_it() {
    let arena = Arena::new();
    let Some(small) = stored(&arena, LARGEST_BLOCK - CANARY) else {
        return;
    };
    assert!(arena.state().large.is_empty());
    let large = arena
        .store(&vec![b'x'; LARGEST_BLOCK - CANARY + 1])
        .unwrap();
    assert_eq!(arena.state().large.len(), 1);
    assert!(large.room().is_multiple_of(page_size()));
    arena.take_back(large);
    assert!(arena.state().large.is_empty());
    arena.take_back(small);
}

#[test]
fn small_secrets_share_pages() {
    let arena = Arena::new();
    let slots: Vec<Slot> = (0..1_000).filter_map(|_| stored(&arena, 100)).collect();
    let status = arena.status();
    if slots.len() == 1_000 {
        // 128 bytes each, and no more than a region that is not yet full.
        assert!(status.bytes_mapped <= 2 * 1_000 * 128, "{status:?}");
    }
    for slot in slots {
        arena.take_back(slot);
    }
}
