//! What a reader without a value is given: a value after all, a "no", a fetch to wait for, or one to make.

use tokio::sync::watch;

use super::{FetchError, Secret};

/// What a fetch under way will say: nothing yet, or its outcome.
pub(super) type Outcome = Option<Result<Secret, FetchError>>;

/// Why a fetch is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    /// A reader waits.
    Miss,
    /// Nobody does.
    Refresh,
}

/// What a reader without a value does next.
#[derive(Debug)]
pub(super) enum Boarding {
    /// There is one: another fetch landed in the meantime, or the vault is in trouble and what is held is stale. A refresh
    /// is to be made beside.
    Served(Secret, Option<Start>),
    /// The vault said no a moment ago, or may not be asked.
    Refused(FetchError),
    /// Wait for the fetch that is under way.
    Wait(watch::Receiver<Outcome>),
    /// Start this fetch, then wait for it.
    Start(Start),
}

/// A fetch to be made.
#[derive(Debug)]
pub(super) struct Start {
    pub(super) ticket: Ticket,
    pub(super) sender: watch::Sender<Outcome>,
    pub(super) receiver: watch::Receiver<Outcome>,
    pub(super) purpose: Purpose,
}

/// Which fetch of a slot: the answer of one that was overtaken is not kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Ticket(u64);

impl Ticket {
    pub(super) const fn new(number: u64) -> Self {
        Self(number)
    }
}
