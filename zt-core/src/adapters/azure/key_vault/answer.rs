//! What every answer of Key Vault says beside its value, read strictly.
//!
//! In: an answer with status 200. Out: which version it is of, when that may be used, and what the audit record says of the
//! call. Nothing that the vault sent is repeated in an error.

use serde::Deserialize;

use crate::clock::Timestamp;
use crate::network::{HttpResponse, PathKind};
use crate::secrets::{Attempt, Fetched, SecretId, SecretVersion, Validity};

/// The last second of the year 9999, which some write for "never".
const LAST_MOMENT: i64 = 253_402_300_799;

/// What a vault holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::adapters::azure) enum Kind {
    Secret,
    Key,
}

impl Kind {
    const fn segment(self) -> &'static str {
        match self {
            Self::Secret => "secrets",
            Self::Key => "keys",
        }
    }
}

/// When a version may be used.
#[derive(Deserialize)]
pub(in crate::adapters::azure) struct Attributes {
    enabled: bool,
    exp: Option<i64>,
    nbf: Option<i64>,
}

/// The same with how the path was proven and what else the audit record says of the call.
pub(in crate::adapters::azure) fn described(
    fetched: Fetched,
    attempt: &Attempt,
    answer: &HttpResponse,
) -> Fetched {
    let path = answer.path.as_ref();
    let proof = path.map_or(PathKind::Unproven, |path| path.kind);
    let fetched = fetched.with_path_proof(proof.as_str());
    let endpoint = answer.path.as_ref();
    let endpoint = endpoint.and_then(|path| path.private_endpoint.as_deref());
    let header = |name| answer.header(name).and_then(plain);
    let details = [
        ("request_id", header("x-ms-request-id")),
        ("peer", answer.peer.map(|peer| peer.to_string())),
        ("private_endpoint", endpoint.and_then(plain)),
        (
            "rbac_assignment",
            header("x-ms-keyvault-rbac-assignment-id"),
        ),
        ("region", header("x-ms-keyvault-region")),
    ];
    let details = details
        .into_iter()
        .filter_map(|(name, text)| Some((name, text?)));
    let fetched = fetched.with_detail("client_request_id", attempt.id.to_string());
    details.fold(fetched, |fetched, (name, text)| {
        fetched.with_detail(name, text)
    })
}

/// A word that may stand in our log.
fn plain(text: &str) -> Option<String> {
    let fits = (1..=512).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic());
    fits.then(|| text.to_owned())
}

pub(in crate::adapters::azure) fn is_json(answer: &HttpResponse) -> bool {
    let media_type = answer.header("content-type").unwrap_or_default();
    let media_type = media_type.split(';').next().unwrap_or_default().trim();
    media_type.eq_ignore_ascii_case("application/json")
}

/// The version that `given` names, if it names a version of `asked`: this vault, this name, the pinned version. Whoever
/// answers for another one is found out here, whatever happened to the path on its way.
pub(in crate::adapters::azure) fn version_of(
    asked: &SecretId,
    kind: Kind,
    given: &str,
) -> Option<SecretVersion> {
    let (thing, version) = given.rsplit_once('/')?;
    let own = format!("{}/{}/{}", asked.vault(), kind.segment(), asked.name());
    let version: SecretVersion = version.parse().ok()?;
    let fits = asked.version().is_none_or(|pinned| pinned == version);
    (fits && thing.eq_ignore_ascii_case(&own)).then_some(version)
}

impl Attributes {
    /// `None` for a date outside of the calendar.
    pub(in crate::adapters::azure) fn validity(&self) -> Option<Validity> {
        Some(Validity {
            enabled: self.enabled,
            not_before: moment(self.nbf)?,
            expires: moment(self.exp)?,
        })
    }
}

fn moment(seconds: Option<i64>) -> Option<Option<Timestamp>> {
    match seconds {
        None => Some(None),
        Some(seconds) if (0..=LAST_MOMENT).contains(&seconds) => {
            Some(Some(Timestamp::from_secs(seconds)))
        }
        Some(_) => None,
    }
}
