//! Files of an output, in memory, on the disk or as streams: sealed before they leave, and unsealed for whom the policy allows.

use std::ffi::{CString, c_char, c_void};
use std::mem::MaybeUninit;

use zt_core::Error;
use zt_core::envelope::{FileHeader, Opener};

use crate::boundary::{Failure, bytes, c_string, give, given, guard_or, text, text_or_null};
use crate::bytes::zt_bytes;
use crate::error::zt_error;
use crate::guard::guard;
use crate::seal::zt_sealer;
use crate::session::zt_session;
use crate::status::zt_status;
use crate::stream::{Sink, Source, settled, zt_read_fn, zt_write_fn};

/// So many bytes the header of a sealed file has at most: what zt_file_opener_new needs of its beginning.
pub const ZT_FILE_HEADER_MOST: usize = 5197;

/// Unseals files of one output that were sealed by the sealer of the file that it was made for.
pub struct zt_file_opener {
    opener: Opener,
    name: CString,
}

impl zt_file_opener {
    pub(crate) fn new(opener: Opener, header: &FileHeader) -> Self {
        Self {
            opener,
            name: c_string(header.name()),
        }
    }
}

impl std::fmt::Debug for zt_file_opener {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.opener.fmt(f)
    }
}

/// Seals bytes as a file of the sealer's output. They open under `name` alone. Name and length can be seen in what is sealed.
///
/// `name`: 1 to 1,024 bytes without control characters. `bytes`: `length` bytes; NULL when `length` is 0. `sealed`: new; free
/// it with zt_bytes_free.
/// Answers: OK, INVALID_ARGUMENT.
/// Threads: any, also at once. Blocks: never. @since 1
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn zt_sealer_seal_bytes(
    sealer: Option<&zt_sealer>,
    name: *const c_char,
    bytes: *const u8,
    length: usize,
    sealed: Option<&mut MaybeUninit<*mut zt_bytes>>,
    err: Option<&mut MaybeUninit<*mut zt_error>>,
) -> zt_status {
    guard(err, || {
        let sealer = given(sealer, "sealer")?;
        // SAFETY: the C caller promises a NUL-terminated string that stays for the call.
        let name = unsafe { text(name, "name") }?;
        // SAFETY: the C caller promises `length` bytes that nobody changes meanwhile.
        let plain = unsafe { self::bytes(bytes, length, "bytes") }?;
        let place = given(sealed, "sealed")?;
        let made = sealer.0.seal_bytes(name, plain)?;
        give(place, zt_bytes::new(made));
        Ok(())
    })
}

/// Seals the file at `source` into one at `target`, of any length; about 4 MiB are in memory. It is written beside its place,
/// mode 0600, and moved there when it is whole: after an error nothing is there that was not before.
///
/// `name`: what the file opens under, as for zt_sealer_seal_bytes; NULL for the name of the file at `source`. `replaces`:
/// whether a file at `target` is replaced. `length`: how many bytes were sealed, or NULL.
/// Answers: OK, NOT_FOUND when there is no file at `source`, INVALID_ARGUMENT (also for what cannot be read or written).
/// Threads: any, also at once. Blocks: on the disk. @since 1
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn zt_sealer_seal_file(
    sealer: Option<&zt_sealer>,
    name: *const c_char,
    source: *const c_char,
    target: *const c_char,
    replaces: bool,
    length: Option<&mut MaybeUninit<u64>>,
    err: Option<&mut MaybeUninit<*mut zt_error>>,
) -> zt_status {
    guard(err, || {
        let sealer = given(sealer, "sealer")?;
        // SAFETY: the C caller promises NULL or a NUL-terminated string that stays for the call.
        let name = unsafe { text_or_null(name, "name") }?;
        // SAFETY: the C caller promises a NUL-terminated string that stays for the call.
        let source = unsafe { text(source, "source") }?;
        // SAFETY: as above.
        let target = unsafe { text(target, "target") }?;
        tell(length, sealer.0.seal_file(name, source, target, replaces)?);
        Ok(())
    })
}

/// Seals a stream: what `read` gives goes sealed to `write`. What was written before an error is of no use.
///
/// `name`: as for zt_sealer_seal_bytes. `length`: how many bytes were sealed, or NULL.
/// Answers: OK, CALLBACK_FAILED, INVALID_ARGUMENT.
/// Threads: any, also at once. Blocks: as the callbacks do. @since 1
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn zt_sealer_seal_stream(
    sealer: Option<&zt_sealer>,
    name: *const c_char,
    read: zt_read_fn,
    read_data: *mut c_void,
    write: zt_write_fn,
    write_data: *mut c_void,
    length: Option<&mut MaybeUninit<u64>>,
    err: Option<&mut MaybeUninit<*mut zt_error>>,
) -> zt_status {
    guard(err, || {
        let sealer = given(sealer, "sealer")?;
        // SAFETY: the C caller promises a NUL-terminated string that stays for the call.
        let name = unsafe { text(name, "name") }?;
        // SAFETY: the C caller promises callbacks that keep to the header.
        let mut source = unsafe { Source::new(read, read_data) }?;
        // SAFETY: as above.
        let mut sink = unsafe { Sink::new(write, write_data) }?;
        let sealed = sealer.0.seal_stream(name, &mut source, &mut sink);
        tell(length, settled(sealed, &source, &sink)?);
        Ok(())
    })
}

/// An opener for a sealed file of a row of Output_Storage, from its first bytes. The caller needs `data.open` on all of the
/// output: every column and row, clear. That the key was released stands in the audit log before this answers.
///
/// `header`: the first `length` bytes of the file: ZT_FILE_HEADER_MOST, or all of it when it has fewer; more are passed over.
/// `opener`: new; free it with zt_file_opener_free, which wipes the data key.
/// Answers: OK, DENIED, OBLIGATION_UNMET for a right to some columns or rows, NOT_FOUND, SEAL_INTEGRITY when this is no sealed
/// file, or of another output or key, VAULT_UNAVAILABLE, VAULT_INTEGRITY, TOKEN_EXPIRED, AUDIT_UNAVAILABLE, METADATA_STALE,
/// INVALID_ARGUMENT (also for an output that is stored plain).
/// Threads: any, also at once. Blocks: on the vault and the disk. @since 1
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn zt_file_opener_new(
    session: Option<&zt_session>,
    output: *const c_char,
    header: *const u8,
    length: usize,
    opener: Option<&mut MaybeUninit<*mut zt_file_opener>>,
    err: Option<&mut MaybeUninit<*mut zt_error>>,
) -> zt_status {
    guard(err, || {
        let session = given(session, "session")?;
        // SAFETY: the C caller promises a NUL-terminated string that stays for the call.
        let output = unsafe { text(output, "output") }?;
        // SAFETY: the C caller promises `length` bytes that nobody changes meanwhile.
        let header = unsafe { bytes(header, length, "header") }?;
        let place = given(opener, "opener")?;
        let header = FileHeader::read(header).map_err(Error::from)?;
        give(place, open(session, output, &header)?);
        Ok(())
    })
}

/// The same from the file at `source`, of which the header is read.
///
/// Answers: as zt_file_opener_new; NOT_FOUND also when there is no file at `source`.
/// Threads: any, also at once. Blocks: on the vault and the disk. @since 1
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn zt_file_opener_from_file(
    session: Option<&zt_session>,
    output: *const c_char,
    source: *const c_char,
    opener: Option<&mut MaybeUninit<*mut zt_file_opener>>,
    err: Option<&mut MaybeUninit<*mut zt_error>>,
) -> zt_status {
    guard(err, || {
        let session = given(session, "session")?;
        // SAFETY: the C caller promises a NUL-terminated string that stays for the call.
        let output = unsafe { text(output, "output") }?;
        // SAFETY: as above.
        let source = unsafe { text(source, "source") }?;
        let place = given(opener, "opener")?;
        let header = FileHeader::of_file(source)?;
        give(place, open(session, output, &header)?);
        Ok(())
    })
}

/// The name that the file was sealed as, which it opens under. Nobody has vouched for it before the file is open: do not make
/// a path of it unchecked. Borrowed from `opener`; "" for NULL.
///
/// Threads: any, also at once. Blocks: never. @since 1
#[must_use]
#[unsafe(no_mangle)]
pub extern "C" fn zt_file_opener_name(opener: Option<&zt_file_opener>) -> *const c_char {
    opener.map_or(c"".as_ptr(), |opener| opener.name.as_ptr())
}

/// The bytes of a sealed file, as they were before they were sealed. Nothing is given out after an error.
///
/// `name`: what it was sealed as. `sealed`: all `length` bytes of the file; NULL when `length` is 0. `plain`: new; free it
/// with zt_bytes_free, which wipes it.
/// Answers: OK, SEAL_INTEGRITY for a file that was changed, cut or extended, was sealed under another name, or by another
/// sealer; INVALID_ARGUMENT.
/// Threads: any, also at once. Blocks: never. @since 1
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn zt_file_opener_unseal_bytes(
    opener: Option<&zt_file_opener>,
    name: *const c_char,
    sealed: *const u8,
    length: usize,
    plain: Option<&mut MaybeUninit<*mut zt_bytes>>,
    err: Option<&mut MaybeUninit<*mut zt_error>>,
) -> zt_status {
    guard(err, || {
        let opener = given(opener, "opener")?;
        // SAFETY: the C caller promises a NUL-terminated string that stays for the call.
        let name = unsafe { text(name, "name") }?;
        // SAFETY: the C caller promises `length` bytes that nobody changes meanwhile.
        let sealed = unsafe { bytes(sealed, length, "sealed") }?;
        let place = given(plain, "plain")?;
        give(
            place,
            zt_bytes::new(opener.opener.unseal_bytes(name, sealed)?),
        );
        Ok(())
    })
}

/// Unseals the file at `source` into one at `target`. It is written beside its place, mode 0600, and moved there when all of
/// it is verified: after an error nothing is there that was not before.
///
/// `name`: what it was sealed as; NULL for the name of the file at `target`. `replaces`: whether a file at `target` is
/// replaced. `length`: how many bytes the plain file has, or NULL.
/// Answers: as zt_file_opener_unseal_bytes, and NOT_FOUND when there is no file at `source`.
/// Threads: any, also at once. Blocks: on the disk. @since 1
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn zt_file_opener_unseal_file(
    opener: Option<&zt_file_opener>,
    name: *const c_char,
    source: *const c_char,
    target: *const c_char,
    replaces: bool,
    length: Option<&mut MaybeUninit<u64>>,
    err: Option<&mut MaybeUninit<*mut zt_error>>,
) -> zt_status {
    guard(err, || {
        let opener = given(opener, "opener")?;
        // SAFETY: the C caller promises NULL or a NUL-terminated string that stays for the call.
        let name = unsafe { text_or_null(name, "name") }?;
        // SAFETY: the C caller promises a NUL-terminated string that stays for the call.
        let source = unsafe { text(source, "source") }?;
        // SAFETY: as above.
        let target = unsafe { text(target, "target") }?;
        let opened = opener.opener.unseal_file(name, source, target, replaces);
        tell(length, opened?);
        Ok(())
    })
}

/// Unseals a stream: what `read` gives, from the first byte of the file, goes unsealed to `write`. No byte is written before
/// its segment of 64 KiB is verified; but after an error what was written is not the file, and must be thrown away.
///
/// `name`: what it was sealed as. `length`: how many bytes were written, or NULL.
/// Answers: as zt_file_opener_unseal_bytes, and CALLBACK_FAILED.
/// Threads: any, also at once. Blocks: as the callbacks do. @since 1
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn zt_file_opener_unseal_stream(
    opener: Option<&zt_file_opener>,
    name: *const c_char,
    read: zt_read_fn,
    read_data: *mut c_void,
    write: zt_write_fn,
    write_data: *mut c_void,
    length: Option<&mut MaybeUninit<u64>>,
    err: Option<&mut MaybeUninit<*mut zt_error>>,
) -> zt_status {
    guard(err, || {
        let opener = &given(opener, "opener")?.opener;
        // SAFETY: the C caller promises a NUL-terminated string that stays for the call.
        let name = unsafe { text(name, "name") }?;
        // SAFETY: the C caller promises callbacks that keep to the header.
        let mut source = unsafe { Source::new(read, read_data) }?;
        // SAFETY: as above.
        let mut sink = unsafe { Sink::new(write, write_data) }?;
        let opened = FileHeader::read(&mut source)
            .map_err(Error::from)
            .and_then(|header| opener.unseal_stream(name, &header, &mut source, &mut sink));
        tell(length, settled(opened, &source, &sink)?);
        Ok(())
    })
}

/// Frees it and wipes its data key. NULL is allowed.
///
/// Threads: any, once, after the last use. Blocks: never. @since 1
#[unsafe(no_mangle)]
pub extern "C" fn zt_file_opener_free(opener: Option<Box<zt_file_opener>>) {
    guard_or((), || drop(opener));
}

fn open(
    session: &zt_session,
    output: &str,
    header: &FileHeader,
) -> Result<zt_file_opener, Failure> {
    let opening = session.session().file_opener(output, header);
    let opener = session.executor().wait(opening)?;
    Ok(zt_file_opener::new(opener, header))
}

const _: () = assert!(ZT_FILE_HEADER_MOST == FileHeader::MOST_BYTES);

fn tell(place: Option<&mut MaybeUninit<u64>>, length: u64) {
    if let Some(place) = place {
        place.write(length);
    }
}
