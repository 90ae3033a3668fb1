//! Microsoft Graph v1.0, as far as zt asks it: groups of somebody, and whether people's sessions are revoked.
//!
//! Every request shows a token for Graph that this simulator issued, of an application or a person with the permission.

mod bearer;
mod member_groups;
mod users;

use serde_json::{Value, json};

use crate::answer::Answer;
use crate::asked::Asked;
use crate::cloud::Cloud;
use crate::dispatch::not_here;
use crate::random;
use crate::state::State;

pub(crate) fn answer(state: &State, asked: &Asked, _cloud: Cloud) -> Answer {
    let answered = match (asked.method.as_str(), asked.segments().as_slice()) {
        (
            "POST",
            [
                "v1.0",
                kind @ ("users" | "servicePrincipals"),
                id,
                "checkMemberGroups",
            ],
        ) => member_groups::answer(state, asked, kind, id),
        ("GET", ["v1.0", "users"]) => users::answer(state, asked),
        _ => return not_here(asked),
    };
    answered.unwrap_or_else(Refusal::answer)
}

/// The ids in a `checkMemberGroups`; nothing in any other request.
pub(crate) fn asked_groups(asked: &Asked) -> Vec<String> {
    if asked.path.ends_with("/checkMemberGroups") {
        member_groups::ids(asked).unwrap_or_default()
    } else {
        Vec::new()
    }
}

/// Why Graph does not answer.
#[derive(Debug)]
pub(crate) struct Refusal {
    status: u16,
    code: &'static str,
    message: String,
}

impl Refusal {
    pub(crate) fn new(status: u16, code: &'static str, message: impl Into<String>) -> Self {
        Self {
            status,
            code,
            message: message.into(),
        }
    }

    fn answer(self) -> Answer {
        let id = random::guid();
        let body: Value = json!({ "error": {
            "code": self.code,
            "message": self.message,
            "innerError": { "request-id": id, "client-request-id": id },
        } });
        let answer = Answer::json(self.status, &body).with_header("request-id", id);
        if self.status == 401 {
            let challenge = "Bearer realm=\"\", authorization_uri=\"https://login.microsoftonline.com/common/oauth2/authorize\", client_id=\"00000003-0000-0000-c000-000000000000\"";
            return answer.with_header("www-authenticate", challenge);
        }
        answer
    }
}
