//! The network as zt sees it: no row, no connection.
//!
//! In: a request to a host that a row names. Out: its answer, with the address that gave it, or the reason why nothing was
//! sent. Everything that leaves the process goes through one [`HttpClient`]; the guard inside it decides where it may go.
//! Never: a proxy, a redirect, an address that no row allows.

pub mod doctor;
mod guard;
mod http;
mod live;
mod names;
mod path;
pub mod private_link;
pub(crate) mod seen;

pub(crate) use guard::is_public;
pub use guard::{Destination, Guard, Refusal, Route, Scheme};
pub use http::{HttpClient, HttpError, HttpMethod, HttpRequest, HttpResponse};
pub use live::LiveGuard;
pub use names::NameResolver;
pub use path::{PathKind, PathProof};
