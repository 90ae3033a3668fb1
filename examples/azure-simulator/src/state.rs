//! What all requests share. Each part has a lock of its own, held for one look or one change and never across an await.

use std::net::SocketAddr;
use std::sync::{Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use crate::directory::Directory;
use crate::entra::Devices;
use crate::error::Error;
use crate::fault::Script;
use crate::jwt::{self, Cluster};
use crate::keys::KeyRing;
use crate::monitor::Rules;
use crate::options::Options;
use crate::random;
use crate::request_log::RequestLog;
use crate::time::Clock;
use crate::vault::Vaults;

/// Holds the identity header and open device codes: there is no `Debug`.
pub(crate) struct State {
    directory: RwLock<Directory>,
    keys: RwLock<KeyRing>,
    faults: Mutex<Script>,
    log: Mutex<RequestLog>,
    devices: Mutex<Devices>,
    vaults: Mutex<Vaults>,
    rules: Mutex<Rules>,
    pub(crate) clock: Clock,
    pub(crate) cluster: Cluster,
    /// What App Service puts into `IDENTITY_HEADER`: only code on the machine knows it.
    pub(crate) identity_header: String,
    pub(crate) https: SocketAddr,
    pub(crate) http: SocketAddr,
}

impl State {
    pub(crate) fn new(
        options: Options,
        https: SocketAddr,
        http: SocketAddr,
    ) -> Result<Self, Error> {
        let devices = Devices::new(options.device_interval, options.device_lifetime);
        let clock = Clock::new(options.clock);
        let first = options.directory.tenants.first();
        let tenant = first.map(|tenant| tenant.id.as_str()).unwrap_or_default();
        let vaults = Vaults::sample(tenant, clock.now())?;
        let workloads = options.directory.tenants.iter().take(1);
        let workloads = workloads.flat_map(|tenant| &tenant.service_principals);
        let rules = Rules::sample(workloads.map(|workload| workload.object_id.clone()));
        Ok(Self {
            directory: RwLock::new(options.directory),
            keys: RwLock::new(KeyRing::new()?),
            faults: Mutex::default(),
            log: Mutex::default(),
            devices: Mutex::new(devices),
            vaults: Mutex::new(vaults),
            rules: Mutex::new(rules),
            clock,
            cluster: Cluster::new()?,
            identity_header: random::guid(),
            https,
            http,
        })
    }

    pub(crate) fn directory(&self) -> RwLockReadGuard<'_, Directory> {
        self.directory
            .read()
            .unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn directory_mut(&self) -> RwLockWriteGuard<'_, Directory> {
        self.directory
            .write()
            .unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn keys(&self) -> RwLockReadGuard<'_, KeyRing> {
        self.keys.read().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn keys_mut(&self) -> RwLockWriteGuard<'_, KeyRing> {
        self.keys.write().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn faults(&self) -> MutexGuard<'_, Script> {
        self.faults.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn log(&self) -> MutexGuard<'_, RequestLog> {
        self.log.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn devices(&self) -> MutexGuard<'_, Devices> {
        self.devices.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn vaults(&self) -> MutexGuard<'_, Vaults> {
        self.vaults.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn rules(&self) -> MutexGuard<'_, Rules> {
        self.rules.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The claims of a token that this simulator signed and that is valid now.
    pub(crate) fn verified(&self, token: &str) -> Option<serde_json::Value> {
        let read = jwt::read(token)?;
        let is_ours = self
            .keys()
            .has_signed(&read.kid, read.signed.as_bytes(), &read.signature);
        let expires = read.claims.get("exp")?.as_i64()?;
        (is_ours && expires > self.clock.now()).then_some(read.claims)
    }

    /// How a browser reaches the page where people type their code.
    pub(crate) fn device_page(&self) -> String {
        format!("https://localhost:{}/device", self.https.port())
    }
}
