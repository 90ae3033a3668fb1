//! A fault as JSON: `path`, `fault`, `times` (1 if absent, 0 for ever), and what that fault needs.

use std::time::Duration;

use serde_json::Value;

use crate::error::Error;
use crate::fault::{Denial, Fault, Misfit};

pub(super) fn read(body: &[u8]) -> Result<(String, Fault, u32), Error> {
    let body: Value =
        serde_json::from_slice(body).map_err(|_| Error::new("the body is not JSON"))?;
    let text = |name: &str| body.get(name).and_then(Value::as_str);
    let path = text("path").ok_or_else(|| Error::new("`path` is missing"))?;
    let times = match body.get("times").map(Value::as_u64) {
        None => 1,
        Some(Some(0)) => u32::MAX,
        Some(times) => times
            .and_then(|times| u32::try_from(times).ok())
            .ok_or_else(|| Error::new("`times` is not a count"))?,
    };
    let name = text("fault").ok_or_else(|| Error::new("`fault` is missing"))?;
    Ok((path.to_owned(), fault(name, &body)?, times))
}

fn fault(name: &str, body: &Value) -> Result<Fault, Error> {
    let number = |name: &str| body.get(name).and_then(Value::as_u64);
    let seconds = |default: f64| {
        let seconds = body.get("seconds").and_then(Value::as_f64);
        Duration::try_from_secs_f64(seconds.unwrap_or(default))
            .map_err(|_| Error::new("`seconds` is not a length of time"))
    };
    Ok(match name {
        "slow" => Fault::Slow(seconds(5.0)?),
        "status" => Fault::Status {
            status: number("status")
                .and_then(|status| u16::try_from(status).ok())
                .filter(|status| (200..600).contains(status))
                .ok_or_else(|| Error::new("`status` is not one of HTTP"))?,
            retry_after: number("retry_after"),
        },
        "truncated" => Fault::Truncated,
        "html" => Fault::Html,
        "wrong_json" => Fault::WrongJson,
        "redirect" => {
            let to = body.get("to").and_then(Value::as_str);
            Fault::Redirect(to.unwrap_or("https://elsewhere.invalid/").to_owned())
        }
        "giant" => {
            let bytes = number("bytes").unwrap_or(16 * 1024 * 1024);
            Fault::Giant(usize::try_from(bytes).unwrap_or(usize::MAX))
        }
        "drip" => Fault::Drip(seconds(0.5)?),
        "close" => Fault::Close,
        "no_keys" => Fault::NoKeys,
        "other_cloud" => Fault::OtherCloud,
        _ => return of_vault(name, body),
    })
}

/// Those that are of use with vaults.
fn of_vault(name: &str, body: &Value) -> Result<Fault, Error> {
    let text = |name: &str| {
        let text = body.get(name).and_then(Value::as_str);
        text.ok_or_else(|| Error::new(format!("`{name}` is missing")))
    };
    Ok(match name {
        "throttled" => {
            let milliseconds = body.get("milliseconds").and_then(Value::as_u64);
            Fault::Throttled(Duration::from_millis(milliseconds.unwrap_or(1000)))
        }
        "unauthorized" => Fault::Unauthorized,
        "forbidden" => {
            let code = text("code")?;
            let denial = Denial::named(code);
            Fault::Forbidden(denial.ok_or_else(|| Error::new("`code` is no inner code of a 403"))?)
        }
        "not_found" => Fault::NotFound,
        "other_id" => Fault::OtherId(text("id")?.to_owned()),
        "value_not_text" => Fault::ValueNotText,
        "next_link" => Fault::NextLink(text("to")?.to_owned()),
        "certificate" => {
            let misfit = Misfit::named(text("certificate")?);
            Fault::Certificate(misfit.ok_or_else(|| {
                Error::new("`certificate` is none of other_name, expired, unknown_authority")
            })?)
        }
        _ => {
            return Err(Error::new(
                "`fault` is none of slow, status, truncated, html, wrong_json, redirect, giant, drip, close, no_keys, other_cloud, throttled, unauthorized, forbidden, not_found, other_id, value_not_text, next_link, certificate",
            ));
        }
    })
}
