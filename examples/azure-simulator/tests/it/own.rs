//! An identity of the process, with tokens that the simulator hands out.

use std::fmt;
use std::sync::Arc;

use zt_azure_simulator::{Simulator, TokenOptions};
use zt_core::clock::Timestamp;
use zt_core::identity::{AccessToken, CredentialError, TokenCredential};
use zt_core::port::BoxFuture;

/// Asks the simulator at each call.
pub(crate) struct Own {
    pub(crate) sim: Arc<Simulator>,
    pub(crate) name: &'static str,
}

impl fmt::Debug for Own {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

impl TokenCredential for Own {
    fn get_token<'a>(
        &'a self,
        scope: &'a str,
    ) -> BoxFuture<'a, Result<AccessToken, CredentialError>> {
        let audience = scope.trim_end_matches("/.default");
        let options = TokenOptions::new().for_audience(audience);
        let token = self.sim.token_for(self.name, &options).unwrap();
        let expires_at = Timestamp::from_secs(self.sim.now() + 3600);
        Box::pin(async move { Ok(AccessToken::new(token, expires_at)) })
    }

    fn name(&self) -> &'static str {
        self.name
    }
}
