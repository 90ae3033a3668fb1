//! A response body that can come whole, late, in drips, too long, or break off.

use std::collections::VecDeque;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use hyper::body::{Body, Bytes, Frame, SizeHint};
use tokio::time::Sleep;

/// The pieces to come, the pause before each, and how it ends.
pub(crate) struct ScriptedBody {
    pieces: VecDeque<Bytes>,
    /// The length that the header promises, if it does.
    promised: Option<u64>,
    pause: Duration,
    sleep: Option<Pin<Box<Sleep>>>,
    breaks_off: bool,
}

impl ScriptedBody {
    fn new(pieces: VecDeque<Bytes>) -> Self {
        Self {
            pieces,
            promised: None,
            pause: Duration::ZERO,
            sleep: None,
            breaks_off: false,
        }
    }

    /// All at once.
    pub(crate) fn whole(body: Vec<u8>) -> Self {
        let promised = body.len() as u64;
        let pieces = if body.is_empty() {
            VecDeque::new()
        } else {
            VecDeque::from([Bytes::from(body)])
        };
        Self {
            promised: Some(promised),
            ..Self::new(pieces)
        }
    }

    /// Promises all, sends half.
    pub(crate) fn truncated(mut body: Vec<u8>) -> Self {
        let promised = body.len() as u64;
        body.truncate(body.len() / 2);
        Self {
            promised: Some(promised),
            breaks_off: true,
            ..Self::new(VecDeque::from([Bytes::from(body)]))
        }
    }

    /// A byte at a time.
    pub(crate) fn drip(body: Vec<u8>, pause: Duration) -> Self {
        let promised = body.len() as u64;
        let body = Bytes::from(body);
        let pieces = (0..body.len()).map(|at| body.slice(at..=at)).collect();
        Self {
            promised: Some(promised),
            pause,
            ..Self::new(pieces)
        }
    }

    /// So many bytes, without saying before how many: a JSON text whose start looks right.
    pub(crate) fn giant(bytes: usize) -> Self {
        let start = Bytes::from_static(br#"{"keys":["#);
        let blanks = Bytes::from(vec![b' '; 64 * 1024]);
        let mut left = bytes.saturating_sub(start.len());
        let mut pieces = VecDeque::from([start]);
        while left > 0 {
            let now = left.min(blanks.len());
            pieces.push_back(blanks.slice(..now));
            left -= now;
        }
        Self::new(pieces)
    }
}

impl Body for ScriptedBody {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        let this = self.get_mut();
        if this.pieces.is_empty() {
            let end = this.breaks_off.then(|| {
                this.breaks_off = false;
                Err(io::Error::other("told to break off"))
            });
            return Poll::Ready(end);
        }
        if !this.pause.is_zero() {
            let pause = this.pause;
            let sleep = this
                .sleep
                .get_or_insert_with(|| Box::pin(tokio::time::sleep(pause)));
            if sleep.as_mut().poll(cx).is_pending() {
                return Poll::Pending;
            }
            this.sleep = None;
        }
        Poll::Ready(this.pieces.pop_front().map(|piece| Ok(Frame::data(piece))))
    }

    fn size_hint(&self) -> SizeHint {
        self.promised
            .map_or_else(SizeHint::new, SizeHint::with_exact)
    }

    fn is_end_stream(&self) -> bool {
        self.pieces.is_empty() && !self.breaks_off
    }
}
