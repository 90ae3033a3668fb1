//! Tokens of the simulated cluster, which stand in for a client's secret (workload identity federation).

use serde_json::json;

use crate::entra::{CLUSTER_ISSUER, EXCHANGE};
use crate::error::Error;
use crate::random;
use crate::state::State;

/// What the cluster projects into the pod of a workload, valid for an hour.
pub(crate) fn token(state: &State, name: &str) -> Result<String, Error> {
    let directory = state.directory();
    let subject = directory.tenants.iter().find_map(|tenant| {
        let sp = tenant.service_principal(name)?;
        let application = tenant.application(&sp.client_id)?;
        application.federated_subjects.first()
    });
    let subject =
        subject.ok_or_else(|| Error::new(format!("`{name}` has no federated credential")))?;
    let now = state.clock.now();
    state.cluster.token(&json!({
        "iss": CLUSTER_ISSUER,
        "sub": subject,
        "aud": EXCHANGE,
        "iat": now,
        "nbf": now,
        "exp": now + 3600,
        "jti": random::guid(),
    }))
}
