//! Whose tokens are accepted, and with which keys they are verified: from the configuration and the snapshot.

use std::sync::Arc;
use std::time::Duration;

use super::super::background::Background;
use super::super::key_log::KeyLog;
use super::super::outside::{Given, Outside};
use super::super::{Config, ConfigKey, Mode, Runtime};
use super::outside::MAKERS;
use crate::adapters::file::{IssuerKeys, open_grant_key};
use crate::clock::Clock;
use crate::error::{Code, Error, Result};
use crate::grant::{Authority, GrantKey, MakeKey, NotAGrantKey};
use crate::id::Guid;
use crate::identity::{
    Authenticator, Cloud, EntraProfile, GroupDirectory, KeyCache, KeySet, NotACloud, Surroundings,
};
use crate::metadata::Snapshot;
use crate::port::Spawn;

/// The parts that verify callers.
pub(super) struct Identity {
    pub(super) outside: Outside,
    pub(super) background: Arc<Background>,
    /// Nothing but timers: what blocks another thread ends no wait.
    pub(super) timer: Arc<Background>,
    pub(super) key_log: Arc<KeyLog>,
    pub(super) published: Option<Arc<KeyCache>>,
    pub(super) authenticator: Option<Arc<Authenticator>>,
    pub(super) groups: Option<GroupDirectory>,
}

impl Identity {
    pub(super) fn new(
        config: &Config,
        profile: &EntraProfile,
        clock: &Arc<dyn Clock>,
        snapshot: &Snapshot,
        given: Given,
    ) -> Result<Self> {
        let (own, shared) = (config.clone(), Arc::clone(clock));
        let rules = &snapshot.tables().network_rules;
        let background = Arc::new(Background::new("zt-background"));
        let timer = Arc::new(Background::new("zt-timer"));
        let outside = Outside::new(own, profile.clone(), shared, rules, given, MAKERS).on(
            Arc::<Background>::clone(&background),
            Arc::<Background>::clone(&timer),
        );
        let key_log = Arc::new(KeyLog::default());
        let published = published(&outside, &background, &key_log)?;
        let authenticator = match &published {
            Some(keys) => Some(with_published(profile, keys, clock)),
            None => maybe_authenticator(config, profile, clock)?,
        };
        let groups = groups(&outside, &background)?;
        Ok(Self {
            outside,
            background,
            timer,
            key_log,
            published,
            authenticator,
            groups,
        })
    }
}

/// Whose tokens are accepted.
pub(crate) fn profile(config: &Config, snapshot: &Snapshot) -> Result<EntraProfile> {
    let key = ConfigKey::IdentityCloud;
    let cloud = match config.value(key) {
        None => Cloud::Public,
        Some(text) => text
            .parse()
            .map_err(|why: NotACloud| wrong(key, &why.to_string()))?,
    };
    let tenant = tenant(config, snapshot)?;
    let mut profile = EntraProfile::new(cloud, tenant, audience(config)?)?;
    profile = profile.allowing_tenants(&allowed_tenants(config)?)?;
    if let Some(uri) = config.value(ConfigKey::IdentityAppIdUri) {
        profile = profile.accepting_v1(&[uri])?;
    }
    if let Some(skew) = config.seconds(ConfigKey::IdentityClockSkew) {
        profile = profile.with_skew(skew)?;
    }
    if config.one_of(ConfigKey::IdentityAlgorithms, ["RS256", "RS256 PS256"])? {
        profile = profile.accepting_ps256();
    }
    if config.one_of(ConfigKey::IdentityTokenTypes, ["JWT", "JWT at+jwt"])? {
        profile = profile.accepting_at_jwt();
    }
    if config.one_of(ConfigKey::IdentitySigningKeys, ["tenant", "application"])? {
        profile = profile.with_own_signing_keys();
    }
    Ok(profile)
}

fn allowed_tenants(config: &Config) -> Result<Vec<Guid>> {
    let key = ConfigKey::IdentityAllowedTenants;
    let texts = config.value(key).unwrap_or_default().split([' ', ',']);
    texts
        .filter(|text| !text.is_empty())
        .map(|text| {
            let reason = "must be GUIDs with spaces between them: name every tenant that is let in";
            text.parse().map_err(|_| wrong(key, reason))
        })
        .collect()
}

/// Who signs grants, and whose grants are taken.
pub(super) fn grants(config: &Config) -> Result<Authority> {
    let key = ConfigKey::IdentityGrantKeys;
    let texts = config.value(key).unwrap_or_default().split([' ', ',']);
    let trusted = texts.filter(|text| !text.is_empty());
    let trusted = trusted.map(|text| {
        text.parse()
            .map_err(|why: NotAGrantKey| wrong(key, &why.to_string()))
    });
    let make: MakeKey = match config.value(ConfigKey::IdentityGrantKey) {
        Some(file) => {
            let file = config.folder().join(file);
            Box::new(move || open_grant_key(&file))
        }
        None => Box::new(GrantKey::generate),
    };
    Authority::new(make, trusted.collect::<Result<_>>()?)
}

/// The cache of the keys that Entra publishes; none where keys are pinned.
fn published(
    outside: &Outside,
    background: &Arc<Background>,
    key_log: &Arc<KeyLog>,
) -> Result<Option<Arc<KeyCache>>> {
    let config = outside.config();
    if config.keys_file().is_some() {
        return Ok(None);
    }
    let http = outside.http().map_err(|why| {
        let message = format!(
            "`{}` is not set, and {}",
            ConfigKey::IdentityKeys,
            why.message()
        );
        let help = why
            .help()
            .unwrap_or("pin the tenant's JSON Web Key Set")
            .to_owned();
        Error::new(why.code(), message).with_help(help)
    })?;
    let store = IssuerKeys::new(config.key_cache());
    Ok(Some(KeyCache::new(
        outside.profile().clone(),
        Surroundings {
            http: Arc::clone(http),
            clock: Arc::clone(outside.clock()),
            spawn: Arc::<Background>::clone(background),
            store: Some(Arc::new(store)),
            observer: Arc::<KeyLog>::clone(key_log),
        },
    )))
}

fn with_published(
    profile: &EntraProfile,
    keys: &Arc<KeyCache>,
    clock: &Arc<dyn Clock>,
) -> Arc<Authenticator> {
    let (keys, clock) = (Arc::clone(keys), Arc::clone(clock));
    Arc::new(Authenticator::with_published(profile.clone(), keys, clock))
}

/// Looks every second whether keys are to be fetched, as long as the runtime lives.
pub(super) fn keep_fresh(runtime: &Runtime) {
    let Some(keys) = &runtime.0.published else {
        return;
    };
    keys.tick();
    let shared = Arc::downgrade(&runtime.0);
    runtime.0.background.spawn(Box::pin(async move {
        loop {
            tokio::time::sleep(Duration::from_secs(1)).await;
            let Some(shared) = shared.upgrade() else {
                return;
            };
            if let (Some(keys), Ok(())) = (&shared.published, shared.refuse_closed()) {
                keys.tick();
            }
        }
    }));
}

/// The directory of groups, where one is asked for.
fn groups(outside: &Outside, background: &Arc<Background>) -> Result<Option<GroupDirectory>> {
    let key = ConfigKey::IdentityGroups;
    let is_graph = outside.config().one_of(key, ["token", "graph"])?;
    if !is_graph && !outside.has_groups() {
        return Ok(None);
    }
    let source = outside.groups()?;
    let (clock, spawn) = (
        Arc::clone(outside.clock()),
        Arc::<Background>::clone(background),
    );
    Ok(Some(GroupDirectory::new(source, clock, spawn)))
}

/// An authenticator with the pinned keys as they are now; none where development has none yet.
pub(in crate::runtime) fn maybe_authenticator(
    config: &Config,
    profile: &EntraProfile,
    clock: &Arc<dyn Clock>,
) -> Result<Option<Arc<Authenticator>>> {
    match authenticator(config, profile, clock) {
        Ok(made) => Ok(Some(made)),
        Err(error) if config.mode() == Mode::Development && error.is_transient() => Ok(None),
        Err(error) => Err(error),
    }
}

/// An authenticator with the pinned keys as they are now.
pub(in crate::runtime) fn authenticator(
    config: &Config,
    profile: &EntraProfile,
    clock: &Arc<dyn Clock>,
) -> Result<Arc<Authenticator>> {
    let keys = read_keys(config, profile)?;
    Ok(Arc::new(Authenticator::new(
        profile.clone(),
        keys,
        Arc::clone(clock),
    )?))
}

fn read_keys(config: &Config, profile: &EntraProfile) -> Result<KeySet> {
    let Some(file) = config.keys_file() else {
        let message = format!("`{}` is not set", ConfigKey::IdentityKeys);
        return Err(
            Error::new(Code::Config, message).with_help("pin the tenant's JSON Web Key Set")
        );
    };
    let jwks = std::fs::read(&file).map_err(|why| {
        let message = format!("cannot read the pinned keys `{}`", file.display());
        let help = match config.mode() {
            Mode::Development => "`zt dev-token NAME` makes the development issuer's keys",
            Mode::Production => "save the tenant's JSON Web Key Set there",
        };
        Error::new(Code::KeysUnavailable, message)
            .with_help(help)
            .with_source(why)
    })?;
    Ok(KeySet::from_jwks(&jwks, profile)?)
}

/// The tables and the configuration may both name the tenant; then they must agree.
fn tenant(config: &Config, snapshot: &Snapshot) -> Result<Guid> {
    let key = ConfigKey::IdentityTenant;
    let set: Option<Guid> = match config.value(key) {
        Some(text) => Some(text.parse().map_err(|_| wrong(key, NOT_A_TENANT))?),
        None => None,
    };
    let world = snapshot.tables().world.first().map(|world| world.tenant);
    match (set, world) {
        (Some(set), Some(world)) if set != world => {
            Err(wrong(key, "differs from the tenant of the table `world`"))
        }
        (Some(tenant), _) | (None, Some(tenant)) => Ok(tenant),
        (None, None) => Err(wrong(
            key,
            "is not set, and the table `world` names no tenant",
        )),
    }
}

/// `common` and `organizations` are nobody's: a list says who is let in.
const NOT_A_TENANT: &str = "must be the id of your own tenant, a GUID; \
    further tenants stand in `identity.allowed_tenants`, each by its id";

fn audience(config: &Config) -> Result<Guid> {
    let key = ConfigKey::IdentityAudience;
    let text = config
        .value(key)
        .ok_or_else(|| wrong(key, "is not set: the client id, a GUID"))?;
    text.parse()
        .map_err(|_| wrong(key, "must be the client id, a GUID"))
}

pub(super) fn wrong(key: ConfigKey, reason: &str) -> Error {
    Error::new(Code::Config, format!("`{key}` {reason}")).with_help(format!(
        "set it in `zt.toml`, or {} where the file leaves it out",
        key.env()
    ))
}
