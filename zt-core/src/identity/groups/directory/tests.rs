//! What is asked, how often, and what counts when the directory is down.

use std::sync::atomic::AtomicUsize;

use super::*;
use crate::clock::Timestamp;
use crate::identity::CallerKind;
use crate::port::BoxFuture;
use crate::testing::ManualClock;

#[derive(Debug, Default)]
struct Source {
    asked: Mutex<Vec<Vec<Guid>>>,
    is_down: std::sync::atomic::AtomicBool,
    calls: AtomicUsize,
}

impl GroupSource for Source {
    fn groups_of<'a>(
        &'a self,
        _: Member,
        candidates: &'a [Guid],
    ) -> BoxFuture<'a, Result<Vec<Guid>, GroupsError>> {
        self.calls.fetch_add(1, Ordering::SeqCst);
        let mut asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        asked.push(candidates.to_vec());
        let answer = match self.is_down.load(Ordering::SeqCst) {
            true => Err(GroupsError::Unavailable {
                reason: "down".to_owned(),
                retry_in: None,
            }),
            // In the first, and, as a directory that lies would say, in one that nobody asked about.
            false => Ok(candidates
                .iter()
                .take(1)
                .copied()
                .chain([Guid::from_u128(999)])
                .collect()),
        };
        Box::pin(async move { answer })
    }
}

#[derive(Debug)]
struct Tokio;

impl Spawn for Tokio {
    fn spawn(&self, task: BoxFuture<'static, ()>) {
        drop(tokio::spawn(task));
    }
}

const MEMBER: Member = Member {
    tenant: Guid::from_u128(1),
    object: Guid::from_u128(2),
    kind: CallerKind::User,
};

fn about(ids: &[u128]) -> Arc<[Guid]> {
    ids.iter().map(|id| Guid::from_u128(*id)).collect()
}

fn made() -> (GroupDirectory, Arc<Source>, Arc<ManualClock>) {
    let source = Arc::new(Source::default());
    let clock = Arc::new(ManualClock::new(Timestamp::from_secs(1_790_000_000)));
    let directory = GroupDirectory::new(
        Arc::<Source>::clone(&source),
        Arc::<ManualClock>::clone(&clock),
        Arc::new(Tokio),
    );
    (directory, source, clock)
}

async fn settle() {
    for _ in 0..10 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn one_question_serves_many_callers_and_only_the_ids_asked_about_count() {
    let (directory, source, clock) = made();
    let about = about(&[5, 6]);
    let many = (0..1000).map(|_| {
        let (directory, about) = (directory.clone(), Arc::clone(&about));
        tokio::spawn(async move { directory.of(MEMBER, &about).await })
    });
    for one in many.collect::<Vec<_>>() {
        let groups = one.await.unwrap().groups(&about, &*clock);
        assert_eq!(groups, Groups::complete(vec![Guid::from_u128(5)]));
    }
    assert_eq!(source.calls.load(Ordering::SeqCst), 1);
    assert_eq!(*source.asked.lock().unwrap(), [about.to_vec()]);
}

#[tokio::test]
async fn an_answer_is_refreshed_after_ten_minutes_and_used_for_an_hour_when_the_directory_is_down()
{
    let (directory, source, clock) = made();
    let about = about(&[5]);
    let membership = directory.of(MEMBER, &about).await;
    clock.advance(Duration::from_secs(599));
    assert_eq!(directory.ask_if_due(&membership, &about), None);
    source.is_down.store(true, Ordering::SeqCst);
    clock.advance(Duration::from_secs(1));
    assert!(directory.ask_if_due(&membership, &about).is_some());
    settle().await;
    assert!(membership.error().unwrap().contains("down"));
    assert_ne!(membership.groups(&about, &*clock), Groups::Overage);
    // After a failure it rests.
    assert_eq!(directory.ask_if_due(&membership, &about), None);
    clock.advance(Duration::from_secs(2999));
    assert_ne!(membership.groups(&about, &*clock), Groups::Overage);
    clock.advance(Duration::from_secs(1));
    assert_eq!(membership.groups(&about, &*clock), Groups::Overage);
    assert!(membership.is_over(&*clock));
    source.is_down.store(false, Ordering::SeqCst);
    assert!(directory.ask_if_due(&membership, &about).is_some());
    settle().await;
    assert_ne!(membership.groups(&about, &*clock), Groups::Overage);
}

#[tokio::test]
async fn groups_that_were_not_asked_about_are_unknown_until_they_are() {
    let (directory, source, clock) = made();
    let membership = directory.of(MEMBER, &about(&[5])).await;
    let wider = about(&[5, 7]);
    assert_eq!(membership.groups(&wider, &*clock), Groups::Overage);
    let before = membership.answers();
    assert!(directory.ask_if_due(&membership, &wider).is_some());
    settle().await;
    assert!(membership.answers() > before);
    assert_ne!(membership.groups(&wider, &*clock), Groups::Overage);
    assert_eq!(source.calls.load(Ordering::SeqCst), 2);
    // Where the tables name no group, nobody need ask.
    assert_eq!(
        membership.groups(&[], &*clock),
        Groups::complete(Vec::new())
    );
}

#[tokio::test]
async fn a_directory_that_is_down_leaves_the_groups_unknown() {
    let (directory, source, clock) = made();
    source.is_down.store(true, Ordering::SeqCst);
    let membership = directory.of(MEMBER, &about(&[5])).await;
    assert_eq!(membership.groups(&about(&[5]), &*clock), Groups::Overage);
}
