//! What a runtime reaches outside of the process: HTTP through the guards, our own tokens, a directory of groups. Made when first
//! needed, so that a runtime with pinned keys opens no TLS. The guards follow the tables.

use std::fmt;
use std::sync::{Arc, OnceLock};

use super::Config;
use super::guards::Guards;
use super::http_on::HttpOn;
use crate::audit::{AuditSink, CheckpointSigner};
use crate::clock::Clock;
use crate::envelope::{KeyWrapper, RemoteKeys};
use crate::error::Result;
use crate::identity::{ClientProof, EntraProfile, GroupSource, OwnIdentity, TokenCredential};
use crate::metadata::NetworkRule;
use crate::network::{HttpClient, LiveGuard, Refusal};
use crate::port::Spawn;
use crate::secrets::{SecretId, SecretVault};

/// How the parts are made where the builder was given none: by the adapters that this build has.
#[derive(Debug, Clone, Copy)]
pub(super) struct Makers {
    /// `IDENTITY_ENDPOINT`, where this build can use it.
    pub(super) identity_endpoint: fn() -> Option<String>,
    pub(super) http: fn(&Outside) -> Result<Arc<dyn HttpClient>>,
    pub(super) vault_http: fn(&Outside) -> Result<Arc<dyn HttpClient>>,
    pub(super) credential: fn(&Outside) -> Result<Arc<dyn TokenCredential>>,
    pub(super) groups: fn(&Outside) -> Result<Arc<dyn GroupSource>>,
    pub(super) proof: fn(&Outside) -> Result<ClientProof>,
    pub(super) vault: fn(&Outside) -> Result<Arc<dyn SecretVault>>,
    pub(super) keys: fn(&Outside) -> Result<Arc<dyn RemoteKeys>>,
    pub(super) wrapper: fn(&Outside) -> Result<Arc<dyn KeyWrapper>>,
    pub(super) monitor: fn(&Outside) -> Result<Arc<dyn AuditSink>>,
    pub(super) audit_key: fn(&Outside, SecretId) -> Result<Arc<dyn CheckpointSigner>>,
}

/// What the builder was given.
#[derive(Debug)]
pub(super) struct Given {
    pub(super) http: Option<Arc<dyn HttpClient>>,
    pub(super) credential: Option<Arc<dyn TokenCredential>>,
    pub(super) groups: Option<Arc<dyn GroupSource>>,
    pub(super) proof: Option<ClientProof>,
}

/// Where requests run, and where their deadlines are kept.
struct Executor {
    work: Arc<dyn Spawn>,
    timer: Arc<dyn Spawn>,
}

impl Given {
    pub(super) const fn new() -> Self {
        Self {
            http: None,
            credential: None,
            groups: None,
            proof: None,
        }
    }
}

/// See the module.
pub(crate) struct Outside {
    config: Config,
    profile: EntraProfile,
    clock: Arc<dyn Clock>,
    guards: Guards,
    makers: Makers,
    given_http: Option<Arc<dyn HttpClient>>,
    http: OnceLock<Arc<dyn HttpClient>>,
    vault_http: OnceLock<Arc<dyn HttpClient>>,
    credential: Option<Arc<dyn TokenCredential>>,
    identity: OnceLock<OwnIdentity>,
    /// Where identity's requests run, whoever makes them; the caller's runtime without.
    executor: Option<Executor>,
    groups: Option<Arc<dyn GroupSource>>,
    proof: Option<ClientProof>,
}

impl Outside {
    pub(super) fn new(
        config: Config,
        profile: EntraProfile,
        clock: Arc<dyn Clock>,
        rules: &[NetworkRule],
        given: Given,
        makers: Makers,
    ) -> Self {
        let http = OnceLock::new();
        if let Some(given) = &given.http {
            let _is_empty = http.set(Arc::clone(given));
        }
        let guards = Guards::new(&config, &profile, (makers.identity_endpoint)(), rules);
        Self {
            config,
            profile,
            clock,
            guards,
            makers,
            given_http: given.http,
            http,
            vault_http: OnceLock::new(),
            credential: given.credential,
            identity: OnceLock::new(),
            executor: None,
            groups: given.groups,
            proof: given.proof,
        }
    }

    /// The same with requests of identity that run there: connections belong to the executor that they were opened on, and a
    /// caller's may stand still while another one needs them. `timer` ends waits for one that stands still itself.
    pub(super) fn on(mut self, work: Arc<dyn Spawn>, timer: Arc<dyn Spawn>) -> Self {
        self.executor = Some(Executor { work, timer });
        self
    }

    pub(crate) const fn config(&self) -> &Config {
        &self.config
    }

    pub(crate) const fn profile(&self) -> &EntraProfile {
        &self.profile
    }

    pub(crate) const fn clock(&self) -> &Arc<dyn Clock> {
        &self.clock
    }

    /// What identity may reach, by the tables in force.
    #[cfg_attr(
        not(feature = "azure"),
        expect(dead_code, reason = "the guard of this build has no client")
    )]
    pub(super) const fn identity_guard(&self) -> &LiveGuard {
        self.guards.identity()
    }

    /// What data may be asked for, by the tables in force.
    pub(super) const fn data_guard(&self) -> &LiveGuard {
        self.guards.data()
    }

    /// Puts these rows of Network_Rules in force, for the clients that there are too.
    pub(super) fn follow(&self, rules: &[NetworkRule]) {
        self.guards.follow(rules);
    }

    /// Why no data service may be asked at this URL: the rows in force do not open it. `None` if one does.
    pub(crate) fn refuses(&self, url: &str) -> Option<Refusal> {
        self.guards.refuses(url)
    }

    /// HTTP for identity: to its own hosts alone.
    pub(crate) fn http(&self) -> Result<&Arc<dyn HttpClient>> {
        once(&self.http, || {
            let made = (self.makers.http)(self)?;
            Ok(match &self.executor {
                Some(Executor { work, timer }) => {
                    Arc::new(HttpOn::new(made, Arc::clone(work), Arc::clone(timer)))
                }
                None => made,
            })
        })
    }

    /// HTTP for vaults and other data services: to the hosts of Network_Rules alone, so that no token for them goes elsewhere.
    #[cfg_attr(
        not(feature = "azure"),
        expect(dead_code, reason = "this build has no client")
    )]
    pub(crate) fn vault_http(&self) -> Result<&Arc<dyn HttpClient>> {
        once(&self.vault_http, || (self.makers.vault_http)(self))
    }

    /// What the builder was given for identity; a part with a thread of its own makes a client of its own where it was given
    /// none, since connections belong to the executor that they were opened on.
    #[cfg_attr(
        not(feature = "azure"),
        expect(dead_code, reason = "this build has no client")
    )]
    pub(super) const fn given_http(&self) -> Option<&Arc<dyn HttpClient>> {
        self.given_http.as_ref()
    }

    /// The credential that the builder was given.
    #[cfg_attr(
        not(feature = "azure"),
        expect(dead_code, reason = "this build has no credential")
    )]
    pub(super) const fn given_credential(&self) -> Option<&Arc<dyn TokenCredential>> {
        self.credential.as_ref()
    }

    /// Azure Monitor, as a sink of the audit log.
    pub(super) fn monitor(&self) -> Result<Arc<dyn AuditSink>> {
        (self.makers.monitor)(self)
    }

    /// A key of a vault, as the audit key.
    pub(super) fn audit_key(&self, key: SecretId) -> Result<Arc<dyn CheckpointSigner>> {
        (self.makers.audit_key)(self, key)
    }

    /// The process's own identity.
    pub(crate) fn identity(&self) -> Result<&OwnIdentity> {
        once(&self.identity, || {
            let credential = match &self.credential {
                Some(given) => Arc::clone(given),
                None => (self.makers.credential)(self)?,
            };
            let identity = OwnIdentity::new(credential, Arc::clone(&self.clock));
            Ok(match &self.executor {
                Some(executor) => identity.on(Arc::clone(&executor.work)),
                None => identity,
            })
        })
    }

    /// A directory of groups.
    pub(super) fn groups(&self) -> Result<Arc<dyn GroupSource>> {
        match &self.groups {
            Some(given) => Ok(Arc::clone(given)),
            None => (self.makers.groups)(self),
        }
    }

    /// The vaults that Secret_References names.
    pub(super) fn vault(&self) -> Result<Arc<dyn SecretVault>> {
        (self.makers.vault)(self)
    }

    /// The keys of those vaults.
    pub(super) fn keys(&self) -> Result<Arc<dyn RemoteKeys>> {
        (self.makers.keys)(self)
    }

    /// The same for a tool: each use asks.
    pub(super) fn wrapper(&self) -> Result<Arc<dyn KeyWrapper>> {
        (self.makers.wrapper)(self)
    }

    /// Whether the builder was given a directory.
    pub(super) const fn has_groups(&self) -> bool {
        self.groups.is_some()
    }

    /// How this application proves to be itself.
    pub(crate) fn proof(&self) -> Result<ClientProof> {
        match &self.proof {
            Some(given) => Ok(given.clone()),
            None => (self.makers.proof)(self),
        }
    }
}

/// Several may make it at once; one of them is kept.
fn once<T>(place: &OnceLock<T>, make: impl FnOnce() -> Result<T>) -> Result<&T> {
    match place.get() {
        Some(made) => Ok(made),
        None => {
            let made = make()?;
            Ok(place.get_or_init(|| made))
        }
    }
}

impl fmt::Debug for Outside {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Outside")
            .field("http", &self.http.get())
            .field("vault_http", &self.vault_http.get())
            .field("identity", &self.identity.get().map(OwnIdentity::name))
            .finish_non_exhaustive()
    }
}
