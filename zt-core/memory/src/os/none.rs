//! Systems without memory that can be locked through this crate: every secret lies on the heap.

use std::convert::Infallible;
use std::io;
use std::ptr::NonNull;

use crate::status::Protection;

/// There is none.
pub(crate) struct Mapping(Infallible);

impl Mapping {
    pub(crate) fn new(_len: usize) -> io::Result<Self> {
        let why = "this system has no protected memory that zt knows of";
        Err(io::Error::new(io::ErrorKind::Unsupported, why))
    }

    pub(crate) const fn start(&self) -> NonNull<u8> {
        match self.0 {}
    }

    pub(crate) const fn address(&self) -> usize {
        match self.0 {}
    }

    pub(crate) const fn len(&self) -> usize {
        match self.0 {}
    }

    pub(crate) const fn protection(&self) -> Protection {
        match self.0 {}
    }
}

pub(crate) const fn page_size() -> usize {
    4096
}

pub(super) fn forbid_core_dumps() -> io::Result<()> {
    let why = "core dumps cannot be forbidden on this system";
    Err(io::Error::new(io::ErrorKind::Unsupported, why))
}
