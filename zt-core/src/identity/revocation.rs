//! Tokens that are refused although they are valid, by the table Revocations.
//!
//! In: its rows, compiled with the snapshot. Out: the row that refuses a caller. One look-up for each thing that a row can
//! name; asked when a caller signs in and whenever a session meets a new snapshot, so a row counts with the next decision.

use rustc_hash::FxHashMap;

use crate::clock::Timestamp;
use crate::id::{Guid, PrincipalId};
use crate::metadata::{Revocation, RevocationTarget};

use super::caller::Caller;

/// The compiled rows.
#[derive(Debug, Default)]
pub(crate) struct Revocations {
    everyone: Vec<Rule>,
    objects: FxHashMap<Guid, Vec<Rule>>,
    clients: FxHashMap<Guid, Vec<Rule>>,
    tokens: FxHashMap<Box<str>, Vec<Rule>>,
}

#[derive(Debug)]
struct Rule {
    row: Box<str>,
    tenant: Option<Guid>,
    not_before: Option<Timestamp>,
}

impl Revocations {
    /// Compiles rows; `object_of` gives the object id of a readable id, which validation has proven to exist.
    pub(crate) fn compile(
        rows: &[Revocation],
        object_of: impl Fn(&PrincipalId) -> Option<Guid>,
    ) -> Self {
        let mut all = Self::default();
        for row in rows {
            let rule = Rule {
                row: Box::from(row.id.as_str()),
                tenant: row.tenant,
                not_before: row.not_before,
            };
            match &row.target {
                RevocationTarget::Everyone => all.everyone.push(rule),
                RevocationTarget::Object(object) => {
                    all.objects.entry(*object).or_default().push(rule);
                }
                RevocationTarget::Principal(id) => {
                    if let Some(object) = object_of(id) {
                        all.objects.entry(object).or_default().push(rule);
                    }
                }
                RevocationTarget::Client(client) => {
                    all.clients.entry(*client).or_default().push(rule);
                }
                RevocationTarget::Token(uti) => {
                    let uti = Box::from(uti.as_str());
                    all.tokens.entry(uti).or_default().push(rule);
                }
            }
        }
        all
    }

    /// The first row that refuses this caller's token.
    pub(crate) fn refusing(&self, caller: &Caller) -> Option<&str> {
        let token = caller.token()?;
        let of_client = caller.client().and_then(|app| self.clients.get(&app.id));
        let of_token = token.uti.as_ref().and_then(|uti| self.tokens.get(uti));
        let of_object = self.objects.get(&caller.object());
        let named = [of_token, of_object, of_client, Some(&self.everyone)];
        let mut rules = named.into_iter().flatten().flatten();
        let refuses = |rule: &&Rule| {
            rule.tenant.is_none_or(|tenant| tenant == caller.tenant())
                && rule.not_before.is_none_or(|moment| token.iat < moment)
        };
        rules.find(refuses).map(|rule| &*rule.row)
    }
}
