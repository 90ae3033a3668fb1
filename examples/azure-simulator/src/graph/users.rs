//! `GET /v1.0/users?$filter=id in ('…','…')&$select=…`: whether people may still sign in.
//!
//! Source: Microsoft Learn, "Use the $filter query parameter": `in` takes 15 values at most.

use serde_json::{Map, Value, json};

use super::member_groups::is_guid;
use super::{Refusal, bearer};
use crate::answer::Answer;
use crate::asked::Asked;
use crate::directory::User;
use crate::state::State;

const MOST_IDS: usize = 15;
const PERMISSIONS: &[&str] = &[
    "User.Read.All",
    "User.ReadWrite.All",
    "Directory.Read.All",
    "Directory.ReadWrite.All",
];
/// What Graph gives if nobody selects.
const DEFAULT_SELECT: &str = "id,displayName,userPrincipalName";

pub(crate) fn answer(state: &State, asked: &Asked) -> Result<Answer, Refusal> {
    let tenant = bearer::tenant(state, asked, PERMISSIONS)?;
    let filter = asked.query.get("$filter").unwrap_or_default();
    let ids = ids(filter).ok_or_else(|| {
        let message = format!(
            "Invalid filter clause: the simulator reads `id in ('…')` alone, not `{filter}`"
        );
        Refusal::new(400, "BadRequest", message)
    })?;
    if ids.len() > MOST_IDS {
        let message = format!(
            "Too many child clauses specified in search filter expression containing 'OR' operators: {}. Max allowed: {MOST_IDS}.",
            ids.len()
        );
        return Err(Refusal::new(400, "Request_UnsupportedQuery", message));
    }
    let select = asked.query.get("$select").unwrap_or(DEFAULT_SELECT);
    let directory = state.directory();
    let found = directory.tenant(&tenant);
    let users = found.into_iter().flat_map(|tenant| {
        let is_asked = |user: &&User| ids.contains(&user.object_id);
        let all = tenant.users.iter().filter(is_asked);
        all.map(|user| chosen(user, &tenant.domain, select))
    });
    let body = json!({
        "@odata.context": "https://graph.microsoft.com/v1.0/$metadata#users",
        "value": users.collect::<Vec<_>>(),
    });
    Ok(Answer::json(200, &body))
}

fn ids(filter: &str) -> Option<Vec<String>> {
    let list = filter.trim().strip_prefix("id in (")?.strip_suffix(')')?;
    list.split(',')
        .map(|one| {
            let id = one.trim().strip_prefix('\'')?.strip_suffix('\'')?;
            is_guid(id).then(|| id.to_ascii_lowercase())
        })
        .collect()
}

fn chosen(user: &User, domain: &str, select: &str) -> Value {
    let all = json!({
        "id": user.object_id,
        "displayName": user.display_name,
        "userPrincipalName": format!("{}@{domain}", user.name),
        "accountEnabled": user.enabled,
        "signInSessionsValidFromDateTime": user.sessions_valid_from,
    });
    let wanted = |name: &str| select.split(',').any(|own| own.trim() == name);
    let Value::Object(all) = all else {
        return Value::Null;
    };
    let kept: Map<String, Value> = all.into_iter().filter(|(name, _)| wanted(name)).collect();
    Value::Object(kept)
}
