//! Mappings between guard pages: secret memory if there is any, else locked memory.
//!
//! Sources: memfd_secret(2), mlock(2), mmap(2), madvise(2). A mapping that children do not inherit is noted as a
//! [`Hole`], so that the child can fill the gap with zeros before anybody reads there.

use std::ffi::c_void;
use std::io;
use std::num::NonZeroUsize;
use std::ptr::{self, NonNull};
use std::thread;

use super::linux as os;
use crate::fork::{self, Hole, Watch};
use crate::status::Protection;

/// How often a mapping is made again because a fork came between.
const TRIES: usize = 16;

pub(super) use os::forbid_core_dumps;

/// Memory that lies between two guard pages, all zeros at first.
pub(crate) struct Mapping {
    reserved: Reserved,
    protection: Protection,
    /// Where a child must fill in zeros.
    hole: Option<&'static Hole>,
}

impl Mapping {
    /// At least `len` bytes of the best kind that is to be had.
    pub(crate) fn new(len: usize) -> io::Result<Self> {
        let len = len
            .checked_next_multiple_of(page_size())
            .ok_or(io::ErrorKind::OutOfMemory)?;
        Self::secret(len).or_else(|_| Self::locked(len))
    }

    /// Secret memory is shared with children by its nature, and each of them would be a reader.
    fn secret(len: usize) -> io::Result<Self> {
        for _ in 0..TRIES {
            let watch = Watch::begin().ok_or(io::ErrorKind::Unsupported)?;
            let reserved = Reserved::new(len)?;
            os::map_secret(reserved.middle(), len)?;
            os::keep_out_of_children(reserved.middle(), len)?;
            if watch.saw_no_fork() {
                let hole = Some(Hole::claim(reserved.middle(), len));
                return Ok(Self {
                    reserved,
                    protection: Protection::SecretMemory,
                    hole,
                });
            }
            // A child may share this one. No secret lies in it yet.
            drop(reserved);
            thread::yield_now();
        }
        Err(io::ErrorKind::ResourceBusy.into())
    }

    fn locked(len: usize) -> io::Result<Self> {
        let reserved = Reserved::new(len)?;
        let middle = reserved.middle();
        let access = libc::PROT_READ | libc::PROT_WRITE;
        // SAFETY: the pages are ours alone, and nothing points into them yet.
        let opened = unsafe { libc::mprotect(middle.as_ptr(), len, access) };
        done("mprotect", opened)?;
        // SAFETY: locking changes no byte.
        let locked = unsafe { libc::mlock(middle.as_ptr(), len) };
        done("mlock", locked)?;
        os::keep_out_of_dumps(middle, len);
        let hole = match os::zero_in_children(middle, len) {
            Ok(()) => None,
            Err(why) if !fork::is_watched() => return Err(why),
            Err(_) => {
                os::keep_out_of_children(middle, len)?;
                Some(Hole::claim(middle, len))
            }
        };
        Ok(Self {
            reserved,
            protection: Protection::LockedMemory,
            hole,
        })
    }

    /// Valid for [`len`](Self::len) bytes until the mapping is dropped.
    pub(crate) const fn start(&self) -> NonNull<u8> {
        self.reserved.middle.cast()
    }

    pub(crate) fn address(&self) -> usize {
        self.start().addr().get()
    }

    pub(crate) const fn len(&self) -> usize {
        self.reserved.len
    }

    pub(crate) const fn protection(&self) -> Protection {
        self.protection
    }
}

impl Drop for Mapping {
    fn drop(&mut self) {
        // First the note, then the memory: a child of the moment between must not fill what may be somebody else's.
        if let Some(hole) = self.hole {
            hole.release();
        }
    }
}

/// Address space with a guard page before and after, nothing of it accessible at first. Unmapped on drop.
struct Reserved {
    first_guard: NonNull<c_void>,
    middle: NonNull<c_void>,
    len: usize,
}

// SAFETY: address space belongs to the process, not to a thread.
unsafe impl Send for Reserved {}

impl Reserved {
    fn new(len: usize) -> io::Result<Self> {
        let page = page_size();
        let whole = len
            .checked_add(2 * page)
            .ok_or(io::ErrorKind::OutOfMemory)?;
        let flags = libc::MAP_PRIVATE | libc::MAP_ANON;
        // SAFETY: a new mapping at an address that the kernel chooses.
        let start = unsafe { libc::mmap(ptr::null_mut(), whole, libc::PROT_NONE, flags, -1, 0) };
        if start == libc::MAP_FAILED {
            return Err(failed("mmap"));
        }
        let first_guard = NonNull::new(start).ok_or(io::ErrorKind::OutOfMemory)?;
        Ok(Self {
            first_guard,
            // SAFETY: a page is less than the mapping.
            middle: unsafe { first_guard.byte_add(page) },
            len,
        })
    }

    const fn middle(&self) -> NonNull<c_void> {
        self.middle
    }
}

impl Drop for Reserved {
    fn drop(&mut self) {
        let whole = self.len + 2 * page_size();
        // SAFETY: made by `new` with this size; the arena drops a mapping when no slot of it is out.
        let _ = unsafe { libc::munmap(self.first_guard.as_ptr(), whole) };
    }
}

/// Puts pages of zeros where a child has none of its parent's. Called in the child of a fork, so it does system calls only.
pub(crate) fn fill_with_zeros(start: *mut c_void, len: usize) {
    let access = libc::PROT_READ | libc::PROT_WRITE;
    let flags = libc::MAP_PRIVATE | libc::MAP_ANON | os::FILL;
    // SAFETY: the range belonged to a mapping of ours at the moment of the fork. Where children do not inherit it, `FILL`
    // replaces nothing; where they do, it replaces ours.
    let filled = unsafe { libc::mmap(start, len, access, flags, -1, 0) };
    if filled != libc::MAP_FAILED && filled != start {
        // A kernel that does not know the flag chose another place.
        // SAFETY: mapped a moment ago, unknown to anybody else.
        let _ = unsafe { libc::munmap(filled, len) };
    }
}

pub(crate) fn page_size() -> usize {
    // SAFETY: asks for a number.
    let size = unsafe { libc::sysconf(libc::_SC_PAGESIZE) };
    let size = usize::try_from(size).ok().and_then(NonZeroUsize::new);
    size.map_or(4096, NonZeroUsize::get)
}

/// The outcome of a system call that answers 0 or -1.
pub(super) fn done(call: &str, answer: i32) -> io::Result<()> {
    if answer == 0 {
        Ok(())
    } else {
        Err(failed(call))
    }
}

/// The last error, with the call that it is from.
pub(super) fn failed(call: &str) -> io::Error {
    let why = io::Error::last_os_error();
    io::Error::new(why.kind(), format!("{call}: {why}"))
}
