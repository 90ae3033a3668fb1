//! The allocator overwrites what it frees, installed in this program over one that keeps what it is given.

#![expect(
    unsafe_code,
    clippy::unwrap_used,
    reason = "an allocator is tested over another, and tests stop at the first thing that is not as it should be"
)]

use std::alloc::{GlobalAlloc, Layout, System};
use std::hint::black_box;
use std::ptr;
use std::slice;
use std::sync::Mutex;
use std::sync::atomic::{AtomicPtr, AtomicUsize, Ordering};
use std::thread;

use zt_memory::{WipeOnFree, wipe_on_this_thread};

/// The system's allocator, which keeps one block instead of freeing it.
struct Keeper;

static AWAITED: AtomicPtr<u8> = AtomicPtr::new(ptr::null_mut());
static KEPT: AtomicUsize = AtomicUsize::new(0);

/// One test at a time may await a block.
static TURN: Mutex<()> = Mutex::new(());

// SAFETY: blocks are the system's; one that is kept is never handed out again.
unsafe impl GlobalAlloc for Keeper {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller's promise, handed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        if AWAITED.load(Ordering::SeqCst) == block {
            KEPT.store(layout.size(), Ordering::SeqCst);
            return;
        }
        // SAFETY: the caller's promise, handed on.
        unsafe { System.dealloc(block, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: WipeOnFree<Keeper> = WipeOnFree::over(Keeper);

/// What a block holds once `end` has freed it.
fn after(block: Vec<u8>, end: impl FnOnce(Vec<u8>)) -> Vec<u8> {
    let _turn = TURN.lock().unwrap();
    let start = block.as_ptr().cast_mut();
    KEPT.store(0, Ordering::SeqCst);
    AWAITED.store(start, Ordering::SeqCst);
    end(block);
    let size = KEPT.load(Ordering::SeqCst);
    AWAITED.store(ptr::null_mut(), Ordering::SeqCst);
    // SAFETY: kept, so still allocated, and `size` is what it was allocated with.
    let bytes = unsafe { slice::from_raw_parts(start, size) }.to_vec();
    let layout = Layout::array::<u8>(size).unwrap();
    // SAFETY: the system allocated it with this layout, and nobody awaits it any more.
    unsafe { System.dealloc(start, layout) };
    bytes
}

fn block(len: usize) -> Vec<u8> {
    black_box(vec![b'x'; len])
}

#[test]
fn a_thread_that_asked_frees_zeros_of_any_size() {
    let freed = thread::spawn(|| {
        wipe_on_this_thread();
        [1, 7, 8, 9, 63, 64, 4_097, 100_001].map(|len| (len, after(block(len), drop)))
    });
    for (len, bytes) in freed.join().unwrap() {
        assert_eq!(bytes.len(), len);
        assert!(bytes.iter().all(|byte| *byte == 0));
    }
}

#[test]
fn the_old_block_of_a_vector_that_grows_or_shrinks_is_zeros() {
    let freed = thread::spawn(|| {
        wipe_on_this_thread();
        let grown = after(block(100), |mut block| {
            block.reserve_exact(100_000);
            assert!(block.iter().all(|byte| *byte == b'x'));
            black_box(&block);
        });
        let shrunk = after(block(1_000), |mut block| {
            block.truncate(10);
            block.shrink_to_fit();
            assert_eq!(block, [b'x'; 10]);
            black_box(&block);
        });
        (grown, shrunk)
    });
    let (grown, shrunk) = freed.join().unwrap();
    assert_eq!((grown.len(), shrunk.len()), (100, 1_000));
    assert!(grown.iter().chain(&shrunk).all(|byte| *byte == 0));
}

#[test]
fn a_thread_that_did_not_ask_frees_as_ever() {
    let freed = thread::spawn(|| after(block(64), drop)).join().unwrap();
    assert_eq!(freed, [b'x'; 64]);
}

#[test]
fn an_allocator_for_all_threads_needs_no_asking() {
    let always = WipeOnFree::always_over(Keeper);
    let layout = Layout::from_size_align(64, 8).unwrap();
    // SAFETY: the size is not 0.
    let block = unsafe { always.alloc(layout) };
    // SAFETY: the block has 64 bytes.
    unsafe { block.write_bytes(b'x', 64) };
    // SAFETY: 64 bytes were written.
    let block = unsafe { Vec::from_raw_parts(block, 64, 64) };
    let bytes = after(block, |block| {
        let mut block = std::mem::ManuallyDrop::new(block);
        // SAFETY: allocated by `always` with this layout, and nobody else frees it.
        unsafe { always.dealloc(block.as_mut_ptr(), layout) };
    });
    assert_eq!(bytes, [0; 64]);
}
