//! Bytes of a compact JWS become a payload that a known key signed, or a reason. Knows nothing of Entra.
//!
//! RS256, and PS256 where it is asked for (RFC 8725 §3.1): the header may pick a key by `kid` and nothing else. Every byte of
//! the token counts: base64url is canonical, so one signature has one spelling, which makes a cache of verified tokens sound.

use super::base64url;
use super::error::{AuthError, TokenPart, quote};
use super::json::{self, Json};
use super::keys::RsaKey;

/// The longest token that is looked at, in bytes. Entra stops at 200 groups (about 12 kB); common servers stop at 8 to
/// 32 KiB of headers.
pub const MAX_TOKEN_BYTES: usize = 32 * 1024;

/// Entra's headers have about 150 bytes; this part is parsed before anything is proven.
const MAX_HEADER_BYTES: usize = 2 * 1024;

/// Members that change how a token is read (`crit`, `b64`, `zip`, `enc`, `cty`) or bring a key along (RFC 7515 §4.1).
/// Entra sends none of them; a library that ignores one reads another token than the signer wrote.
const REFUSED_MEMBERS: [&str; 9] = [
    "crit", "b64", "zip", "enc", "cty", "jwk", "jku", "x5u", "x5c",
];

/// A signature algorithm that can be accepted (RFC 7518 §3.3, §3.5).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Algorithm {
    Rs256,
    Ps256,
}

/// What a header may say beyond `RS256` and `JWT`.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct HeaderRules {
    /// `alg` may be `PS256`.
    pub(super) ps256: bool,
    /// `typ` may be `at+jwt`.
    pub(super) at_jwt: bool,
    /// `typ` may be missing or anything, and `kid` missing: vectors of other people's JWS are not access tokens.
    #[cfg(test)]
    pub(super) any_jws: bool,
}

impl HeaderRules {
    #[cfg(test)]
    const fn takes_any(self) -> bool {
        self.any_jws
    }

    #[cfg(not(test))]
    #[expect(clippy::unused_self, reason = "tests alone take any")]
    const fn takes_any(self) -> bool {
        false
    }
}

/// A token whose form and header are acceptable; nothing of it is proven.
#[derive(Debug)]
pub(super) struct Presented<'t> {
    parts: Parts<'t>,
    kid: Box<str>,
    algorithm: Algorithm,
}

impl<'t> Presented<'t> {
    /// Reads length, form and header.
    pub(super) fn read(token: &'t str, rules: HeaderRules) -> Result<Self, AuthError> {
        check_length(token)?;
        let parts = Parts::split(token)?;
        limit(TokenPart::Header, parts.header, MAX_HEADER_BYTES)?;
        let header = decode(TokenPart::Header, parts.header)?;
        let (algorithm, kid) = check_header(&header, rules)?;
        Ok(Self {
            parts,
            kid,
            algorithm,
        })
    }

    /// The id of the key that it says to be signed with.
    pub(super) fn kid(&self) -> &str {
        &self.kid
    }

    /// The bytes of the signature.
    pub(super) fn signature(&self) -> Result<Vec<u8>, AuthError> {
        decode(TokenPart::Signature, self.parts.signature)
    }

    /// Whether that key made that signature over this token.
    pub(super) fn is_signed_by(&self, key: &RsaKey, signature: &[u8]) -> bool {
        key.verifies(self.algorithm, self.parts.signed.as_bytes(), signature)
    }

    /// The bytes of the payload.
    pub(super) fn payload(&self) -> Result<Vec<u8>, AuthError> {
        decode(TokenPart::Payload, self.parts.payload)
    }
}

#[derive(Debug)]
struct Parts<'t> {
    /// What the signature covers: header, dot, payload, as written.
    signed: &'t str,
    header: &'t str,
    payload: &'t str,
    signature: &'t str,
}

impl<'t> Parts<'t> {
    fn split(token: &'t str) -> Result<Self, AuthError> {
        let (signed, signature) = token.rsplit_once('.').ok_or(AuthError::NotThreeParts)?;
        let (header, payload) = signed.split_once('.').ok_or(AuthError::NotThreeParts)?;
        let three = !header.is_empty()
            && !payload.is_empty()
            && !signature.is_empty()
            && memchr::memchr(b'.', payload.as_bytes()).is_none();
        if !three {
            return Err(AuthError::NotThreeParts);
        }
        Ok(Self {
            signed,
            header,
            payload,
            signature,
        })
    }
}

/// Checks the header and returns its `alg` and `kid`.
fn check_header(header: &[u8], rules: HeaderRules) -> Result<(Algorithm, Box<str>), AuthError> {
    let (mut alg, mut typ, mut kid, mut refused) = (None, None, None, None);
    let read = json::each_member(header, |name, value| match &*name {
        "alg" => alg = Some(value),
        "typ" => typ = Some(value),
        "kid" => kid = Some(value),
        other => {
            let found = REFUSED_MEMBERS.into_iter().find(|name| *name == other);
            refused = refused.or(found);
        }
    });
    read.map_err(|error| error.of(TokenPart::Header))?;
    if let Some(name) = refused {
        return Err(AuthError::HeaderMember { name });
    }
    let algorithm = match text(alg.as_ref()) {
        Some("RS256") => Algorithm::Rs256,
        Some("PS256") if rules.ps256 => Algorithm::Ps256,
        _ => {
            return Err(AuthError::Algorithm {
                alg: said(alg.as_ref()),
            });
        }
    };
    match text(typ.as_ref()) {
        Some("JWT") => {}
        Some("at+jwt") if rules.at_jwt => {}
        _ if rules.takes_any() => {}
        _ => {
            return Err(AuthError::Type {
                typ: said(typ.as_ref()),
            });
        }
    }
    match text(kid.as_ref()) {
        Some(kid) if !kid.is_empty() => Ok((algorithm, Box::from(kid))),
        None if rules.takes_any() && kid.is_none() => Ok((algorithm, Box::from(""))),
        _ => Err(AuthError::NoKeyId),
    }
}

fn text<'j>(member: Option<&'j Json<'_>>) -> Option<&'j str> {
    member.and_then(Json::as_text)
}

fn said(member: Option<&Json<'_>>) -> String {
    match member.map(Json::as_text) {
        Some(Some(text)) => quote(text),
        Some(None) => "not a string".to_owned(),
        None => "missing".to_owned(),
    }
}

/// What is longer than any token is not looked at.
pub(super) fn check_length(token: &str) -> Result<(), AuthError> {
    limit(TokenPart::Token, token, MAX_TOKEN_BYTES)
}

fn limit(part: TokenPart, text: &str, limit: usize) -> Result<(), AuthError> {
    let bytes = text.len();
    if bytes > limit {
        return Err(AuthError::TooLong { part, bytes, limit });
    }
    Ok(())
}

fn decode(part: TokenPart, text: &str) -> Result<Vec<u8>, AuthError> {
    base64url::decode(text).ok_or(AuthError::Base64 { part })
}

#[cfg(test)]
mod tests {
    use super::super::keys::RsaKey;
    use super::*;

    /// RFC 7515 Appendix A.2: a key, a payload and a signature that were not made here.
    const N: &str = "ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ";
    const TOKEN: &str = "eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw";

    #[test]
    fn the_example_of_rfc_7515_verifies_and_no_changed_bit_of_it_does() {
        let key = RsaKey::new(N, "AQAB", &[Algorithm::Rs256]).unwrap();
        let parts = Parts::split(TOKEN).unwrap();
        let signature = decode(TokenPart::Signature, parts.signature).unwrap();
        assert!(key.verifies(Algorithm::Rs256, parts.signed.as_bytes(), &signature));
        for at in 0..parts.signed.len() {
            let mut signed = parts.signed.as_bytes().to_vec();
            signed[at] ^= 1;
            assert!(
                !key.verifies(Algorithm::Rs256, &signed, &signature),
                "byte {at}"
            );
        }
        for at in 0..signature.len() {
            let mut forged = signature.clone();
            forged[at] ^= 1;
            assert!(
                !key.verifies(Algorithm::Rs256, parts.signed.as_bytes(), &forged),
                "byte {at}"
            );
        }
    }

    #[test]
    fn the_header_of_rfc_7515_lacks_what_a_token_of_entra_has() {
        let header = decode(TokenPart::Header, Parts::split(TOKEN).unwrap().header).unwrap();
        assert!(matches!(
            check_header(&header, HeaderRules::default()),
            Err(AuthError::Type { .. })
        ));
    }
}
