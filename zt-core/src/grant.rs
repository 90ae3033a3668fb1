//! Grants: short-lived signed statements that carry a fact or a narrow right from one process to another.
//!
//! In: what a [`Session`](crate::Session) may, now. Out: a [`Grant`], a text of about a kilobyte, 16 at most, that anyone may read and
//! nobody may change, and on the other side what it is good for. There are two kinds. A grant for a **stage** is issued by an
//! orchestrator: "`sp:sp-score-201` is in stage 2 of job 201 until 02:15"; [`Session::with_grant`](crate::Session::with_grant)
//! turns job and stage from asserted to proven with it, and a policy can demand `proven`. A grant for **executors** carries
//! rights that its issuer has into processes without tables, network or secrets; an [`Executor`] answers from it alone.
//!
//! A grant never widens a right: a session that presents one is still decided by policy, and an executor may what its driver
//! was allowed at the time of issue, for an hour at most, and not beyond the `exp` of a key that it wraps with. It holds no secret, and who has it can do what it says: it keeps
//! secrets and unwrapping rights off executors and stops accidents, no more.
//!
//! Signatures are Ed25519 (RFC 8032). The text is `ztg1.` claims `.` signature, both in base64url; the claims are JSON with
//! fixed fields in a fixed order, and any other spelling of the same claims is refused.

mod claims;
mod error;
mod executor;
mod key;
mod text;

pub(crate) use claims::{Claims, Seal};
pub use claims::{GrantKind, Right};
pub use error::GrantError;
pub use executor::Executor;
pub(crate) use executor::{SKEW, no_public_half};
pub(crate) use key::{Authority, GrantKey, MakeKey};
pub use key::{GrantPublicKey, NotAGrantKey};
pub use text::Grant;
pub(crate) use text::MOST;

use std::time::Duration;

/// The longest that a grant lasts.
pub const LONGEST: Duration = Duration::from_secs(3600);

/// How long a grant lasts where nobody says.
pub const USUAL: Duration = Duration::from_secs(900);

#[cfg(test)]
mod tests;
