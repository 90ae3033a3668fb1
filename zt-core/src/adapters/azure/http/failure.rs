//! What went wrong, in our words: an error of `reqwest` prints the URL with its query, one of `rustls` the names inside a
//! certificate. Neither text goes on.

use std::error::Error as StdError;
use std::io;

use rustls::CertificateError;

use crate::network::{HttpError, Refusal};

/// An exchange failed.
pub(super) fn explain(error: &reqwest::Error, host: &str) -> HttpError {
    if let Some(refusal) = find::<Refusal>(error) {
        return refusal.clone().into();
    }
    let host = host.to_owned();
    if let Some(tls) = find::<rustls::Error>(error) {
        let reason = reason_of(tls).to_owned();
        return HttpError::Tls { host, reason };
    }
    if error.is_dns() {
        HttpError::Resolve { host }
    } else if error.is_connect() {
        HttpError::Connect { host }
    } else if error.is_builder() {
        let reason = "the client does not take it".to_owned();
        HttpError::Malformed { reason }
    } else {
        HttpError::Broken { host }
    }
}

/// The error's text, without the URL.
pub(super) fn without_url(error: reqwest::Error) -> String {
    error.without_url().to_string()
}

/// The first error of a type in the chain. An `io::Error` names as its source what stands behind its inner error, so the
/// inner one is asked for.
fn find<E: StdError + 'static>(error: &reqwest::Error) -> Option<&E> {
    let mut next: Option<&(dyn StdError + 'static)> = Some(error);
    while let Some(error) = next {
        if let Some(found) = error.downcast_ref::<E>() {
            return Some(found);
        }
        let inner = error
            .downcast_ref::<io::Error>()
            .and_then(io::Error::get_ref);
        next = match inner {
            Some(inner) => Some(inner),
            None => error.source(),
        };
    }
    None
}

fn reason_of(error: &rustls::Error) -> &'static str {
    use CertificateError as C;

    let rustls::Error::InvalidCertificate(certificate) = error else {
        let refused = matches!(error, rustls::Error::AlertReceived(_));
        return if refused {
            "it refuses the handshake"
        } else {
            "the handshake failed"
        };
    };
    if matches!(certificate, C::UnknownIssuer | C::BadSignature) {
        "no authority that is trusted here issued its certificate"
    } else if matches!(
        certificate,
        C::NotValidForName | C::NotValidForNameContext { .. }
    ) {
        "its certificate is for another name"
    } else if matches!(certificate, C::Expired | C::ExpiredContext { .. }) {
        "its certificate has ended"
    } else if matches!(certificate, C::NotValidYet | C::NotValidYetContext { .. }) {
        "its certificate is not valid yet"
    } else if matches!(certificate, C::Revoked) {
        "its certificate was revoked"
    } else {
        "its certificate is not acceptable"
    }
}
