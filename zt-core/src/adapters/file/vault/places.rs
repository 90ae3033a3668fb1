//! The places of those who read one vault file.
//!
//! In: who wants to read. Out: a place, or a wait for one. A read that has not returned after [`LOST`] may never return: its
//! place is given anew, one in [`PAUSE`] and [`MOST_EVER`] in all, so that a file which is there again can be read without a
//! new process. A lost read that does return takes the place that was given for it out again.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::Instant;

/// Reads under way at once.
pub(super) const MOST_READERS: usize = 4;

/// Threads that hang at once, whatever happens.
const MOST_EVER: usize = 32;

/// Longer than any read takes that ends.
const LOST: Duration = Duration::from_secs(30);

/// Between two places that are given anew.
const PAUSE: Duration = Duration::from_secs(60);

/// See the module.
pub(super) struct Places {
    free: Arc<Semaphore>,
    book: Mutex<Book>,
}

#[derive(Default)]
struct Book {
    /// When each read under way began.
    reads: BTreeMap<u64, Instant>,
    next: u64,
    /// Places beyond the first ones that are there now.
    anew: usize,
    given_at: Option<Instant>,
}

/// A place that is held until it is dropped.
pub(super) struct Place {
    places: Arc<Places>,
    number: u64,
    permit: Option<OwnedSemaphorePermit>,
}

impl Default for Places {
    fn default() -> Self {
        Self {
            free: Arc::new(Semaphore::new(MOST_READERS)),
            book: Mutex::default(),
        }
    }
}

impl Places {
    /// A place as soon as there is one.
    pub(super) async fn take(self: &Arc<Self>) -> Option<Place> {
        if self.free.available_permits() == 0 && self.book().gives_anew(Instant::now()) {
            self.free.add_permits(1);
        }
        let permit = Arc::clone(&self.free).acquire_owned().await.ok()?;
        Some(Place {
            places: Arc::clone(self),
            number: self.book().begin(Instant::now()),
            permit: Some(permit),
        })
    }

    /// How many are free.
    #[cfg(test)]
    pub(super) fn free(&self) -> usize {
        self.free.available_permits()
    }

    /// A panic cannot leave it half changed in a way that matters: it is a count.
    fn book(&self) -> MutexGuard<'_, Book> {
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Book {
    fn begin(&mut self, now: Instant) -> u64 {
        self.next += 1;
        self.reads.insert(self.next, now);
        self.next
    }

    fn lost(&self, now: Instant) -> usize {
        let is_lost = |began: &&Instant| now.saturating_duration_since(**began) >= LOST;
        self.reads.values().filter(is_lost).count()
    }

    fn gives_anew(&mut self, now: Instant) -> bool {
        let is_time = |given: Instant| now.saturating_duration_since(given) >= PAUSE;
        let gives = self.lost(now) > self.anew
            && MOST_READERS + self.anew < MOST_EVER
            && self.given_at.is_none_or(is_time);
        if gives {
            self.anew += 1;
            self.given_at = Some(now);
        }
        gives
    }

    /// Whether the place goes with the read.
    fn end(&mut self, number: u64, now: Instant) -> bool {
        self.reads.remove(&number);
        let is_too_much = self.anew > self.lost(now);
        if is_too_much {
            self.anew -= 1;
        }
        is_too_much
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let goes = self.places.book().end(self.number, Instant::now());
        if let Some(permit) = self.permit.take()
            && goes
        {
            permit.forget();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    async fn at_once(places: &Arc<Places>) -> Option<Place> {
        let taken = futures_util::future::poll_immediate(Box::pin(places.take())).await;
        taken.flatten()
    }

    #[tokio::test(start_paused = true)]
    async fn places_of_lost_reads_are_given_anew_one_in_a_minute_and_never_more_than_there_may_be()
    {
        let places = Arc::new(Places::default());
        let mut held = Vec::new();
        while let Some(place) = at_once(&places).await {
            held.push(place);
        }
        assert_eq!(held.len(), MOST_READERS);
        tokio::time::advance(LOST - SECOND).await;
        assert!(at_once(&places).await.is_none(), "they may be slow");
        tokio::time::advance(SECOND).await;
        held.push(at_once(&places).await.unwrap());
        tokio::time::advance(PAUSE - SECOND).await;
        assert!(at_once(&places).await.is_none(), "one in a minute");
        tokio::time::advance(SECOND).await;
        held.push(at_once(&places).await.unwrap());
        for _ in 0..100 {
            tokio::time::advance(PAUSE).await;
            held.extend(at_once(&places).await);
        }
        assert_eq!(held.len(), MOST_EVER);
    }

    #[tokio::test(start_paused = true)]
    async fn a_lost_read_that_returns_leaves_no_more_places_than_there_were() {
        let places = Arc::new(Places::default());
        let mut held = Vec::new();
        for _ in 0..3 {
            while let Some(place) = at_once(&places).await {
                held.push(place);
            }
            tokio::time::advance(PAUSE).await;
        }
        assert_eq!(held.len(), MOST_READERS + 2);
        drop(held);
        assert_eq!(places.free(), MOST_READERS);
    }
}
