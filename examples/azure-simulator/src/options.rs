//! How a simulator starts.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::directory::Directory;

/// What a simulator starts with: the sample world, ports that the system chooses, the system's time.
#[derive(Clone)]
pub struct Options {
    pub(crate) directory: Directory,
    pub(crate) https_port: u16,
    pub(crate) http_port: u16,
    pub(crate) clock: Arc<dyn Fn() -> i64 + Send + Sync>,
    pub(crate) device_interval: Duration,
    pub(crate) device_lifetime: Duration,
}

impl Options {
    /// The defaults.
    #[must_use]
    pub fn new() -> Self {
        Self {
            directory: Directory::sample(),
            https_port: 0,
            http_port: 0,
            clock: Arc::new(crate::time::system),
            device_interval: Duration::from_secs(5),
            device_lifetime: Duration::from_secs(900),
        }
    }

    /// With other tenants.
    #[must_use]
    pub fn with_directory(mut self, directory: Directory) -> Self {
        self.directory = directory;
        self
    }

    /// On these ports of loopback: TLS for Entra and Graph, plain for managed identities and control. 0 lets the system choose.
    #[must_use]
    pub const fn with_ports(mut self, https: u16, http: u16) -> Self {
        self.https_port = https;
        self.http_port = http;
        self
    }

    /// With another clock, in seconds since the Unix epoch.
    #[must_use]
    pub fn with_clock(mut self, clock: impl Fn() -> i64 + Send + Sync + 'static) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// Device codes that may be asked about once per `interval`, for `lifetime`; both in whole seconds. Entra says 5 s and
    /// 15 min.
    #[must_use]
    pub const fn with_device_codes(mut self, interval: Duration, lifetime: Duration) -> Self {
        self.device_interval = interval;
        self.device_lifetime = lifetime;
        self
    }
}

impl Default for Options {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Options")
            .field("https_port", &self.https_port)
            .field("http_port", &self.http_port)
            .finish_non_exhaustive()
    }
}
