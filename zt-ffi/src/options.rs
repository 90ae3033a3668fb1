//! Opening with settings of the program's own.

use std::ffi::c_char;
use std::mem::{MaybeUninit, offset_of};
use std::slice;
use std::sync::Arc;

use zt_core::runtime::{Config, ConfigKey, RuntimeBuilder};
use zt_core::{Code, Error};

use crate::boundary::{Failure, give, given, list, text};
use crate::error::zt_error;
use crate::executor::Executor;
use crate::guard::guard;
use crate::runtime::zt_runtime;
use crate::status::zt_status;

/// One setting, by its name in `zt.toml`.
#[repr(C)]
#[derive(Clone, Copy)]
#[expect(
    clippy::exhaustive_structs,
    reason = "programs have its layout burnt in"
)]
pub struct zt_setting {
    /// Such as "audit.folder"; docs/src/config.md has every name.
    pub name: *const c_char,
    /// As it would stand in the file, without quotes.
    pub value: *const c_char,
}

/// How to open. Filled by zt_open_options_init; grows at its end only.
#[repr(C)]
#[derive(Clone, Copy)]
#[expect(
    clippy::exhaustive_structs,
    reason = "programs have its layout burnt in"
)]
pub struct zt_open_options {
    /// `sizeof(zt_open_options)` of the program.
    pub struct_size: usize,
    /// Settings that neither the file nor the environment makes: they add, and never replace. NULL when there are none.
    pub settings: *const zt_setting,
    /// How many.
    pub setting_count: usize,
}

/// `sizeof(zt_open_options)` of the first release. Programs have it burnt in: it never changes, however the struct grows.
const FIRST_SIZE: usize = 3 * size_of::<usize>();

/// So many bytes no options have: who says so did not fill them.
const MOST_BYTES: usize = 4096;

impl std::fmt::Debug for zt_setting {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("zt_setting").finish_non_exhaustive()
    }
}

impl std::fmt::Debug for zt_open_options {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("zt_open_options")
            .field("struct_size", &self.struct_size)
            .field("setting_count", &self.setting_count)
            .finish_non_exhaustive()
    }
}

/// Fills options with what zt_open does without any.
///
/// `options`: `struct_size` bytes. `struct_size`: `sizeof(zt_open_options)`.
/// Answers: OK, INVALID_ARGUMENT for a size that this library does not know; then nothing is written.
/// Threads: any. Blocks: never. @since 1
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn zt_open_options_init(
    options: *mut zt_open_options,
    struct_size: usize,
) -> zt_status {
    guard(None, || {
        given((!options.is_null()).then_some(()), "options")?;
        if !(FIRST_SIZE..=MOST_BYTES).contains(&struct_size) {
            return Err(no_size(struct_size).into());
        }
        // SAFETY: not NULL; the C caller promises `struct_size` writable bytes.
        unsafe { options.cast::<u8>().write_bytes(0, struct_size) };
        // SAFETY: as above; the struct has at least this field.
        unsafe { options.cast::<usize>().write_unaligned(struct_size) };
        Ok(())
    })
}

/// zt_open, with settings of the program.
///
/// `options`: NULL for none; read during the call only. Bytes behind those that this library knows must be 0: a program that
/// was made for a newer one is told so, and never opened with less than it asked for.
/// Answers: as zt_open; CONFIG also for a setting that does not exist or is made already, INVALID_ARGUMENT also for options
/// of no known size. No message has the value of a setting.
/// Threads: any. Blocks: on the disk. @since 1
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn zt_open_with(
    folder: *const c_char,
    options: *const zt_open_options,
    runtime: Option<&mut MaybeUninit<*mut zt_runtime>>,
    err: Option<&mut MaybeUninit<*mut zt_error>>,
) -> zt_status {
    guard(err, || {
        // SAFETY: the C caller promises a NUL-terminated string that stays for the call.
        let folder = unsafe { text(folder, "folder") }?;
        // SAFETY: the C caller promises NULL, or options as zt_open_options_init fills them.
        let settings = unsafe { settings(options) }?;
        let place = given(runtime, "runtime")?;
        let executor = Arc::new(Executor::new()?);
        let builder = RuntimeBuilder::new(configured(folder, settings)?);
        let runtime = executor.complete(builder.open())?;
        give(place, zt_runtime::new(runtime, executor));
        Ok(())
    })
}

/// Settings as Rust keeps them.
pub(crate) type Settings = Vec<(ConfigKey, zeroize::Zeroizing<String>)>;

/// The configuration of a folder with settings beside it.
pub(crate) fn configured(folder: &str, settings: Settings) -> Result<Config, Failure> {
    let mut config = Config::load(folder)?;
    for (key, value) in settings {
        config = config.set(key, value.as_str())?;
    }
    Ok(config)
}

/// # Safety
/// `options` is NULL, or has `struct_size` readable bytes, with settings that are there.
pub(crate) unsafe fn settings(options: *const zt_open_options) -> Result<Settings, Failure> {
    if options.is_null() {
        return Ok(Vec::new());
    }
    // SAFETY: not NULL; the size comes first.
    let size = unsafe { options.cast::<usize>().read_unaligned() };
    if !(FIRST_SIZE..=MOST_BYTES).contains(&size) {
        return Err(no_size(size).into());
    }
    // SAFETY: the caller of this function promises `size` bytes.
    let all = unsafe { slice::from_raw_parts(options.cast::<u8>(), size) };
    let first: zt_open_options = known_part(all)?;
    // SAFETY: the caller of this function promises `setting_count` settings.
    let given = unsafe { list(first.settings, first.setting_count, "settings") }?;
    given.iter().map(key_and_value).collect()
}

/// The fields that this library knows. Those that an older program does not have are 0; what a newer one asks for is refused.
fn known_part<T: Plain>(given: &[u8]) -> Result<T, Failure> {
    let known = size_of::<T>();
    if given.iter().skip(known).any(|byte| *byte != 0) {
        let message = "`options` asks for more than this library knows";
        let error = Error::new(Code::InvalidArgument, message);
        return Err(error.with_help("use a newer libzt").into());
    }
    let mut whole = MaybeUninit::<T>::zeroed();
    let length = given.len().min(known);
    // SAFETY: both places have `length` bytes, and one is new.
    unsafe { std::ptr::copy_nonoverlapping(given.as_ptr(), whole.as_mut_ptr().cast(), length) };
    // SAFETY: each field is a number or a pointer, for which every byte will do.
    Ok(unsafe { whole.assume_init() })
}

/// # Safety
/// Every pattern of bytes is a value of it.
unsafe trait Plain {}

// SAFETY: numbers and pointers.
unsafe impl Plain for zt_open_options {}

fn key_and_value(setting: &zt_setting) -> Result<(ConfigKey, zeroize::Zeroizing<String>), Failure> {
    // SAFETY: whoever made the settings promised NUL-terminated strings that stay for the call.
    let name = unsafe { text(setting.name, "settings.name") }?;
    // SAFETY: as above.
    let value = unsafe { text(setting.value, "settings.value") }?;
    let key = ConfigKey::ALL.iter().find(|key| key.as_str() == name);
    let key = key.ok_or_else(|| {
        let message = format!("there is no setting `{}`", name.escape_debug());
        Error::new(Code::Config, message).with_help("docs/src/config.md has every name")
    })?;
    Ok((*key, zeroize::Zeroizing::new(value.to_owned())))
}

#[cold]
fn no_size(size: usize) -> Error {
    let message = format!("options of {size} bytes are of no known size");
    Error::new(Code::InvalidArgument, message)
        .with_help("fill them with zt_open_options_init(&options, sizeof options)")
}

const _: () = assert!(offset_of!(zt_open_options, struct_size) == 0);

#[cfg(test)]
mod tests {
    use super::*;

    /// The options of a release to come.
    #[repr(C)]
    struct Grown {
        first: zt_open_options,
        newer: usize,
    }

    // SAFETY: numbers and pointers.
    unsafe impl Plain for Grown {}

    #[test]
    fn a_program_of_the_first_release_is_understood_by_a_later_one() {
        let mut old = [0_u8; FIRST_SIZE];
        let (size, _) = old.split_at_mut(size_of::<usize>());
        size.copy_from_slice(&FIRST_SIZE.to_ne_bytes());
        let grown: Grown = known_part(&old).unwrap_or_else(|_| panic!("it is refused"));
        assert_eq!((grown.first.struct_size, grown.newer), (FIRST_SIZE, 0));
    }

    #[test]
    fn a_program_of_a_later_release_is_understood_until_it_asks_for_more() {
        let mut new = [0_u8; size_of::<Grown>()];
        assert!(known_part::<zt_open_options>(&new).is_ok());
        new[FIRST_SIZE] = 1;
        assert!(known_part::<zt_open_options>(&new).is_err());
        assert!(known_part::<Grown>(&new).is_ok_and(|grown| grown.newer != 0));
    }
}
