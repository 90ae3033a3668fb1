//! Reading one version of a declared secret.

use crate::error::{Code, Error, Result};

use super::cache::undeclared;
use super::{Secret, SecretRequest, SecretVersion, Secrets};

impl Secrets {
    /// One version of a declared secret, whichever is current. Kept for a day, because it cannot change.
    ///
    /// # Errors
    /// As [`get`](Self::get).
    pub async fn get_version(
        &self,
        request: &SecretRequest,
        version: SecretVersion,
    ) -> Result<Secret> {
        if let Some(pinned) = request.key().id().version()
            && pinned != version
        {
            let message = format!("the row pins version {pinned}: no other one is read through it");
            return Err(Error::new(Code::InvalidArgument, message));
        }
        self.readable(request)?;
        let current = request;
        let request = request.clone().at(version);
        let declared = self.table().version(&request, self.crew.timing.salt);
        // Its row may have left just before the slot was made: nobody would ever forget it.
        if let Err(error) = self.readable(current) {
            declared.leave();
            self.table().versions.invalidate(request.key());
            return Err(error);
        }
        match self.peek_in(&declared, &request) {
            Some(secret) => Ok(secret),
            None => self.fill(&declared, &request, false).await,
        }
    }

    /// Whether a table declares it, and the rules let its vault be asked.
    fn readable(&self, request: &SecretRequest) -> Result<()> {
        let table = self.table();
        let current = table.declared.get(request.key());
        let current = current.ok_or_else(|| undeclared(request))?;
        current
            .slot
            .forbidden()
            .map_or(Ok(()), |refused| Err(refused.into()))
    }
}
