//! A developer's sign-in: `az` and `azd` are asked for a token, by `azure_identity`. A process is started for each, and what
//! it writes about a failure stays with it, but for an AADSTS code.

use std::sync::Arc;
use std::time::Duration;

use azure_core::credentials::TokenCredential as SdkCredential;
use azure_identity::{
    AzureCliCredential, AzureCliCredentialOptions, AzureDeveloperCliCredential,
    AzureDeveloperCliCredentialOptions, Executor,
};

use super::client::own;
use crate::identity::{AccessToken, CredentialError, TokenCredential};
use crate::port::BoxFuture;

/// Azure CLI or Azure Developer CLI, whichever user is signed in there. For development.
#[derive(Debug, Clone)]
pub struct CommandLine {
    tool: Tool,
    executor: Option<Arc<dyn Executor>>,
}

#[derive(Debug, Clone, Copy)]
enum Tool {
    Az,
    Azd,
}

impl CommandLine {
    /// `az account get-access-token`.
    #[must_use]
    pub const fn azure_cli() -> Self {
        Self {
            tool: Tool::Az,
            executor: None,
        }
    }

    /// `azd auth token`.
    #[must_use]
    pub const fn azure_developer_cli() -> Self {
        Self {
            tool: Tool::Azd,
            executor: None,
        }
    }

    /// Starts commands with this, for tests.
    #[cfg(test)]
    pub(super) fn run_by(mut self, executor: Arc<dyn Executor>) -> Self {
        self.executor = Some(executor);
        self
    }

    fn made(&self) -> azure_core::Result<Arc<dyn SdkCredential>> {
        let executor = self.executor.clone();
        Ok(match self.tool {
            Tool::Az => {
                let options = AzureCliCredentialOptions {
                    executor,
                    ..AzureCliCredentialOptions::default()
                };
                AzureCliCredential::new(Some(options))?
            }
            Tool::Azd => {
                let options = AzureDeveloperCliCredentialOptions {
                    executor,
                    ..AzureDeveloperCliCredentialOptions::default()
                };
                AzureDeveloperCliCredential::new(Some(options))?
            }
        })
    }

    async fn ask(&self, scope: &str) -> Result<AccessToken, CredentialError> {
        let made = self.made().map_err(|_| self.unclear())?;
        match tokio::time::timeout(PATIENCE, made.get_token(&[scope], None)).await {
            Ok(Ok(token)) => Ok(own(&token)),
            Ok(Err(error)) => Err(self.explain(&error.to_string())),
            Err(_) => Err(self.unclear()),
        }
    }

    fn explain(&self, said: &str) -> CredentialError {
        let credential = self.name().to_owned();
        let (tool, sign_in) = match self.tool {
            Tool::Az => ("az", "az login"),
            Tool::Azd => ("azd", "azd auth login"),
        };
        if let Some(code) = aadsts(said) {
            let reason = format!("{code}; run `{sign_in}` and see what it says");
            return CredentialError::Refused { credential, reason };
        }
        let reason = if said.contains("found on PATH") {
            format!("`{tool}` is not installed")
        } else if said.contains(sign_in) {
            format!("nobody is signed in; run `{sign_in}`")
        } else {
            return self.unclear();
        };
        CredentialError::NotSetUp { credential, reason }
    }

    fn unclear(&self) -> CredentialError {
        CredentialError::Unavailable {
            credential: self.name().to_owned(),
            reason: "the command gave no token; run it by hand to see why".to_owned(),
            retry_in: None,
        }
    }
}

impl TokenCredential for CommandLine {
    fn get_token<'a>(
        &'a self,
        scope: &'a str,
    ) -> BoxFuture<'a, Result<AccessToken, CredentialError>> {
        Box::pin(self.ask(scope))
    }

    fn name(&self) -> &str {
        match self.tool {
            Tool::Az => "Azure CLI",
            Tool::Azd => "Azure Developer CLI",
        }
    }
}

/// The first `AADSTS` code of a text.
fn aadsts(text: &str) -> Option<String> {
    let (_, behind) = text.split_once("AADSTS")?;
    let digits: String = behind
        .chars()
        .take_while(char::is_ascii_digit)
        .take(9)
        .collect();
    (!digits.is_empty()).then(|| format!("AADSTS{digits}"))
}

/// A command that starts a Python interpreter on a slow disk takes seconds, not more.
const PATIENCE: Duration = Duration::from_secs(30);
