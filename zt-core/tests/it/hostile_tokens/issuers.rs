//! For whom and from whom: audience, issuer, tenant, version, and the key's own issuer.

use super::mint::{Door, Object, signed};
use super::{Case, Row};

pub(super) fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    let mut add = |class, door, base: fn() -> Object, rows: &[Row]| {
        for (name, edits, expected) in rows {
            let token = signed(&Object::header(), &base().edited(edits));
            cases.push(Case::new(class, *name, door, token, expected));
        }
    };
    add("aud", Door::Development, Object::user, AUDIENCES);
    add("aud of v1.0", Door::Public, Object::v1, V1_AUDIENCES);
    add("iss", Door::Development, Object::user, ISSUERS);
    add("iss of v1.0", Door::Public, Object::v1, V1_ISSUERS);
    add(
        "iss of the public cloud",
        Door::Public,
        Object::public,
        PUBLIC_ISSUERS,
    );
    add(
        "iss of Azure Government",
        Door::UsGov,
        Object::us_gov,
        US_GOV_ISSUERS,
    );
    add("tid", Door::Development, Object::user, TENANTS);
    add("oid", Door::Development, Object::user, OBJECTS);
    add("ver", Door::Development, Object::user, VERSIONS);
    cases.extend(keys());
    cases
}

/// Keys that may not sign such a token.
fn keys() -> Vec<Case> {
    let (public, us_gov, v1) = (Object::public(), Object::us_gov(), Object::v1());
    [
        (
            "v2.0 token, key without issuer",
            "v1-key",
            Door::Public,
            &public,
            "key issuer",
        ),
        (
            "v2.0 token of Azure Government, key without issuer",
            "v1-key",
            Door::UsGov,
            &us_gov,
            "key issuer",
        ),
        (
            "v1.0 token, key of another tenant",
            "other-tenant-key",
            Door::Public,
            &v1,
            "unknown kid",
        ),
        (
            "v1.0 token, key of another cloud",
            "other-cloud-key",
            Door::Public,
            &v1,
            "unknown kid",
        ),
        (
            "v1.0 token, key of another issuer",
            "other-issuer-key",
            Door::Public,
            &v1,
            "unknown kid",
        ),
    ]
    .into_iter()
    .map(|(name, kid, door, payload, expected)| {
        let header = Object::header().edited(&[("kid", "")]);
        let token = signed(&header.and("\"kid\"", &format!("\"{kid}\"")), payload);
        Case::new("key", name, door, token, expected)
    })
    .collect()
}

#[rustfmt::skip]
const AUDIENCES: &[Row] = &[
    ("missing", &[("aud", "")], "claim: aud"),
    ("null", &[("aud", "null")], "claim: aud"),
    ("a number", &[("aud", "1")], "claim: aud"),
    ("an object", &[("aud", r#"{"$APP":true}"#)], "claim: aud"),
    ("a list of ours", &[("aud", r#"["$APP"]"#)], "claim: aud"),
    ("a list with ours", &[("aud", r#"["00000003-0000-0000-c000-000000000000","$APP"]"#)], "claim: aud"),
    ("an empty list", &[("aud", "[]")], "claim: aud"),
    ("empty", &[("aud", r#""""#)], "audience"),
    ("another application", &[("aud", r#""d0000000-0000-4000-8000-000000000002""#)], "audience"),
    ("the client", &[("aud", r#""d0000000-0000-4000-8000-0000000000c1""#)], "audience"),
    ("the tenant", &[("aud", r#""$TENANT""#)], "audience"),
    ("Microsoft Graph", &[("aud", r#""00000003-0000-0000-c000-000000000000""#)], "audience"),
    ("Microsoft Graph, URI", &[("aud", r#""https://graph.microsoft.com""#)], "audience"),
    ("Azure AD Graph", &[("aud", r#""https://graph.windows.net""#)], "audience"),
    ("Key Vault", &[("aud", r#""https://vault.azure.net""#)], "audience"),
    ("Key Vault, id", &[("aud", r#""cfa8b339-82a2-471a-a3c9-0fc0be7a4093""#)], "audience"),
    ("Resource Manager", &[("aud", r#""https://management.azure.com/""#)], "audience"),
    ("Azure Databricks", &[("aud", r#""2ff814a6-3304-4ab8-85cb-cd0e6f879c1d""#)], "audience"),
    ("token exchange", &[("aud", r#""api://AzureADTokenExchange""#)], "audience"),
    ("upper case", &[("aud", r#""$APP-UPPER""#)], "audience"),
    ("a slash after", &[("aud", r#""$APP/""#)], "audience"),
    ("a scope after", &[("aud", r#""$APP/.default""#)], "audience"),
    ("a space after", &[("aud", r#""$APP ""#)], "audience"),
    ("a space before", &[("aud", r#"" $APP""#)], "audience"),
    ("NUL after", &[("aud", r#""$APP\u0000""#)], "audience"),
    ("two in a text", &[("aud", r#""$APP $APP""#)], "audience"),
    ("a prefix", &[("aud", r#""d0000000-0000-4000-8000""#)], "audience"),
    ("in braces", &[("aud", r#""{$APP}""#)], "audience"),
    ("a URN", &[("aud", r#""urn:uuid:$APP""#)], "audience"),
    ("without hyphens", &[("aud", r#""d0000000000040008000000000000001""#)], "audience"),
    ("an App ID URI in v2.0", &[("aud", r#""api://$APP""#)], "audience"),
    ("a wildcard", &[("aud", r#""*""#)], "audience"),
    ("another case of the name", &[("aud", ""), ("Aud", r#""$APP""#)], "claim: aud"),
];

#[rustfmt::skip]
const V1_AUDIENCES: &[Row] = &[
    ("two slashes after", &[("aud", r#""api://brindlewick/zt//""#)], "audience"),
    ("upper case", &[("aud", r#""API://BRINDLEWICK/ZT""#)], "audience"),
    ("a prefix", &[("aud", r#""api://brindlewick""#)], "audience"),
    ("a path after", &[("aud", r#""api://brindlewick/zt/.default""#)], "audience"),
    ("a query after", &[("aud", r#""api://brindlewick/zt?x=1""#)], "audience"),
    ("a fragment after", &[("aud", r#""api://brindlewick/zt#x""#)], "audience"),
    ("a dot segment", &[("aud", r#""api://brindlewick/x/../zt""#)], "audience"),
    ("an escape", &[("aud", r#""api://brindlewick/%7At""#)], "audience"),
    ("another scheme", &[("aud", r#""https://brindlewick/zt""#)], "audience"),
    ("no scheme", &[("aud", r#""brindlewick/zt""#)], "audience"),
    ("another host", &[("aud", r#""https://brindlewick.example.attacker.invalid/zt""#)], "audience"),
    ("a port", &[("aud", r#""https://brindlewick.example:443/zt""#)], "audience"),
    ("a user", &[("aud", r#""https://x@brindlewick.example/zt""#)], "audience"),
    ("a slash after the client id", &[("aud", r#""$APP/""#)], "audience"),
    ("the client id as a URI", &[("aud", r#""api://$APP""#)], "audience"),
    ("a list", &[("aud", r#"["api://brindlewick/zt"]"#)], "claim: aud"),
    ("a slash alone", &[("aud", r#""/""#)], "audience"),
    ("empty", &[("aud", r#""""#)], "audience"),
    ("Microsoft Graph", &[("aud", r#""https://graph.microsoft.com/""#)], "audience"),
    ("the URI in a v2.0 token", &[("ver", r#""2.0""#), ("iss", r#""https://login.microsoftonline.com/$TENANT/v2.0""#), ("aud", r#""api://brindlewick/zt""#)], "audience"),
];

#[rustfmt::skip]
const ISSUERS: &[Row] = &[
    ("missing", &[("iss", "")], "claim: iss"),
    ("null", &[("iss", "null")], "claim: iss"),
    ("a number", &[("iss", "1")], "claim: iss"),
    ("a list", &[("iss", r#"["$DEV/$TENANT/v2.0"]"#)], "claim: iss"),
    ("an object", &[("iss", r#"{"$DEV/$TENANT/v2.0":1}"#)], "claim: iss"),
    ("empty", &[("iss", r#""""#)], "issuer"),
    ("another tenant", &[("iss", r#""$DEV/$OTHER/v2.0""#)], "issuer"),
    ("another tenant, tid too", &[("iss", r#""$DEV/$OTHER/v2.0""#), ("tid", r#""$OTHER""#)], "tenant"),
    ("ours, tid of another", &[("tid", r#""$OTHER""#)], "tenant"),
    ("the template", &[("iss", r#""$DEV/{tenantid}/v2.0""#)], "issuer"),
    ("common", &[("iss", r#""$DEV/common/v2.0""#)], "issuer"),
    ("organizations", &[("iss", r#""$DEV/organizations/v2.0""#)], "issuer"),
    ("a slash after", &[("iss", r#""$DEV/$TENANT/v2.0/""#)], "issuer"),
    ("without version", &[("iss", r#""$DEV/$TENANT""#)], "issuer"),
    ("without version, a slash after", &[("iss", r#""$DEV/$TENANT/""#)], "issuer"),
    ("another version", &[("iss", r#""$DEV/$TENANT/v1.0""#)], "issuer"),
    ("a path after", &[("iss", r#""$DEV/$TENANT/v2.0/x""#)], "issuer"),
    ("a path before", &[("iss", r#""$DEV/x/$TENANT/v2.0""#)], "issuer"),
    ("a query after", &[("iss", r#""$DEV/$TENANT/v2.0?x""#)], "issuer"),
    ("a fragment after", &[("iss", r#""$DEV/$TENANT/v2.0#""#)], "issuer"),
    ("a dot segment", &[("iss", r#""$DEV/$OTHER/../$TENANT/v2.0""#)], "issuer"),
    ("two slashes", &[("iss", r#""$DEV//$TENANT/v2.0""#)], "issuer"),
    ("http", &[("iss", r#""http://zt-development-issuer.invalid/$TENANT/v2.0""#)], "issuer"),
    ("no scheme", &[("iss", r#""zt-development-issuer.invalid/$TENANT/v2.0""#)], "issuer"),
    ("a scheme in capitals", &[("iss", r#""HTTPS://zt-development-issuer.invalid/$TENANT/v2.0""#)], "issuer"),
    ("a host in capitals", &[("iss", r#""https://ZT-development-issuer.invalid/$TENANT/v2.0""#)], "issuer"),
    ("a version in capitals", &[("iss", r#""$DEV/$TENANT/V2.0""#)], "issuer"),
    ("a host that starts like ours", &[("iss", r#""$DEV.attacker.invalid/$TENANT/v2.0""#)], "issuer"),
    ("a host that ends like ours", &[("iss", r#""https://attacker-zt-development-issuer.invalid/$TENANT/v2.0""#)], "issuer"),
    ("a port", &[("iss", r#""$DEV:443/$TENANT/v2.0""#)], "issuer"),
    ("a user", &[("iss", r#""https://x@zt-development-issuer.invalid/$TENANT/v2.0""#)], "issuer"),
    ("ours as a path", &[("iss", r#""https://attacker.invalid/$DEV/$TENANT/v2.0""#)], "issuer"),
    ("a space after", &[("iss", r#""$DEV/$TENANT/v2.0 ""#)], "issuer"),
    ("NUL after", &[("iss", r#""$DEV/$TENANT/v2.0\u0000""#)], "issuer"),
    ("a look-alike letter", &[("iss", r#""https://zt-developmеnt-issuer.invalid/$TENANT/v2.0""#)], "issuer"),
    ("the public cloud", &[("iss", r#""https://login.microsoftonline.com/$TENANT/v2.0""#)], "issuer"),
    ("Azure Government", &[("iss", r#""https://login.microsoftonline.us/$TENANT/v2.0""#)], "issuer"),
    ("another case of the name", &[("iss", ""), ("ISS", r#""$DEV/$TENANT/v2.0""#)], "claim: iss"),
];

#[rustfmt::skip]
const V1_ISSUERS: &[Row] = &[
    ("without a slash", &[("iss", r#""https://sts.windows.net/$TENANT""#)], "issuer"),
    ("another tenant", &[("iss", r#""https://sts.windows.net/$OTHER/""#)], "issuer"),
    ("another tenant, tid too", &[("iss", r#""https://sts.windows.net/$OTHER/""#), ("tid", r#""$OTHER""#)], "tenant"),
    ("the issuer of v2.0", &[("iss", r#""https://login.microsoftonline.com/$TENANT/v2.0""#)], "issuer"),
    ("the version of v2.0", &[("ver", r#""2.0""#)], "issuer"),
    ("China", &[("iss", r#""https://sts.chinacloudapi.cn/$TENANT/""#)], "issuer"),
    ("an alias of the host", &[("iss", r#""https://login.windows.net/$TENANT/""#)], "issuer"),
    ("a version after", &[("iss", r#""https://sts.windows.net/$TENANT/v2.0""#)], "issuer"),
    ("http", &[("iss", r#""http://sts.windows.net/$TENANT/""#)], "issuer"),
    ("in capitals", &[("iss", r#""https://STS.windows.net/$TENANT/""#)], "issuer"),
];

#[rustfmt::skip]
const PUBLIC_ISSUERS: &[Row] = &[
    ("Azure Government", &[("iss", r#""https://login.microsoftonline.us/$TENANT/v2.0""#)], "issuer"),
    ("China", &[("iss", r#""https://login.partner.microsoftonline.cn/$TENANT/v2.0""#)], "issuer"),
    ("an alias of the host", &[("iss", r#""https://login.windows.net/$TENANT/v2.0""#)], "issuer"),
    ("another alias of the host", &[("iss", r#""https://login.microsoft.com/$TENANT/v2.0""#)], "issuer"),
    ("external identities", &[("iss", r#""https://brindlewick.ciamlogin.com/$TENANT/v2.0""#)], "issuer"),
    ("B2C", &[("iss", r#""https://brindlewick.b2clogin.com/$TENANT/v2.0/""#)], "issuer"),
    ("the issuer of v1.0", &[("iss", r#""https://sts.windows.net/$TENANT/""#)], "issuer"),
    ("the development issuer", &[("iss", r#""$DEV/$TENANT/v2.0""#)], "issuer"),
    ("the consumers' tenant", &[("iss", r#""https://login.microsoftonline.com/9188040d-6c67-4c5b-b112-36a304b66dad/v2.0""#), ("tid", r#""9188040d-6c67-4c5b-b112-36a304b66dad""#)], "tenant"),
    ("the consumers' tenant, our tid", &[("iss", r#""https://login.microsoftonline.com/9188040d-6c67-4c5b-b112-36a304b66dad/v2.0""#)], "issuer"),
];

#[rustfmt::skip]
const US_GOV_ISSUERS: &[Row] = &[
    ("the public cloud", &[("iss", r#""https://login.microsoftonline.com/$TENANT/v2.0""#)], "issuer"),
    ("the old alias", &[("iss", r#""https://login.usgovcloudapi.net/$TENANT/v2.0""#)], "issuer"),
    ("v1.0, whose issuer the public cloud has too", &[("ver", r#""1.0""#), ("iss", r#""https://sts.windows.net/$TENANT/""#)], "version"),
];

#[rustfmt::skip]
const TENANTS: &[Row] = &[
    ("missing", &[("tid", "")], "claim: tid"),
    ("null", &[("tid", "null")], "claim: tid"),
    ("a number", &[("tid", "1")], "claim: tid"),
    ("a list", &[("tid", r#"["$TENANT"]"#)], "claim: tid"),
    ("an object", &[("tid", r#"{"$TENANT":1}"#)], "claim: tid"),
    ("empty", &[("tid", r#""""#)], "claim: tid"),
    ("a name", &[("tid", r#""brindlewick.example""#)], "claim: tid"),
    ("common", &[("tid", r#""common""#)], "claim: tid"),
    ("in braces", &[("tid", r#""{$TENANT}""#)], "claim: tid"),
    ("in parentheses", &[("tid", r#""($TENANT)""#)], "claim: tid"),
    ("a URN", &[("tid", r#""urn:uuid:$TENANT""#)], "claim: tid"),
    ("without hyphens", &[("tid", r#""11111111111141118111111111111111""#)], "claim: tid"),
    ("hyphens elsewhere", &[("tid", r#""1111-11111111-4111-8111-111111111111""#)], "claim: tid"),
    ("a space after", &[("tid", r#""$TENANT ""#)], "claim: tid"),
    ("a space before", &[("tid", r#"" $TENANT""#)], "claim: tid"),
    ("NUL after", &[("tid", r#""$TENANT\u0000""#)], "claim: tid"),
    ("Arabic digits", &[("tid", r#""١1111111-1111-4111-8111-111111111111""#)], "claim: tid"),
    ("full-width digits of 36 bytes", &[("tid", r#""１111１-1111-4111-8111-11111111111""#)], "claim: tid"),
    ("of zeros", &[("tid", r#""00000000-0000-0000-0000-000000000000""#)], "tenant"),
    ("the consumers' tenant", &[("tid", r#""9188040d-6c67-4c5b-b112-36a304b66dad""#)], "tenant"),
    ("one digit off", &[("tid", r#""11111111-1111-4111-8111-111111111112""#)], "tenant"),
    ("another case of the name", &[("tid", ""), ("TID", r#""$TENANT""#)], "claim: tid"),
    ("by its long name alone", &[("tid", ""), ("http://schemas.microsoft.com/identity/claims/tenantid", r#""$TENANT""#)], "claim: tid"),
];

#[rustfmt::skip]
const OBJECTS: &[Row] = &[
    ("missing", &[("oid", "")], "claim: oid"),
    ("null", &[("oid", "null")], "claim: oid"),
    ("a number", &[("oid", "7")], "claim: oid"),
    ("a list", &[("oid", r#"["b0000000-0000-4000-8000-000000000002"]"#)], "claim: oid"),
    ("an object", &[("oid", "{}")], "claim: oid"),
    ("empty", &[("oid", r#""""#)], "claim: oid"),
    ("a mail address", &[("oid", r#""maya@brindlewick.example""#)], "claim: oid"),
    ("in braces", &[("oid", r#""{b0000000-0000-4000-8000-000000000002}""#)], "claim: oid"),
    ("a URN", &[("oid", r#""urn:uuid:b0000000-0000-4000-8000-000000000002""#)], "claim: oid"),
    ("without hyphens", &[("oid", r#""b0000000000040008000000000000002""#)], "claim: oid"),
    ("a letter beyond F", &[("oid", r#""g0000000-0000-4000-8000-000000000002""#)], "claim: oid"),
    ("a sign", &[("oid", r#""+0000000-0000-4000-8000-000000000002""#)], "claim: oid"),
    ("a line feed after", &[("oid", r#""b0000000-0000-4000-8000-000000000002\n""#)], "claim: oid"),
    ("sub alone", &[("oid", ""), ("sub", r#""b0000000-0000-4000-8000-000000000002""#)], "claim: oid"),
    ("another case of the name", &[("oid", ""), ("Oid", r#""b0000000-0000-4000-8000-000000000002""#)], "claim: oid"),
];

#[rustfmt::skip]
const VERSIONS: &[Row] = &[
    ("missing", &[("ver", "")], "claim: ver"),
    ("null", &[("ver", "null")], "claim: ver"),
    ("a number", &[("ver", "2.0")], "claim: ver"),
    ("a whole number", &[("ver", "2")], "claim: ver"),
    ("a list", &[("ver", r#"["2.0"]"#)], "claim: ver"),
    ("empty", &[("ver", r#""""#)], "version"),
    ("2", &[("ver", r#""2""#)], "version"),
    ("2.00", &[("ver", r#""2.00""#)], "version"),
    ("2.1", &[("ver", r#""2.1""#)], "version"),
    ("3.0", &[("ver", r#""3.0""#)], "version"),
    ("v2.0", &[("ver", r#""v2.0""#)], "version"),
    ("a space after", &[("ver", r#""2.0 ""#)], "version"),
    ("1.0 where it is not accepted", &[("ver", r#""1.0""#)], "version"),
    ("1.0 with its issuer where it is not accepted", &[("ver", r#""1.0""#), ("iss", r#""https://sts.windows.net/$TENANT/""#)], "version"),
];
