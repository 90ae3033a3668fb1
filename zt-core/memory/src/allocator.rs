//! An allocator that overwrites what it frees.
//!
//! In: the allocator below it. Out: [`WipeOnFree`], which a program or a C library installs with `#[global_allocator]`;
//! this crate installs nothing. It is for what parsers, TLS and HTTP clients copy of a secret on its way into a
//! [`SecretBuf`](crate::SecretBuf): buffers that nobody here can reach, but that are freed through the allocator.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::mem::MaybeUninit;
use std::ptr;
use std::slice;
use std::sync::atomic::{Ordering, compiler_fence};

thread_local! {
    /// Needs neither memory nor a destructor, so that the allocator may ask for it at any time.
    static WIPES: Cell<bool> = const { Cell::new(false) };
}

/// Overwrites every block that this thread frees from now on, if the process's allocator is a [`WipeOnFree`].
///
/// For threads that handle secrets, such as those that speak to a vault. A block that another thread frees is not
/// overwritten there, so values must stay on threads that asked.
pub fn wipe_on_this_thread() {
    WIPES.set(true);
}

/// Overwrites blocks before they go back to the allocator `A`.
///
/// ```
/// #[global_allocator]
/// static ALLOCATOR: zt_memory::WipeOnFree = zt_memory::WipeOnFree::new();
///
/// std::thread::spawn(|| {
///     zt_memory::wipe_on_this_thread();
///     drop(String::from("zt-needle-example")); // overwritten, then freed
/// })
/// .join()
/// .unwrap();
/// ```
#[derive(Debug)]
pub struct WipeOnFree<A = System> {
    below: A,
    is_always: bool,
}

impl WipeOnFree {
    /// For threads that called [`wipe_on_this_thread`]; all others pay one load of a thread-local flag.
    #[must_use]
    pub const fn new() -> Self {
        Self::over(System)
    }

    /// For every thread.
    #[must_use]
    pub const fn always() -> Self {
        Self::always_over(System)
    }
}

impl<A> WipeOnFree<A> {
    /// As [`new`](WipeOnFree::new), with blocks from `below`.
    #[must_use]
    pub const fn over(below: A) -> Self {
        Self {
            below,
            is_always: false,
        }
    }

    /// As [`always`](WipeOnFree::always), with blocks from `below`.
    #[must_use]
    pub const fn always_over(below: A) -> Self {
        Self {
            below,
            is_always: true,
        }
    }

    fn wipes(&self) -> bool {
        self.is_always || WIPES.try_with(Cell::get).unwrap_or(false)
    }
}

impl Default for WipeOnFree {
    fn default() -> Self {
        Self::new()
    }
}

// SAFETY: blocks are those of `A`, which keeps the promises of an allocator; nothing here panics or allocates.
unsafe impl<A: GlobalAlloc> GlobalAlloc for WipeOnFree<A> {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller's promise, handed on.
        unsafe { self.below.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller's promise, handed on.
        unsafe { self.below.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        if self.wipes() {
            // SAFETY: the caller gives up the block, `layout.size()` bytes of it.
            unsafe { overwrite(block, layout.size()) };
        }
        // SAFETY: the caller's promise, handed on.
        unsafe { self.below.dealloc(block, layout) }
    }

    /// While wiping, every change of size moves: the allocator below would free the old block as it is.
    unsafe fn realloc(&self, block: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        if !self.wipes() {
            // SAFETY: the caller's promise, handed on.
            return unsafe { self.below.realloc(block, layout, new_size) };
        }
        // SAFETY: the caller promises that `new_size` is not 0 and does not overflow with this alignment.
        let new_layout = unsafe { Layout::from_size_align_unchecked(new_size, layout.align()) };
        // SAFETY: `new_size` is not 0, as above.
        let moved = unsafe { self.below.alloc(new_layout) };
        if !moved.is_null() {
            let kept = layout.size().min(new_size);
            // SAFETY: both blocks are at least this long, and a new block overlaps no other.
            unsafe { ptr::copy_nonoverlapping(block, moved, kept) };
            // SAFETY: the caller gives up the old block when the new one is there.
            unsafe { self.dealloc(block, layout) };
        }
        moved
    }
}

/// Overwrites `size` bytes so that no optimizer takes it for useless, a word at a time.
///
/// # Safety
/// The block must be valid for writes of `size` bytes, and nobody else may use it.
unsafe fn overwrite(block: *mut u8, size: usize) {
    // SAFETY: the caller's promise; bytes of any state are `MaybeUninit`.
    let bytes = unsafe { slice::from_raw_parts_mut(block.cast::<MaybeUninit<u8>>(), size) };
    // SAFETY: words of any state are `MaybeUninit` too.
    let (head, words, tail) = unsafe { bytes.align_to_mut::<MaybeUninit<u64>>() };
    write_each(head, MaybeUninit::new(0));
    write_each(words, MaybeUninit::new(0));
    write_each(tail, MaybeUninit::new(0));
    compiler_fence(Ordering::SeqCst);
}

fn write_each<T: Copy>(items: &mut [T], zero: T) {
    for item in items {
        // SAFETY: a reference is valid and aligned.
        unsafe { ptr::write_volatile(item, zero) };
    }
}
