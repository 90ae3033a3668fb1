//! Signs in the people and workloads of a development configuration, as Entra would in production.

use std::time::Duration;

use super::{DevIssuer, TokenRequest};
use crate::clock::{Clock, SystemClock};
use crate::error::{Code, Error, Result};
use crate::id::{Guid, PrincipalId, PrincipalKind};
use crate::metadata::Snapshot;
use crate::runtime::{self, Config, Mode};

/// A token for a user or a service principal of the tables, with the groups of `[development.groups]`, signed by the
/// development issuer beside the configuration's pinned keys; the issuer's key is made at first use.
///
/// # Errors
/// `Config` for a production configuration or an unreadable key; `Invalid` for a principal without a row.
pub fn sign_in(
    config: &Config,
    snapshot: &Snapshot,
    principal: &PrincipalId,
    lifetime: Duration,
) -> Result<String> {
    sign_in_with(config, snapshot, principal, lifetime, |request| request)
}

/// The same with what `more` adds to the token.
///
/// # Errors
/// As [`sign_in`].
pub fn sign_in_with(
    config: &Config,
    snapshot: &Snapshot,
    principal: &PrincipalId,
    lifetime: Duration,
    more: impl FnOnce(TokenRequest) -> TokenRequest,
) -> Result<String> {
    if config.mode() != Mode::Development {
        let message = "a production `zt.toml` has no development issuer";
        return Err(Error::new(Code::Config, message).with_help(
            "ask Entra for a token, or set `mode = \"development\"` where nothing real is guarded",
        ));
    }
    let keys = config.keys_file().unwrap_or_default();
    let folder = keys.parent().unwrap_or_else(|| config.folder());
    let issuer = DevIssuer::open(folder)?;
    let profile = runtime::profile(config, snapshot)?;
    let object = object_id(snapshot, principal)?;
    let now = SystemClock::new().now();
    let request = if principal.kind() == PrincipalKind::ServicePrincipal {
        TokenRequest::workload(&profile, object, now)
    } else {
        TokenRequest::user(&profile, object, now)
    };
    let groups = config
        .development_groups()
        .get(principal)
        .into_iter()
        .flatten();
    let groups = groups
        .map(|group| object_id(snapshot, group))
        .collect::<Result<_>>()?;
    let request = request.with_groups(groups).with_lifetime(lifetime);
    issuer.issue(&more(request))
}

fn object_id(snapshot: &Snapshot, principal: &PrincipalId) -> Result<Guid> {
    snapshot.object_id(principal).ok_or_else(|| {
        Error::new(
            Code::InvalidArgument,
            format!("no row of Principals has `{principal}`"),
        )
    })
}
