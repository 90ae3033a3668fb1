//! The AuthZEN Authorization API 1.0 as library calls on JSON values.
//!
//! In: a request of an enforcement point (a gateway, a service), settings, a snapshot, the time. Out: the answer that the
//! specification demands, or a [`BadRequest`] that names the wrong member. Never: any I/O, an audit record, a question whether
//! the asker may ask. Enforcement points are trusted to say who is asked about; who may be one is up to the service that
//! embeds this ([`Session::authzen`](crate::Session::authzen) asks policy and writes the log). Source: OpenID AuthZEN,
//! "Authorization API 1.0" (2026).
//!
//! ```
//! use std::sync::Arc;
//! use serde_json::json;
//! use zt_core::authzen::{Authzen, Vocabulary};
//! use zt_core::clock::Timestamp;
//! use zt_core::id::PrincipalKind;
//! use zt_core::metadata::Snapshot;
//! use zt_core::policy::Action;
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # use zt_core::metadata::MetadataSource as _;
//! # let source = zt_core::adapters::file::FileTables::new("../examples/world/brindlewick.toml");
//! # let now: Timestamp = "2026-10-01T08:00:00Z".parse()?;
//! # let snapshot = Arc::new(Snapshot::compile(&source.load().await?, 1, now)?);
//! let words = Vocabulary::empty()
//!     .with_subject_type("identity", PrincipalKind::User)
//!     .with_action("can_read", Action::TableRead)
//!     .with_resource_type_below("gold_table", "table:gold".parse()?);
//! let groups = [("user:maya".parse()?, vec!["group:grp-data-science".parse()?])];
//! let pdp = Authzen::new(words).with_groups(groups.into());
//!
//! let answer = pdp.on(&snapshot, now).evaluation(&json!({
//!     "subject": { "type": "identity", "id": "maya" },
//!     "action": { "name": "can_read" },
//!     "resource": { "type": "gold_table", "id": "loan_scores" },
//! }))?;
//! assert!(answer.body()["decision"].is_boolean());
//! assert_eq!(answer.decided().len(), 1); // for the audit log, before the body leaves
//! # Ok(())
//! # }
//! ```
//!
//! # What counts
//!
//! `properties` and `context` become attributes (`principal.`, `resource.`, `action.`, `context.`) where a row of Attributes
//! declares them and the value is of its type. They count as asserted, never as said by a token. An enforcement point that
//! fills some from a store of the tables' owner can be trusted with those, namespace by namespace
//! ([`Authzen::trusting`]). What [`Authzen::with_principal`] and [`Authzen::with_resource`] tell counts as known from
//! a store and before what is asserted. The time is the one given to [`Authzen::on`]; a member `time` of the context is no
//! clock.
//!
//! # What is answered
//!
//! `context` of a decision has `id`, `kind`, `policies`, and where there is one `why` (the row's words, safe to show) and
//! `obligations`. An allow with obligations is granted only to an enforcement point that carries them out
//! ([`Authzen::enforcing_obligations`]): most of them read `decision` and nothing else. Near misses are left out unless
//! asked for ([`Authzen::explaining`]).

mod answer;
mod call;
mod decide;
mod discovery;
mod evaluate;
mod facts;
mod json;
mod page;
mod record;
mod request;
mod search;
mod settings;
mod sitting;
mod vocabulary;

use std::collections::HashSet;

use serde_json::{Map, Value};

pub use call::Call;
pub use discovery::{NotABaseUrl, WELL_KNOWN};
use facts::Known;
pub use json::parse;
pub use request::BadRequest;
pub use search::Searched;
pub use settings::NotSettings;
pub use sitting::{Answer, Decided, Sitting};
pub use vocabulary::Vocabulary;

use crate::id::PrincipalId;
use crate::policy::{GroupsOf, Namespace, Provenance, Resource};

/// How questions are understood and answered. Made once, used for any number of snapshots, safe across threads.
#[derive(Debug, Clone, Default, PartialEq)]
#[must_use]
pub struct Authzen {
    vocabulary: Vocabulary,
    groups: Option<GroupsOf>,
    known: Known,
    trusted: HashSet<Namespace>,
    enforces_obligations: bool,
    explains: bool,
}

impl Authzen {
    /// With these words. Nothing asserted counts as more, limited rights are not granted, denies are not explained, and
    /// nobody is known to be in a group: rights of groups do not count, denies on groups do.
    pub fn new(vocabulary: Vocabulary) -> Self {
        Self {
            vocabulary,
            ..Self::default()
        }
    }

    /// These are all groups of everybody; who is not named is in none.
    pub fn with_groups(mut self, groups: GroupsOf) -> Self {
        self.groups = Some(groups);
        self
    }

    /// A store of the tables' owner says this of a principal. Replaces what was told before. The names are those of
    /// attributes, without `principal.`.
    pub fn with_principal(mut self, id: PrincipalId, properties: Map<String, Value>) -> Self {
        self.known.principals.insert(id, properties);
        self
    }

    /// A store of the tables' owner says this of a resource, which searches find from now on. Replaces what was told
    /// before. The names are those of attributes, without `resource.`.
    pub fn with_resource(mut self, resource: Resource, properties: Map<String, Value>) -> Self {
        self.known.resources.insert(resource, properties);
        self
    }

    /// The enforcement point takes the properties of this namespace (for `context`, its members) from a store of the
    /// tables' owner: they count where an attribute asks for `store`. They never count as said by a token.
    pub fn trusting(mut self, namespace: Namespace) -> Self {
        self.trusted.insert(namespace);
        self
    }

    /// The enforcement point carries out what `context.obligations` says: it shows those columns alone and masks what is to
    /// be masked. Else an allow with obligations is answered with `false`.
    pub const fn enforcing_obligations(mut self) -> Self {
        self.enforces_obligations = true;
        self
    }

    /// Denies say what was missing. That tells an attacker what to claim: for enforcement points whose asker may see it.
    pub const fn explaining(mut self) -> Self {
        self.explains = true;
        self
    }

    /// How the properties of a namespace are known.
    fn provenance(&self, namespace: Namespace) -> Provenance {
        if self.trusted.contains(&namespace) {
            Provenance::Store
        } else {
            Provenance::Request
        }
    }
}
