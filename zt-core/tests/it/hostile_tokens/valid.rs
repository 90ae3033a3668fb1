//! What must be accepted, so that a door which refuses everything does not pass.

use super::json_texts::GOOD_VALUES;
use super::mint::{Door, Object, signed, signed_bytes};
use super::{Case, Row};

pub(super) fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    let mut add = |class, door, base: fn() -> Object, rows: &[Row]| {
        for (name, edits, expected) in rows {
            let token = signed(&Object::header(), &base().edited(edits));
            cases.push(Case::new(class, *name, door, token, expected));
        }
    };
    add("valid, a person", Door::Development, Object::user, USERS);
    add(
        "valid, an application",
        Door::Development,
        Object::app,
        APPS,
    );
    add("valid, v1.0", Door::Public, Object::v1, V1);
    add(
        "valid, the public cloud",
        Door::Public,
        Object::public,
        PLAIN,
    );
    add(
        "valid, Azure Government",
        Door::UsGov,
        Object::us_gov,
        PLAIN,
    );
    add("valid, without grants", Door::Acl, Object::app, ACL);
    for (name, edits, expected) in HEADERS {
        let token = signed(&Object::header().edited(edits), &Object::user());
        cases.push(Case::new(
            "valid, header",
            *name,
            Door::Development,
            token,
            expected,
        ));
    }
    cases.extend(spellings());
    cases.extend(values());
    cases.extend(keys());
    cases.extend(many_groups());
    cases
}

const PLAIN: &[Row] = &[("as Entra sends it", &[], "accepted")];

#[rustfmt::skip]
const USERS: &[Row] = &[
    ("as Entra sends it", &[], "accepted"),
    ("idtyp user", &[("idtyp", r#""user""#)], "accepted"),
    ("roles beside scp", &[("roles", r#"["Reader","Writer"]"#)], "accepted"),
    ("no roles in a list", &[("roles", "[]")], "accepted"),
    ("several scopes", &[("scp", r#""zt.access zt.audit""#)], "accepted"),
    ("spaces around scopes", &[("scp", r#"" zt.access  zt.audit ""#)], "accepted"),
    ("no name, no mail", &[("name", ""), ("email", ""), ("upn", ""), ("preferred_username", ""), ("unique_name", "")], "accepted"),
    ("a name in unicode", &[("name", r#""Zoë 李 \ud83d\ude00""#)], "accepted"),
    ("no uti", &[("uti", "")], "accepted"),
    ("no sub", &[("sub", "")], "accepted"),
    ("no client", &[("azp", ""), ("azpacr", "")], "accepted"),
    ("a client that says nothing of its proof", &[("azpacr", "")], "accepted"),
    ("a proof that is not known yet", &[("azpacr", r#""3""#)], "accepted"),
    ("no groups", &[("groups", "")], "accepted"),
    ("no groups in a list", &[("groups", "[]")], "accepted"),
    ("a group twice", &[("groups", r#"["a0000000-0000-4000-8000-000000000002","a0000000-0000-4000-8000-000000000002"]"#)], "accepted"),
    ("groups in capitals", &[("groups", r#"["A0000000-0000-4000-8000-00000000000F"]"#)], "accepted"),
    ("groups overage", &[("groups", ""), ("_claim_names", r#"{"groups":"src1"}"#), ("_claim_sources", r#"{"src1":{"endpoint":"https://graph.windows.net/$TENANT/users/x/getMemberObjects"}}"#)], "accepted"),
    ("groups overage, implicit flow", &[("groups", ""), ("hasgroups", "true")], "accepted"),
    ("hasgroups false", &[("hasgroups", "false")], "accepted"),
    ("another distributed claim", &[("_claim_names", r#"{"department":"src1"}"#)], "accepted"),
    ("oid in capitals", &[("oid", r#""B0000000-0000-4000-8000-00000000000A""#)], "accepted"),
    ("azp in capitals", &[("azp", r#""D0000000-0000-4000-8000-0000000000C1""#)], "accepted"),
    ("methods", &[("amr", r#"["pwd","mfa"]"#)], "accepted"),
    ("no method", &[("amr", "[]")], "accepted"),
    ("an unheard-of method", &[("amr", r#"["telepathy"]"#)], "accepted"),
    ("authentication contexts", &[("acrs", r#"["c1","C25"]"#)], "accepted"),
    ("authentication contexts of another type", &[("acrs", "1")], "accepted"),
    ("continuous access evaluation, 28 hours", &[("exp", "@100500"), ("xms_cc", r#"["cp1"]"#)], "accepted"),
    ("a minute old at most", &[("iat", "@0"), ("nbf", "@0")], "accepted"),
    ("nbf before iat", &[("nbf", "@-600")], "accepted"),
    ("for one second", &[("iat", "@0"), ("nbf", "@0"), ("exp", "@1")], "accepted"),
    ("claims of Entra's that no rule reads", &[("aio", r#""E2ZgYPj=""#), ("rh", r#""1.AXoA.""#), ("xms_ftd", r#""a""#), ("wids", r#"["b79fbf4d-3ef9-4689-8143-76b194e85509"]"#), ("ipaddr", r#""10.0.0.1""#), ("acct", "0"), ("deviceid", r#""x""#), ("xms_mirid", r#""/subscriptions/x""#), ("login_hint", r#""x""#), ("in_corp", r#""true""#)], "accepted"),
    ("claims of RFC 7519 that no rule reads", &[("jti", r#""1""#)], "accepted"),
    ("a header's name among the claims", &[("alg", r#""none""#), ("crit", r#"["exp"]"#), ("kid", "1")], "accepted"),
    ("another case of a name", &[("TID", r#""$OTHER""#), ("Exp", "0"), ("CNF", "{}"), ("Aud", "1")], "accepted"),
    ("a prototype", &[("__proto__", r#"{"tid":"x"}"#), ("constructor", "{}")], "accepted"),
    ("an empty name", &[("", "1")], "accepted"),
];

#[rustfmt::skip]
const APPS: &[Row] = &[
    ("as Entra sends it", &[], "accepted"),
    ("no idtyp, sub is oid", &[("idtyp", "")], "accepted"),
    ("no idtyp, sub is oid in capitals", &[("idtyp", ""), ("sub", r#""C0000000-0000-4000-8000-000000000002""#)], "accepted"),
    ("idtyp, another sub", &[("sub", r#""pairwise""#)], "accepted"),
    ("several roles", &[("roles", r#"["zt.workload","zt.audit"]"#)], "accepted"),
    ("a secret as proof", &[("azpacr", r#""1""#)], "accepted"),
    ("24 hours, of a managed identity", &[("exp", "@86100")], "accepted"),
    ("groups", &[("groups", r#"["a0000000-0000-4000-8000-000000000002"]"#)], "accepted"),
];

#[rustfmt::skip]
const ACL: &[Row] = &[
    ("no roles", &[("roles", "")], "accepted"),
    ("roles empty", &[("roles", "[]")], "accepted"),
];

#[rustfmt::skip]
const V1: &[Row] = &[
    ("the client id", &[], "accepted"),
    ("an App ID URI", &[("aud", r#""api://brindlewick/zt""#)], "accepted"),
    ("an App ID URI and a slash", &[("aud", r#""api://brindlewick/zt/""#)], "accepted"),
    ("an App ID URI of https", &[("aud", r#""https://brindlewick.example/zt""#)], "accepted"),
    ("an App ID URI of https and a slash", &[("aud", r#""https://brindlewick.example/zt/""#)], "accepted"),
    ("no client", &[("appid", ""), ("appidacr", "")], "accepted"),
    ("claims of v2.0 of another type", &[("azp", "1"), ("azpacr", "1")], "accepted"),
    ("acr of another type", &[("acr", "1")], "accepted"),
];

#[rustfmt::skip]
const HEADERS: &[Row] = &[
    ("x5t", &[("x5t", r#""$KID""#)], "accepted"),
    ("x5t of SHA-256", &[("x5t#S256", r#""$KID""#)], "accepted"),
    ("a member that is not known", &[("nonce", r#""AQABAAAAAAA""#)], "accepted"),
    ("another case of a refused name", &[("CRIT", r#"["exp"]"#), ("Zip", r#""DEF""#)], "accepted"),
    ("algorithm by escapes", &[("alg", r#""\u0052S256""#)], "accepted"),
    ("a name by escapes", &[("alg", ""), (r"\u0061lg", r#""RS256""#)], "accepted"),
    ("kid first", &[("typ", ""), ("alg", ""), ("alg", r#""RS256""#), ("typ", r#""JWT""#)], "accepted"),
];

fn case(class: &'static str, name: &str, token: String) -> Case {
    Case::new(class, name, Door::Development, token, "accepted")
}

/// Other spellings of the same JSON, and of the scheme: it is the bytes that are signed, so they may differ.
fn spellings() -> Vec<Case> {
    let (header, user) = (Object::header(), Object::user());
    let plain = signed(&header, &user);
    let wide = user
        .text()
        .replace(',', "\r\n\t , ")
        .replace("\":", "\" : ");
    let escaped = Object::user().edited(&[("tid", "")]);
    let escaped = escaped.and(
        r#""\u0074\u0069\u0064""#,
        r#""\u00311111111-1111-4111-8111-111111111111""#,
    );
    let solidus = user.text().replace('/', r"\/");
    let bytes = |payload: &str| signed_bytes(header.text().as_bytes(), payload.as_bytes());
    vec![
        case(
            "valid, spelling",
            "claims backwards",
            signed(&header.clone().reversed(), &user.clone().reversed()),
        ),
        case("valid, spelling", "spaces and line breaks", bytes(&wide)),
        case(
            "valid, spelling",
            "spaces around",
            bytes(&format!("\n {} \t\r\n", user.text())),
        ),
        case(
            "valid, spelling",
            "a claim by escapes",
            signed(&header, &escaped),
        ),
        case("valid, spelling", "slashes by escapes", bytes(&solidus)),
        case("valid, scheme", "none", plain.clone()),
        case("valid, scheme", "Bearer", format!("Bearer {plain}")),
        case("valid, scheme", "bearer", format!("bearer {plain}")),
        case("valid, scheme", "BEARER", format!("BEARER {plain}")),
    ]
}

/// Every kind of JSON in a claim that no rule reads.
fn values() -> Vec<Case> {
    GOOD_VALUES
        .iter()
        .map(|(name, value)| {
            let payload = Object::user().and(r#""x""#, value);
            case("valid, json", name, signed(&Object::header(), &payload))
        })
        .collect()
}

fn keys() -> Vec<Case> {
    let header = |kid| Object::header().edited(&[("kid", kid)]);
    vec![
        case(
            "valid, key",
            "of this very tenant",
            signed(&header(r#""tenant-key""#), &Object::user()),
        ),
        Case::new(
            "valid, key",
            "without issuer, for v1.0",
            Door::Public,
            signed(&header(r#""v1-key""#), &Object::v1()),
            "accepted",
        ),
        Case::new(
            "valid, key",
            "of this very tenant, for v1.0",
            Door::Public,
            signed(&header(r#""tenant-key""#), &Object::v1()),
            "accepted",
        ),
    ]
}

fn many_groups() -> Vec<Case> {
    [1, 30, 200]
        .into_iter()
        .map(|count| {
            let ids: Vec<String> = (0..count)
                .map(|number| format!("\"a0000000-0000-4000-8000-{number:012x}\""))
                .collect();
            let groups = format!("[{}]", ids.join(","));
            let payload = Object::user()
                .edited(&[("groups", "")])
                .and("\"groups\"", &groups);
            let token = signed(&Object::header(), &payload);
            case("valid, groups", &format!("{count} groups"), token)
        })
        .collect()
}
