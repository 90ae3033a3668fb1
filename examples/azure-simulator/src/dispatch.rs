//! Which service answers: the host says it over TLS, the path on the plain port.

use serde_json::json;

use crate::answer::Answer;
use crate::asked::Asked;
use crate::cloud::{Cloud, Service, service_of};
use crate::state::State;
use crate::{app_service, entra, graph, imds, monitor, vault};

/// Whether this is for the simulator itself. The host must be this machine's, so that no page of another site can ask a browser
/// to do it.
pub(crate) fn is_control(asked: &Asked) -> bool {
    let is_local = matches!(asked.host.as_str(), "localhost" | "127.0.0.1");
    !asked.is_secure && is_local && asked.path.starts_with("/control")
}

/// The right answer.
pub(crate) fn answer(state: &State, asked: &Asked) -> Answer {
    if asked.path == "/device" {
        return entra::device_page(state, asked);
    }
    if asked.is_secure {
        return match service_of(&asked.host) {
            Some((Service::Login, cloud)) => entra::answer(state, asked, cloud),
            Some((Service::Graph, cloud)) => graph::answer(state, asked, cloud),
            Some((Service::Vault, cloud)) => vault::answer(state, asked, cloud),
            Some((Service::Monitor, cloud)) => monitor::answer(state, asked, cloud),
            Some((Service::Local, _)) if asked.path.starts_with("/v1.0/") => {
                graph::answer(state, asked, Cloud::Public)
            }
            Some((Service::Local, cloud)) => entra::answer(state, asked, cloud),
            None => not_here(asked),
        };
    }
    match asked.path.as_str() {
        "/metadata/identity/oauth2/token" => imds::answer(state, asked),
        "/msi/token" => app_service::answer(state, asked),
        _ => not_here(asked),
    }
}

/// Nothing of Azure that the simulator plays.
pub(crate) fn not_here(asked: &Asked) -> Answer {
    let message = format!(
        "the simulator does not play {} {}{}",
        asked.method, asked.host, asked.path
    );
    let body = json!({ "error": { "code": "NotSimulated", "message": message } });
    Answer::json(404, &body)
}
