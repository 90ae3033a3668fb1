use super::*;
use std::net::IpAddr;

use crate::metadata::{NetworkMode, PortRange, PrivateLink};

fn ips(list: &[&str]) -> Vec<IpAddr> {
    list.iter().map(|ip| ip.parse().unwrap()).collect()
}

fn rule(host: &str, mode: NetworkMode, cidrs: &[&str], ports: &[&str]) -> NetworkRule {
    NetworkRule {
        id: "kv".to_owned(),
        host: host.to_owned(),
        mode,
        zone: None,
        group_id: None,
        cidrs: cidrs.iter().map(|cidr| cidr.parse().unwrap()).collect(),
        private_endpoint: None,
        private_link: PrivateLink::Record,
        ports: ports.iter().map(|port| port.parse().unwrap()).collect(),
        runtime: None,
    }
}

#[test]
fn without_a_row_nothing_is_reached() {
    let empty = Guard::new();
    let host = "login.microsoftonline.com".to_owned();
    let refusal = empty
        .route("https://login.microsoftonline.com/")
        .unwrap_err();
    assert_eq!(refusal, Refusal::UnknownHost(host));
    assert!(refusal.to_string().contains("Network_Rules"));
}

#[test]
fn each_cloud_reaches_its_own_entra_and_graph_alone() {
    for (cloud, entra, graph, foreign) in [
        (
            Cloud::Public,
            "sts.windows.net",
            "graph.microsoft.com",
            "login.microsoftonline.us",
        ),
        (
            Cloud::UsGov,
            "login.microsoftonline.us",
            "dod-graph.microsoft.us",
            "graph.microsoft.com",
        ),
        (
            Cloud::China,
            "login.chinacloudapi.cn",
            "microsoftgraph.chinacloudapi.cn",
            "graph.microsoft.us",
        ),
    ] {
        let guard = Guard::for_identity(cloud);
        for host in [
            cloud.login_host(),
            cloud.graph_host().unwrap(),
            entra,
            graph,
        ] {
            assert!(guard.route(&format!("https://{host}/x")).is_ok(), "{host}");
        }
        assert!(guard.route(&format!("https://{foreign}/x")).is_err());
        let key_issuer = cloud.key_issuer_template();
        assert!(key_issuer.starts_with(&format!("https://{}/", cloud.login_host())));
    }
}

#[test]
fn a_host_is_taken_whole() {
    let guard = Guard::for_identity(Cloud::Public);
    for host in [
        "xgraph.microsoft.com",
        "graph.microsoft.com.evil.example",
        "evil.graph.microsoft.com",
        "microsoft.com",
    ] {
        assert!(guard.route(&format!("https://{host}/")).is_err(), "{host}");
    }
}

#[test]
fn scheme_and_port_are_those_of_the_row() {
    let guard = Guard::for_identity(Cloud::Public);
    assert!(guard.route("https://graph.microsoft.com:443/").is_ok());
    assert!(matches!(
        guard.route("http://graph.microsoft.com/"),
        Err(Refusal::Scheme {
            allowed: Scheme::Https,
            ..
        })
    ));
    assert!(matches!(
        guard.route("https://graph.microsoft.com:8443/"),
        Err(Refusal::Port { port: 8443, .. })
    ));
}

#[test]
fn one_bad_address_refuses_the_whole_answer() {
    let guard = Guard::for_identity(Cloud::Public);
    let route = guard.route("https://graph.microsoft.com/").unwrap();
    assert_eq!(route.admit(&ips(&["20.190.160.1", "2603:1030::1"])), Ok(()));
    assert!(matches!(
        route.admit(&ips(&["20.190.160.1", "169.254.169.254"])),
        Err(Refusal::NotPublic {
            what: "a link-local address",
            ..
        })
    ));
    assert!(matches!(
        route.admit(&ips(&["::ffff:10.0.0.1"])),
        Err(Refusal::NotPublic { .. })
    ));
    assert!(matches!(route.admit(&[]), Err(Refusal::NoAddress { .. })));
}

#[test]
fn the_metadata_endpoint_is_the_one_address() {
    let guard = Guard::for_identity(Cloud::Public);
    let route = guard
        .route("http://169.254.169.254/metadata/identity/oauth2/token?x")
        .unwrap();
    assert_eq!(route.literal(), Some("169.254.169.254".parse().unwrap()));
    assert!(route.admit(&ips(&["169.254.169.254"])).is_ok());
    assert!(route.admit(&ips(&["169.254.169.253"])).is_err());
    for url in [
        "https://169.254.169.254/",
        "http://169.254.169.254:8080/",
        "http://169.254.169.253/",
        "http://2852039166/",
        "http://127.0.0.1/",
        "https://20.190.160.1/",
    ] {
        assert!(guard.route(url).is_err(), "{url}");
    }
}

#[test]
fn the_identity_endpoint_is_on_this_machine() {
    let with = |url: &str| Guard::new().with_identity_endpoint(url);
    for url in [
        "http://127.0.0.1:41741/MSI/token/",
        "http://localhost:42356/msi/token",
        "http://169.254.131.4:8081/msi/token",
    ] {
        let guard = with(url).unwrap();
        assert!(guard.route(&format!("{url}?resource=x")).is_ok(), "{url}");
    }
    let local = with("http://localhost:42356/msi/token").unwrap();
    let route = local.route("http://localhost:42356/x").unwrap();
    assert!(route.admit(&ips(&["127.0.0.1", "::1"])).is_ok());
    assert!(route.admit(&ips(&["127.0.0.1", "10.0.0.1"])).is_err());
    for url in [
        "http://10.0.0.4/msi/token",
        "https://localhost/msi/token",
        "http://evil.example/msi/token",
        "http://168.63.129.16/",
        "http://[::1]/",
    ] {
        assert!(with(url).is_err(), "{url}");
    }
}

#[test]
fn a_row_of_the_tables_says_where_its_host_is() {
    let host = "zt-prod.vault.azure.net";
    let private = rule(host, NetworkMode::PrivateOnly, &["10.20.0.0/24"], &[]);
    let guard = Guard::new().with_rules(&[&private]);
    let route = guard
        .route("https://zt-prod.vault.azure.net/secrets/x")
        .unwrap();
    assert!(
        route
            .admit(&ips(&["10.20.0.7", "::ffff:10.20.0.8"]))
            .is_ok()
    );
    let refused = route.admit(&ips(&["10.20.0.7", "52.1.1.1"])).unwrap_err();
    assert!(
        refused.to_string().contains("row `kv` of Network_Rules"),
        "{refused}"
    );

    let nowhere = rule(host, NetworkMode::AllowCidr, &[], &[]);
    let guard = Guard::new().with_rules(&[&nowhere]);
    let route = guard.route("https://zt-prod.vault.azure.net/").unwrap();
    assert!(route.admit(&ips(&["10.20.0.7"])).is_err());

    let ncc = rule(host, NetworkMode::Ncc, &[], &["8000-8010"]);
    let guard = Guard::new().with_rules(&[&ncc]);
    let route = guard
        .route("https://zt-prod.vault.azure.net:8010/")
        .unwrap();
    assert!(route.admit(&ips(&["10.20.0.7", "52.1.1.1"])).is_ok());
    assert!(guard.route("https://zt-prod.vault.azure.net/").is_err());
}

#[test]
fn a_row_of_the_tables_replaces_the_built_in_one() {
    let behind_link = rule(
        "graph.microsoft.com",
        NetworkMode::PrivateOnly,
        &["10.9.0.0/16"],
        &[],
    );
    let guard = Guard::for_identity(Cloud::Public).with_rules(&[&behind_link]);
    let route = guard.route("https://graph.microsoft.com/").unwrap();
    assert!(route.admit(&ips(&["10.9.0.1"])).is_ok());
    assert!(route.admit(&ips(&["20.190.160.1"])).is_err());

    let elsewhere = rule(
        "graph.microsoft.com",
        NetworkMode::PrivateOnly,
        &["10.9.0.0/16"],
        &["8443"],
    );
    let guard = Guard::for_tables(Cloud::Public, &[elsewhere]);
    let refused = guard.route("https://graph.microsoft.com/").unwrap_err();
    assert!(matches!(refused, Refusal::Port { .. }), "{refused}");
    assert!(guard.route("https://graph.microsoft.com:8443/").is_ok());
    assert!(guard.route("https://login.microsoftonline.com/").is_ok());
}

#[test]
fn routes_are_equal_when_they_lead_alike() {
    let route = |cidr: &str| {
        let row = rule("db.example", NetworkMode::AllowCidr, &[cidr], &[]);
        Guard::new()
            .with_rules(&[&row])
            .route("https://db.example/x")
    };
    assert_eq!(route("10.1.0.0/16"), route("10.1.0.0/16"));
    assert_ne!(route("10.1.0.0/16"), route("10.2.0.0/16"));
    let guard = Guard::for_identity(Cloud::Public);
    let plain = guard.route("https://graph.microsoft.com/a").unwrap();
    assert_eq!(guard.route(&plain.origin()).as_ref(), Ok(&plain));
    let at = "127.0.0.1:18443".parse().unwrap();
    let dialled = guard.dialling("graph.microsoft.com", at);
    assert_ne!(
        dialled.route("https://graph.microsoft.com/a").unwrap(),
        plain
    );
}

#[test]
fn rows_of_one_host_are_permissions_per_port() {
    let a = rule(
        "db.example",
        NetworkMode::AllowCidr,
        &["10.1.0.0/16"],
        &["443"],
    );
    let b = rule(
        "db.example",
        NetworkMode::AllowCidr,
        &["10.2.0.0/16"],
        &["443-444"],
    );
    let guard = Guard::new().with_rules(&[&a, &b]);
    let both = guard.route("https://db.example/").unwrap();
    assert!(both.admit(&ips(&["10.1.0.1", "10.2.0.1"])).is_ok());
    let second = guard.route("https://db.example:444/").unwrap();
    assert!(second.admit(&ips(&["10.1.0.1"])).is_err());
}

#[test]
fn the_peer_must_be_where_the_route_leads() {
    let guard = Guard::for_identity(Cloud::Public);
    let route = guard.route("https://graph.microsoft.com/").unwrap();
    assert!(route.is_peer("20.190.160.1:443".parse().unwrap()));
    assert!(!route.is_peer("20.190.160.1:8443".parse().unwrap()));
    assert!(!route.is_peer("127.0.0.1:443".parse().unwrap()));
}

#[test]
fn a_simulator_is_dialled_and_nothing_else() {
    let at: SocketAddr = "127.0.0.1:18443".parse().unwrap();
    let guard = Guard::for_identity(Cloud::Public)
        .dialling("graph.microsoft.com", at)
        .dialling("evil.example", at);
    let route = guard.route("https://graph.microsoft.com/").unwrap();
    assert_eq!(route.dialled(), Some(at));
    assert!(route.is_peer(at) && !route.is_peer("20.190.160.1:443".parse().unwrap()));
    assert!(
        guard.route("https://evil.example/").is_err(),
        "dialling opens nothing"
    );
}

#[test]
fn a_range_of_ports_is_inclusive() {
    let row = Destination::public("test", "a.example").at_ports(vec![PortRange {
        first: 100,
        last: 102,
    }]);
    for (port, open) in [(99, false), (100, true), (102, true), (103, false)] {
        assert_eq!(row.covers(Scheme::Https, port), open, "{port}");
    }
}

#[test]
fn no_row_of_the_tables_opens_an_address() {
    let row = Destination::within("test", "10.0.0.1", vec!["10.0.0.0/8".parse().unwrap()]);
    let guard = Guard::new().with(row);
    let refusal = guard.route("https://10.0.0.1/").unwrap_err();
    assert_eq!(refusal, Refusal::Address("10.0.0.1".to_owned()));
}
