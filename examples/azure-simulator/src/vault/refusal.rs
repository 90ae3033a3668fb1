//! Why a vault does not answer, in the words of the real one.
//!
//! Bodies are `{"error": {"code", "message", "innererror": {"code"}}}`. Messages of refusals hold `\r\n`, and tell the caller's
//! ids and address: a client must neither stumble over the escapes nor repeat the text.

use serde_json::{Value, json};

use super::bearer::Caller;
use super::right::Right;
use super::store::Vault;
use crate::answer::Answer;
use crate::asked::Asked;
use crate::fault::Denial;

/// A status and an error body; a challenge on 401.
#[derive(Debug)]
pub(crate) struct Refusal {
    status: u16,
    code: &'static str,
    inner: Option<&'static str>,
    message: String,
    challenge: Option<String>,
}

impl Refusal {
    pub(super) fn new(status: u16, code: &'static str, message: impl Into<String>) -> Self {
        Self {
            status,
            code,
            inner: None,
            message: message.into(),
            challenge: None,
        }
    }

    pub(super) const fn with_inner(mut self, inner: &'static str) -> Self {
        self.inner = Some(inner);
        self
    }

    pub(super) fn bad_parameter(message: &str) -> Self {
        Self::new(400, "BadParameter", message)
    }

    pub(super) fn unauthorized(challenge: String, message: &str) -> Self {
        Self {
            challenge: Some(challenge),
            ..Self::new(401, "Unauthorized", message)
        }
    }

    pub(super) fn no_vault(host: &str) -> Self {
        let message =
            format!("the simulator has no vault {host}; in reality its name would have no address");
        Self::new(404, "VaultNotSimulated", message)
    }

    pub(super) fn no_route(asked: &Asked) -> Self {
        let message = format!(
            "the simulator's vaults do not play {} {}",
            asked.method, asked.path
        );
        Self::new(404, "NotSimulated", message)
    }

    pub(super) fn no_secret(name: &str) -> Self {
        let message = format!(
            "A secret with (name/id) {name} was not found in this key vault. If you recently deleted this secret you may be able to recover it using the correct recovery command. For help resolving this issue, please see https://go.microsoft.com/fwlink/?linkid=2125182"
        );
        Self::new(404, "SecretNotFound", message)
    }

    pub(super) fn no_key(name: &str) -> Self {
        let message = format!(
            "A key with (name/id) {name} was not found in this key vault. If you recently deleted this key you may be able to recover it using the correct recovery command. For help resolving this issue, please see https://go.microsoft.com/fwlink/?linkid=2125182"
        );
        Self::new(404, "KeyNotFound", message)
    }

    pub(super) fn disabled_secret() -> Self {
        let message = "Operation get is not allowed on a disabled secret.";
        Self::new(403, "Forbidden", message).with_inner("SecretDisabled")
    }

    pub(super) fn no_right(vault: &Vault, caller: &Caller, right: Right, asked: &Asked) -> Self {
        let message = format!(
            "Caller is not authorized to perform action on resource.\r\nIf role assignments, deny assignments or role definitions were changed recently, please observe propagation time.\r\nCaller: {}\r\nAction: '{}'\r\nResource: '{}{}'\r\nAssignment: (not found)\r\nDenyAssignmentId: null\r\nDecisionReason: 'DeniedWithNoValidRBAC' \r\nClient address: {}\r\nVault: {};location={}\r\n",
            who(caller),
            right.action(),
            vault.resource_id(),
            asked.path.trim_end_matches('/').to_ascii_lowercase(),
            vault.network.address(),
            vault.name(),
            vault.region,
        );
        Self::new(403, "Forbidden", message).with_inner("ForbiddenByRbac")
    }

    /// As a vault words this reason.
    pub(super) fn denied(
        denial: Denial,
        vault: &Vault,
        caller: &Caller,
        right: Right,
        asked: &Asked,
    ) -> Self {
        let (who, address) = (who(caller), vault.network.address());
        let place = format!("{};location={}", vault.name(), vault.region);
        let message = match denial {
            Denial::ForbiddenByRbac => return Self::no_right(vault, caller, right, asked),
            Denial::SecretDisabled => return Self::disabled_secret(),
            Denial::AccessDenied => format!(
                "The user, group or application '{who};ipaddr={address}' does not have {} permission on key vault '{place}'.\r\nFor help resolving this issue, please see https://go.microsoft.com/fwlink/?linkid=2125287",
                right.name().replace('/', " ")
            ),
            Denial::ForbiddenByPolicy => format!(
                "The operation is forbidden by a policy.\r\nClient address: {address}\r\nCaller: {who}\r\nVault: {place}"
            ),
            Denial::ForbiddenByFirewall => format!(
                "Client address is not authorized and caller is not a trusted service.\r\nClient address: {address}\r\nCaller: {who}\r\nVault: {place}"
            ),
            Denial::ForbiddenByConnection => format!(
                "Public network access is disabled and request is not from a trusted service nor via an approved private link.\r\nClient address: {address}\r\nCaller: {who}\r\nVault: {place}"
            ),
        };
        Self::new(403, "Forbidden", message).with_inner(denial.code())
    }

    /// For who does not ask over the network.
    pub(super) fn into_message(self) -> String {
        self.message
    }

    pub(super) fn answer(self) -> Answer {
        let mut error = json!({ "code": self.code, "message": self.message });
        if let (Value::Object(error), Some(inner)) = (&mut error, self.inner) {
            error.insert("innererror".to_owned(), json!({ "code": inner }));
        }
        let answer = Answer::json(self.status, &json!({ "error": error }));
        match self.challenge {
            Some(challenge) => answer.with_header("www-authenticate", challenge),
            None => answer,
        }
    }
}

fn who(caller: &Caller) -> String {
    format!(
        "appid={};oid={};iss={}",
        caller.client_id, caller.object_id, caller.issuer
    )
}
