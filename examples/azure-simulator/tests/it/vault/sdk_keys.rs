//! Keys through Azure's own client.

use aws_lc_rs::digest::{SHA256, digest};
use azure_security_keyvault_keys::models::{
    CreateKeyParameters, EncryptionAlgorithm, KeyOperationParameters, KeyType, SignParameters,
    SignatureAlgorithm, VerifyParameters,
};
use azure_security_keyvault_keys::{KeyClient, KeyClientOptions, ResourceExt as _};
use zt_azure_simulator::{KeyKind, Simulator};

use super::sdk::{credential, options};
use super::{HOST, WHO, open, vault};

/// A client that has been challenged: its first call with a body would lose the body.
async fn client(sim: &Simulator) -> KeyClient {
    let own = KeyClientOptions {
        client_options: options(sim),
        ..KeyClientOptions::default()
    };
    let url = format!("https://{HOST}");
    let client = KeyClient::new(&url, credential(sim, WHO), Some(own)).unwrap();
    client.get_key("none", None).await.unwrap_err();
    client
}

#[tokio::test]
async fn a_key_wraps_and_unwraps() {
    let sim = open();
    let client = client(&sim).await;
    let parameters = CreateKeyParameters {
        kty: Some(KeyType::Rsa),
        key_size: Some(2048),
        ..CreateKeyParameters::default()
    };
    let parameters = parameters.try_into().unwrap();
    let made = client.create_key("kek", parameters, None).await.unwrap();
    let made = made.into_model().unwrap();
    let version = made.resource_id().unwrap().version.unwrap();
    assert!(
        vault(&sim)
            .key_versions("kek")
            .unwrap()
            .iter()
            .eq([&version])
    );
    assert_eq!(made.key.unwrap().n.unwrap().len(), 256);
    let with = |value: Vec<u8>| KeyOperationParameters {
        algorithm: Some(EncryptionAlgorithm::RsaOaep256),
        value: Some(value),
        ..KeyOperationParameters::default()
    };
    let plain = b"zt-needle-32-bytes-of-a-data-key".to_vec();
    let wrap = with(plain.clone()).try_into().unwrap();
    let wrapped = client.wrap_key("kek", wrap, None).await.unwrap();
    let wrapped = wrapped.into_model().unwrap();
    assert!(wrapped.kid.unwrap().ends_with(&version));
    let unwrap = with(wrapped.result.unwrap()).try_into().unwrap();
    let opened = client.unwrap_key("kek", &version, unwrap, None).await;
    assert!(opened.unwrap().into_model().unwrap().result.unwrap() == plain);
}

#[tokio::test]
async fn a_key_signs_and_verifies() {
    let sim = open();
    let version = vault(&sim).make_key("ec", KeyKind::P256).unwrap();
    let client = client(&sim).await;
    let hash = digest(&SHA256, b"what was decided").as_ref().to_vec();
    let parameters = SignParameters {
        algorithm: Some(SignatureAlgorithm::Es256),
        value: Some(hash.clone()),
    };
    let parameters = parameters.try_into().unwrap();
    let signed = client.sign("ec", parameters, None).await.unwrap();
    let signature = signed.into_model().unwrap().result.unwrap();
    for (signature, expected) in [(signature, true), (vec![7; 64], false)] {
        let parameters = VerifyParameters {
            algorithm: Some(SignatureAlgorithm::Es256),
            digest: Some(hash.clone()),
            signature: Some(signature),
        };
        let parameters = parameters.try_into().unwrap();
        let verified = client.verify("ec", &version, parameters, None).await;
        let verified = verified.unwrap().into_model().unwrap();
        assert_eq!(verified.value, Some(expected));
    }
}
