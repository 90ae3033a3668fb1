//! Lists in pages: `maxresults` items (25 at most), and `nextLink` where more follow.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use super::Visit;
use super::refusal::Refusal;
use crate::answer::Answer;

const MOST_ITEMS: usize = 25;

/// A page of `items`, which come in the order of their keys. The link carries the last key of this page, so that what is added
/// or taken away between two pages shifts nothing.
pub(super) fn answer(visit: &Visit<'_>, items: Vec<(String, Value)>) -> Result<Answer, Refusal> {
    let query = &visit.asked.query;
    let most = match query.get("maxresults").map(str::parse) {
        None => MOST_ITEMS,
        Some(Ok(most @ 1..=MOST_ITEMS)) => most,
        Some(_) => {
            let message = "Property maxresults must be between 1 and 25";
            return Err(Refusal::bad_parameter(message));
        }
    };
    let after = match query.get("$skiptoken") {
        None => None,
        Some(token) => Some(read(token).ok_or_else(|| {
            let message = "The skiptoken is not valid";
            Refusal::bad_parameter(message)
        })?),
    };
    let is_left = |(key, _): &(String, Value)| after.as_ref().is_none_or(|after| key > after);
    let mut left = items.into_iter().filter(is_left).peekable();
    let mut page = Vec::new();
    let mut last = String::new();
    for (key, item) in left.by_ref().take(most) {
        page.push(item);
        last = key;
    }
    let next = left.peek().map(|_more| {
        let version = query.get("api-version").unwrap_or_default();
        let token = URL_SAFE_NO_PAD.encode(&last);
        let path = visit.asked.path.trim_end_matches('/');
        // The real one names the port too.
        format!(
            "https://{}:443{path}?api-version={version}&$skiptoken={token}&maxresults={most}",
            visit.vault.host
        )
    });
    Ok(Answer::json(
        200,
        &json!({ "value": page, "nextLink": next }),
    ))
}

fn read(token: &str) -> Option<String> {
    String::from_utf8(URL_SAFE_NO_PAD.decode(token).ok()?).ok()
}
