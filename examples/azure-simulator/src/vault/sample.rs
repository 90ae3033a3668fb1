//! The sample world's vault: the rows of Secret_References with made-up values, the private endpoint of Network_Rules, and for
//! each workload the rights that its rows of Access_Policies need.

use super::crypto::KeyKind;
use super::network::NetworkInfo;
use super::right::Right;
use super::secret::SecretOptions;
use super::store::Vaults;
use crate::error::Error;

const VAULT: &str = "kv-brindlewick-prod";
const ENDPOINT: &str = "pe-kv-brindlewick";

/// What seals the scores.
const KEY: &str = "scores-kek";

/// Nobody's secrets.
const SECRETS: &[(&str, &str)] = &[
    ("sql-loans-password", "zt-needle-sample-sql-loans-password"),
    ("adb-token", "zt-needle-sample-adb-token"),
    ("bureau-api-key", "zt-needle-sample-bureau-api-key"),
];

const FACTORY: &str = "c0000000-0000-4000-8000-000000000001";
const SCORING: &str = "c0000000-0000-4000-8000-000000000002";
const ZT: &str = "c0000000-0000-4000-8000-000000000009";
const INES: &str = "b0000000-0000-4000-8000-000000000006";

/// Who, on what, which rights. `sp-train-202` needs nothing.
const GRANTS: &[(&str, Option<&str>, &[Right])] = &[
    (FACTORY, Some("sql-loans-password"), &[Right::SecretsGet]),
    (FACTORY, Some("adb-token"), &[Right::SecretsGet]),
    (SCORING, Some("bureau-api-key"), &[Right::SecretsGet]),
    (SCORING, Some(KEY), &[Right::KeysGet, Right::KeysWrap]),
    (INES, Some(KEY), &[Right::KeysGet, Right::KeysUnwrap]),
    (
        ZT,
        None,
        &[
            Right::SecretsGet,
            Right::SecretsList,
            Right::KeysGet,
            Right::KeysWrap,
            Right::KeysUnwrap,
        ],
    ),
];

impl Vaults {
    /// The sample world's vault, in this tenant.
    pub(crate) fn sample(tenant: &str, now: i64) -> Result<Self, Error> {
        let mut vaults = Self::default();
        let vault = vaults.make(VAULT, tenant)?;
        vault.network = NetworkInfo::private_endpoint(ENDPOINT);
        for &(name, value) in SECRETS {
            vault
                .set_secret(name, value, SecretOptions::new(), now)
                .map_err(|_| Error::new("a sample secret cannot be set"))?;
        }
        vault
            .make_key(KEY, KeyKind::Rsa2048, &serde_json::Value::Null, now)
            .map_err(|_| Error::new("the sample key cannot be made"))?;
        for &(who, on, rights) in GRANTS {
            for &right in rights {
                vault.grants.add(who, right, on);
            }
        }
        Ok(vaults)
    }
}
