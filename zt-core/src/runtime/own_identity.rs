//! Ways in without a caller's token at hand: as the process itself, as the person in front of it, and on behalf of a caller.

use std::sync::Arc;

use super::{ConfigKey, Runtime};
use crate::audit::{Durability, Kind, Outcome, Record};
use crate::error::{Code, Error, Result};
use crate::identity::{AccessToken, DeviceCode, DeviceSignIn, OnBehalfOf};
use crate::session::Session;

impl Runtime {
    /// A session of the process itself: a managed identity, a service principal, in development the person who ran `az login`.
    /// Its token is verified like anyone's, so the identity needs an app role of this application. Ask again when the session
    /// has ended; tokens are kept and refreshed ahead, so that asking is cheap.
    ///
    /// # Errors
    /// `Config` with [`Code::NoOwnIdentity`] and every credential that was tried; `Unavailable` when the issuer cannot be
    /// reached; else as [`authenticate`](Self::authenticate).
    pub async fn workload(&self) -> Result<Session> {
        self.0.refuse_closed()?;
        let token = self.own_token(&self.own_scope()).await?;
        let session = self.authenticate(token.reveal()).await;
        if session
            .as_ref()
            .is_err_and(|error| error.code() == Code::InvalidToken)
            && self.0.outside.identity()?.forget()
        {
            // It may have been revoked while it was kept.
            let token = self.own_token(&self.own_scope()).await?;
            return self.authenticate(token.reveal()).await;
        }
        session
    }

    /// A token of the process itself for another service, such as `https://vault.azure.net/.default`.
    async fn own_token(&self, scope: &str) -> Result<AccessToken> {
        Ok(self.0.outside.identity()?.token(scope).await?)
    }

    /// Signs the person in front of the program in, by device code (RFC 8628): `show` tells them where to go and what to type
    /// ([`DeviceSignIn::message`]), and answers an error if nobody can be told. Waits until they have done so.
    ///
    /// # Errors
    /// `Unauthenticated` with [`Code::SignInFailed`] when the person declines or is too late; the error of `show`;
    /// `Unavailable` when Entra cannot be reached; else as [`authenticate`](Self::authenticate).
    pub async fn sign_in(
        &self,
        show: impl FnOnce(&DeviceSignIn) -> Result<()> + Send,
    ) -> Result<Session> {
        self.0.refuse_closed()?;
        let outside = &self.0.outside;
        let profile = outside.profile();
        let client = match self.0.config.value(ConfigKey::IdentitySignInClient) {
            None => profile.client_id(),
            Some(text) => text.parse().map_err(|_| {
                let key = ConfigKey::IdentitySignInClient;
                Error::new(
                    Code::Config,
                    format!("`{key}` must be the client id, a GUID"),
                )
            })?,
        };
        let (http, clock) = (Arc::clone(outside.http()?), Arc::clone(outside.clock()));
        let (cloud, tenant) = (profile.cloud(), profile.tenant());
        let scope = self.own_scope();
        let asked = DeviceCode::new(http, clock, cloud, tenant, client, scope)?;
        let waiting = asked.start().await?;
        show(&waiting)?;
        let token = waiting.wait().await?;
        self.authenticate(token.reveal()).await
    }

    /// What our own callers ask tokens for.
    fn own_scope(&self) -> String {
        match self.0.config.value(ConfigKey::IdentityAppIdUri) {
            Some(uri) => format!("{}/.default", uri.trim_end_matches('/')),
            None => format!("{}/.default", self.0.profile.client_id()),
        }
    }

    /// A token for `scope`, a service behind this one, that names the caller of `session` and has their rights there
    /// (OAuth 2.0 On-Behalf-Of). `token` is the one that the session was made with; it is verified again, and must be of the
    /// same caller. The exchange stands in the audit log before its answer; no token does.
    ///
    /// # Errors
    /// `Unauthenticated` with [`Code::InvalidToken`] for another caller's token, or with [`Code::InteractionRequired`] when
    /// the tenant asks the person to sign in again: [`Error::challenge`] is what to answer them. `Config` with
    /// [`Code::NoOwnIdentity`] when this application cannot prove itself, or the issuer refuses; `Unavailable` when the
    /// issuer or the audit log is down.
    pub async fn on_behalf_of(
        &self,
        session: &Session,
        token: &str,
        scope: &str,
    ) -> Result<AccessToken> {
        self.0.refuse_closed()?;
        let bare = crate::identity::without_scheme(token);
        let again = self.authenticate(bare).await?;
        let (own, other) = (session.caller(), again.caller());
        if (own.tenant(), own.object()) != (other.tenant(), other.object()) {
            let message = "the token is of another caller than the session";
            let now = self.0.clock.now();
            let record = Record::new(Kind::Effect, now, "on-behalf-of", scope, Outcome::Refused);
            let record = session.identify(record).with_detail("reason", message);
            self.0.audit.append(record, Durability::Durable)?;
            return Err(Error::new(Code::InvalidToken, message));
        }
        let outside = &self.0.outside;
        let profile = outside.profile();
        let exchange = OnBehalfOf::new(
            profile.cloud(),
            profile.client_id(),
            outside.proof()?,
            Arc::clone(outside.http()?),
            Arc::clone(outside.clock()),
        );
        let outcome = exchange.exchange(own, bare, scope).await;
        let now = self.0.clock.now();
        let as_recorded = match &outcome {
            Ok(_) => Outcome::Ok,
            Err(_) => Outcome::Failed,
        };
        let record = Record::new(Kind::Effect, now, "on-behalf-of", scope, as_recorded);
        let mut record = session.identify(record);
        if let Err(why) = &outcome {
            record = record.with_detail("reason", why.to_string());
        }
        self.0.audit.append(record, Durability::Durable)?;
        Ok(outcome?)
    }
}
