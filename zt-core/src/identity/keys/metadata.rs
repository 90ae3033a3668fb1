//! The discovery document of a tenant: which keys are its, and that it is this cloud's at all.
//!
//! Sources: OpenID Connect Discovery 1.0 section 3; Microsoft Learn, "Access tokens in the Microsoft identity platform"
//! (the version of a token picks the document). Never: an address that is not the cloud's own.

use crate::id::Guid;

use super::super::caller::TokenVersion;
use super::super::json::{self, Json, Members};
use super::super::profile::EntraProfile;

/// What we take from the document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Metadata {
    /// The issuer of this tenant's tokens.
    pub(super) issuer: String,
    /// Where its keys are.
    pub(super) jwks_uri: String,
    /// `cloud_instance_name`, if it says so.
    pub(super) instance: Option<String>,
}

/// The longest document that is read, in bytes; Entra's have about 2 kB.
pub(super) const MAX_METADATA_BYTES: usize = 64 * 1024;

/// Where a tenant's document is.
pub(super) fn address(profile: &EntraProfile, tenant: Guid, version: TokenVersion) -> String {
    let host = profile.cloud().login_host();
    let version = match version {
        TokenVersion::V1 => "",
        TokenVersion::V2 => "v2.0/",
    };
    let query = match profile.own_signing_keys() {
        Some(client) => format!("?appid={client}"),
        None => String::new(),
    };
    format!("https://{host}/{tenant}/{version}.well-known/openid-configuration{query}")
}

impl Metadata {
    /// Reads and checks a document that was asked for with [`address`].
    pub(super) fn read(
        bytes: &[u8],
        profile: &EntraProfile,
        tenant: Guid,
        version: TokenVersion,
    ) -> Result<Self, &'static str> {
        let document = json::object(bytes).map_err(|_| "it is not a JSON object")?;
        let issuer = text(&document, "issuer")?.ok_or("`issuer` is missing")?;
        let jwks_uri = text(&document, "jwks_uri")?.ok_or("`jwks_uri` is missing")?;
        let instance = text(&document, "cloud_instance_name")?;
        let cloud = profile.cloud();
        let is_ours = match version {
            TokenVersion::V1 => cloud.may_state_v1_issuer(tenant, issuer),
            TokenVersion::V2 => profile.issuer(tenant, version) == Some(issuer),
        };
        if !is_ours {
            return Err("`issuer` is not this tenant's of this cloud");
        }
        if !host(jwks_uri).is_some_and(|host| cloud.is_login_host(host)) {
            return Err("`jwks_uri` is not at a host of this cloud");
        }
        if let (Some(own), Some(name)) = (cloud.instance_name(), instance)
            && own != name
        {
            return Err("`cloud_instance_name` is another cloud's");
        }
        Ok(Self {
            issuer: issuer.to_owned(),
            jwks_uri: jwks_uri.to_owned(),
            instance: instance.map(str::to_owned),
        })
    }
}

/// The host of a plain `https` address on the default port: no user, no port, nothing that two readers could read twice.
fn host(uri: &str) -> Option<&str> {
    let (host, path) = uri.strip_prefix("https://")?.split_once('/')?;
    let is_name = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'.' || b == b'-';
    let is_plain = |b: u8| b.is_ascii_graphic() && !matches!(b, b'\\' | b'#' | b'@');
    (host.bytes().all(is_name) && path.bytes().all(is_plain) && uri.len() <= 2048).then_some(host)
}

fn text<'d>(
    document: &'d Members<'_>,
    name: &'static str,
) -> Result<Option<&'d str>, &'static str> {
    match document.get(name).map(Json::as_text) {
        None => Ok(None),
        Some(Some(text)) => Ok(Some(text)),
        Some(None) => Err("a member is not a string"),
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::cloud::Cloud;
    use super::*;

    const TENANT: Guid = Guid::from_u128(0x1111_1111_1111_4111_8111_1111_1111_1111);

    fn profile(cloud: Cloud) -> EntraProfile {
        EntraProfile::new(cloud, TENANT, Guid::from_u128(5)).unwrap()
    }

    fn read(issuer: &str, jwks_uri: &str, further: &str) -> Result<Metadata, &'static str> {
        let text = format!(r#"{{"issuer":"{issuer}","jwks_uri":"{jwks_uri}"{further}}}"#);
        Metadata::read(
            text.as_bytes(),
            &profile(Cloud::Public),
            TENANT,
            TokenVersion::V2,
        )
    }

    #[test]
    fn only_the_documents_of_this_tenant_and_cloud_are_taken() {
        let own = format!("https://login.microsoftonline.com/{TENANT}/v2.0");
        let keys = format!("https://login.microsoftonline.com/{TENANT}/discovery/v2.0/keys");
        let instance = r#","cloud_instance_name":"microsoftonline.com""#;
        assert!(read(&own, &keys, instance).is_ok());
        assert!(read(&own, "https://login.windows.net/common/discovery/keys", "").is_ok());
        for (issuer, uri, further) in [
            (
                "https://login.microsoftonline.com/{tenantid}/v2.0",
                keys.as_str(),
                "",
            ),
            (
                "https://login.microsoftonline.us/11111111-1111-4111-8111-111111111111/v2.0",
                &keys,
                "",
            ),
            (&own, "http://login.microsoftonline.com/keys", ""),
            (
                &own,
                "https://login.microsoftonline.com.attacker.example/keys",
                "",
            ),
            (
                &own,
                "https://login.microsoftonline.com@attacker.example/keys",
                "",
            ),
            (&own, "https://login.microsoftonline.com:444/keys", ""),
            (&own, "https://attacker.example/keys", ""),
            (&own, "https://login.microsoftonline.com", ""),
            (&own, "https://login.microsoftonline.us/keys", ""),
            (
                &own,
                &keys,
                r#","cloud_instance_name":"microsoftonline.us""#,
            ),
            (&own, &keys, r#","cloud_instance_name":1"#),
            (&own, &keys, r#","issuer":"twice""#),
        ] {
            assert!(
                read(issuer, uri, further).is_err(),
                "{issuer} {uri} {further}"
            );
        }
        let document = Metadata::read(b"<html>", &profile(Cloud::Public), TENANT, TokenVersion::V2);
        assert_eq!(document, Err("it is not a JSON object"));
    }

    #[test]
    fn the_version_picks_the_document() {
        let plain = profile(Cloud::China);
        let v1 = "https://login.partner.microsoftonline.cn/11111111-1111-4111-8111-111111111111/.well-known/openid-configuration";
        assert_eq!(address(&plain, TENANT, TokenVersion::V1), v1);
        let own = plain.with_own_signing_keys();
        let asked = address(&own, TENANT, TokenVersion::V2);
        assert!(asked.ends_with(
            "/v2.0/.well-known/openid-configuration?appid=00000000-0000-0000-0000-000000000005"
        ));
    }
}
