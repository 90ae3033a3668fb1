//! Where a child has no memory although its parent has: what the child must fill before anybody reads there.
//!
//! A list that grows and is never cut, so that the child's handler can walk it whatever other threads of the parent were
//! doing. Entries are used again.

use std::ffi::c_void;
use std::ptr::{self, NonNull};
use std::sync::atomic::{AtomicPtr, AtomicUsize, Ordering};

use crate::os;

static FIRST: AtomicPtr<Hole> = AtomicPtr::new(ptr::null_mut());

/// The entry is being written.
const CLAIMED: usize = usize::MAX;

/// An entry: a range, or none while `len` is 0.
pub(crate) struct Hole {
    start: AtomicPtr<c_void>,
    len: AtomicUsize,
    /// Fixed once the entry is in the list.
    next: AtomicPtr<Self>,
}

impl Hole {
    /// Notes a range that children do not inherit.
    pub(crate) fn claim(start: NonNull<c_void>, len: usize) -> &'static Self {
        if let Some(hole) = entries().find(|hole| hole.is_claimed_now()) {
            hole.start.store(start.as_ptr(), Ordering::Relaxed);
            hole.len.store(len, Ordering::Release);
            return hole;
        }
        let hole: &'static Self = Box::leak(Box::new(Self {
            start: AtomicPtr::new(start.as_ptr()),
            len: AtomicUsize::new(len),
            next: AtomicPtr::new(ptr::null_mut()),
        }));
        let mut first = FIRST.load(Ordering::Acquire);
        loop {
            hole.next.store(first, Ordering::Relaxed);
            let this = ptr::from_ref(hole).cast_mut();
            match FIRST.compare_exchange_weak(first, this, Ordering::AcqRel, Ordering::Acquire) {
                Ok(_) => return hole,
                Err(now) => first = now,
            }
        }
    }

    /// The range is about to be unmapped.
    pub(crate) fn release(&self) {
        self.len.store(0, Ordering::Release);
    }

    /// In a child: zeros for every range, which are then the child's own and inherited like any memory.
    pub(super) fn fill_all() {
        for hole in entries() {
            // Who was writing the entry is not in this process; and no secret lay there yet.
            let len = hole.len.swap(0, Ordering::AcqRel);
            if len != 0 && len != CLAIMED {
                os::fill_with_zeros(hole.start.load(Ordering::Relaxed), len);
            }
        }
    }

    fn is_claimed_now(&self) -> bool {
        let claimed = self
            .len
            .compare_exchange(0, CLAIMED, Ordering::AcqRel, Ordering::Relaxed);
        claimed.is_ok()
    }
}

fn entries() -> impl Iterator<Item = &'static Hole> {
    let at = |pointer: *mut Hole| {
        // SAFETY: entries are leaked on purpose and shared from then on.
        unsafe { pointer.as_ref() }
    };
    let first = at(FIRST.load(Ordering::Acquire));
    std::iter::successors(first, move |hole| at(hole.next.load(Ordering::Acquire)))
}
