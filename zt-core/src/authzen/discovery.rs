//! Where an enforcement point finds the API: the metadata of a policy decision point.
//!
//! In: the public base URL. Out: the document, and the path of its well-known URI (RFC 8615).

use serde_json::Value;

use super::{Authzen, Call};

/// Where the metadata stand, between the host and the path of the base URL.
pub const WELL_KNOWN: &str = "/.well-known/authzen-configuration";

/// The text cannot be the base URL of a policy decision point.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{url}` {reason}")]
pub struct NotABaseUrl {
    url: String,
    reason: &'static str,
}

impl Authzen {
    /// The metadata of a decision point at this base URL, such as `https://pdp.example.com` or, one of several below one
    /// host, `https://pdp.example.com/tenant1`. The endpoints stand at their default paths below it.
    ///
    /// # Errors
    /// The URL is not `https` (a loopback address may be `http`), or has a query, a fragment or a slash at its end.
    pub fn metadata(base: &str) -> Result<Value, NotABaseUrl> {
        let _path = path_of(base)?;
        let point = ("policy_decision_point".to_owned(), base.into());
        let endpoint = |call: Call| {
            let url = format!("{base}{}", call.path());
            (call.metadata_name().to_owned(), url.into())
        };
        let endpoints = Call::ALL.into_iter().map(endpoint);
        Ok(Value::Object(
            [point].into_iter().chain(endpoints).collect(),
        ))
    }

    /// The path at which [`metadata`](Self::metadata) of this base URL are served.
    ///
    /// # Errors
    /// As [`metadata`](Self::metadata).
    pub fn metadata_path(base: &str) -> Result<String, NotABaseUrl> {
        Ok(format!("{WELL_KNOWN}{}", path_of(base)?))
    }
}

/// The path of a base URL, empty where there is none.
fn path_of(base: &str) -> Result<&str, NotABaseUrl> {
    let wrong = |reason| NotABaseUrl {
        url: base.to_owned(),
        reason,
    };
    let (scheme, rest) = base
        .split_once("://")
        .ok_or_else(|| wrong("is not a URL, such as `https://pdp.example.com`"))?;
    let (host, path) = rest.find('/').map_or((rest, ""), |at| rest.split_at(at));
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.parse::<u16>().is_ok() => name,
        Some(_) | None => host,
    };
    let is_plain = |c: char| c.is_ascii_graphic() && !"?#\\\"<>^`{|}@".contains(c);
    if name.is_empty() || !rest.chars().all(is_plain) {
        return Err(wrong(
            "has no host, or a query, a fragment or other signs that no base URL has",
        ));
    }
    let is_loopback = matches!(name, "localhost" | "127.0.0.1" | "[::1]");
    if scheme != "https" && !(scheme == "http" && is_loopback) {
        return Err(wrong("does not begin with `https://`"));
    }
    if path.ends_with('/') {
        return Err(wrong("ends in a slash"));
    }
    Ok(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_well_known_path_stands_between_host_and_path() {
        let path = |base| Authzen::metadata_path(base).unwrap();
        assert_eq!(path("https://pdp.example.com"), WELL_KNOWN);
        assert_eq!(
            path("https://pdp.example.com:8443/tenant1"),
            format!("{WELL_KNOWN}/tenant1")
        );
    }

    #[test]
    fn endpoints_stand_below_the_base_url() {
        let metadata = Authzen::metadata("https://pdp.example.com/t").unwrap();
        assert_eq!(
            metadata["policy_decision_point"],
            "https://pdp.example.com/t"
        );
        let search = "https://pdp.example.com/t/access/v1/search/subject";
        assert_eq!(metadata["search_subject_endpoint"], search);
        assert_eq!(metadata.as_object().unwrap().len(), 6);
    }

    #[test]
    fn a_base_url_is_https_and_nothing_but_host_and_path() {
        for wrong in [
            "pdp.example.com",
            "http://pdp.example.com",
            "http://localhost.example.com",
            "http://localhost@evil.example",
            "https://",
            "https://pdp.example.com/",
            "https://pdp.example.com?x",
            "https://pdp.example.com/a#b",
            "ftp://pdp.example.com",
        ] {
            assert!(Authzen::metadata(wrong).is_err(), "{wrong}");
        }
        for right in [
            "http://127.0.0.1:8080",
            "http://localhost:1",
            "http://[::1]:8080",
        ] {
            assert!(Authzen::metadata(right).is_ok(), "{right}");
        }
    }
}
