//! Little or no memory to lock is no reason not to start.

use zt_memory::{Protection, SecretBuf, status};

use crate::alone::{alone, deny_secret_memory, limit_locked_memory};

/// A thousand secrets, all of them right, and the books balanced.
fn a_thousand(least_protected: usize) {
    let value = |number: usize| format!("zt-needle-{number}-{}", "x".repeat(number % 90));
    let secrets: Vec<SecretBuf> = (0..1_000)
        .map(|number| SecretBuf::copy_of(value(number).as_bytes()))
        .collect();
    for (number, secret) in secrets.iter().enumerate() {
        assert!(secret.reveal() == value(number).as_bytes());
    }
    let full = status();
    assert!(full.slots_in_use >= least_protected, "{full:?}");
    assert_eq!(full.slots_in_use + full.heap_in_use, 1_000);
    assert_eq!(full.heap_fallbacks, full.heap_in_use as u64);
    assert_eq!(full.last_fallback.is_some(), full.heap_in_use > 0);
    drop(secrets);
    let empty = status();
    assert_eq!((empty.slots_in_use, empty.heap_in_use), (0, 0));
    assert_eq!(
        (empty.broken_canaries, empty.heap_fallbacks),
        (0, full.heap_fallbacks)
    );
}

#[test]
fn a_limit_of_nothing_leaves_the_heap_and_says_why() {
    alone(
        "limits::a_limit_of_nothing_leaves_the_heap_and_says_why",
        || {
            limit_locked_memory(0);
            let before = status();
            assert_eq!(
                (before.protection, before.regions, before.heap_fallbacks),
                (Protection::Heap, 0, 0)
            );
            assert!(
                before
                    .last_fallback
                    .is_some_and(|why| why.starts_with("mlock: "))
            );
            let error = SecretBuf::try_protected_copy_of(b"zt-needle-refused").unwrap_err();
            let text = format!("{error} {error:?}");
            assert!(
                text.contains("mlock: ") && text.contains("ulimit -l") && !text.contains("needle")
            );
            assert_eq!(status().heap_fallbacks, 0);
            a_thousand(0);
            assert_eq!(status().heap_fallbacks, 1_000);
        },
    );
}

#[test]
fn a_limit_of_64_kib_protects_a_handful() {
    alone("limits::a_limit_of_64_kib_protects_a_handful", || {
        limit_locked_memory(64 * 1024);
        let handful: Vec<SecretBuf> = [16, 32, 48, 1_000, 4_000]
            .map(|len| SecretBuf::try_protected_copy_of(&vec![b'x'; len]).unwrap())
            .into();
        assert!(status().bytes_mapped <= 64 * 1024);
        drop(handful);
        a_thousand(300);
        assert!(status().heap_fallbacks > 0);
    });
}

#[test]
fn a_limit_of_64_kib_protects_a_handful_without_secret_memory_too() {
    alone(
        "limits::a_limit_of_64_kib_protects_a_handful_without_secret_memory_too",
        || {
            limit_locked_memory(64 * 1024);
            deny_secret_memory();
            let largest = SecretBuf::try_protected_copy_of(&[b'x'; 25 * 1024]).unwrap();
            assert_eq!(status().protection, Protection::LockedMemory);
            drop(largest);
            a_thousand(300);
        },
    );
}

#[test]
fn a_limit_of_8_mib_protects_a_thousand() {
    alone("limits::a_limit_of_8_mib_protects_a_thousand", || {
        limit_locked_memory(8 * 1024 * 1024);
        a_thousand(1_000);
        assert_eq!(status().heap_fallbacks, 0);
    });
}

#[test]
fn what_is_left_of_a_limit_is_used_in_smaller_regions() {
    alone(
        "limits::what_is_left_of_a_limit_is_used_in_smaller_regions",
        || {
            // SAFETY: asks for a number.
            if unsafe { libc::sysconf(libc::_SC_PAGESIZE) } != 4_096 {
                println!("skipped: pages are larger here");
                return;
            }
            limit_locked_memory(28 * 1024);
            let secrets: Vec<SecretBuf> =
                (0..1_000).map(|_| SecretBuf::copy_of(&[1; 40])).collect();
            // 16, 8 and 4 KiB, all of them full.
            let full = status();
            assert_eq!((full.regions, full.bytes_mapped), (3, 28 * 1024));
            assert_eq!(full.slots_in_use, 28 * 1024 / 64);
            drop(secrets);
        },
    );
}

#[test]
fn room_that_was_freed_protects_the_next_secret() {
    alone(
        "limits::room_that_was_freed_protects_the_next_secret",
        || {
            limit_locked_memory(64 * 1024);
            let large = SecretBuf::try_protected_copy_of(&[b'x'; 50 * 1024]).unwrap();
            let on_heap = SecretBuf::copy_of(&[b'x'; 30 * 1024]);
            assert_eq!(status().protection, Protection::Heap);
            drop(large);
            let protected = SecretBuf::try_protected_copy_of(&[b'x'; 30 * 1024]).unwrap();
            assert_ne!(status().protection, Protection::Heap);
            assert_eq!(protected.len(), on_heap.len());
        },
    );
}
