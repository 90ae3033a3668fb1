//! Open files that a forked child must not keep open.
//!
//! A lock of flock(2) belongs to the open file, which a fork shares: a child that lives longer than its parent would keep the
//! parent's locks. In: a descriptor. Out: in each child it leads to `/dev/null`, so that its number is nobody else's.

use std::os::fd::{AsFd, AsRawFd as _, RawFd};
use std::sync::atomic::{AtomicI32, Ordering};

const NONE: RawFd = -1;

/// Far more than a process locks at a time; what finds no place is shared, as without this.
const PLACES: usize = 256;

static DESCRIPTORS: [AtomicI32; PLACES] = [const { AtomicI32::new(NONE) }; PLACES];

/// Says for as long as it lives that forked children do not keep a file open.
///
/// It must be dropped before the file is closed: else another file's descriptor would be taken for it.
#[derive(Debug)]
#[must_use]
pub struct Unshared(Option<&'static AtomicI32>);

impl Unshared {
    /// For this file, which must stay open for as long.
    pub fn of(file: &impl AsFd) -> Self {
        if !super::is_watched() {
            return Self(None);
        }
        let descriptor = file.as_fd().as_raw_fd();
        let mut places = DESCRIPTORS.iter();
        Self(places.find(|place| {
            let taken =
                place.compare_exchange(NONE, descriptor, Ordering::AcqRel, Ordering::Relaxed);
            taken.is_ok()
        }))
    }

    /// In the child: what is registered leads nowhere from now on.
    pub(super) fn close_all() {
        // SAFETY: async-signal-safe, with a text that ends in a zero.
        let open = || unsafe { libc::open(c"/dev/null".as_ptr(), libc::O_RDWR | libc::O_CLOEXEC) };
        let mut nowhere = open();
        let mut is_taken = false;
        for place in &DESCRIPTORS {
            let descriptor = place.swap(NONE, Ordering::AcqRel);
            if descriptor == NONE {
                continue;
            }
            if nowhere < 0 {
                // No number is left, or there is no such device: a file that stays open would hold its lock.
                // SAFETY: async-signal-safe; only code of the parent would use it.
                unsafe { libc::close(descriptor) };
                nowhere = open();
                // It has the number of what was closed, and keeps it.
                is_taken |= nowhere == descriptor;
            }
            if nowhere >= 0 && nowhere != descriptor {
                // SAFETY: async-signal-safe; both are open descriptors of this process, the second one of a file that only
                // code of the parent would use.
                unsafe { libc::dup2(nowhere, descriptor) };
                // SAFETY: as above; a program that the child starts does not get it either.
                unsafe { libc::fcntl(descriptor, libc::F_SETFD, libc::FD_CLOEXEC) };
            }
        }
        if nowhere >= 0 && !is_taken {
            // SAFETY: async-signal-safe; opened above.
            unsafe { libc::close(nowhere) };
        }
    }
}

impl Drop for Unshared {
    fn drop(&mut self) {
        if let Some(place) = self.0 {
            place.store(NONE, Ordering::Release);
        }
    }
}
