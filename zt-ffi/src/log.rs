//! What zt has to tell an operator, handed to the program's own log.
//!
//! In: events of zt's crates. Out: level, target and one line, by a callback. Nothing of other crates: theirs may hold what must
//! not be logged. One callback for the library, as events belong to no runtime; a forked child has none until it asks.

use std::cell::Cell;
use std::ffi::{CStr, c_char, c_void};
use std::fmt::{self, Write as _};
use std::mem::MaybeUninit;
use std::sync::{OnceLock, PoisonError, RwLock};

use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::subscriber::Interest;
use tracing::{Event, Level, Metadata, Subscriber};
use zt_core::{Code, Error};
use zt_memory::fork::Local;

use crate::boundary::{Failure, c_string};
use crate::error::zt_error;
use crate::guard::guard;
use crate::status::zt_status;

/// No events.
pub const ZT_LOG_OFF: i32 = 0;
/// What somebody must look at.
pub const ZT_LOG_ERROR: i32 = 1;
/// What somebody should look at: a vault that is not called for a while, a sink that does not take records.
pub const ZT_LOG_WARN: i32 = 2;
/// What happens seldom.
pub const ZT_LOG_INFO: i32 = 3;
/// What helps to find a mistake.
pub const ZT_LOG_DEBUG: i32 = 4;
/// Everything.
pub const ZT_LOG_TRACE: i32 = 5;

/// One event. `level`: ZT_LOG_ERROR to ZT_LOG_TRACE; a program must expect others. `target`: what of zt it is about, such as
/// "zt::secrets". `message`: one line without a newline, with names and values behind it, never a secret, a token or a key.
/// Both texts are borrowed until it returns.
///
/// It runs on the thread where the event happens, which may be one of zt's, also on many at once. Events that it causes
/// itself are left out. It must not throw an exception, longjmp, wait for another thread that calls zt, or call a function of zt
/// that waits: the event may come out of the very work that it would wait for. Where such a call has to wait, it answers
/// INVALID_ARGUMENT at once; a check, a secret in the cache and what ends in `_async` do not. To open, to reload, to warm, to
/// report and to close are refused always, and nothing of them is done.
pub type zt_log_fn = Option<
    unsafe extern "C-unwind" fn(
        user_data: *mut c_void,
        level: i32,
        target: *const c_char,
        message: *const c_char,
    ),
>;

struct Sink {
    level: i32,
    log: unsafe extern "C-unwind" fn(*mut c_void, i32, *const c_char, *const c_char),
    user_data: *mut c_void,
}

// SAFETY: the header says that the callback runs on any thread; the program gave `user_data` for that.
unsafe impl Send for Sink {}
// SAFETY: as above, also on many at once.
unsafe impl Sync for Sink {}

static SINK: Local<RwLock<Option<Sink>>> = Local::new();
static IS_INSTALLED: OnceLock<bool> = OnceLock::new();

thread_local! {
    static IS_TELLING: Cell<bool> = const { Cell::new(false) };
}

/// Marks this thread as one that is inside of the callback; a panic ends it too.
struct Telling;

impl Telling {
    fn start() -> Self {
        IS_TELLING.set(true);
        Self
    }
}

impl Drop for Telling {
    fn drop(&mut self) {
        IS_TELLING.set(false);
    }
}

/// Whether this thread is inside of the callback.
pub(crate) fn is_telling() -> bool {
    IS_TELLING.get()
}

/// What a callback hears that would wait, maybe for the thread that it runs on.
#[cold]
pub(crate) fn must_not_wait() -> Error {
    let message = "a log callback called a function of zt that has to wait";
    Error::new(Code::InvalidArgument, message)
        .with_help("call it from another thread, after the callback has returned")
}

/// Hands events up to `level` to the program. It replaces the callback that was there, which runs no more when this has
/// returned: then its `user_data` may be freed.
///
/// `level`: ZT_LOG_OFF to ZT_LOG_TRACE. `log`: NULL for no events. `user_data`: given to each call.
/// Answers: OK, INVALID_ARGUMENT (also inside of the callback, and when a Rust program that links this library has a
/// subscriber of its own, which has the events already).
/// Threads: any. Blocks: on callbacks that are running. @since 1
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn zt_log_to(
    level: i32,
    log: zt_log_fn,
    user_data: *mut c_void,
    err: Option<&mut MaybeUninit<*mut zt_error>>,
) -> zt_status {
    guard(err, || {
        if !(ZT_LOG_OFF..=ZT_LOG_TRACE).contains(&level) {
            let help = "use ZT_LOG_OFF to ZT_LOG_TRACE";
            return Err(invalid(&format!("`level` is {level}"), help));
        }
        not_inside()?;
        let is_installed = *IS_INSTALLED.get_or_init(|| {
            let installed = tracing::subscriber::set_global_default(Forward);
            installed.is_ok()
        });
        if !is_installed {
            let message = "this program has a subscriber of its own";
            return Err(invalid(message, "take zt's events from it"));
        }
        let sink = log.filter(|_| level != ZT_LOG_OFF).map(|log| Sink {
            level,
            log,
            user_data,
        });
        let place = SINK.get_or_init(|| RwLock::new(None));
        *place.write().unwrap_or_else(PoisonError::into_inner) = sink;
        Ok(())
    })
}

/// Ends the events of the callback that has this `user_data`, which runs no more when this has returned. Where one with another
/// `user_data` has replaced it, nothing is done: whoever cleans up late never silences whoever came after it. Two callbacks
/// that both have NULL are not told apart.
///
/// Answers: OK, INVALID_ARGUMENT inside of the callback.
/// Threads: any. Blocks: on callbacks that are running. @since 1
#[must_use]
#[unsafe(no_mangle)]
pub extern "C" fn zt_log_off(
    user_data: *const c_void,
    err: Option<&mut MaybeUninit<*mut zt_error>>,
) -> zt_status {
    guard(err, || {
        not_inside()?;
        if let Some(place) = SINK.get() {
            let mut sink = place.write().unwrap_or_else(PoisonError::into_inner);
            sink.take_if(|sink| std::ptr::eq(sink.user_data, user_data));
        }
        Ok(())
    })
}

fn not_inside() -> Result<(), Failure> {
    if !is_telling() {
        return Ok(());
    }
    let message = "a callback cannot be replaced while it runs";
    Err(invalid(message, "do it outside of the callback"))
}

fn invalid(message: &str, help: &'static str) -> Failure {
    let error = Error::new(Code::InvalidArgument, message);
    error.with_help(help).into()
}

/// Knows events, not spans: zt has none.
struct Forward;

impl Subscriber for Forward {
    /// Asked anew each time, because the level may change.
    fn register_callsite(&self, event: &'static Metadata<'static>) -> Interest {
        if is_ours(event) {
            Interest::sometimes()
        } else {
            Interest::never()
        }
    }

    fn enabled(&self, event: &Metadata<'_>) -> bool {
        is_ours(event)
            && !IS_TELLING.get()
            && with_sink(|sink| number(*event.level()) <= sink.level)
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        let level = number(*event.metadata().level());
        let mut line = Line::default();
        event.record(&mut line);
        let message = c_string(&line.whole());
        let target = c_string(event.metadata().target());
        let telling = Telling::start();
        let _told = with_sink(|sink| {
            tell(sink, level, &target, &message);
            true
        });
        drop(telling);
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

/// No event waits: who is just replacing the callback misses it.
fn with_sink(look: impl FnOnce(&Sink) -> bool) -> bool {
    let Some(Ok(sink)) = SINK.get().map(RwLock::try_read) else {
        return false;
    };
    sink.as_ref().is_some_and(look)
}

fn tell(sink: &Sink, level: i32, target: &CStr, message: &CStr) {
    // SAFETY: whoever gave the callback promised that it keeps to the header; both texts stay for the call.
    unsafe { (sink.log)(sink.user_data, level, target.as_ptr(), message.as_ptr()) };
}

fn is_ours(event: &Metadata<'_>) -> bool {
    let target = event.target();
    target == "zt" || target.starts_with("zt::") || target.starts_with("zt_")
}

fn number(level: Level) -> i32 {
    match level {
        Level::ERROR => ZT_LOG_ERROR,
        Level::WARN => ZT_LOG_WARN,
        Level::INFO => ZT_LOG_INFO,
        Level::DEBUG => ZT_LOG_DEBUG,
        Level::TRACE => ZT_LOG_TRACE,
    }
}

/// An event as one line. What came from outside cannot make a second line, a field or a command of a terminal of it.
#[derive(Default)]
struct Line {
    message: String,
    fields: String,
}

impl Line {
    fn whole(self) -> String {
        let mut line = String::with_capacity(self.message.len() + self.fields.len());
        for character in self.message.chars() {
            match character {
                '"' | '\'' | '\\' => line.push(character),
                other => line.extend(other.escape_debug()),
            }
        }
        line + &self.fields
    }

    fn field(&mut self, field: &Field, value: &str) {
        let is_plain = |character: char| {
            !(character.is_whitespace()
                || matches!(character, '"' | '=' | '\\')
                || character.escape_debug().len() > 1 && character != '\'')
        };
        let _cannot_fail = if !value.is_empty() && value.chars().all(is_plain) {
            write!(self.fields, " {field}={value}")
        } else {
            write!(self.fields, " {field}={value:?}")
        };
    }
}

impl Visit for Line {
    fn record_str(&mut self, field: &Field, value: &str) {
        if field.name() == "message" {
            self.message.push_str(value);
        } else {
            self.field(field, value);
        }
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.record_str(field, &format!("{value:?}"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The line that an event becomes.
    fn line(tell: impl FnOnce()) -> String {
        struct Catch(std::sync::Mutex<String>);
        impl Subscriber for Catch {
            fn enabled(&self, _: &Metadata<'_>) -> bool {
                true
            }
            fn new_span(&self, _: &Attributes<'_>) -> Id {
                Id::from_u64(1)
            }
            fn record(&self, _: &Id, _: &Record<'_>) {}
            fn record_follows_from(&self, _: &Id, _: &Id) {}
            fn event(&self, event: &Event<'_>) {
                let mut line = Line::default();
                event.record(&mut line);
                *self.0.lock().unwrap() = line.whole();
            }
            fn enter(&self, _: &Id) {}
            fn exit(&self, _: &Id) {}
        }
        let catch = std::sync::Arc::new(Catch(std::sync::Mutex::default()));
        tracing::subscriber::with_default(std::sync::Arc::clone(&catch), tell);
        let line = catch.0.lock().unwrap();
        line.clone()
    }

    #[test]
    fn what_is_plain_stays_as_it_is() {
        let told = line(|| tracing::warn!(sink = %"siem", count = 3, "it isn't \"delivered\""));
        assert_eq!(told, "it isn't \"delivered\" sink=siem count=3");
    }

    #[test]
    fn text_from_outside_forges_no_field_no_line_and_no_command() {
        for (why, shown) in [
            ("no sink=other", r#""no sink=other""#),
            ("a=b", r#""a=b""#),
            ("", "\"\""),
            ("\u{1b}[2J", r#""\u{1b}[2J""#),
            ("a\u{85}b\u{2028}c\r\nd", r#""a\u{85}b\u{2028}c\r\nd""#),
            ("\u{202e}x", r#""\u{202e}x""#),
            ("\" sink=\"y", r#""\" sink=\"y""#),
        ] {
            let told = line(|| tracing::warn!(%why, sink = "siem", "no"));
            assert_eq!(told, format!("no why={shown} sink=siem"));
            let told = line(|| tracing::warn!("{why}"));
            assert!(
                !told
                    .chars()
                    .any(|c| c.is_control() || "\u{2028}\u{202e}".contains(c))
            );
        }
    }

    #[test]
    fn a_panic_of_the_callback_leaves_no_thread_marked() {
        let told = std::panic::catch_unwind(|| {
            let _telling = Telling::start();
            assert!(!is_telling(), "it is marked meanwhile");
        });
        assert!(told.is_err() && !is_telling());
    }
}
