//! `/deletedkeys`: what was deleted and can be recovered.

use serde_json::Value;

use super::attributes::RECOVERABLE_DAYS;
use super::refusal::Refusal;
use super::right::Right;
use super::{Route, Target, Visit, keys};
use crate::answer::Answer;

pub(super) fn route<'a>(method: &str, segments: &[&'a str]) -> Option<Route<'a>> {
    Some(match (method, segments) {
        ("GET", ["deletedkeys", name]) => Route::of(Right::KeysGet, get).named(name),
        ("POST", ["deletedkeys", name, "recover"]) => {
            Route::of(Right::KeysRecover, recover).named(name)
        }
        ("DELETE", ["deletedkeys", name]) => Route::of(Right::KeysPurge, purge).named(name),
        _ => return None,
    })
}

pub(super) fn get(visit: &mut Visit<'_>, target: &Target<'_>) -> Result<Answer, Refusal> {
    let missing = || Refusal::no_key(target.name);
    let place = target.name.to_ascii_lowercase();
    let deleted = visit.vault.deleted_keys.get(&place).ok_or_else(missing)?;
    let latest = deleted.key.version(None).ok_or_else(missing)?;
    let id = |kind, version| visit.vault.id(kind, &deleted.key.name, version);
    let mut shown = latest.bundle(&id("keys", Some(&latest.version)))?;
    if let Value::Object(shown) = &mut shown {
        shown.insert("recoveryId".to_owned(), id("deletedkeys", None).into());
        shown.insert("deletedDate".to_owned(), deleted.at.into());
        let purge = deleted.at + RECOVERABLE_DAYS * 86_400;
        shown.insert("scheduledPurgeDate".to_owned(), purge.into());
    }
    Ok(Answer::json(200, &shown))
}

fn recover(visit: &mut Visit<'_>, target: &Target<'_>) -> Result<Answer, Refusal> {
    visit.vault.recover_key(target.name)?;
    keys::get(visit, target)
}

fn purge(visit: &mut Visit<'_>, target: &Target<'_>) -> Result<Answer, Refusal> {
    visit.vault.purge_key(target.name)?;
    Ok(Answer::empty(204))
}
