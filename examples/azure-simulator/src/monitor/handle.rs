//! What a test may tell and ask the sample rule.

use std::fmt;

use serde_json::Value;

use super::store::{HOST, RULE, Rule, STREAM};
use crate::error::Error;
use crate::state::State;

/// The sample data collection rule and its table.
pub struct LogsIngestion<'s>(&'s State);

impl<'s> LogsIngestion<'s> {
    /// Its endpoint, with scheme.
    pub const ENDPOINT: &'static str =
        "https://zt-audit-a1b2.westeurope-1.ingest.monitor.azure.com";
    /// The host of the endpoint.
    pub const HOST: &'static str = HOST;
    /// Its immutable id.
    pub const RULE: &'static str = RULE;
    /// Its stream.
    pub const STREAM: &'static str = STREAM;

    pub(crate) const fn new(state: &'s State) -> Self {
        Self(state)
    }

    /// Every row so far, in the order of arrival, repeats too.
    #[must_use]
    pub fn rows(&self) -> Vec<Value> {
        self.with(|rule| rule.rows(STREAM)).unwrap_or_default()
    }

    /// Empties the table.
    pub fn clear(&self) {
        let _is_there = self.with(Rule::clear);
    }

    /// Gives a principal of the first tenant the role Monitoring Metrics Publisher.
    ///
    /// # Errors
    /// Nobody has this name.
    pub fn grant(&self, name: &str) -> Result<(), Error> {
        let id = self.object_id(name)?;
        let _is_there = self.with(|rule| rule.publishers.insert(id));
        Ok(())
    }

    /// Takes the role away.
    ///
    /// # Errors
    /// Nobody has this name.
    pub fn revoke(&self, name: &str) -> Result<(), Error> {
        let id = self.object_id(name)?;
        let _is_there = self.with(|rule| rule.publishers.remove(&id));
        Ok(())
    }

    fn with<T>(&self, act: impl FnOnce(&mut Rule) -> T) -> Option<T> {
        self.0.rules().find_mut(HOST, RULE).map(act)
    }

    fn object_id(&self, name: &str) -> Result<String, Error> {
        let directory = self.0.directory();
        let mut tenants = directory.tenants.iter();
        let found = tenants.find_map(|tenant| {
            let workload = tenant.service_principal(name);
            let person = || tenant.user(name).map(|user| user.object_id.clone());
            workload.map(|sp| sp.object_id.clone()).or_else(person)
        });
        found.ok_or_else(|| Error::new(format!("nobody is called `{name}`")))
    }
}

impl fmt::Debug for LogsIngestion<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LogsIngestion")
            .field("rows", &self.rows().len())
            .finish_non_exhaustive()
    }
}
