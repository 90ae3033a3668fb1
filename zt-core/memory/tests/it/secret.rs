//! What a buffer does, from many threads too.

use std::sync::{Arc, mpsc};
use std::thread;

use proptest::prelude::*;
use zeroize::{Zeroize, ZeroizeOnDrop};
use zt_memory::{SecretBuf, status};

#[derive(Debug, Clone)]
enum Step {
    Copy(Vec<u8>),
    Drop(usize),
    Wipe(usize),
}

fn step() -> impl Strategy<Value = Step> {
    let bytes = prop_oneof![
        4 => prop::collection::vec(any::<u8>(), 0..300),
        1 => (0..40_000_usize, any::<u8>()).prop_map(|(len, byte)| vec![byte; len]),
    ];
    prop_oneof![
        3 => bytes.prop_map(Step::Copy),
        1 => any::<usize>().prop_map(Step::Drop),
        1 => any::<usize>().prop_map(Step::Wipe),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn buffers_behave_as_vectors(steps in prop::collection::vec(step(), 1..60)) {
        let mut model: Vec<(SecretBuf, Vec<u8>)> = Vec::new();
        for step in steps {
            match step {
                Step::Copy(bytes) => model.push((SecretBuf::copy_of(&bytes), bytes)),
                Step::Drop(index) if !model.is_empty() => {
                    model.swap_remove(index % model.len());
                }
                Step::Wipe(index) if !model.is_empty() => {
                    let index = index % model.len();
                    model[index].0.wipe();
                    model[index].1.fill(0);
                }
                Step::Drop(_) | Step::Wipe(_) => {}
            }
            for (secret, bytes) in &model {
                prop_assert!(secret.reveal() == bytes.as_slice());
                prop_assert_eq!((secret.len(), secret.is_empty()), (bytes.len(), bytes.is_empty()));
            }
        }
    }
}

#[test]
fn threads_store_and_free_at_the_same_time_and_each_finds_its_own() {
    let (send, receive) = mpsc::channel::<(u8, SecretBuf)>();
    thread::scope(|scope| {
        for thread in 0..4_u8 {
            let send = send.clone();
            scope.spawn(move || {
                for number in 0..500_usize {
                    let secret = SecretBuf::copy_of(&vec![thread; 1 + number * 61 % 2_000]);
                    assert!(secret.reveal().iter().all(|byte| *byte == thread));
                    if number % 2 == 0 {
                        // Freed by another thread than the one that stored it.
                        send.send((thread, secret)).unwrap();
                    }
                }
            });
        }
        drop(send);
        for (thread, secret) in receive {
            assert!(secret.reveal().iter().all(|byte| *byte == thread));
        }
    });
    assert_eq!(status().broken_canaries, 0);
}

#[test]
fn readers_share_a_buffer() {
    fn is_for_all_threads<T: Send + Sync + ZeroizeOnDrop>() {}
    is_for_all_threads::<SecretBuf>();
    let secret = Arc::new(SecretBuf::copy_of(b"zt-needle-shared"));
    let reader = thread::spawn({
        let secret = Arc::clone(&secret);
        move || secret.reveal() == b"zt-needle-shared"
    });
    assert!(reader.join().unwrap());
}

#[test]
fn no_bytes_need_no_memory_and_nothing_is_printed() {
    let empty = SecretBuf::try_protected_copy_of(b"").unwrap();
    assert!(empty.is_empty() && empty.reveal().is_empty() && empty.is_of_this_process());
    let mut secret = SecretBuf::copy_of(b"zt-needle-debug");
    assert_eq!(
        format!("{secret:?} {empty:?}"),
        "[secret bytes] [secret bytes]"
    );
    secret.zeroize();
    assert!(secret.reveal() == [0; 15]);
}
