//! What all ports share: a boxed future, so that a port stays object safe.

use std::pin::Pin;

/// What an asynchronous method of a port returns.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;
