//! Microsoft Graph as the directory of groups: who is in those that policy names.
//!
//! In: an object of our tenant and the ids of groups. Out: those that it is in, directly or through others. Only these ids are
//! sent, to the cloud's own Graph; never to an address that a token names ("Access token claims reference", groups overage).
//! Source: Microsoft Learn, "directoryObject: checkMemberGroups": 20 ids at most in one request, permission
//! `GroupMember.Read.All`.

mod answer;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use serde_json::json;
use zeroize::Zeroizing;

use crate::id::Guid;
use crate::identity::{
    AccessToken, CallerKind, Cloud, CredentialError, GroupSource, GroupsError, Member,
    TokenCredential,
};
use crate::network::{HttpClient, HttpError, HttpRequest};
use crate::port::BoxFuture;

use answer::Answer;

/// Microsoft's limit for one request.
const MOST_IDS: usize = 20;
/// Fifty requests; a policy that names more groups should name app roles.
const MOST_CANDIDATES: usize = 1000;
/// Twenty ids need less than a kilobyte.
const MOST_BYTES: usize = 64 * 1024;
/// For all requests of one question together.
const DEADLINE: Duration = Duration::from_secs(30);

/// Asks Microsoft Graph with the process's own identity.
pub struct GraphGroups {
    http: Arc<dyn HttpClient>,
    credential: Arc<dyn TokenCredential>,
    host: Option<&'static str>,
    tenant: Guid,
}

impl GraphGroups {
    /// For the objects of one tenant. The identity of `credential` must be of the same tenant and may read groups.
    #[must_use]
    pub fn new(
        http: Arc<dyn HttpClient>,
        credential: Arc<dyn TokenCredential>,
        cloud: Cloud,
        tenant: Guid,
    ) -> Self {
        Self {
            http,
            credential,
            host: cloud.graph_host(),
            tenant,
        }
    }

    async fn ask(&self, member: Member, candidates: &[Guid]) -> Result<Vec<Guid>, GroupsError> {
        let asked: BTreeSet<Guid> = candidates.iter().copied().collect();
        if asked.is_empty() {
            return Ok(Vec::new());
        }
        let host = self.may_ask(member, asked.len())?;
        let asked: Vec<Guid> = asked.into_iter().collect();
        let scope = format!("https://{host}/.default");
        let mut token = self.token(&scope).await?;
        let mut has_renewed = false;
        let mut found = Vec::new();
        for batch in asked.chunks(MOST_IDS) {
            let mut answer = self.send(host, member, batch, &token).await?;
            // A token that was revoked before it expired: one new token for the whole question.
            if matches!(answer, Answer::Unauthorized) && !has_renewed {
                has_renewed = true;
                self.credential.forget();
                token = self.token(&scope).await?;
                answer = self.send(host, member, batch, &token).await?;
            }
            found.extend(answer.into_groups(batch)?);
        }
        Ok(found)
    }

    /// What can be refused without asking: the host to ask if nothing can.
    fn may_ask(&self, member: Member, candidates: usize) -> Result<&'static str, GroupsError> {
        let refused = |reason: String| Err(GroupsError::Refused { reason });
        if member.tenant != self.tenant {
            let reason = format!(
                "an object of tenant {} is not ours to ask about",
                member.tenant
            );
            return refused(reason);
        }
        if candidates > MOST_CANDIDATES {
            return refused(format!(
                "the policy names {candidates} groups, at most {MOST_CANDIDATES} are asked for; use app roles"
            ));
        }
        self.host.ok_or_else(|| GroupsError::Refused {
            reason: "the development issuer has no directory; name groups in `development.groups`"
                .to_owned(),
        })
    }

    async fn token(&self, scope: &str) -> Result<AccessToken, GroupsError> {
        let token = self.credential.get_token(scope).await;
        token.map_err(|error| {
            let reason = error.to_string();
            match error {
                CredentialError::Unavailable { retry_in, .. } => {
                    GroupsError::Unavailable { reason, retry_in }
                }
                CredentialError::NotSetUp { .. }
                | CredentialError::Refused { .. }
                | CredentialError::ClaimsRequired { .. } => GroupsError::Refused { reason },
            }
        })
    }

    async fn send(
        &self,
        host: &str,
        member: Member,
        batch: &[Guid],
        token: &AccessToken,
    ) -> Result<Answer, GroupsError> {
        let kind = match member.kind {
            CallerKind::User => "users",
            CallerKind::ServicePrincipal => "servicePrincipals",
        };
        let url = format!(
            "https://{host}/v1.0/{kind}/{}/checkMemberGroups",
            member.object
        );
        let ids: Vec<String> = batch.iter().map(Guid::to_string).collect();
        let body = json!({ "groupIds": ids }).to_string().into_bytes();
        let request = HttpRequest::post(url, "application/json", Zeroizing::new(body))
            .with_bearer(token.reveal())
            .with_header("accept", "application/json")
            .reading_at_most(MOST_BYTES);
        match self.http.send(request).await {
            Ok(response) => Ok(Answer::read(&response)),
            Err(error) => Err(unsent(&error)),
        }
    }
}

impl GroupSource for GraphGroups {
    fn groups_of<'a>(
        &'a self,
        member: Member,
        candidates: &'a [Guid],
    ) -> BoxFuture<'a, Result<Vec<Guid>, GroupsError>> {
        Box::pin(async move {
            let asking = tokio::time::timeout(DEADLINE, self.ask(member, candidates));
            asking.await.unwrap_or_else(|_| {
                Err(GroupsError::Unavailable {
                    reason: format!("no answer within {} s", DEADLINE.as_secs()),
                    retry_in: None,
                })
            })
        })
    }
}

impl fmt::Debug for GraphGroups {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GraphGroups")
            .field("host", &self.host)
            .field("tenant", &self.tenant)
            .field("credential", &self.credential.name())
            .finish_non_exhaustive()
    }
}

/// A guard's refusal stays until somebody adds a row; everything else may pass.
fn unsent(error: &HttpError) -> GroupsError {
    let reason = error.to_string();
    match error {
        HttpError::Refused { .. } | HttpError::Malformed { .. } => GroupsError::Refused { reason },
        HttpError::Resolve { .. }
        | HttpError::Connect { .. }
        | HttpError::Tls { .. }
        | HttpError::Timeout { .. }
        | HttpError::TooLong { .. }
        | HttpError::Broken { .. } => GroupsError::Unavailable {
            reason,
            retry_in: None,
        },
    }
}
