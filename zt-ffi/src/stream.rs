//! Streams that the program reads and writes: its callbacks as Rust's `Read` and `Write`.
//!
//! In: callbacks with their data. Out: bytes in order, on the thread that called. A callback that gives up ends the call with a
//! failure of its own, and is not called again.

use std::ffi::c_void;
use std::io::{self, Read, Write};

use zeroize::Zeroizing;

use crate::boundary::{Failure, given};

/// Reads the next bytes of a stream into `buffer`, at least one and at most `capacity`, and answers how many; 0 at its end. A
/// negative answer gives up: the call that it serves answers CALLBACK_FAILED. `user_data` is what that call was given.
///
/// It runs on the thread of that call, never twice at once, and not again after the end or a failure. It may call functions
/// of zt. It must not throw an exception or longjmp.
pub type zt_read_fn = Option<
    unsafe extern "C-unwind" fn(user_data: *mut c_void, buffer: *mut u8, capacity: usize) -> i64,
>;

/// Writes the next `length` bytes of a stream, all of them, and answers 0; any other answer gives up. The bytes are borrowed
/// until it returns. All else is as for zt_read_fn.
pub type zt_write_fn = Option<
    unsafe extern "C-unwind" fn(user_data: *mut c_void, bytes: *const u8, length: usize) -> i64,
>;

/// So many bytes are asked for at least.
const CHUNK: usize = 64 * 1024;

/// What the program reads for us.
pub(crate) struct Source {
    read: unsafe extern "C-unwind" fn(*mut c_void, *mut u8, usize) -> i64,
    user_data: *mut c_void,
    ahead: Zeroizing<Vec<u8>>,
    at: usize,
    is_over: bool,
    failed: Option<i64>,
}

/// What the program writes for us.
pub(crate) struct Sink {
    write: unsafe extern "C-unwind" fn(*mut c_void, *const u8, usize) -> i64,
    user_data: *mut c_void,
    failed: Option<i64>,
}

impl Source {
    /// # Safety
    /// The callback keeps to [`zt_read_fn`] with this `user_data`.
    pub(crate) unsafe fn new(read: zt_read_fn, user_data: *mut c_void) -> Result<Self, Failure> {
        Ok(Self {
            read: given(read, "read")?,
            user_data,
            ahead: Zeroizing::new(Vec::new()),
            at: 0,
            is_over: false,
            failed: None,
        })
    }

    fn ask(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.is_over || buffer.is_empty() {
            return Ok(0);
        }
        // SAFETY: the buffer has so many writable bytes; whoever made this promised the rest.
        let answer = unsafe { (self.read)(self.user_data, buffer.as_mut_ptr(), buffer.len()) };
        match usize::try_from(answer) {
            Ok(count) if count <= buffer.len() => {
                self.is_over = count == 0;
                Ok(count)
            }
            Ok(_) | Err(_) => {
                self.is_over = true;
                self.failed = Some(answer);
                Err(io::Error::other("the program's callback gave up"))
            }
        }
    }
}

impl Read for Source {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.at == self.ahead.len() {
            if buffer.len() >= CHUNK {
                return self.ask(buffer);
            }
            let mut ahead = std::mem::take(&mut self.ahead);
            ahead.resize(CHUNK, 0);
            let asked = self.ask(&mut ahead);
            ahead.truncate(asked.as_ref().map_or(0, |count| *count));
            (self.ahead, self.at) = (ahead, 0);
            asked?;
        }
        let mut rest = self.ahead.get(self.at..).unwrap_or_default();
        let count = rest.read(buffer)?;
        self.at += count;
        Ok(count)
    }
}

impl Sink {
    /// # Safety
    /// The callback keeps to [`zt_write_fn`] with this `user_data`.
    pub(crate) unsafe fn new(write: zt_write_fn, user_data: *mut c_void) -> Result<Self, Failure> {
        Ok(Self {
            write: given(write, "write")?,
            user_data,
            failed: None,
        })
    }
}

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if bytes.is_empty() {
            return Ok(0);
        }
        // SAFETY: there are so many bytes; whoever made this promised the rest.
        let answer = unsafe { (self.write)(self.user_data, bytes.as_ptr(), bytes.len()) };
        if answer == 0 {
            return Ok(bytes.len());
        }
        self.failed = Some(answer);
        Err(io::Error::other("the program's callback gave up"))
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// What the core said, unless a callback gave up before: then that is the reason.
pub(crate) fn settled<T>(
    outcome: zt_core::Result<T>,
    source: &Source,
    sink: &Sink,
) -> Result<T, Failure> {
    let failed =
        |name, answer: Option<i64>| answer.map(|answer| Failure::Callback { name, answer });
    match failed("read", source.failed).or_else(|| failed("write", sink.failed)) {
        Some(failure) => Err(failure),
        None => Ok(outcome?),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::guard::guard;
    use crate::status::ZT_STATUS_PANIC;

    struct Chunks {
        left: usize,
        each: usize,
        calls: usize,
    }

    unsafe extern "C-unwind" fn chunks(data: *mut c_void, buffer: *mut u8, capacity: usize) -> i64 {
        // SAFETY: the tests pass a `Chunks` that nobody else uses meanwhile.
        let chunks = unsafe { &mut *data.cast::<Chunks>() };
        chunks.calls += 1;
        let count = chunks.left.min(chunks.each).min(capacity);
        // SAFETY: `capacity` bytes are there.
        unsafe { buffer.write_bytes(7, count) };
        chunks.left -= count;
        i64::try_from(count).unwrap()
    }

    unsafe extern "C-unwind" fn too_many(_: *mut c_void, _: *mut u8, capacity: usize) -> i64 {
        i64::try_from(capacity).unwrap() + 1
    }

    unsafe extern "C-unwind" fn full(_: *mut c_void, _: *const u8, _: usize) -> i64 {
        28
    }

    unsafe extern "C-unwind" fn panics(_: *mut c_void, _: *mut u8, _: usize) -> i64 {
        panic!("a callback written in Rust")
    }

    #[test]
    fn a_panic_of_a_callback_stops_at_the_border() {
        let status = guard(None, || {
            // SAFETY: it touches no memory.
            let mut source = unsafe { Source::new(Some(panics), std::ptr::null_mut()) }?;
            drop(source.read(&mut [0; 10]));
            Ok(())
        });
        assert_eq!(status, ZT_STATUS_PANIC);
    }

    #[test]
    fn a_stream_is_read_to_its_end_in_whatever_parts_it_comes() {
        for (left, each) in [(0, 1), (1, 1), (200_000, 1_000), (200_000, 150_000)] {
            let mut chunks_of = Chunks {
                left,
                each,
                calls: 0,
            };
            let data = (&raw mut chunks_of).cast();
            // SAFETY: `chunks` keeps to the rules.
            let mut source = unsafe { Source::new(Some(chunks), data) }.ok().unwrap();
            let mut all = Vec::new();
            source.read_to_end(&mut all).unwrap();
            assert_eq!(all, vec![7; left]);
            let calls = chunks_of.calls;
            assert_eq!(source.read(&mut [0; 9]).unwrap(), 0);
            assert_eq!(chunks_of.calls, calls, "asked again after the end");
        }
    }

    #[test]
    fn a_callback_that_gives_up_or_lies_is_the_reason() {
        let nothing = std::ptr::null_mut();
        // SAFETY: it touches no memory.
        let mut source = unsafe { Source::new(Some(too_many), nothing) }
            .ok()
            .unwrap();
        // SAFETY: as above.
        let mut sink = unsafe { Sink::new(Some(full), nothing) }.ok().unwrap();
        assert!(source.read(&mut [0; 10]).is_err());
        assert_eq!(source.failed, Some(64 * 1024 + 1));
        assert_eq!(source.read(&mut [0; 10]).unwrap(), 0);
        assert!(sink.write(b"x").is_err());
        let outcome = settled(Ok(()), &source, &sink).unwrap_err();
        assert!(matches!(outcome, Failure::Callback { name: "read", .. }));
        source.failed = None;
        let outcome = settled(Ok(()), &source, &sink).unwrap_err();
        assert!(matches!(
            outcome,
            Failure::Callback {
                name: "write",
                answer: 28
            }
        ));
    }
}
