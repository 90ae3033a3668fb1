//! What Linux has beyond POSIX: secret memory, and advice on dumps and forks.

use std::ffi::{c_int, c_void};
use std::io;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};
use std::ptr::NonNull;
use std::sync::atomic::{AtomicBool, Ordering};

use super::unix::{done, failed};

/// Fills a gap and never replaces what somebody else put there (Linux 4.17; older kernels take the address as a wish).
pub(super) const FILL: c_int = libc::MAP_FIXED_NOREPLACE;

/// Set once the kernel said that there is no such call, or that this process may not make it.
static NO_SECRET_MEMORY: AtomicBool = AtomicBool::new(false);

/// Maps secret memory over the reserved pages at `at`.
pub(super) fn map_secret(at: NonNull<c_void>, len: usize) -> io::Result<()> {
    if NO_SECRET_MEMORY.load(Ordering::Relaxed) {
        return Err(io::ErrorKind::Unsupported.into());
    }
    let file = secret_file().inspect_err(|why| {
        use io::ErrorKind::{InvalidInput, PermissionDenied, Unsupported};
        if matches!(why.kind(), InvalidInput | PermissionDenied | Unsupported) {
            NO_SECRET_MEMORY.store(true, Ordering::Relaxed);
        }
    })?;
    let size = libc::off_t::try_from(len).map_err(|_| io::ErrorKind::OutOfMemory)?;
    // SAFETY: the descriptor is open, and a size changes no memory of ours.
    let sized = unsafe { libc::ftruncate(file.as_raw_fd(), size) };
    done("ftruncate", sized)?;
    let access = libc::PROT_READ | libc::PROT_WRITE;
    let flags = libc::MAP_SHARED | libc::MAP_FIXED;
    // SAFETY: replaces reserved pages of the caller's that nothing points into.
    let mapped = unsafe { libc::mmap(at.as_ptr(), len, access, flags, file.as_raw_fd(), 0) };
    if mapped == libc::MAP_FAILED {
        return Err(failed("mmap of secret memory"));
    }
    // The kernel keeps secret memory out of dumps of itself; said again for kernels that may come.
    keep_out_of_dumps(at, len);
    Ok(())
    // Here the file is closed: the mapping is the only way to the memory.
}

fn secret_file() -> io::Result<OwnedFd> {
    // SAFETY: makes a descriptor and touches no memory.
    let answer = unsafe { libc::syscall(libc::SYS_memfd_secret, libc::O_CLOEXEC) };
    match RawFd::try_from(answer) {
        // SAFETY: new, and nobody else's.
        Ok(descriptor) if descriptor >= 0 => Ok(unsafe { OwnedFd::from_raw_fd(descriptor) }),
        _ => Err(failed("memfd_secret")),
    }
}

/// Only kernels before 3.4 do not know this advice.
pub(super) fn keep_out_of_dumps(at: NonNull<c_void>, len: usize) {
    // SAFETY: changes no byte.
    let _ = unsafe { libc::madvise(at.as_ptr(), len, libc::MADV_DONTDUMP) };
}

pub(super) fn keep_out_of_children(at: NonNull<c_void>, len: usize) -> io::Result<()> {
    // SAFETY: changes no byte of this process.
    let advised = unsafe { libc::madvise(at.as_ptr(), len, libc::MADV_DONTFORK) };
    done("madvise", advised)
}

/// For private mappings alone, since Linux 4.14.
pub(super) fn zero_in_children(at: NonNull<c_void>, len: usize) -> io::Result<()> {
    // SAFETY: changes no byte of this process.
    let advised = unsafe { libc::madvise(at.as_ptr(), len, libc::MADV_WIPEONFORK) };
    done("madvise", advised)
}

pub(super) fn forbid_core_dumps() -> io::Result<()> {
    // SAFETY: sets a flag of the process.
    let answer = unsafe { libc::prctl(libc::PR_SET_DUMPABLE, 0, 0, 0, 0) };
    done("prctl", answer)
}
