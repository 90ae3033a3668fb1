//! Memory for secrets, and the one place of the core with `unsafe`.
//!
//! In: secret bytes. Out: [`SecretBuf`], which shows them to who asks and to nobody else; [`status`], which says how well
//! they are kept; [`Overwritten`], for what other libraries leave behind; [`fork`], which knows a forked child from its
//! parent; [`WipeOnFree`], an allocator that overwrites what it frees. Never: any decision, any I/O beyond the calls that map
//! memory, a panic, a refusal to start.
//!
//! # What is promised
//!
//! Bytes of a [`SecretBuf`] lie in the best memory that the machine gives, found out by trying:
//!
//! | [`Protection`] | Not in swap | Not in core dumps | Not in forked children | Not for root, debuggers, other processes |
//! |---|---|---|---|---|
//! | `SecretMemory` | yes | yes | yes | yes: the kernel itself has no mapping of it |
//! | `LockedMemory` | yes | yes, on Linux | yes | no |
//! | `Heap` | no | no | hidden, not removed | no |
//!
//! - `SecretMemory` is memfd_secret(2), Linux 5.14 and newer where it is not switched off. Reads of it through
//!   `/proc/PID/mem`, ptrace(2) or process_vm_readv(2) fail, those of root too.
//! - `LockedMemory` is an anonymous mapping under mlock(2) with `MADV_DONTDUMP` and `MADV_WIPEONFORK`, madvise(2). Other
//!   Unix systems lock it too; what their core dumps leave out is not promised.
//! - `Heap` is what remains when `RLIMIT_MEMLOCK` is used up, and off Unix. It is counted, and [`status`] says why.
//!   [`SecretBuf::try_protected_copy_of`] refuses it.
//! - Whatever the protection: the bytes are overwritten when the buffer is dropped, memory that nobody may touch lies
//!   before and after each region, a write past the end of a buffer is noticed when it is freed and counted, and a buffer
//!   that was made before fork(2) is empty in the child.
//!
//! # What is not
//!
//! - Copies that readers make: what is copied out of [`SecretBuf::reveal`] is theirs to wipe. Registers and stack frames
//!   of the code that works on the bytes are such copies.
//! - Code in this process. It can read what the process can read; no memory protects a program from itself.
//! - Root, on `LockedMemory` and `Heap`: ptrace(2) and `/proc/PID/mem` read them. [`forbid_core_dumps`] keeps the same
//!   account out, not root.
//! - Hibernation: mlock(2) says that suspending to disk saves locked memory too. While secret memory exists Linux does not
//!   hibernate, memfd_secret(2).
//! - Children made by a raw clone(2), which runs no handlers of pthread_atfork(3): they must not touch a [`SecretBuf`].
//! - Overwriting at exit. Bytes that somebody may be reading cannot be overwritten soundly; the kernel clears pages before
//!   another process gets them.

#![expect(
    unsafe_code,
    reason = "memory is mapped, locked and handed out here, so that zt-core can forbid unsafe code"
)]

mod allocator;
mod arena;
pub mod fork;
mod os;
mod overwritten;
mod secret;
mod status;

pub use allocator::{WipeOnFree, wipe_on_this_thread};
pub use os::forbid_core_dumps;
pub use overwritten::Overwritten;
pub use secret::{NotProtected, SecretBuf};
pub use status::{Protection, Status, status};
