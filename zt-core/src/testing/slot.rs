//! A slot by itself, without session, policy and audit: for measurements of what those add.

use crate::secrets::{Secret, SecretRequest, Secrets, SlotHandle};

/// The slot of a declared secret, looked up once.
#[derive(Debug)]
pub struct BareSlot<'s> {
    secrets: &'s Secrets,
    request: SecretRequest,
    handle: SlotHandle,
}

impl<'s> BareSlot<'s> {
    /// The slot of this request, if it is declared.
    #[must_use]
    pub fn of(secrets: &'s Secrets, request: SecretRequest) -> Option<Self> {
        let handle = secrets.slot(&request)?;
        Some(Self {
            secrets,
            request,
            handle,
        })
    }

    /// What it holds, as [`Secrets::peek`] answers it.
    #[must_use]
    pub fn peek(&self) -> Option<Secret> {
        self.secrets
            .peek_by(&self.handle, &self.request, self.secrets.tick())
    }
}
