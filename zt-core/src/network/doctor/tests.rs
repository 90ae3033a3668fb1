use std::time::Duration;

use super::*;
use crate::metadata::{NetworkMode, NetworkRule, PrivateLink};
use crate::network::{HttpError, PathKind, PathProof};

const VAULT: &str = "kv.vault.azure.net";
const ID: &str = "/subscriptions/s/resourceGroups/g/providers/Microsoft.Network/privateEndpoints/";

fn rule(mode: NetworkMode, private_link: PrivateLink) -> NetworkRule {
    NetworkRule {
        id: "NR-01".to_owned(),
        host: VAULT.to_owned(),
        mode,
        zone: None,
        group_id: None,
        cidrs: vec!["10.20.4.0/26".parse().unwrap()],
        private_endpoint: Some("pe-kv".to_owned()),
        private_link,
        ports: Vec::new(),
        runtime: None,
    }
}

fn at(address: &str) -> Lookup {
    Lookup::Found(vec![address.parse().unwrap()])
}

fn seen(public: &str, reached: Reached) -> Observed {
    Observed {
        private_name: Some(Lookup::NoSuchName),
        wrong_name: Some(Lookup::NoSuchName),
        reached,
        ..Observed::new(at(public))
    }
}

fn answer(status: u16, code: Option<&str>, path: PathProof) -> Reached {
    Reached::Answered {
        status,
        code: code.map(str::to_owned),
        path: Some(path),
    }
}

fn failed(error: fn(String) -> HttpError) -> Reached {
    Reached::Failed(error(VAULT.to_owned()))
}

fn connect(host: String) -> HttpError {
    HttpError::Connect { host }
}

fn broken(host: String) -> HttpError {
    HttpError::Broken { host }
}

fn timeout(host: String) -> HttpError {
    let deadline = Duration::from_secs(5);
    HttpError::Timeout { host, deadline }
}

fn tls(host: String) -> HttpError {
    let reason = "its certificate is for another name".to_owned();
    HttpError::Tls { host, reason }
}

const INSIDE: &str = "10.20.4.5";
const OUTSIDE: &str = "52.1.1.1";
const ELSEWHERE: &str = "10.99.0.1";
const MAPPED: &str = "::ffff:10.20.4.5";

fn check(rule: &NetworkRule, seen: &Observed, cause: Cause, evidence: &str, fix: &str) {
    let found = diagnose(VAULT, Some(rule), seen);
    let shown = format!("{found:?}");
    assert_eq!(found.cause, cause, "{shown}");
    assert!(found.evidence.contains(evidence), "{evidence}: {shown}");
    assert_eq!(found.is_ok(), found.fix.is_none(), "{shown}");
    assert_eq!(found.is_ok(), found.proof.is_some(), "{shown}");
    assert!(
        found.fix.unwrap_or_default().contains(fix),
        "{fix}: {shown}"
    );
}

#[test]
fn a_host_without_a_row_is_not_looked_at() {
    let found = diagnose(VAULT, None, &Observed::new(Lookup::TimedOut));
    assert_eq!((found.cause, found.rule), (Cause::NoRow, None));
    assert!(found.fix.unwrap().contains("add a row"));
}

#[test]
fn a_name_is_looked_at_first() {
    let private = rule(NetworkMode::PrivateOnly, PrivateLink::Record);
    let open = rule(NetworkMode::AllowCidr, PrivateLink::Record);
    let named = |public_name| Observed {
        public_name,
        ..seen(INSIDE, Reached::NotTried)
    };
    let none = named(Lookup::NoSuchName);
    check(
        &private,
        &none,
        Cause::NoSuchName,
        "no address",
        "add its record to `privatelink.vaultcore.azure.net`",
    );
    check(&open, &none, Cause::NoSuchName, "no address", "DNS server");
    check(
        &private,
        &named(Lookup::TimedOut),
        Cause::Timeout,
        "no DNS server",
        "port 53",
    );
    let wrong = Observed {
        wrong_name: Some(at(INSIDE)),
        ..none
    };
    check(
        &private,
        &wrong,
        Cause::WrongZone,
        "`privatelink.vault.azure.net` (10.20.4.5)",
        "move the record to `privatelink.vaultcore.azure.net`",
    );
}

#[test]
#[expect(clippy::too_many_lines, reason = "a table")]
fn an_address_outside_of_the_ranges_has_a_cause() {
    let private = rule(NetworkMode::PrivateOnly, PrivateLink::Record);
    let open = rule(NetworkMode::AllowCidr, PrivateLink::Record);
    let public = seen(OUTSIDE, Reached::NotTried);
    check(
        &private,
        &public,
        Cause::MissingZoneLink,
        "52.1.1.1, a public address",
        "link `privatelink.vaultcore.azure.net`",
    );
    check(
        &open,
        &public,
        Cause::PublicAnswer,
        "52.1.1.1, outside of `cidrs`",
        "add the range",
    );

    let also_public = Observed {
        private_name: Some(at(OUTSIDE)),
        ..public.clone()
    };
    check(
        &private,
        &also_public,
        Cause::MissingZoneLink,
        "a public address",
        "link",
    );
    let alone = Observed {
        private_name: Some(at(INSIDE)),
        ..public.clone()
    };
    check(
        &private,
        &alone,
        Cause::PublicAnswer,
        "its name in `privatelink.vaultcore.azure.net` to 10.20.4.5",
        "hosts file",
    );
    let wrong = Observed {
        wrong_name: Some(at(INSIDE)),
        ..public
    };
    check(
        &private,
        &wrong,
        Cause::WrongZone,
        "a zone that nobody asks",
        "move the record",
    );
    check(
        &private,
        &seen(ELSEWHERE, Reached::NotTried),
        Cause::PublicAnswer,
        "10.99.0.1, outside",
        "its subnet",
    );

    let own_zone = NetworkRule {
        zone: Some("privatelink.own.example".to_owned()),
        ..private
    };
    check(
        &own_zone,
        &seen(OUTSIDE, Reached::NotTried),
        Cause::MissingZoneLink,
        "",
        "link `privatelink.own.example`",
    );
}

#[test]
fn one_bad_address_among_good_ones_is_named() {
    let private = rule(NetworkMode::PrivateOnly, PrivateLink::Record);
    let mixed = Observed {
        public_name: Lookup::Found(vec![INSIDE.parse().unwrap(), OUTSIDE.parse().unwrap()]),
        ..seen(INSIDE, Reached::NotTried)
    };
    check(
        &private,
        &mixed,
        Cause::PublicAnswer,
        "52.1.1.1",
        "correct the record",
    );
}

#[test]
fn what_the_connection_says_names_the_rest() {
    use NetworkMode::{AllowCidr, Ncc, PrivateOnly};
    use PrivateLink::{Record, Require};
    let by = PathProof::new;
    let ours = || by(PathKind::PrivateLink).through(format!("{ID}pe-kv"));
    let other = || by(PathKind::Address).through(format!("{ID}pe-x"));
    let forbidden = |code| answer(403, Some(code), by(PathKind::Address));
    #[rustfmt::skip]
    let cases = [
        (PrivateOnly, Record, INSIDE, answer(401, None, ours()), Cause::Ok, "answers 401 through `pe-kv`", ""),
        (PrivateOnly, Record, MAPPED, answer(401, None, by(PathKind::Address)), Cause::Ok, "answers 401", ""),
        (AllowCidr, Record, INSIDE, answer(200, None, by(PathKind::Address)), Cause::Ok, "answers 200", ""),
        (AllowCidr, Record, INSIDE, Reached::Connected, Cause::Ok, "the port answers", ""),
        (PrivateOnly, Record, INSIDE, failed(|host| HttpError::TooLong { host, most_bytes: 9 }), Cause::Ok, "answers", ""),
        (Ncc, Require, OUTSIDE, answer(401, None, ours()), Cause::Ok, "pe-kv", ""),
        (Ncc, Record, OUTSIDE, answer(401, None, by(PathKind::Unproven)), Cause::Ok, "401", ""),
        (PrivateOnly, Record, INSIDE, answer(401, None, other()), Cause::WrongEndpoint, "`pe-x`", "lead to `pe-kv`"),
        (PrivateOnly, Record, INSIDE, answer(401, None, by(PathKind::Public)), Cause::EndpointPending, "public endpoint", "approve the private endpoint `pe-kv`"),
        (Ncc, Require, OUTSIDE, answer(401, None, by(PathKind::Public)), Cause::EndpointPending, "public endpoint", "ESTABLISHED"),
        (PrivateOnly, Require, INSIDE, answer(401, None, by(PathKind::Address)), Cause::Unproven, "says nothing", "`record`"),
        (Ncc, Require, OUTSIDE, answer(401, None, by(PathKind::Unproven)), Cause::Unproven, "says nothing", "`record`"),
        (PrivateOnly, Record, INSIDE, forbidden("ForbiddenByConnection"), Cause::MissingZoneLink, "ForbiddenByConnection", "not the private name alone"),
        (Ncc, Record, OUTSIDE, forbidden("ForbiddenByConnection"), Cause::MissingZoneLink, "ForbiddenByConnection", "ESTABLISHED"),
        (AllowCidr, Record, INSIDE, forbidden("ForbiddenByConnection"), Cause::Firewall, "ForbiddenByConnection", "firewall of the vault"),
        (PrivateOnly, Record, INSIDE, forbidden("ForbiddenByFirewall"), Cause::Firewall, "ForbiddenByFirewall", "through the private endpoint"),
        (AllowCidr, Record, INSIDE, forbidden("ForbiddenByFirewall"), Cause::Firewall, "ForbiddenByFirewall", "firewall of the vault"),
        (PrivateOnly, Record, INSIDE, forbidden("ForbiddenByRbac"), Cause::Ok, "403", ""),
        (PrivateOnly, Record, INSIDE, failed(connect), Cause::EndpointPending, "no connection", "approve"),
        (PrivateOnly, Record, INSIDE, failed(timeout), Cause::EndpointPending, "within 5 s", "approve"),
        (PrivateOnly, Record, INSIDE, failed(broken), Cause::EndpointPending, "broke off", "approve"),
        (AllowCidr, Record, INSIDE, failed(timeout), Cause::Timeout, "within 5 s", "firewalls"),
        (AllowCidr, Record, INSIDE, failed(connect), Cause::Firewall, "no connection", "listens"),
        (PrivateOnly, Record, INSIDE, failed(tls), Cause::Tls, "another name", "TLS inspection"),
        (Ncc, Require, OUTSIDE, failed(|host| HttpError::Resolve { host }), Cause::NoSuchName, "resolved", "DNS"),
        (PrivateOnly, Record, INSIDE, failed(|host| HttpError::Refused { host, reason: "x".to_owned() }), Cause::PublicAnswer, "refused: x", "at a time"),
        (PrivateOnly, Record, INSIDE, Reached::NotTried, Cause::Timeout, "no connection", "again"),
    ];
    for (mode, demand, address, reached, cause, evidence, fix) in cases {
        check(
            &rule(mode, demand),
            &seen(address, reached),
            cause,
            evidence,
            fix,
        );
    }
}

#[test]
fn a_proxy_is_a_cause_only_where_the_direct_way_fails() {
    let open = rule(NetworkMode::AllowCidr, PrivateLink::Record);
    let behind = |reached| Observed {
        proxies: vec!["HTTPS_PROXY".to_owned(), "https_proxy".to_owned()],
        ..seen(INSIDE, reached)
    };
    check(
        &open,
        &behind(failed(timeout)),
        Cause::Proxy,
        "HTTPS_PROXY, https_proxy is set",
        "the direct way",
    );
    check(
        &open,
        &behind(failed(connect)),
        Cause::Proxy,
        "HTTPS_PROXY",
        "the direct way",
    );
    let works = behind(answer(200, None, PathProof::new(PathKind::Address)));
    let found = diagnose(VAULT, Some(&open), &works);
    assert_eq!((found.cause, found.proof), (Cause::Ok, Some("address")));
    assert!(
        found
            .note
            .unwrap()
            .contains("HTTPS_PROXY, https_proxy is set")
    );
}

#[test]
fn a_simulator_proves_nothing_by_its_address() {
    let private = rule(NetworkMode::PrivateOnly, PrivateLink::Record);
    let simulated = Observed {
        reached: Reached::Connected,
        ..Observed::new(Lookup::Simulated)
    };
    let found = diagnose(VAULT, Some(&private), &simulated);
    assert_eq!((found.cause, found.proof), (Cause::Ok, Some("unproven")));
    let json = serde_json::to_value(&found).unwrap();
    assert_eq!(json["cause"], "ok");
    assert_eq!(json["rule"], "NR-01");
}
