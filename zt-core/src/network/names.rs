//! The port to name resolution. The guard decides about what comes back; a resolver hides nothing and adds nothing.

use std::fmt;
use std::io;
use std::net::IpAddr;

use crate::port::BoxFuture;

/// Answers which addresses a host has.
pub trait NameResolver: Send + Sync + fmt::Debug {
    /// Every address of a host, as the system would dial it; an error if the name is not known or nobody answers.
    fn resolve<'a>(&'a self, host: &'a str) -> BoxFuture<'a, io::Result<Vec<IpAddr>>>;
}
