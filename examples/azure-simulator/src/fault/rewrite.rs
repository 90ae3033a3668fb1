//! Right answers with something wrong in them.
//!
//! In: the right answer. Out: the same with another member, headers untouched; an answer that has no such member stays as it is.

use serde_json::{Map, Value};

use crate::answer::Answer;
use crate::cloud::Cloud;

/// The same keys under the name and the issuer of Azure Government.
pub(super) fn of_another_cloud(answer: Answer) -> Answer {
    let Ok(mut set) = serde_json::from_slice::<Value>(&answer.body) else {
        return answer;
    };
    if let Some(Value::Array(keys)) = set.get_mut("keys") {
        for key in keys.iter_mut().filter_map(Value::as_object_mut) {
            let cloud = Cloud::UsGov;
            key.insert(
                "cloud_instance_name".to_owned(),
                cloud.instance_name().into(),
            );
            if key.contains_key("issuer") {
                key.insert("issuer".to_owned(), cloud.v2_issuer("{tenantid}").into());
            }
        }
    }
    Answer::json(answer.status, &set)
}

/// A secret, a key, or the result of an operation, under another id.
pub(super) fn other_id(answer: Answer, id: &str) -> Answer {
    changed(answer, |members| {
        if let Some(Value::Object(key)) = members.get_mut("key") {
            key.insert("kid".to_owned(), id.into());
        } else if members.contains_key("kid") {
            members.insert("kid".to_owned(), id.into());
        } else if members.contains_key("id") {
            members.insert("id".to_owned(), id.into());
        }
    })
}

pub(super) fn value_not_text(answer: Answer) -> Answer {
    changed(answer, |members| {
        if members.contains_key("value") {
            members.insert("value".to_owned(), 7.into());
        }
    })
}

pub(super) fn next_link(answer: Answer, url: &str) -> Answer {
    changed(answer, |members| {
        members.insert("nextLink".to_owned(), url.into());
    })
}

fn changed(mut answer: Answer, change: impl FnOnce(&mut Map<String, Value>)) -> Answer {
    if answer.status == 200
        && let Ok(Value::Object(mut members)) = serde_json::from_slice(&answer.body)
    {
        change(&mut members);
        answer.body = Value::Object(members).to_string().into_bytes();
    }
    answer
}
