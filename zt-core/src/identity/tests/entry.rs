//! Who comes in, as whom, and with what right.

use std::time::Duration;

use serde_json::json;

use super::*;

#[test]
fn a_person_of_the_tenant_comes_in_with_all_that_the_token_proves() {
    let caller = admit(&user()).unwrap();
    assert_eq!(caller.tenant(), guid(TENANT));
    assert_eq!(caller.object(), guid(MAYA));
    assert_eq!(caller.kind(), CallerKind::User);
    assert_eq!(caller.provenance(), Provenance::VerifiedToken);
    let groups = [guid(SCIENCE), guid(SECURITY)];
    assert_eq!(*caller.groups(), Groups::Complete(groups.into()));
    assert_eq!(caller.scopes(), ["zt.access".into()]);
    assert!(caller.app_roles().is_empty());
    let client = caller.client().unwrap();
    assert_eq!((client.id, client.auth), (guid(OTHER), ClientAuth::Secret));
    assert_eq!(caller.auth_strength().mfa, Mfa::Unknown);
    let token = caller.token().unwrap();
    assert_eq!(token.uti.as_deref(), Some("token-1"));
    assert_eq!(token.iat, Timestamp::from_secs(NOW_S - 300));
    assert_eq!((token.ver, &*token.kid), (TokenVersion::V2, issuer().kid()));
    assert_eq!(
        caller.expires_at(),
        Some(Timestamp::from_secs(NOW_S + 3600))
    );
}

#[test]
fn an_application_comes_in_by_idtyp_or_by_being_its_own_subject() {
    for claims in [app(), without(app(), "idtyp")] {
        let caller = admit(&claims).unwrap();
        assert_eq!(caller.kind(), CallerKind::ServicePrincipal);
        assert_eq!(caller.app_roles(), ["zt.workload".into()]);
        assert!(caller.scopes().is_empty());
    }
}

#[test]
fn the_scheme_bearer_is_taken_off_in_any_case_and_no_other_is() {
    let token = sign(&header(), &user());
    for scheme in ["Bearer ", "bearer ", "BEARER "] {
        assert!(enter(&format!("{scheme}{token}")).is_ok());
    }
    for scheme in [
        "Basic ",
        "Bearer",
        "Bearer  ",
        " Bearer ",
        "PoP ",
        "MTLS_POP ",
    ] {
        assert!(enter(&format!("{scheme}{token}")).is_err(), "{scheme}");
    }
    for nothing in ["", "Bearer "] {
        assert_eq!(enter(nothing).unwrap_err(), AuthError::MissingCredentials);
    }
}

#[test]
fn tokens_of_the_development_issuer_come_in() {
    let now = Timestamp::from_secs(NOW_S);
    let request = TokenRequest::user(&dev(), guid(MAYA), now)
        .with_groups(vec![guid(SCIENCE)])
        .with_methods(&["pwd", "mfa"])
        .with_lifetime(Duration::from_secs(600));
    let caller = enter(&issuer().issue(&request).unwrap()).unwrap();
    assert_eq!(caller.kind(), CallerKind::User);
    assert_eq!(*caller.groups(), Groups::Complete([guid(SCIENCE)].into()));
    assert_eq!(caller.auth_strength().mfa, Mfa::Yes);
    assert_eq!(caller.expires_at(), Some(Timestamp::from_secs(NOW_S + 600)));

    let request = TokenRequest::workload(&dev(), guid(WORKLOAD), now).with_groups_overage();
    let caller = enter(&issuer().issue(&request).unwrap()).unwrap();
    assert_eq!(caller.kind(), CallerKind::ServicePrincipal);
    assert_eq!(*caller.groups(), Groups::Overage);
    assert_eq!(caller.client().unwrap().auth, ClientAuth::Certificate);
}

#[test]
fn a_caller_prints_ids_and_neither_name_nor_mail_nor_token() {
    let caller = admit(&user()).unwrap();
    assert_eq!(caller.to_string(), format!("oid:{MAYA}"));
    let shown = format!("{caller:?} {:?}", caller.token());
    for hidden in ["Maya", "brindlewick", "eyJ", "pairwise"] {
        assert!(!shown.contains(hidden), "{shown}");
    }
}

#[test]
fn a_token_bound_to_a_key_is_no_bearer_token() {
    for cnf in [json!({ "x5t#S256": "x" }), json!({}), json!(null)] {
        assert_eq!(refused(&with(app(), "cnf", cnf)), AuthError::Confirmation);
    }
}

#[test]
fn person_or_application_is_never_guessed() {
    for claims in [
        with(app(), "scp", json!("zt.access")),
        with(user(), "idtyp", json!("device")),
        with(user(), "idtyp", json!("")),
        without(user(), "scp"),
        without(without(user(), "scp"), "sub"),
    ] {
        let error = refused(&claims);
        assert!(
            matches!(error, AuthError::Ambiguous { .. }),
            "{claims}: {error:?}"
        );
    }
    let own_subject = with(user(), "sub", json!(MAYA));
    assert_eq!(admit(&own_subject).unwrap().kind(), CallerKind::User);
}

#[test]
fn a_person_needs_a_scope_and_an_application_a_role() {
    let person = with(
        without(with(user(), "idtyp", json!("user")), "scp"),
        "roles",
        json!(["admin"]),
    );
    assert_eq!(refused(&person), AuthError::NoPermission { missing: "scp" });
    for bare in [without(app(), "roles"), with(app(), "roles", json!([]))] {
        assert_eq!(refused(&bare), AuthError::NoPermission { missing: "roles" });
        let door = door(dev().danger_allow_acl());
        assert!(door.authenticate(&sign(&header(), &bare)).is_ok());
    }
}

#[test]
fn strength_is_what_the_token_says_and_unknown_otherwise() {
    for (amr, mfa) in [
        (json!(["pwd", "mfa"]), Mfa::Yes),
        (json!(["ngcmfa"]), Mfa::Yes),
        (json!(["pwd"]), Mfa::No),
        (json!([]), Mfa::No),
        (json!(["wiaormfa"]), Mfa::Unknown),
        (json!(["MFA"]), Mfa::No),
    ] {
        let caller = admit(&with(user(), "amr", amr)).unwrap();
        assert_eq!(caller.auth_strength().mfa, mfa);
    }
    assert_eq!(admit(&user()).unwrap().auth_strength().mfa, Mfa::Unknown);
}

#[test]
fn too_many_groups_and_no_groups_are_two_things() {
    let bare = without(user(), "groups");
    assert_eq!(*admit(&bare).unwrap().groups(), Groups::NotInToken);
    assert_eq!(
        *admit(&with(bare.clone(), "groups", json!([])))
            .unwrap()
            .groups(),
        Groups::Complete([].into())
    );
    for (name, value) in [
        ("_claim_names", json!({ "groups": "src1" })),
        ("hasgroups", json!(true)),
    ] {
        let caller = admit(&with(bare.clone(), name, value.clone())).unwrap();
        assert_eq!(*caller.groups(), Groups::Overage);
        assert_eq!(refused_claim(&with(user(), name, value)), "groups");
    }
    for (name, value) in [
        ("_claim_names", json!({ "other": "src1" })),
        ("hasgroups", json!(false)),
    ] {
        let caller = admit(&with(bare.clone(), name, value)).unwrap();
        assert_eq!(*caller.groups(), Groups::NotInToken);
    }
}

#[test]
fn a_group_twice_is_one_group_in_any_case() {
    let caller = admit(&with(
        user(),
        "groups",
        json!([SCIENCE, SCIENCE.to_uppercase()]),
    ))
    .unwrap();
    assert_eq!(*caller.groups(), Groups::Complete([guid(SCIENCE)].into()));
}

#[test]
fn rows_give_the_readable_ids() {
    let rows = Rows::new(&[(MAYA, "user:maya"), (SCIENCE, "group:grp-data-science")]);
    let caller = admit(&user()).unwrap();
    assert_eq!(
        caller.principal(&rows).unwrap().unwrap().as_str(),
        "user:maya"
    );
    let groups: [PrincipalId; 1] = ["group:grp-data-science".parse().unwrap()];
    assert_eq!(
        caller
            .groups()
            .principals(Home::Own(guid(TENANT)), &rows)
            .unwrap(),
        Groups::Complete(groups.into())
    );
    assert_eq!(admit(&app()).unwrap().principal(&rows).unwrap(), None);
    assert_eq!(
        Groups::Overage
            .principals(Home::Own(guid(TENANT)), &rows)
            .unwrap(),
        Groups::Overage
    );
    assert_eq!(
        Groups::NotInToken
            .principals(Home::Own(guid(TENANT)), &rows)
            .unwrap(),
        Groups::NotInToken
    );
}

#[test]
fn a_row_of_another_kind_refuses_the_caller() {
    for (claims, id) in [
        (user(), "sp:maya"),
        (user(), "group:maya"),
        (app(), "user:sp-score-201"),
        (app(), "group:sp-score-201"),
    ] {
        let rows = Rows::new(&[(MAYA, id), (WORKLOAD, id)]);
        let error = admit(&claims).unwrap().principal(&rows).unwrap_err();
        assert!(
            matches!(error, AuthError::PrincipalKind { .. }),
            "{error:?}"
        );
        assert_eq!(Error::from(error).code(), Code::InvalidToken);
    }
    let rows = Rows::new(&[(SCIENCE, "user:science")]);
    assert!(
        admit(&user())
            .unwrap()
            .groups()
            .principals(Home::Own(guid(TENANT)), &rows)
            .is_err()
    );
}

#[test]
fn an_asserted_caller_says_so_and_has_no_token() {
    let maya: PrincipalId = "user:maya".parse().unwrap();
    let groups = Groups::complete(vec![guid(SCIENCE)]);
    let caller = Caller::asserted(guid(TENANT), &maya, guid(MAYA), groups).unwrap();
    assert_eq!(caller.provenance(), Provenance::Asserted);
    assert_eq!(
        (caller.kind(), caller.object()),
        (CallerKind::User, guid(MAYA))
    );
    assert!(caller.token().is_none() && caller.expires_at().is_none());
    assert_eq!(caller.auth_strength().mfa, Mfa::Unknown);
    let group: PrincipalId = "group:grp-security".parse().unwrap();
    assert!(Caller::asserted(guid(TENANT), &group, guid(MAYA), Groups::NotInToken).is_err());
}
