//! Batches of Arrow, handed over by the Arrow C data interface: sealed before they leave, and opened again.

use std::ffi::c_char;
use std::mem::MaybeUninit;

use zt_core::envelope::Store;
use zt_core::{Code, Error};

use crate::arrow::raw::{ArrowArray, ArrowSchema};
use crate::boundary::{Failure, give, given, text};
use crate::error::zt_error;
use crate::guard::guard;
use crate::seal::{zt_opener, zt_sealer};
use crate::session::zt_session;
use crate::status::zt_status;

mod check;
mod hand_over;
pub(crate) mod raw;

use hand_over::{Incoming, Outgoing, look};

/// Sealed columns are text, which Delta, Parquet, CSV and SQL keep alike.
pub const ZT_STORE_TEXT: i32 = 0;
/// Sealed columns are bytes, a quarter shorter, for stores that have a type for them.
pub const ZT_STORE_BYTES: i32 = 1;

/// Seals a batch of Arrow: the columns of the rule become text or bytes, and one column more, `_zt_key`, is a dictionary of
/// text. Other columns stay as they are. Every type comes back exactly from zt_opener_unseal_arrow; unions, run-end encoding
/// and list views cannot be sealed.
///
/// `schema`, `array`: a struct of columns without missing rows. Both are consumed, whatever the answer: they are moved out of
/// their places first, `release` there is NULL afterwards, and zt calls the callbacks that stood there. That of `schema` is
/// called before this returns, and so is that of `array` after an error. After OK the columns that stay as they are share the
/// memory of `array`, all of which then lives until the output is released: its callback may run then, on that thread.
/// What is NULL or released already is not consumed, and answered with INVALID_ARGUMENT.
/// `store`: ZT_STORE_TEXT or ZT_STORE_BYTES. `sealed_schema`, `sealed_array`: places that hold nothing to release, or those
/// of `schema` and `array` again; written on OK only, and released by the program through their own callbacks.
///
/// Pointers, lengths, numbers of buffers and children, offsets, text and keys of dictionaries are checked and answered with
/// INVALID_ARGUMENT where they do not fit. What cannot be checked: where a pointer leads, how long a buffer really is, and the
/// `metadata`, which has no length. Take no structs from whom you do not trust as much as code in this process.
///
/// Answers: OK, INVALID_ARGUMENT.
/// Threads: any, also at once, each with structs of its own. Blocks: never. @since 1
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn zt_sealer_seal_arrow(
    sealer: Option<&zt_sealer>,
    schema: *mut ArrowSchema,
    array: *mut ArrowArray,
    store: i32,
    sealed_schema: *mut ArrowSchema,
    sealed_array: *mut ArrowArray,
    err: Option<&mut MaybeUninit<*mut zt_error>>,
) -> zt_status {
    guard(err, || {
        // SAFETY: the C caller promises structs that keep to the interface, and that nobody else uses meanwhile.
        let incoming = unsafe { Incoming::take(schema, array) };
        let sealer = given(sealer, "sealer")?;
        // SAFETY: the C caller promises places that it may write.
        let place = unsafe { Outgoing::new(sealed_schema, sealed_array) }?;
        let store = match store {
            ZT_STORE_TEXT => Store::Text,
            ZT_STORE_BYTES => Store::Bytes,
            _ => return Err(no_store(store)),
        };
        place.write(sealer.0.seal_arrow(&incoming?.batch()?, store)?)
    })
}

/// An opener for batches of Arrow of a row of Output_Storage that are sealed under the data keys of `array`: as zt_opener_new.
///
/// `schema`, `array`: sealed columns with `_zt_key`. Both are borrowed and stay the program's: nothing of them is kept, and
/// they can be given to zt_opener_unseal_arrow afterwards. They are checked as there. `opener`: new; free it with
/// zt_opener_free.
/// Answers: as zt_opener_new.
/// Threads: any, also at once; nobody may change or release the structs meanwhile. Blocks: on the vault and the disk. @since 1
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn zt_arrow_opener_new(
    session: Option<&zt_session>,
    output: *const c_char,
    schema: *const ArrowSchema,
    array: *const ArrowArray,
    opener: Option<&mut MaybeUninit<*mut zt_opener>>,
    err: Option<&mut MaybeUninit<*mut zt_error>>,
) -> zt_status {
    guard(err, || {
        let session = given(session, "session")?;
        // SAFETY: the C caller promises a NUL-terminated string that stays for the call.
        let output = unsafe { text(output, "output") }?;
        let place = given(opener, "opener")?;
        // SAFETY: the C caller promises structs that keep to the interface and stay for the call.
        let made = unsafe {
            look(schema, array, |sealed| {
                let opening = session.session().arrow_opener(output, sealed);
                Ok(session.executor().wait(opening)?)
            })
        };
        give(place, zt_opener(made?));
        Ok(())
    })
}

/// The batch of Arrow with its columns as they were before they were sealed, each of its own type, without `_zt_key`, as far
/// as the decision of the opener shows them. The bytes of the opened columns are zt's until they are released; then they are
/// freed, and not wiped.
///
/// `schema`, `array`: consumed, as for zt_sealer_seal_arrow. `plain_schema`, `plain_array`: as its outputs.
/// Answers: OK, SEAL_INTEGRITY for a cell that was changed, moved or cut (the message names row and column, never the
/// value), OBLIGATION_UNMET for more rows than the policy shows at once, INVALID_ARGUMENT.
/// Threads: any, also at once, each with structs of its own. Blocks: never. @since 1
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn zt_opener_unseal_arrow(
    opener: Option<&zt_opener>,
    schema: *mut ArrowSchema,
    array: *mut ArrowArray,
    plain_schema: *mut ArrowSchema,
    plain_array: *mut ArrowArray,
    err: Option<&mut MaybeUninit<*mut zt_error>>,
) -> zt_status {
    guard(err, || {
        // SAFETY: the C caller promises structs that keep to the interface, and that nobody else uses meanwhile.
        let incoming = unsafe { Incoming::take(schema, array) };
        let opener = given(opener, "opener")?;
        // SAFETY: the C caller promises places that it may write.
        let place = unsafe { Outgoing::new(plain_schema, plain_array) }?;
        place.write(opener.0.unseal_arrow(&incoming?.batch()?)?)
    })
}

fn no_store(store: i32) -> Failure {
    let message = format!("`store` is {store}");
    let error = Error::new(Code::InvalidArgument, message);
    error
        .with_help("use ZT_STORE_TEXT or ZT_STORE_BYTES")
        .into()
}
