//! The groups of callers whose token has no room for them, asked for once and kept for a while.
//!
//! In: a [`GroupSource`], the ids of groups that the tables name. Out: which of these a caller is in, as far as that is known;
//! unknown fails closed. An answer counts for ten minutes, is then asked for anew beside the callers, and where that fails is
//! used for an hour at most. Source of the limits: Microsoft Learn, "Access token claims reference" (groups overage).

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use moka::sync::Cache;
use tokio::sync::watch;
use zt_memory::fork::Local;

use super::{GroupSource, GroupsError, Member};
use crate::clock::Clock;
use crate::id::Guid;
use crate::identity::caller::Groups;
use crate::identity::keys::Moment;
use crate::port::Spawn;

/// See the module. Cheap to clone.
#[derive(Clone)]
pub(crate) struct GroupDirectory {
    source: Arc<dyn GroupSource>,
    clock: Arc<dyn Clock>,
    spawn: Arc<dyn Spawn>,
    /// Of this process.
    members: Arc<Local<Cache<Member, Arc<Membership>>>>,
}

/// What is known of one caller's groups.
pub(crate) struct Membership {
    member: Member,
    known: Mutex<Known>,
    /// Rises with every answer, so that who has read one sees that there is a newer one.
    answers: AtomicU64,
    ended: watch::Sender<u64>,
}

#[derive(Default)]
struct Known {
    answer: Option<Answer>,
    /// The number of the question under way, and the last one's.
    asking: Option<u64>,
    asked: u64,
    /// Not before this is asked again, after a failure.
    due: Duration,
    error: Option<GroupsError>,
}

struct Answer {
    /// What was asked about, sorted.
    about: Arc<[Guid]>,
    groups: Vec<Guid>,
    at: Moment,
}

impl GroupDirectory {
    pub(crate) fn new(
        source: Arc<dyn GroupSource>,
        clock: Arc<dyn Clock>,
        spawn: Arc<dyn Spawn>,
    ) -> Self {
        Self {
            source,
            clock,
            spawn,
            members: Arc::default(),
        }
    }

    fn members(&self) -> &Cache<Member, Arc<Membership>> {
        let made = || Cache::builder().max_capacity(MOST_MEMBERS).build();
        self.members.get_or_init(made)
    }

    /// What is known of a caller, after a first question if nothing is. Waits for that as long as the source takes.
    pub(crate) async fn of(&self, member: Member, about: &Arc<[Guid]>) -> Arc<Membership> {
        let made = || Arc::new(Membership::new(member));
        let membership = self.members().get_with(member, made);
        let mut ended = membership.ended.subscribe();
        if let Some(number) = self.ask_if_due(&membership, about)
            && membership.groups(about, &*self.clock) == Groups::Overage
        {
            drop(ended.wait_for(|ended| *ended >= number).await);
        }
        membership
    }

    /// Asks anew if the answer is old or about other groups; the number of the question under way.
    pub(crate) fn ask_if_due(
        &self,
        membership: &Arc<Membership>,
        about: &Arc<[Guid]>,
    ) -> Option<u64> {
        let now = Moment::now(&*self.clock);
        let number = {
            let mut known = membership.known();
            if let Some(number) = known.asking {
                return Some(number);
            }
            let fresh = known
                .answer
                .as_ref()
                .is_some_and(|answer| answer.is_about(about) && now.since(answer.at) < FRESH);
            if fresh || now.tick() < known.due {
                return None;
            }
            known.asked += 1;
            known.asking = Some(known.asked);
            known.asked
        };
        let (source, clock) = (Arc::clone(&self.source), Arc::clone(&self.clock));
        let question = Question {
            membership: Arc::clone(membership),
            number,
            about: Arc::clone(about),
            clock,
        };
        self.spawn.spawn(Box::pin(async move {
            let asked = source.groups_of(question.membership.member, &question.about);
            let answer = tokio::time::timeout(LONGEST_QUESTION, asked).await;
            let answer = answer.unwrap_or_else(|_| {
                Err(GroupsError::Unavailable {
                    reason: "it took too long".to_owned(),
                    retry_in: None,
                })
            });
            question.end(answer);
        }));
        Some(number)
    }
}

/// A question under way. It ends with an answer, also where its task panics, is dropped or never runs.
struct Question {
    membership: Arc<Membership>,
    number: u64,
    about: Arc<[Guid]>,
    clock: Arc<dyn Clock>,
}

impl Question {
    fn end(&self, answer: Result<Vec<Guid>, GroupsError>) {
        let now = Moment::now(&*self.clock);
        self.membership.take(self.number, answer, &self.about, now);
    }
}

impl Drop for Question {
    fn drop(&mut self) {
        self.end(Err(GroupsError::Unavailable {
            reason: "the question was lost before it had an answer".to_owned(),
            retry_in: None,
        }));
    }
}

impl Membership {
    fn new(member: Member) -> Self {
        Self {
            member,
            known: Mutex::default(),
            answers: AtomicU64::new(0),
            ended: watch::channel(0).0,
        }
    }

    /// Which of these groups the caller is in; overage while that is not known.
    pub(crate) fn groups(&self, about: &[Guid], clock: &dyn Clock) -> Groups {
        let now = Moment::now(clock);
        let known = self.known();
        match &known.answer {
            _ if about.is_empty() => Groups::complete(Vec::new()),
            Some(answer) if answer.is_about(about) && now.since(answer.at) < STALE => {
                Groups::complete(answer.groups.clone())
            }
            Some(_) | None => Groups::Overage,
        }
    }

    /// How many answers there were.
    pub(crate) fn answers(&self) -> u64 {
        self.answers.load(Ordering::Acquire)
    }

    /// Whether what was told may be told no longer.
    pub(crate) fn is_over(&self, clock: &dyn Clock) -> bool {
        let now = Moment::now(clock);
        let known = self.known();
        known
            .answer
            .as_ref()
            .is_none_or(|answer| now.since(answer.at) >= STALE)
    }

    /// Why the last question had no answer.
    pub(crate) fn error(&self) -> Option<String> {
        self.known().error.as_ref().map(ToString::to_string)
    }

    fn take(
        &self,
        number: u64,
        answer: Result<Vec<Guid>, GroupsError>,
        about: &Arc<[Guid]>,
        now: Moment,
    ) {
        {
            let mut known = self.known();
            if known.asking != Some(number) {
                return;
            }
            known.asking = None;
            match answer {
                Ok(mut groups) => {
                    // A directory that answers more than it was asked proves nothing by it.
                    groups.retain(|group| about.contains(group));
                    let about = Arc::clone(about);
                    known.answer = Some(Answer {
                        about,
                        groups,
                        at: now,
                    });
                    known.error = None;
                }
                Err(error) => {
                    // Gone or forbidden is an answer too: what was told before does not outlive it.
                    if matches!(error, GroupsError::Refused { .. }) {
                        known.answer = None;
                    }
                    let retry_in = match &error {
                        GroupsError::Unavailable { retry_in, .. } => retry_in.unwrap_or(PAUSE),
                        GroupsError::Refused { .. } => LONG_PAUSE,
                    };
                    known.due = now.tick().saturating_add(retry_in.max(PAUSE));
                    known.error = Some(error);
                }
            }
        }
        self.answers.fetch_add(1, Ordering::Release);
        self.ended
            .send_modify(|ended| *ended = (*ended).max(number));
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Answer {
    fn is_about(&self, groups: &[Guid]) -> bool {
        groups
            .iter()
            .all(|group| self.about.binary_search(group).is_ok())
    }
}

impl fmt::Debug for GroupDirectory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GroupDirectory")
            .field("source", &self.source)
            .field("members", &self.members().entry_count())
            .finish_non_exhaustive()
    }
}

const FRESH: Duration = Duration::from_secs(600);
const STALE: Duration = Duration::from_secs(3600);
const PAUSE: Duration = Duration::from_secs(10);
const LONG_PAUSE: Duration = Duration::from_secs(300);
const LONGEST_QUESTION: Duration = Duration::from_secs(30);
const MOST_MEMBERS: u64 = 10_000;

#[cfg(test)]
#[cfg(feature = "testing")]
mod tests;
