//! What Graph said, read strictly.

use std::collections::BTreeSet;

use serde::Deserialize;

use crate::id::Guid;
use crate::identity::GroupsError;
use crate::network::HttpResponse;

/// An answer to `checkMemberGroups`.
#[derive(Debug)]
pub(super) enum Answer {
    /// The groups that it lists, whoever asked for them.
    Listed(BTreeSet<Guid>),
    /// The token is not accepted.
    Unauthorized,
    /// Anything else.
    Failed(GroupsError),
}

#[derive(Deserialize)]
struct Listed {
    value: Vec<String>,
}

#[derive(Deserialize)]
struct Refused {
    error: Named,
}

#[derive(Deserialize)]
struct Named {
    code: String,
}

impl Answer {
    pub(super) fn read(response: &HttpResponse) -> Self {
        match response.status {
            200 => listed(&response.body).map_or_else(malformed, Self::Listed),
            401 => Self::Unauthorized,
            403 => refused(
                response,
                "grant the application permission GroupMember.Read.All or Directory.Read.All to zt's own identity, with an administrator's consent",
            ),
            404 => refused(
                response,
                "there is no such object in the directory; it may have been deleted",
            ),
            408 | 429 | 500..=599 => Self::Failed(GroupsError::Unavailable {
                reason: format!("Microsoft Graph answers with status {}", response.status),
                retry_in: response.retry_after(),
            }),
            300..=399 => Self::Failed(GroupsError::Unavailable {
                reason: "Microsoft Graph answers with a redirect, which is not followed".to_owned(),
                retry_in: None,
            }),
            _ => refused(response, "it does not take the request"),
        }
    }

    /// Those of `asked` that are listed: Graph cannot put anybody into a group that was not asked for.
    pub(super) fn into_groups(self, asked: &[Guid]) -> Result<Vec<Guid>, GroupsError> {
        match self {
            Self::Listed(listed) => {
                let groups = asked.iter().copied().filter(|id| listed.contains(id));
                Ok(groups.collect())
            }
            Self::Unauthorized => Err(GroupsError::Refused {
                reason:
                    "Microsoft Graph does not accept the token of zt's own identity, nor a new one"
                        .to_owned(),
            }),
            Self::Failed(error) => Err(error),
        }
    }
}

fn listed(body: &[u8]) -> Option<BTreeSet<Guid>> {
    let listed: Listed = serde_json::from_slice(body).ok()?;
    listed.value.iter().map(|id| id.parse().ok()).collect()
}

/// A captive portal, a proxy's page: not Graph.
fn malformed() -> Answer {
    Answer::Failed(GroupsError::Unavailable {
        reason: "the answer is not one of Microsoft Graph's".to_owned(),
        retry_in: None,
    })
}

fn refused(response: &HttpResponse, what_to_do: &str) -> Answer {
    let code = serde_json::from_slice::<Refused>(&response.body)
        .map(|body| body.error.code)
        .unwrap_or_default();
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    // A code is one word; whatever else stands there does not come into our texts.
    let code = if (1..=64).contains(&code.len()) && code.bytes().all(is_plain) {
        format!(" `{code}`")
    } else {
        String::new()
    };
    Answer::Failed(GroupsError::Refused {
        reason: format!("status {}{code}: {what_to_do}", response.status),
    })
}
