//! When: `exp`, `nbf`, `iat`, and how long the token lives. The skew of every door is 60 s.

use super::mint::{Door, Object, signed};
use super::{Case, Row};

pub(super) fn cases() -> Vec<Case> {
    ROWS.iter()
        .map(|(name, edits, expected)| {
            let token = signed(&Object::header(), &Object::user().edited(edits));
            Case::new("time", *name, Door::Development, token, expected)
        })
        .collect()
}

#[rustfmt::skip]
const ROWS: &[Row] = &[
    ("exp missing", &[("exp", "")], "claim: exp"),
    ("exp null", &[("exp", "null")], "claim: exp"),
    ("exp a string", &[("exp", r#""1790003600""#)], "claim: exp"),
    ("exp an empty string", &[("exp", r#""""#)], "claim: exp"),
    ("exp a date", &[("exp", r#""2026-09-21T15:13:20Z""#)], "claim: exp"),
    ("exp a float", &[("exp", "1790003600.5")], "claim: exp"),
    ("exp a float without a fraction", &[("exp", "1790003600.0")], "claim: exp"),
    ("exp with an exponent", &[("exp", "1.7900036e9")], "claim: exp"),
    ("exp 1e30", &[("exp", "1e30")], "claim: exp"),
    ("exp 1e308", &[("exp", "1e308")], "claim: exp"),
    ("exp 2^31 - 1", &[("exp", "2147483647")], "lifetime"),
    ("exp 2^53", &[("exp", "9007199254740992")], "claim: exp"),
    ("exp 2^63 - 1", &[("exp", "9223372036854775807")], "claim: exp"),
    ("exp 2^63", &[("exp", "9223372036854775808")], "claim: exp"),
    ("exp 2^64", &[("exp", "18446744073709551616")], "claim: exp"),
    ("exp -2^63", &[("exp", "-9223372036854775808")], "claim: exp"),
    ("exp in milliseconds", &[("exp", "1790003600000")], "claim: exp"),
    ("exp -1", &[("exp", "-1")], "claim: exp"),
    ("exp minus zero", &[("exp", "-0")], "claim: exp"),
    ("exp 0", &[("exp", "0")], "expired"),
    ("exp a list", &[("exp", "[1790003600]")], "claim: exp"),
    ("exp an object", &[("exp", r#"{"exp":1790003600}"#)], "claim: exp"),
    ("exp true", &[("exp", "true")], "claim: exp"),
    ("exp in capitals", &[("exp", ""), ("EXP", "@3600")], "claim: exp"),
    ("exp of the year 9999", &[("exp", "253402300799")], "lifetime"),
    ("exp of the year 10000", &[("exp", "253402300800")], "claim: exp"),
    ("exp a year ago", &[("exp", "@-31536000"), ("iat", "@-31539600"), ("nbf", "@-31539600")], "expired"),
    ("exp 61 s ago", &[("exp", "@-61")], "expired"),
    ("exp 60 s ago", &[("exp", "@-60")], "expired"),
    ("exp 59 s ago", &[("exp", "@-59")], "accepted"),
    ("exp now", &[("exp", "@0")], "accepted"),
    ("nbf missing", &[("nbf", "")], "claim: nbf"),
    ("nbf null", &[("nbf", "null")], "claim: nbf"),
    ("nbf a string", &[("nbf", r#""1789999700""#)], "claim: nbf"),
    ("nbf a float", &[("nbf", "1789999700.5")], "claim: nbf"),
    ("nbf -1", &[("nbf", "-1")], "claim: nbf"),
    ("nbf a list", &[("nbf", "[0]")], "claim: nbf"),
    ("nbf 2^63", &[("nbf", "9223372036854775808")], "claim: nbf"),
    ("nbf 0", &[("nbf", "0")], "lifetime"),
    ("nbf in an hour", &[("nbf", "@3000")], "not yet valid"),
    ("nbf in 61 s", &[("nbf", "@61")], "not yet valid"),
    ("nbf in 60 s", &[("nbf", "@60")], "accepted"),
    ("nbf in 59 s", &[("nbf", "@59")], "accepted"),
    ("iat missing", &[("iat", "")], "claim: iat"),
    ("iat null", &[("iat", "null")], "claim: iat"),
    ("iat a string", &[("iat", r#""1789999700""#)], "claim: iat"),
    ("iat a float", &[("iat", "1789999700.0")], "claim: iat"),
    ("iat -1", &[("iat", "-1")], "claim: iat"),
    ("iat an object", &[("iat", "{}")], "claim: iat"),
    ("iat 0", &[("iat", "0")], "lifetime"),
    ("iat in an hour", &[("iat", "@3000")], "issued in the future"),
    ("iat in 61 s", &[("iat", "@61")], "issued in the future"),
    ("iat in 60 s", &[("iat", "@60")], "accepted"),
    ("iat in 59 s", &[("iat", "@59")], "accepted"),
    ("lifetime of 30 hours", &[("iat", "@-300"), ("nbf", "@-300"), ("exp", "@107700")], "lifetime"),
    ("lifetime of 29 hours and 1 s", &[("iat", "@-300"), ("nbf", "@-300"), ("exp", "@104101")], "lifetime"),
    ("lifetime of 29 hours", &[("iat", "@-300"), ("nbf", "@-300"), ("exp", "@104100")], "accepted"),
    ("lifetime too long from iat alone", &[("iat", "@-90000"), ("nbf", "@-300"), ("exp", "@20000")], "lifetime"),
    ("lifetime too long from nbf alone", &[("iat", "@-300"), ("nbf", "@-90000"), ("exp", "@20000")], "lifetime"),
    ("lifetime of nothing", &[("iat", "@0"), ("nbf", "@0"), ("exp", "@0")], "lifetime"),
    ("lifetime below nothing", &[("iat", "@20"), ("nbf", "@20"), ("exp", "@10")], "lifetime"),
    ("exp before nbf", &[("nbf", "@20"), ("exp", "@10")], "lifetime"),
    ("exp at nbf", &[("nbf", "@20"), ("exp", "@20")], "lifetime"),
    ("exp before iat", &[("iat", "@20"), ("exp", "@10")], "lifetime"),
    ("lifetime too long and expired", &[("iat", "0"), ("nbf", "0"), ("exp", "@-3600")], "expired"),
];
