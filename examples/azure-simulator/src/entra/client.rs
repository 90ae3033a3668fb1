//! How a client proves itself: a secret, or a token from elsewhere that a federated credential trusts.

use serde_json::Value;

use super::error::Refusal;
use super::request::TokenRequest;
use crate::issue::ClientAuth;

/// The audience of tokens that stand in for a secret ("Workload identity federation", Microsoft Learn).
pub(crate) const EXCHANGE: &str = "api://AzureADTokenExchange";
/// The issuer of the simulated cluster.
pub(crate) const CLUSTER_ISSUER: &str = "https://cluster.zt-simulator.invalid/";

const JWT_BEARER: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

impl TokenRequest<'_> {
    /// Refuses a client that does not prove itself.
    pub(crate) fn authenticate(&self) -> Result<ClientAuth, Refusal> {
        if let Some(secret) = self.form.get("client_secret") {
            if self.client.secrets.iter().any(|own| own == secret) {
                return Ok(ClientAuth::Secret);
            }
            let message = format!(
                "Invalid client secret provided. Ensure the secret being sent in the request is the client secret value, not the client secret ID, for a secret added to app '{}'.",
                self.client.client_id
            );
            return Err(Refusal::new("invalid_client", 7_000_215, message));
        }
        let Some(assertion) = self.form.get("client_assertion") else {
            let message = "The request body must contain the following parameter: 'client_assertion' or 'client_secret'.";
            return Err(Refusal::new("invalid_client", 7_000_218, message));
        };
        if self.form.get("client_assertion_type") != Some(JWT_BEARER) {
            return Err(Refusal::missing("client_assertion_type"));
        }
        self.check_federated(assertion)?;
        Ok(ClientAuth::Certificate)
    }

    fn check_federated(&self, assertion: &str) -> Result<(), Refusal> {
        let invalid = |code, message: &str| Err(Refusal::new("invalid_client", code, message));
        let Some(claims) = self.state.cluster.verify(assertion) else {
            let message = "No matching federated identity record found for presented assertion issuer. Please check your federated identity credential Subject, Audience and Issuer against the presented assertion.";
            return invalid(700_211, message);
        };
        let text = |name: &str| claims.get(name).and_then(Value::as_str);
        if text("aud") != Some(EXCHANGE) {
            let message =
                "No matching federated identity record found for presented assertion audience.";
            return invalid(700_212, message);
        }
        let subject = text("sub").unwrap_or_default();
        let mut trusted = self.client.federated_subjects.iter();
        if text("iss") != Some(CLUSTER_ISSUER) || !trusted.any(|own| own == subject) {
            let message =
                "No matching federated identity record found for presented assertion subject.";
            return invalid(700_213, message);
        }
        let expires = claims.get("exp").and_then(Value::as_i64).unwrap_or(0);
        if expires <= self.state.clock.now() {
            return invalid(
                700_024,
                "Client assertion is not within its valid time range.",
            );
        }
        Ok(())
    }
}
