//! A vault that is told to refuse: its own words for a fault, whoever asks.

use super::bearer::{self, Caller};
use super::refusal::Refusal;
use super::right::Right;
use super::{deleted, keys, secrets};
use crate::answer::Answer;
use crate::asked::Asked;
use crate::cloud::cloud_of_vault;
use crate::fault::Fault;
use crate::state::State;

/// Whether the answer has a `nextLink`.
pub(crate) fn is_list(asked: &Asked) -> bool {
    match asked.segments().as_slice() {
        ["secrets" | "keys" | "deletedsecrets"] => asked.method == "GET",
        ["secrets" | "keys", _, "versions"] => asked.method == "GET",
        _ => false,
    }
}

/// What the vault of this host says when it is told to refuse; nothing from other hosts, or for faults that are no refusal.
pub(crate) fn refuse(state: &State, asked: &Asked, fault: &Fault) -> Option<Answer> {
    let cloud = cloud_of_vault(&asked.host)?;
    let mut vaults = state.vaults();
    let vault = vaults.find_mut(&asked.host)?;
    let refusal = if let Fault::Forbidden(denial) = fault {
        let caller = bearer::caller(state, asked, cloud, &vault.tenant);
        let caller = caller.unwrap_or_else(|_| Caller::unknown());
        Refusal::denied(*denial, vault, &caller, right(asked), asked)
    } else if *fault == Fault::Unauthorized {
        bearer::refused(cloud, &vault.tenant)
    } else if *fault == Fault::NotFound {
        not_found(asked)
    } else {
        return None;
    };
    Some(refusal.answer())
}

/// With the headers of a vault that answers, where the host is one.
pub(crate) fn stamped(state: &State, asked: &Asked, answer: Answer) -> Answer {
    match state.vaults().find_mut(&asked.host) {
        Some(vault) if asked.is_secure => super::stamp(vault, asked, answer),
        _ => answer,
    }
}

fn not_found(asked: &Asked) -> Refusal {
    match asked.segments().as_slice() {
        ["keys", name, ..] => Refusal::no_key(name),
        [_, name, ..] => Refusal::no_secret(name),
        _ => Refusal::no_secret(""),
    }
}

fn right(asked: &Asked) -> Right {
    let (method, segments) = (asked.method.as_str(), asked.segments());
    let route = secrets::route(method, &segments)
        .or_else(|| deleted::route(method, &segments))
        .or_else(|| keys::route(method, &segments));
    route.map_or(Right::SecretsGet, |route| route.right)
}
