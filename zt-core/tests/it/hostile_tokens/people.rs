//! Who calls, with what rights: kind, client, scopes, app roles, groups, strength, proof of possession.

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
    add("kind of a person", Door::Development, Object::user, USERS);
    add(
        "kind of an application",
        Door::Development,
        Object::app,
        APPS,
    );
    add(
        "kind without grants",
        Door::Acl,
        Object::user,
        WITHOUT_GRANTS,
    );
    add("client", Door::Development, Object::user, CLIENTS);
    add("client of v1.0", Door::Public, Object::v1, V1_CLIENTS);
    add("cnf", Door::Development, Object::user, CONFIRMATIONS);
    add(
        "cnf of an application",
        Door::Development,
        Object::app,
        APP_CONFIRMATIONS,
    );
    add("groups", Door::Development, Object::user, GROUPS);
    add("strength", Door::Development, Object::user, STRENGTHS);
    add("other", Door::Development, Object::user, OTHERS);
    cases
}

#[rustfmt::skip]
const USERS: &[Row] = &[
    ("scp missing", &[("scp", "")], "ambiguous"),
    ("scp missing, roles", &[("scp", ""), ("roles", r#"["Reader"]"#)], "ambiguous"),
    ("scp missing, idtyp user", &[("scp", ""), ("idtyp", r#""user""#)], "no permission"),
    ("scp missing, idtyp user, roles", &[("scp", ""), ("idtyp", r#""user""#), ("roles", r#"["Reader"]"#)], "no permission"),
    ("scp null", &[("scp", "null")], "claim: scp"),
    ("scp a list", &[("scp", r#"["zt.access"]"#)], "claim: scp"),
    ("scp a number", &[("scp", "1")], "claim: scp"),
    ("scp an object", &[("scp", "{}")], "claim: scp"),
    ("scp empty", &[("scp", r#""""#)], "claim: scp"),
    ("scp of spaces", &[("scp", r#""   ""#)], "claim: scp"),
    ("scope in place of scp", &[("scp", ""), ("scope", r#""zt.access""#)], "ambiguous"),
    ("scp in capitals", &[("scp", ""), ("SCP", r#""zt.access""#)], "ambiguous"),
    ("idtyp app with scp", &[("idtyp", r#""app""#)], "ambiguous"),
    ("idtyp app with scp and roles", &[("idtyp", r#""app""#), ("roles", r#"["zt.workload"]"#)], "ambiguous"),
    ("idtyp App", &[("idtyp", r#""App""#)], "ambiguous"),
    ("idtyp device", &[("idtyp", r#""device""#)], "ambiguous"),
    ("idtyp App, no scp", &[("idtyp", r#""App""#), ("scp", "")], "ambiguous"),
    ("idtyp USER, no scp", &[("idtyp", r#""USER""#), ("scp", "")], "ambiguous"),
    ("idtyp device, no scp", &[("idtyp", r#""device""#), ("scp", "")], "ambiguous"),
    ("idtyp empty, no scp", &[("idtyp", r#""""#), ("scp", "")], "ambiguous"),
    ("idtyp null", &[("idtyp", "null")], "claim: idtyp"),
    ("idtyp a number", &[("idtyp", "1")], "claim: idtyp"),
    ("idtyp a list", &[("idtyp", r#"["app"]"#)], "claim: idtyp"),
    ("idtyp true", &[("idtyp", "true")], "claim: idtyp"),
    ("roles a string", &[("roles", r#""zt.workload""#)], "claim: roles"),
    ("roles null", &[("roles", "null")], "claim: roles"),
    ("roles an object", &[("roles", r#"{"0":"zt.workload"}"#)], "claim: roles"),
    ("roles of numbers", &[("roles", "[1]")], "claim: roles"),
    ("roles with null", &[("roles", r#"["a",null]"#)], "claim: roles"),
    ("roles nested", &[("roles", r#"[["zt.workload"]]"#)], "claim: roles"),
    ("sub a number", &[("sub", "1")], "claim: sub"),
    ("sub null", &[("sub", "null")], "claim: sub"),
    ("sub a list", &[("sub", "[]")], "claim: sub"),
];

#[rustfmt::skip]
const APPS: &[Row] = &[
    ("roles missing", &[("roles", "")], "no permission"),
    ("roles empty", &[("roles", "[]")], "no permission"),
    ("roles a string", &[("roles", r#""zt.workload""#)], "claim: roles"),
    ("roles null", &[("roles", "null")], "claim: roles"),
    ("roles of numbers", &[("roles", "[1]")], "claim: roles"),
    ("roles in capitals", &[("roles", ""), ("Roles", r#"["zt.workload"]"#)], "no permission"),
    ("role in place of roles", &[("roles", ""), ("role", r#"["zt.workload"]"#)], "no permission"),
    ("wids in place of roles", &[("roles", ""), ("wids", r#"["62e90394-69f5-4237-9190-012177145e10"]"#)], "no permission"),
    ("scp too", &[("scp", r#""zt.access""#)], "ambiguous"),
    ("scp empty", &[("scp", r#""""#)], "claim: scp"),
    ("no idtyp, scp too", &[("idtyp", ""), ("scp", r#""zt.access""#)], "accepted"),
    ("no idtyp, another sub", &[("idtyp", ""), ("sub", r#""pairwise""#)], "ambiguous"),
    ("no idtyp, no sub", &[("idtyp", ""), ("sub", "")], "ambiguous"),
    ("no idtyp, no roles", &[("idtyp", ""), ("roles", "")], "no permission"),
    ("no idtyp, sub in braces", &[("idtyp", ""), ("sub", r#""{c0000000-0000-4000-8000-000000000002}""#)], "ambiguous"),
    ("no idtyp, sub of another", &[("idtyp", ""), ("sub", r#""c0000000-0000-4000-8000-000000000003""#)], "ambiguous"),
    ("idtyp in capitals, no scp", &[("idtyp", r#""APP""#)], "ambiguous"),
    ("idtyp user", &[("idtyp", r#""user""#)], "no permission"),
    ("idtyp app with a space", &[("idtyp", r#""app ""#)], "ambiguous"),
];

/// Where no grant is asked for, it must still be clear who calls.
#[rustfmt::skip]
const WITHOUT_GRANTS: &[Row] = &[
    ("scp missing", &[("scp", "")], "ambiguous"),
    ("idtyp app with scp", &[("idtyp", r#""app""#)], "ambiguous"),
    ("idtyp device, no scp", &[("idtyp", r#""device""#), ("scp", "")], "ambiguous"),
    ("scp empty", &[("scp", r#""""#)], "claim: scp"),
    ("cnf", &[("cnf", "{}")], "cnf"),
    ("another audience", &[("aud", r#""$TENANT""#)], "audience"),
    ("idtyp user, no scp", &[("idtyp", r#""user""#), ("scp", "")], "accepted"),
];

#[rustfmt::skip]
const CLIENTS: &[Row] = &[
    ("azp not a GUID", &[("azp", r#""my-client""#)], "claim: azp"),
    ("azp empty", &[("azp", r#""""#)], "claim: azp"),
    ("azp null", &[("azp", "null")], "claim: azp"),
    ("azp a number", &[("azp", "1")], "claim: azp"),
    ("azp a list", &[("azp", r#"["$APP"]"#)], "claim: azp"),
    ("azp in braces", &[("azp", r#""{$APP}""#)], "claim: azp"),
    ("azpacr a number", &[("azpacr", "2")], "claim: azpacr"),
    ("azpacr null", &[("azpacr", "null")], "claim: azpacr"),
    ("azpacr a list", &[("azpacr", r#"["2"]"#)], "claim: azpacr"),
];

#[rustfmt::skip]
const V1_CLIENTS: &[Row] = &[
    ("appid not a GUID", &[("appid", r#""my-client""#)], "claim: appid"),
    ("appid a number", &[("appid", "1")], "claim: appid"),
    ("appid null", &[("appid", "null")], "claim: appid"),
    ("appidacr a number", &[("appidacr", "2")], "claim: appidacr"),
    ("appidacr true", &[("appidacr", "true")], "claim: appidacr"),
];

#[rustfmt::skip]
const CONFIRMATIONS: &[Row] = &[
    ("empty", &[("cnf", "{}")], "cnf"),
    ("null", &[("cnf", "null")], "cnf"),
    ("false", &[("cnf", "false")], "cnf"),
    ("an empty string", &[("cnf", r#""""#)], "cnf"),
    ("an empty list", &[("cnf", "[]")], "cnf"),
    ("a number", &[("cnf", "0")], "cnf"),
    ("a thumbprint", &[("cnf", r#"{"jkt":"0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I"}"#)], "cnf"),
    ("a key", &[("cnf", r#"{"jwk":{"kty":"RSA","n":"AQAB","e":"AQAB"}}"#)], "cnf"),
    ("a key id", &[("cnf", r#"{"kid":"x","xms_ksl":"sw"}"#)], "cnf"),
    ("an encrypted key", &[("cnf", r#"{"jwe":"a.b.c.d.e"}"#)], "cnf"),
    ("by an escape", &[(r"c\u006ef", "{}")], "cnf"),
];

#[rustfmt::skip]
const APP_CONFIRMATIONS: &[Row] = &[
    ("a certificate", &[("cnf", r#"{"x5t#S256":"bwcK0esc3ACC3DB2Y5_lESsXE8o9ltc05O89jdN-dg2"}"#)], "cnf"),
    ("an empty certificate", &[("cnf", r#"{"x5t#S256":""}"#)], "cnf"),
];

const OVERAGE: (&str, &str) = ("_claim_names", r#"{"groups":"src1"}"#);

#[rustfmt::skip]
const GROUPS: &[Row] = &[
    ("a string", &[("groups", r#""a0000000-0000-4000-8000-000000000002""#)], "claim: groups"),
    ("null", &[("groups", "null")], "claim: groups"),
    ("an object", &[("groups", "{}")], "claim: groups"),
    ("true", &[("groups", "true")], "claim: groups"),
    ("numbers", &[("groups", "[1]")], "claim: groups"),
    ("null in a list", &[("groups", "[null]")], "claim: groups"),
    ("a list in a list", &[("groups", r#"[["a0000000-0000-4000-8000-000000000002"]]"#)], "claim: groups"),
    ("a name", &[("groups", r#"["grp-security"]"#)], "claim: groups"),
    ("a name beside an id", &[("groups", r#"["a0000000-0000-4000-8000-000000000002","Administrators"]"#)], "claim: groups"),
    ("an empty text", &[("groups", r#"[""]"#)], "claim: groups"),
    ("a SID", &[("groups", r#"["S-1-5-21-1004336348-1177238915-682003330-512"]"#)], "claim: groups"),
    ("in braces", &[("groups", r#"["{a0000000-0000-4000-8000-000000000002}"]"#)], "claim: groups"),
    ("without hyphens", &[("groups", r#"["a0000000000040008000000000000002"]"#)], "claim: groups"),
    ("with overage", &[OVERAGE], "claim: groups"),
    ("empty, with overage", &[("groups", "[]"), OVERAGE], "claim: groups"),
    ("with hasgroups", &[("hasgroups", "true")], "claim: groups"),
    ("hasgroups a string", &[("hasgroups", r#""true""#)], "claim: hasgroups"),
    ("hasgroups a number", &[("hasgroups", "1")], "claim: hasgroups"),
    ("hasgroups null", &[("hasgroups", "null")], "claim: hasgroups"),
    ("_claim_names a string", &[("_claim_names", r#""groups""#)], "claim: _claim_names"),
    ("_claim_names a list", &[("_claim_names", r#"["groups"]"#)], "claim: _claim_names"),
    ("_claim_names null", &[("_claim_names", "null")], "claim: _claim_names"),
    ("_claim_names to a list", &[("_claim_names", r#"{"groups":["src1"]}"#)], "claim: groups"),
];

#[rustfmt::skip]
const STRENGTHS: &[Row] = &[
    ("amr a string", &[("amr", r#""mfa""#)], "claim: amr"),
    ("amr null", &[("amr", "null")], "claim: amr"),
    ("amr an object", &[("amr", r#"{"mfa":true}"#)], "claim: amr"),
    ("amr of numbers", &[("amr", "[1]")], "claim: amr"),
    ("amr nested", &[("amr", r#"[["mfa"]]"#)], "claim: amr"),
    ("amr true", &[("amr", "true")], "claim: amr"),
];

#[rustfmt::skip]
const OTHERS: &[Row] = &[
    ("uti a number", &[("uti", "1")], "claim: uti"),
    ("uti null", &[("uti", "null")], "claim: uti"),
    ("uti a list", &[("uti", r#"["x"]"#)], "claim: uti"),
    ("no claim", &[("aud", ""), ("iss", ""), ("ver", ""), ("tid", ""), ("oid", "")], "claim: ver"),
];
