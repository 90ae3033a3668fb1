//! The simulator's own HTTP interface, on the plain port: what the library's methods do, for programs in other languages.
//!
//! | Request | Does |
//! |---|---|
//! | `GET /control` | tells addresses, people, keys, codes that wait |
//! | `POST /control/faults` | adds a fault: `{"path": "/common/discovery", "fault": "slow", "seconds": 5, "times": 1}` |
//! | `DELETE /control/faults` | takes all faults back |
//! | `GET /control/requests`, `DELETE /control/requests` | reads, empties the request log |
//! | `POST /control/keys/rotate`, `…/publish-ahead`, `…/foreign`, `…/retire?kid=…` | changes the keys |
//! | `POST /control/device/approve?code=…&user=maya`, `…/decline?code=…` | settles a device code |
//! | `POST /control/token?name=maya` | answers a token; `audience`, `scope`, `version` (`1.0`) are optional |
//! | `POST /control/federated-token?name=sp-score-201` | answers a cluster's token for that workload |
//! | `/control/vaults…` | makes vaults, secrets, keys, rights: see `vaults` below |
//! | `GET /control/logs` | reads the rows that Azure Monitor took |
//! | `POST /control/time?seconds=3600` | moves the simulator's clock ahead |

mod faults;
mod vaults;

use serde_json::{Value, json};

use crate::answer::Answer;
use crate::asked::Asked;
use crate::error::Error;
use crate::monitor::LogsIngestion;
use crate::request_log::Request;
use crate::state::State;
use crate::token::{self, TokenOptions};
use crate::{entra, federated};

pub(crate) fn answer(state: &State, asked: &Asked) -> Answer {
    // A browser sends this header with every request that a page of another site makes.
    if asked.header("origin").is_some() || asked.header("sec-fetch-site").is_some() {
        return Answer::empty(403);
    }
    match act(state, asked) {
        Ok(Some(body)) => Answer::json(200, &body),
        Ok(None) => crate::dispatch::not_here(asked),
        Err(why) => Answer::json(400, &json!({ "error": why.to_string() })),
    }
}

fn act(state: &State, asked: &Asked) -> Result<Option<Value>, Error> {
    let query = |name: &str| asked.query.get(name);
    let required = |name: &str| {
        query(name).ok_or_else(|| Error::new(format!("the parameter `{name}` is missing")))
    };
    let done = json!({ "done": true });
    let answer = match (asked.method.as_str(), asked.segments().as_slice()) {
        ("GET", ["control"]) => overview(state),
        ("POST", ["control", "faults"]) => {
            let (path, fault, times) = faults::read(&asked.body)?;
            state.faults().add(&path, fault, times);
            done
        }
        ("DELETE", ["control", "faults"]) => {
            state.faults().clear();
            done
        }
        ("GET", ["control", "requests"]) => requests(&state.log().all()),
        ("DELETE", ["control", "requests"]) => {
            state.log().clear();
            done
        }
        ("POST", ["control", "keys", what]) => keys(state, what, query("kid"))?,
        ("POST", ["control", "device", "approve"]) => {
            entra::approve(state, required("code")?, required("user")?)?;
            done
        }
        ("POST", ["control", "device", "decline"]) => {
            entra::decline(state, required("code")?)?;
            done
        }
        ("POST", ["control", "token"]) => {
            let token = token::mint(state, required("name")?, &options(asked))?;
            json!({ "access_token": token })
        }
        ("POST", ["control", "federated-token"]) => {
            json!({ "token": federated::token(state, required("name")?)? })
        }
        ("GET", ["control", "logs"]) => Value::Array(LogsIngestion::new(state).rows()),
        ("POST", ["control", "time"]) => {
            let seconds = required("seconds")?.parse();
            state
                .clock
                .advance(seconds.map_err(|_| Error::new("`seconds` is not a whole number"))?);
            json!({ "now": state.clock.now() })
        }
        (_, ["control", "vaults", path @ ..]) => return vaults::act(state, asked, path),
        _ => return Ok(None),
    };
    Ok(Some(answer))
}

fn keys(state: &State, what: &str, kid: Option<&str>) -> Result<Value, Error> {
    let key = match what {
        "rotate" => state.keys_mut().rotate()?,
        "publish-ahead" => state.keys_mut().publish_ahead()?,
        "foreign" => state.keys_mut().add_foreign()?,
        "retire" => {
            let kid = kid.ok_or_else(|| Error::new("the parameter `kid` is missing"))?;
            state.keys_mut().retire(kid)?;
            return Ok(json!({ "kid": kid }));
        }
        _ => return Err(Error::new(format!("`{what}` is nothing that keys do"))),
    };
    Ok(json!({ "kid": key.kid() }))
}

fn options(asked: &Asked) -> TokenOptions {
    let mut options = TokenOptions::new();
    if let Some(audience) = asked.query.get("audience") {
        options = options.for_audience(audience);
    }
    if let Some(scope) = asked.query.get("scope") {
        options = options.with_scopes(&scope.split(' ').collect::<Vec<_>>());
    }
    match asked.query.get("version") {
        Some(version) => options.in_v1_form(version == "1.0"),
        None => options,
    }
}

fn overview(state: &State) -> Value {
    let directory = state.directory();
    let tenants = directory.tenants.iter().map(|tenant| {
        json!({
            "id": tenant.id,
            "domain": tenant.domain,
            "users": tenant.users.iter().map(|user| &user.name).collect::<Vec<_>>(),
            "workloads": tenant.service_principals.iter().map(|sp| &sp.name).collect::<Vec<_>>(),
        })
    });
    let keys = state.keys();
    json!({
        "https": state.https.to_string(),
        "http": state.http.to_string(),
        "device_page": state.device_page(),
        "identity_header": state.identity_header,
        "now": state.clock.now(),
        "tenants": tenants.collect::<Vec<_>>(),
        "signs": keys.current().kid(),
        "published": keys.published().iter().map(|key| key.kid()).collect::<Vec<_>>(),
        "waiting_codes": state.devices().waiting(),
    })
}

fn requests(all: &[Request]) -> Value {
    let shown = all.iter().map(|request| {
        json!({
            "method": request.method,
            "host": request.host,
            "path": request.path,
            "query": request.query,
            "group_ids": request.group_ids,
            "status": request.status,
            "shows_token": request.shows_token,
            "client_request_id": request.client_request_id,
            "api_version": request.api_version,
            "faulty": request.is_faulty,
        })
    });
    json!({ "requests": shown.collect::<Vec<_>>() })
}
