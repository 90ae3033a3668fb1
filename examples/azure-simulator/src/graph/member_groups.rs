//! `checkMemberGroups`: which of these groups somebody is in, through other groups too.
//!
//! Source: Microsoft Learn, "directoryObject: checkMemberGroups": 20 groups at most in one request.

use serde_json::{Value, json};

use super::{Refusal, bearer};
use crate::answer::Answer;
use crate::asked::Asked;
use crate::state::State;

const MOST_IDS: usize = 20;
const PERMISSIONS: &[&str] = &[
    "GroupMember.Read.All",
    "Group.Read.All",
    "Directory.Read.All",
    "Directory.ReadWrite.All",
];

pub(crate) fn answer(
    state: &State,
    asked: &Asked,
    kind: &str,
    id: &str,
) -> Result<Answer, Refusal> {
    let tenant = bearer::tenant(state, asked, PERMISSIONS)?;
    let bad = |message: &str| Refusal::new(400, "Request_BadRequest", message);
    let ids = ids(asked).ok_or_else(|| bad("A value is required for property 'groupIds'."))?;
    if ids.is_empty() || ids.len() > MOST_IDS {
        return Err(bad(
            "The number of items in groupIds must be between 1 and 20.",
        ));
    }
    if let Some(wrong) = ids.iter().find(|id| !is_guid(id)) {
        let message = format!("Invalid GUID:{wrong}");
        return Err(Refusal::new(400, "Request_BadRequest", message));
    }
    let directory = state.directory();
    let tenant = directory.tenant(&tenant);
    let member = tenant.and_then(|tenant| {
        let found = match kind {
            "users" => tenant.user(id).map(|user| &user.object_id),
            _ => tenant.service_principal(id).map(|sp| &sp.object_id),
        };
        found
            .filter(|object_id| *object_id == id)
            .map(|object_id| tenant.groups_of(object_id))
    });
    let groups = member.ok_or_else(|| {
        let message = format!(
            "Resource '{id}' does not exist or one of its queried reference-property objects are not present."
        );
        Refusal::new(404, "Request_ResourceNotFound", message)
    })?;
    let value: Vec<&String> = ids.iter().filter(|id| groups.contains(*id)).collect();
    let body = json!({
        "@odata.context": "https://graph.microsoft.com/v1.0/$metadata#Collection(Edm.String)",
        "value": value,
    });
    Ok(Answer::json(200, &body))
}

/// The ids of the body, in lowercase.
pub(crate) fn ids(asked: &Asked) -> Option<Vec<String>> {
    let body: Value = serde_json::from_slice(&asked.body).ok()?;
    let ids = body.get("groupIds")?.as_array()?;
    ids.iter()
        .map(|id| id.as_str().map(str::to_ascii_lowercase))
        .collect()
}

pub(crate) fn is_guid(text: &str) -> bool {
    text.len() == 36
        && text.bytes().enumerate().all(|(at, byte)| match at {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
}
