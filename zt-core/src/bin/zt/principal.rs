//! Finds the principal that a person means: `user:maya`, or `maya` where that is unambiguous.

use std::str::FromStr;
use std::sync::Arc;

use zt_core::id::{PrincipalId, PrincipalKind};
use zt_core::metadata::{Problem, Snapshot};
use zt_core::policy::GroupsOf;
use zt_core::runtime::Config;
use zt_core::{Code, Error, Result};

/// The caller of this name: a user or a service principal.
pub(crate) fn find(snapshot: &Snapshot, name: &str) -> Result<PrincipalId> {
    let rows = snapshot.tables().principals.iter().map(|row| &row.id);
    let callers: Vec<&PrincipalId> = rows
        .filter(|id| id.kind() != PrincipalKind::Group)
        .collect();
    let named: Vec<&PrincipalId> = callers
        .iter()
        .copied()
        .filter(|id| id.as_str() == name || id.name() == name)
        .collect();
    match named.as_slice() {
        [one] => Ok((*one).clone()),
        [] => {
            let names: Vec<&str> = callers
                .iter()
                .flat_map(|id| [id.name(), id.as_str()])
                .collect();
            let problem = Problem::new("no user or service principal has this name").text(name);
            Err(Error::new(
                Code::InvalidArgument,
                problem.nearest(&names).to_string(),
            ))
        }
        several => {
            let names: Vec<&str> = several.iter().map(|id| id.as_str()).collect();
            let message = format!("`{name}` may be {}", names.join(" or "));
            Err(Error::new(Code::InvalidArgument, message).with_help("write it with its prefix"))
        }
    }
}

/// The groups that a caller is in: those of `[development.groups]` and the named ones, each of which must have a row.
pub(crate) fn groups_of(
    config: &Config,
    snapshot: &Snapshot,
    caller: &PrincipalId,
    named: &[PrincipalId],
) -> Result<Arc<[PrincipalId]>> {
    let development = config.development_groups().get(caller);
    let names: Vec<PrincipalId> = development
        .into_iter()
        .flatten()
        .chain(named)
        .cloned()
        .collect();
    let rows = snapshot.tables().principals.iter().map(|row| &row.id);
    let known: Vec<&str> = rows
        .filter(|id| id.kind() == PrincipalKind::Group)
        .map(PrincipalId::as_str)
        .collect();
    for name in &names {
        if !known.contains(&name.as_str()) {
            let problem = Problem::new("no group has this name").text(name.as_str());
            let message = problem.nearest(&known).to_string();
            return Err(Error::new(Code::InvalidArgument, message));
        }
    }
    Ok(Arc::from(names))
}

/// `user:maya=group:grp-data-science`: who is in which group.
#[derive(Debug, Clone)]
pub(crate) struct Membership {
    caller: PrincipalId,
    group: PrincipalId,
}

impl FromStr for Membership {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let expected = || format!("`{text}`: expected `user:NAME=group:NAME`");
        let (caller, group) = text.split_once('=').ok_or_else(expected)?;
        let caller: PrincipalId = caller.parse().map_err(|_| expected())?;
        let group: PrincipalId = group.parse().map_err(|_| expected())?;
        let is_group = |id: &PrincipalId| id.kind() == PrincipalKind::Group;
        if is_group(&caller) || !is_group(&group) {
            return Err(expected());
        }
        Ok(Self { caller, group })
    }
}

/// Who is told to be in which groups: by `[development.groups]`, where there is a `zt.toml`, and by the command line.
pub(crate) fn groups_told(config: Option<&Config>, named: &[Membership]) -> GroupsOf {
    let mut groups =
        config.map_or_else(GroupsOf::new, |config| config.development_groups().clone());
    for one in named {
        groups
            .entry(one.caller.clone())
            .or_default()
            .push(one.group.clone());
    }
    groups
}

/// What the answer takes for granted about groups, in a line.
pub(crate) fn assumed(groups: &GroupsOf) -> String {
    let told: Vec<String> = groups
        .iter()
        .map(|(caller, groups)| {
            let names: Vec<&str> = groups.iter().map(PrincipalId::as_str).collect();
            format!("{caller} in {}", names.join(", "))
        })
        .collect();
    if told.is_empty() {
        return "assumed: no caller is in a group".to_owned();
    }
    format!("assumed: {}; no other caller in a group", told.join("; "))
}
