//! A secret stands in memory where it should and nowhere else, and after its end nowhere at all.

use zt_memory::{Protection, SecretBuf, forbid_core_dumps, status};

use crate::alone::{alone, deny_secret_memory, limit_locked_memory};
use crate::memory::{BEFORE, Needle};

/// What every kind of memory must show, with a plain vector as the proof that the search finds things.
fn search(protection: Protection) {
    let (control, needle) = (Needle::new(), Needle::new());
    let plain = control.text();
    let secret = SecretBuf::copy_of(&needle.text());
    assert_eq!(status().protection, protection);
    assert!(needle.ends(secret.reveal()));

    assert_eq!(control.places(), [at(&plain)]);
    if protection == Protection::SecretMemory {
        assert_eq!(needle.places(), []);
    } else {
        assert_eq!(needle.places(), [at(secret.reveal())]);
    }
    drop(secret);
    assert_eq!(needle.places(), []);
    assert_eq!(control.places(), [at(&plain)]);

    let mut wiped = SecretBuf::copy_of(&needle.text());
    wiped.wipe();
    assert!(wiped.reveal().iter().all(|byte| *byte == 0));
    assert_eq!(wiped.len(), needle.text().len());
    assert_eq!(needle.places(), []);
}

/// Where the needle stands in a value.
fn at(value: &[u8]) -> usize {
    value.as_ptr().addr() + BEFORE
}

#[test]
fn a_secret_in_secret_memory_is_found_nowhere() {
    alone("needle::a_secret_in_secret_memory_is_found_nowhere", || {
        if status().protection == Protection::SecretMemory {
            search(Protection::SecretMemory);
        } else {
            println!("skipped: this kernel gives no secret memory");
        }
    });
}

#[test]
fn a_secret_in_locked_memory_is_found_in_the_arena_alone() {
    alone(
        "needle::a_secret_in_locked_memory_is_found_in_the_arena_alone",
        || {
            deny_secret_memory();
            search(Protection::LockedMemory);
        },
    );
}

#[test]
fn a_secret_on_the_heap_is_found_once_and_is_gone_with_its_end() {
    alone(
        "needle::a_secret_on_the_heap_is_found_once_and_is_gone_with_its_end",
        || {
            limit_locked_memory(0);
            search(Protection::Heap);
        },
    );
}

#[test]
fn locked_regions_are_locked_out_of_dumps_and_zeroed_in_children() {
    alone(
        "needle::locked_regions_are_locked_out_of_dumps_and_zeroed_in_children",
        || {
            deny_secret_memory();
            let secret = SecretBuf::copy_of(b"zt-needle-flags");
            let flags = flags_at(secret.reveal().as_ptr().addr());
            for flag in ["lo", "dd", "wf"] {
                assert!(flags.contains(&flag.to_owned()), "{flags:?} lacks {flag}");
            }
        },
    );
}

#[test]
fn secret_regions_are_locked_out_of_dumps_and_kept_from_children() {
    alone(
        "needle::secret_regions_are_locked_out_of_dumps_and_kept_from_children",
        || {
            let secret = SecretBuf::copy_of(b"zt-needle-flags");
            if status().protection != Protection::SecretMemory {
                println!("skipped: this kernel gives no secret memory");
                return;
            }
            let flags = flags_at(secret.reveal().as_ptr().addr());
            for flag in ["lo", "dd", "dc"] {
                assert!(flags.contains(&flag.to_owned()), "{flags:?} lacks {flag}");
            }
        },
    );
}

#[test]
fn core_dumps_can_be_forbidden() {
    alone("needle::core_dumps_can_be_forbidden", || {
        forbid_core_dumps().unwrap();
        // SAFETY: asks for a number.
        let dumpable = unsafe { libc::prctl(libc::PR_GET_DUMPABLE, 0, 0, 0, 0) };
        assert_eq!(dumpable, 0);
    });
}

/// The flags of the mapping that holds the address: proc(5), `VmFlags` of /proc/PID/smaps.
fn flags_at(address: usize) -> Vec<String> {
    let smaps = std::fs::read_to_string("/proc/self/smaps").unwrap();
    let mut is_here = false;
    for line in smaps.lines() {
        if let Some(flags) = line.strip_prefix("VmFlags: ") {
            if is_here {
                return flags.split_whitespace().map(str::to_owned).collect();
            }
        } else if let Some((start, end)) = line
            .split(' ')
            .next()
            .and_then(|range| range.split_once('-'))
        {
            let bound = |text| usize::from_str_radix(text, 16).unwrap();
            is_here = (bound(start)..bound(end)).contains(&address);
        }
    }
    Vec::new()
}
