//! A local value within one process.

use std::sync::Barrier;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use zt_memory::fork::Local;

#[test]
fn threads_that_race_get_one_value_made_once() {
    for _ in 0..100 {
        let (made, start) = (AtomicUsize::new(0), Barrier::new(4));
        let local = Local::new();
        thread::scope(|scope| {
            let ask = || {
                start.wait();
                let value: &usize = local.get_or_init(|| made.fetch_add(1, Ordering::SeqCst));
                std::ptr::from_ref(value).addr()
            };
            let asked = [(); 4].map(|()| scope.spawn(ask));
            let found = asked.map(|thread| thread.join().unwrap());
            assert!(found.iter().all(|address| *address == found[0]));
        });
        assert_eq!(made.into_inner(), 1);
    }
}

#[test]
fn a_value_is_there_once_it_is_made() {
    let local = Local::default();
    assert_eq!(format!("{local:?}"), "Local(None)");
    assert_eq!(local.get(), None);
    assert_eq!(local.get_or_init(|| 7), &7);
    assert_eq!(local.get_or_init(|| 8), &7);
    assert_eq!(local.get(), Some(&7));
    assert_eq!(format!("{local:?}"), "Local(Some(7))");
}

#[test]
fn the_value_is_dropped_with_its_owner() {
    let counted = std::sync::Arc::new(());
    let local = Local::new();
    local.get_or_init(|| std::sync::Arc::clone(&counted));
    drop(local);
    assert_eq!(std::sync::Arc::strong_count(&counted), 1);
}
