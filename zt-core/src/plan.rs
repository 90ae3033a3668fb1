//! Everything that one run of a job needs, resolved before any cluster starts; or every reason why it may not run.
//!
//! In: a snapshot, the number of a job, and a function that decides. Out: a [`RunPlan`] with the stages in the order in
//! which they may start, and the complete list of [`Gap`]s. Never: any I/O, the value of a secret, a near miss.
//!
//! A plan is a forecast from the tables: whether a vault has the secret, a host answers or a table exists is not asked.
//! Rights are decided for the identity of each stage, as claiming its job and stage. **The tables do not know in which
//! groups of Entra a workload is**, so whoever passes `decide` says which groups count;
//! [`Session::plan`](crate::Session::plan) takes none, except for a stage that runs as its own caller.

mod endpoint;
mod gap;
mod job;
mod order;
mod resolve;
mod runtime_choice;
mod show;

pub use endpoint::{Because, Endpoint, Route};
pub use gap::{Candidate, Gap, Unreached};
pub use job::{
    After, Basis, ChosenRuntime, PlannedOutput, PlannedSecret, Right, RunPlan, Sealing, StagePlan,
    Stamp,
};
pub use resolve::{NoSuchJob, resolve};

/// Writes what prints as text as a text of JSON.
mod json {
    use std::fmt::Display;

    use serde::Serializer;

    pub(super) fn text<T: Display, S: Serializer>(value: &T, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(value)
    }

    pub(super) fn texts<T: Display, S: Serializer>(values: &[T], to: S) -> Result<S::Ok, S::Error> {
        to.collect_seq(values.iter().map(ToString::to_string))
    }
}
