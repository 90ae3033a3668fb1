//! What was seen last of the hosts that this process spoke to: what name resolution said, and how the path was proven.
//!
//! In: what a client saw, as it saw it. Out: the last of each host, for `Runtime::status`. Never: a connection of its own, or
//! more than [`MOST`] hosts.

#![cfg_attr(
    not(any(feature = "azure", test)),
    expect(dead_code, reason = "the guard of this build has no client")
)]

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use zt_memory::fork::Local;

use super::PathProof;

/// Rows open few hosts; beyond, all are forgotten.
const MOST: usize = 256;

/// See the module. A forked child begins with nothing: connections are its parent's.
#[derive(Debug, Default)]
pub(crate) struct Seen(Local<Mutex<BTreeMap<String, Host>>>);

/// What was seen last of one host.
#[derive(Debug, Clone, Default)]
pub(crate) struct Host {
    pub(crate) look_up: Option<LookUp>,
    pub(crate) path: Option<Path>,
}

/// What name resolution said.
#[derive(Debug, Clone)]
pub(crate) struct LookUp {
    pub(crate) at: Instant,
    pub(crate) addresses: Vec<IpAddr>,
    /// Why nothing was dialled, if so: there was no answer, or the guard does not admit it.
    pub(crate) error: Option<String>,
}

/// What came of the last connection that gave an answer.
#[derive(Debug, Clone)]
pub(crate) struct Path {
    pub(crate) at: Instant,
    pub(crate) peer: SocketAddr,
    /// How it was proven, or why its answer was refused.
    pub(crate) proof: Result<PathProof, String>,
}

impl Seen {
    /// Notes what name resolution said of a host.
    pub(crate) fn looked_up(&self, host: &str, look_up: LookUp) {
        self.note(host, |seen| seen.look_up = Some(look_up));
    }

    /// Notes how the path of an answer was proven.
    pub(crate) fn answered(&self, host: &str, path: Path) {
        self.note(host, |seen| seen.path = Some(path));
    }

    /// What was seen of a host.
    pub(crate) fn of(&self, host: &str) -> Host {
        self.lock().get(host).cloned().unwrap_or_default()
    }

    fn note(&self, host: &str, change: impl FnOnce(&mut Host)) {
        let mut hosts = self.lock();
        if let Some(seen) = hosts.get_mut(host) {
            change(seen);
            return;
        }
        if hosts.len() >= MOST {
            hosts.clear();
        }
        change(hosts.entry(host.to_owned()).or_default());
    }

    /// Held for a few instructions.
    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Host>> {
        let hosts = self.0.get_or_init(Mutex::default);
        hosts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::network::PathKind;

    #[test]
    fn the_last_word_of_each_host_counts_and_there_are_not_many() {
        let seen = Seen::default();
        let at = Instant::now();
        let look_up = |error: Option<&str>| LookUp {
            at,
            addresses: Vec::new(),
            error: error.map(str::to_owned),
        };
        seen.looked_up("kv", look_up(Some("no answer")));
        seen.looked_up("kv", look_up(None));
        let path = Path {
            at,
            peer: "10.0.0.4:443".parse().unwrap(),
            proof: Ok(PathProof::new(PathKind::Address)),
        };
        seen.answered("kv", path);
        let host = seen.of("kv");
        assert!(host.look_up.unwrap().error.is_none() && host.path.is_some());
        assert!(seen.of("other").look_up.is_none());
        for number in 0..2 * MOST {
            seen.looked_up(&format!("host-{number}"), look_up(None));
            assert!(seen.lock().len() <= MOST);
        }
    }
}
