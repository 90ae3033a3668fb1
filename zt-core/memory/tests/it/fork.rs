//! A forked child has another generation, none of its parent's secrets, and nothing to wait for.

use std::fs::File;
use std::os::fd::AsRawFd as _;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use zt_memory::{Protection, SecretBuf, fork, status};

use crate::alone::{alone, deny_secret_memory, in_child, limit_locked_memory};

/// What holds in a child, whatever memory the parent's secrets lie in.
fn a_child_sees_nothing(protection: Protection) {
    let secrets = [40, 20_000, 100_000].map(|len| SecretBuf::copy_of(&vec![b'x'; len]));
    assert_eq!(status().protection, protection);
    let before = status();
    let generation = fork::generation();
    let borrowed = secrets.each_ref().map(SecretBuf::reveal);
    let child = || {
        assert_ne!(fork::generation(), generation);
        for (secret, borrowed) in secrets.iter().zip(borrowed) {
            assert!(!secret.is_of_this_process());
            assert!(secret.reveal().is_empty() && secret.is_empty());
            // A borrow of before the fork is readable; of protected memory it shows zeros.
            let is_zero = borrowed.iter().all(|byte| *byte == 0);
            assert_eq!(is_zero, protection != Protection::Heap);
        }
        let own = SecretBuf::copy_of(b"zt-needle-of-the-child");
        assert!(own.is_of_this_process() && own.reveal() == b"zt-needle-of-the-child");
        assert_eq!(status().slots_in_use + status().heap_in_use, 1);
        // Grandchildren are to the child what the child is to the parent.
        assert!(in_child(
            || own.is_empty() && secrets.iter().all(SecretBuf::is_empty)
        ));
        let maps = std::fs::read_to_string("/proc/self/maps").unwrap();
        let secret_memory = maps.lines().filter(|line| line.contains("secretmem"));
        let expected = usize::from(status().protection == Protection::SecretMemory);
        assert_eq!(secret_memory.count(), expected, "the child's own alone");
        true
    };
    assert!(in_child(child));
    assert_eq!(fork::generation(), generation);
    assert!(
        secrets
            .iter()
            .all(|secret| secret.reveal().iter().all(|byte| *byte == b'x'))
    );
    let after = status();
    assert_eq!(
        (after.slots_in_use, after.regions),
        (before.slots_in_use, before.regions)
    );

    // Dropping and wiping inherited secrets frees nothing of anybody's.
    let mut secrets = Vec::from(secrets);
    let child = || {
        secrets.iter_mut().for_each(SecretBuf::wipe);
        secrets.clear();
        status().slots_in_use == 0 && status().heap_in_use == 0
    };
    assert!(in_child(child));
}

#[test]
fn a_child_sees_nothing_of_secret_memory() {
    alone("fork::a_child_sees_nothing_of_secret_memory", || {
        if status().protection == Protection::SecretMemory {
            a_child_sees_nothing(Protection::SecretMemory);
        } else {
            println!("skipped: this kernel gives no secret memory");
        }
    });
}

#[test]
fn a_child_sees_nothing_of_locked_memory() {
    alone("fork::a_child_sees_nothing_of_locked_memory", || {
        deny_secret_memory();
        a_child_sees_nothing(Protection::LockedMemory);
    });
}

#[test]
fn a_child_sees_nothing_of_the_heap() {
    alone("fork::a_child_sees_nothing_of_the_heap", || {
        limit_locked_memory(0);
        a_child_sees_nothing(Protection::Heap);
    });
}

#[test]
fn a_child_never_waits_for_threads_of_its_parent() {
    alone(
        "fork::a_child_never_waits_for_threads_of_its_parent",
        || {
            let kept = SecretBuf::copy_of(b"zt-needle-kept");
            let is_over = AtomicBool::new(false);
            thread::scope(|scope| {
                for first in 0..3_usize {
                    let is_over = &is_over;
                    scope.spawn(move || {
                        let mut held = Vec::new();
                        let mut number = first;
                        while !is_over.load(Ordering::Relaxed) {
                            // Now and then larger than any block, so that mappings come and go during forks.
                            let len = if number % 16 == 0 {
                                40_000
                            } else {
                                1 + number * 37 % 3_000
                            };
                            held.push(SecretBuf::copy_of(&vec![b'x'; len]));
                            if held.len() > 40 {
                                held.clear();
                            }
                            number += 1;
                        }
                    });
                }
                let mut wrong = 0;
                for _ in 0..200 {
                    let is_right = in_child(|| {
                        let own = SecretBuf::copy_of(b"zt-needle-own");
                        let large = SecretBuf::copy_of(&[b'x'; 40_000]);
                        kept.is_empty() && own.len() == 13 && large.len() == 40_000
                    });
                    wrong += usize::from(!is_right);
                }
                is_over.store(true, Ordering::Relaxed);
                assert_eq!(wrong, 0);
            });
            assert!(kept.reveal() == b"zt-needle-kept");
            assert_eq!(status().broken_canaries, 0);
        },
    );
}

#[test]
fn a_local_value_is_made_anew_in_a_child_and_the_old_one_is_not_dropped() {
    struct Loud(u64);
    static DROPPED: AtomicBool = AtomicBool::new(false);
    impl Drop for Loud {
        fn drop(&mut self) {
            DROPPED.store(true, Ordering::Relaxed);
        }
    }
    alone(
        "fork::a_local_value_is_made_anew_in_a_child_and_the_old_one_is_not_dropped",
        || {
            let local = fork::Local::new();
            let make = || Loud(fork::generation());
            let inherited: &Loud = local.get_or_init(make);
            assert!(in_child(|| {
                assert!(local.get().is_none());
                let own = local.get_or_init(make);
                own.0 == fork::generation()
                    && inherited.0 != own.0
                    && !DROPPED.load(Ordering::Relaxed)
            }));
            assert_eq!(local.get_or_init(make).0, fork::generation());
            let mut local = Some(local);
            assert!(in_child(|| {
                drop(local.take());
                !DROPPED.load(Ordering::Relaxed)
            }));
            drop(local);
            assert!(DROPPED.load(Ordering::Relaxed));
        },
    );
}

#[test]
fn a_fork_while_a_local_value_is_made_leaves_the_child_nothing_to_wait_for() {
    use std::sync::Barrier;
    alone(
        "fork::a_fork_while_a_local_value_is_made_leaves_the_child_nothing_to_wait_for",
        || {
            let local = fork::Local::new();
            let (begun, forked) = (Barrier::new(2), Barrier::new(2));
            let parent = fork::generation();
            thread::scope(|scope| {
                let slow = scope.spawn(|| {
                    *local.get_or_init(|| {
                        begun.wait();
                        forked.wait();
                        fork::generation()
                    })
                });
                begun.wait();
                let is_right = in_child(|| *local.get_or_init(fork::generation) != parent);
                forked.wait();
                assert_eq!(slow.join().unwrap(), parent);
                assert!(is_right);
            });
        },
    );
}

#[test]
fn a_child_does_not_keep_what_its_parent_locked() {
    alone("fork::a_child_does_not_keep_what_its_parent_locked", || {
        let name = format!("zt-memory-lock-{}", std::process::id());
        let path = std::env::temp_dir().join(name);
        let file = File::create(&path).unwrap();
        let kept = File::create(path.with_extension("kept")).unwrap();
        let unshared = fork::Unshared::of(&file);
        file.try_lock().unwrap();
        let leads_to = |file: &File| {
            std::fs::read_link(format!("/proc/self/fd/{}", file.as_raw_fd())).unwrap()
        };
        let child = || {
            // The parent has the lock, and the child has nothing to do with it; other files are shared as ever.
            let is_locked = File::open(&path).unwrap().try_lock().is_err();
            is_locked
                && leads_to(&file) == Path::new("/dev/null")
                && leads_to(&kept) == path.with_extension("kept")
                && in_child(|| leads_to(&file) == Path::new("/dev/null"))
        };
        assert!(in_child(child));
        assert_eq!(leads_to(&file), path);
        // Afterwards the number is anybody's.
        drop(unshared);
        assert!(in_child(|| leads_to(&file) == path));
        std::fs::remove_file(&path).unwrap();
        std::fs::remove_file(path.with_extension("kept")).unwrap();
    });
}
