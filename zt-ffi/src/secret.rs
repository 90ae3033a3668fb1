//! Secrets: borrowed from zt, or copied into the program's own buffer.

use std::ffi::{CString, c_char, c_void};
use std::mem::MaybeUninit;
use std::slice;

use zeroize::Zeroize as _;
use zt_core::secrets::{Secret, SecretVersion};
use zt_core::{Code, Error};

use crate::boundary::{Failure, c_string, give, given, guard_or, text};
use crate::error::zt_error;
use crate::guard::guard;
use crate::session::zt_session;
use crate::status::zt_status;

/// One version of one secret. Its bytes are shared by all its handles and wiped when the cache and the last handle let go.
pub struct zt_secret {
    secret: Secret,
    version: CString,
    path_proof: CString,
}

impl zt_secret {
    pub(crate) fn new(secret: Secret) -> Self {
        Self {
            version: c_string(&secret.version().to_string()),
            path_proof: c_string(secret.path_proof()),
            secret,
        }
    }
}

impl std::fmt::Debug for zt_secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.secret.fmt(f)
    }
}

/// The secret of a row of Secret_References. Policy is checked and the read audited each time; a value that is fresh in
/// the cache comes without a call to the vault. Who is denied never learns whether the secret exists.
///
/// `reference`: the row's id, such as "bureau-api-key". `secret`: new; free it with zt_secret_free as soon as the value
/// is used.
/// Answers: OK, DENIED, NOT_FOUND, VAULT_UNAVAILABLE, VAULT_INTEGRITY, AUDIT_UNAVAILABLE, CONFIG, TOKEN_EXPIRED,
/// INVALID_ARGUMENT.
/// Threads: any, also at once; who misses together shares one call. Blocks: on the vault for a miss, on the disk for the
/// first release of a version to a session and of identical denies, else not. @since 1
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn zt_secret_get(
    session: Option<&zt_session>,
    reference: *const c_char,
    secret: Option<&mut MaybeUninit<*mut zt_secret>>,
    err: Option<&mut MaybeUninit<*mut zt_error>>,
) -> zt_status {
    guard(err, || {
        let session = given(session, "session")?;
        // SAFETY: the C caller promises a NUL-terminated string that stays for the call.
        let reference = unsafe { text(reference, "reference") }?;
        let place = given(secret, "secret")?;
        give(place, zt_secret::new(read(session, reference)?));
        Ok(())
    })
}

/// One version of the secret of a row, whichever is the current one: under the same right and with the same record.
///
/// `version`: as zt_secret_version tells it, 32 hexadecimal digits. `secret`: new; free it with zt_secret_free.
/// Answers: as zt_secret_get; INVALID_ARGUMENT also for a row that is pinned to another version.
/// Threads: any, also at once. Blocks: as zt_secret_get. @since 1
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn zt_session_secret_version(
    session: Option<&zt_session>,
    reference: *const c_char,
    version: *const c_char,
    secret: Option<&mut MaybeUninit<*mut zt_secret>>,
    err: Option<&mut MaybeUninit<*mut zt_error>>,
) -> zt_status {
    guard(err, || {
        let session = given(session, "session")?;
        // SAFETY: the C caller promises a NUL-terminated string that stays for the call.
        let reference = unsafe { text(reference, "reference") }?;
        // SAFETY: as above.
        let version = unsafe { text(version, "version") }?;
        let version: SecretVersion = version.parse().map_err(|_| {
            let message = "`version` is no version of a secret";
            Error::new(Code::InvalidArgument, message).with_help("32 hexadecimal digits")
        })?;
        let place = given(secret, "secret")?;
        let reading = session.session().secret_version(reference, version);
        give(place, zt_secret::new(session.executor().wait(reading)?));
        Ok(())
    })
}

/// The secret, asked of the vault now; at most once a second, else what is cached. Under the same right and with the same
/// record as zt_secret_get.
///
/// `secret`: new; free it with zt_secret_free.
/// Answers: as zt_secret_get; the vault's error also where a value is held, which other readers are still served.
/// Threads: any, also at once. Blocks: on the vault and on the disk. @since 1
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn zt_session_refresh_secret(
    session: Option<&zt_session>,
    reference: *const c_char,
    secret: Option<&mut MaybeUninit<*mut zt_secret>>,
    err: Option<&mut MaybeUninit<*mut zt_error>>,
) -> zt_status {
    guard(err, || {
        let session = given(session, "session")?;
        // SAFETY: the C caller promises a NUL-terminated string that stays for the call.
        let reference = unsafe { text(reference, "reference") }?;
        let place = given(secret, "secret")?;
        let asking = session.session().refresh_secret(reference);
        give(place, zt_secret::new(session.executor().wait(asking)?));
        Ok(())
    })
}

/// Its bytes, which may hold NULs and do not end with one. Borrowed from `secret`: never write to them, and do not copy
/// them further than they must go, for what is copied zt cannot wipe (see zt_wipe). NULL for NULL.
///
/// `length`: how many bytes; may be 0, then the pointer must not be read.
/// Threads: any, also at once. Blocks: never. @since 1
#[must_use]
#[unsafe(no_mangle)]
pub extern "C" fn zt_secret_bytes(
    secret: Option<&zt_secret>,
    length: Option<&mut MaybeUninit<usize>>,
) -> *const u8 {
    let Some(length) = length else {
        return std::ptr::null();
    };
    let revealed = secret.and_then(|secret| guard_or(None, || Some(secret.secret.reveal())));
    length.write(revealed.map_or(0, <[u8]>::len));
    revealed.map_or(std::ptr::null(), <[u8]>::as_ptr)
}

/// Which version it is; never "the current one". Borrowed from `secret`; "" for NULL.
///
/// Threads: any, also at once. Blocks: never. @since 1
#[must_use]
#[unsafe(no_mangle)]
pub extern "C" fn zt_secret_version(secret: Option<&zt_secret>) -> *const c_char {
    secret.map_or(c"".as_ptr(), |secret| secret.version.as_ptr())
}

/// For how many milliseconds it had outlived its TTL when it was handed out, as may be while the vault cannot answer and its
/// row allows it (`max_stale_s`); -1 when it had not, and for NULL.
///
/// Threads: any, also at once. Blocks: never. @since 1
#[must_use]
#[unsafe(no_mangle)]
pub extern "C" fn zt_secret_stale_ms(secret: Option<&zt_secret>) -> i64 {
    let stale = secret.and_then(|secret| guard_or(None, || secret.secret.stale_for()));
    stale.map_or(-1, |stale| {
        i64::try_from(stale.as_millis()).unwrap_or(i64::MAX)
    })
}

/// How the vault proved that no detour is possible, in the words of the audit log. Borrowed from `secret`; "" for NULL.
///
/// Threads: any, also at once. Blocks: never. @since 1
#[must_use]
#[unsafe(no_mangle)]
pub extern "C" fn zt_secret_path_proof(secret: Option<&zt_secret>) -> *const c_char {
    secret.map_or(c"".as_ptr(), |secret| secret.path_proof.as_ptr())
}

/// Frees it. NULL is allowed. The pointer of zt_secret_bytes ends here.
///
/// Threads: any, once, after the last use. Blocks: never. @since 1
#[unsafe(no_mangle)]
pub extern "C" fn zt_secret_free(secret: Option<Box<zt_secret>>) {
    guard_or((), || drop(secret));
}

/// The same secret, copied into the program's own buffer: the cheapest form for callers from other languages. The copy is
/// the program's: wipe it with zt_wipe, or what the language has, as soon as it is used.
///
/// `buffer`: room for `capacity` bytes; NULL when `capacity` is 0. `length`: how many bytes the secret has; written also
/// when the answer is BUFFER_TOO_SMALL, and then nothing else is. Key Vault's values have at most 25,600 bytes. Each call
/// is a release that policy decides and the audit log records, also one with a buffer that is too small.
/// Answers: as zt_secret_get, and BUFFER_TOO_SMALL.
/// Threads: any, also at once. Blocks: as zt_secret_get. @since 1
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn zt_secret_read(
    session: Option<&zt_session>,
    reference: *const c_char,
    buffer: *mut u8,
    capacity: usize,
    length: Option<&mut MaybeUninit<usize>>,
    err: Option<&mut MaybeUninit<*mut zt_error>>,
) -> zt_status {
    guard(err, || {
        let session = given(session, "session")?;
        // SAFETY: the C caller promises a NUL-terminated string that stays for the call.
        let reference = unsafe { text(reference, "reference") }?;
        let place = Place::new(buffer, capacity, length)?;
        // SAFETY: the C caller promises `capacity` writable bytes at `buffer`.
        unsafe { place.fill(&read(session, reference)?) }
    })
}

/// Overwrites `length` bytes with zeros in a way that no compiler leaves out. NULL is allowed when `length` is 0.
///
/// Threads: any, on memory that nobody else uses meanwhile. Blocks: never. @since 1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn zt_wipe(bytes: *mut c_void, length: usize) {
    if bytes.is_null() || length == 0 || isize::try_from(length).is_err() {
        return;
    }
    // SAFETY: not NULL; the C caller promises `length` initialised, writable bytes that nobody else uses meanwhile.
    unsafe { slice::from_raw_parts_mut(bytes.cast::<u8>(), length) }.zeroize();
}

/// A hit is ready at the first poll and never waits.
fn read(session: &zt_session, reference: &str) -> Result<Secret, Failure> {
    let secret = session.session().secret(reference);
    Ok(session.executor().wait(secret)?)
}

/// The program's own buffer, checked before anything is read.
pub(crate) struct Place<'a> {
    buffer: *mut u8,
    capacity: usize,
    length: &'a mut MaybeUninit<usize>,
}

impl<'a> Place<'a> {
    pub(crate) fn new(
        buffer: *mut u8,
        capacity: usize,
        length: Option<&'a mut MaybeUninit<usize>>,
    ) -> Result<Self, Failure> {
        let length = given(length, "length")?;
        let has_buffer = capacity == 0 || !buffer.is_null();
        given(has_buffer.then_some(()), "buffer")?;
        Ok(Self {
            buffer,
            capacity,
            length,
        })
    }

    /// Copies the secret, if there is room.
    ///
    /// # Safety
    /// There are `capacity` writable bytes at `buffer`, none of them the cache's.
    pub(crate) unsafe fn fill(self, secret: &Secret) -> Result<(), Failure> {
        let bytes = secret.reveal();
        self.length.write(bytes.len());
        if bytes.len() > self.capacity {
            let needed = bytes.len();
            return Err(Failure::BufferTooSmall { needed });
        }
        if !bytes.is_empty() {
            // SAFETY: `buffer` is not NULL, as `new` checked, for `capacity` is not 0; the caller promises the rest.
            unsafe {
                self.buffer
                    .copy_from_nonoverlapping(bytes.as_ptr(), bytes.len());
            };
        }
        Ok(())
    }
}
