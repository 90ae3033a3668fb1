//! Whatever comes, nobody gets in by it and nothing panics.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use proptest::prelude::*;
use serde_json::Value;

use super::*;

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        ".{0,20}".prop_map(Value::from),
        Just(Value::from(TENANT)),
    ];
    leaf.prop_recursive(3, 16, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map("[a-z_]{0,8}", inner, 0..4)
                .prop_map(|members| members.into_iter().collect()),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_text_gets_in_or_panics(text in any::<String>()) {
        prop_assert!(enter(&text).is_err());
    }

    #[test]
    fn no_three_parts_get_in_or_panic(parts in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..64), 3)) {
        let parts: Vec<String> = parts.iter().map(|part| URL_SAFE_NO_PAD.encode(part)).collect();
        prop_assert!(enter(&parts.join(".")).is_err());
    }

    #[test]
    fn no_signed_bytes_get_in_or_panic(header in any::<Vec<u8>>(), payload in any::<Vec<u8>>()) {
        let known = URL_SAFE_NO_PAD.encode(super::header().to_string());
        let header = URL_SAFE_NO_PAD.encode(header);
        let payload = URL_SAFE_NO_PAD.encode(payload);
        for header in [header, known] {
            prop_assert!(enter(&issuer().sign_parts(&header, &payload).unwrap()).is_err());
        }
    }

    #[test]
    fn no_claim_whatever_its_value_makes_somebody_else(
        at in 0..22_usize,
        value in any_json(),
    ) {
        let names = [
            "aud", "iss", "ver", "tid", "oid", "sub", "azp", "azpacr", "scp", "iat", "nbf", "exp", "uti", "groups", "roles",
            "idtyp", "amr", "cnf", "_claim_names", "hasgroups", "name", "unknown",
        ];
        if let Ok(caller) = admit(&with(user(), names[at], value)) {
            prop_assert_eq!(caller.tenant(), guid(TENANT));
            prop_assert!(caller.object() == guid(MAYA) || names[at] == "oid");
            prop_assert_eq!(caller.kind(), CallerKind::User);
        }
    }

    #[test]
    fn no_bytes_make_a_key_set_or_panic(bytes in any::<Vec<u8>>()) {
        prop_assert!(KeySet::from_jwks(&bytes, &dev()).is_err());
    }

    #[test]
    fn no_member_of_a_key_panics(at in 0..9_usize, value in any_json()) {
        let names = ["kty", "use", "kid", "n", "e", "alg", "key_ops", "issuer", "cloud_instance_name"];
        let set = key_set(&[jwk(|key| key[names[at]] = value)], &dev());
        prop_assert!(set.is_err() || set.is_ok());
    }
}
