//! The rows that zt brings along: what an identity needs before any table was read.
//!
//! Sources: Microsoft Learn, "National clouds" (authorities), "Microsoft Graph national cloud deployments", "Azure Instance
//! Metadata Service", "How to use managed identities for App Service and Azure Functions".

use std::net::{IpAddr, Ipv4Addr};

use ipnet::{IpNet, Ipv4Net};

use super::url::Target;
use super::{Destination, Refusal, Scheme};
use crate::identity::Cloud;
use crate::metadata::PortRange;

/// The host of a cloud's Entra: `login.microsoftonline.com`.
#[must_use]
pub const fn authority_host(cloud: Cloud) -> &'static str {
    match cloud {
        Cloud::Public => "login.microsoftonline.com",
        Cloud::UsGov => "login.microsoftonline.us",
        Cloud::China => "login.partner.microsoftonline.cn",
        Cloud::Development => "zt-development-issuer.invalid",
    }
}

/// Other names of the same Entra, which old settings and tokens still hold.
const fn authority_aliases(cloud: Cloud) -> &'static [&'static str] {
    match cloud {
        Cloud::Public => &[
            "login.windows.net",
            "login.microsoft.com",
            "sts.windows.net",
        ],
        Cloud::UsGov => &["login.usgovcloudapi.net"],
        Cloud::China => &["login.chinacloudapi.cn"],
        Cloud::Development => &[],
    }
}

/// Whether a host is this cloud's Entra under any of its names.
#[must_use]
pub fn is_authority(cloud: Cloud, host: &str) -> bool {
    host == authority_host(cloud) || authority_aliases(cloud).contains(&host)
}

/// The host of a cloud's Microsoft Graph: `graph.microsoft.com`. Azure Government's own is that of its L4; the Department of
/// Defense has `dod-graph.microsoft.us`, which the guard allows too. The development issuer's directory is found under the
/// public name.
#[must_use]
pub const fn graph_host(cloud: Cloud) -> &'static str {
    match cloud {
        Cloud::Public | Cloud::Development => "graph.microsoft.com",
        Cloud::UsGov => "graph.microsoft.us",
        Cloud::China => "microsoftgraph.chinacloudapi.cn",
    }
}

/// Entra of a cloud.
pub(super) fn entra(cloud: Cloud) -> impl Iterator<Item = Destination> {
    let hosts = [authority_host(cloud)].into_iter();
    let hosts = hosts.chain(authority_aliases(cloud).iter().copied());
    hosts.map(|host| Destination::public("the built-in row for Entra", host).built_in())
}

/// Microsoft Graph of a cloud.
pub(super) fn graph(cloud: Cloud) -> impl Iterator<Item = Destination> {
    let second = (cloud == Cloud::UsGov).then_some("dod-graph.microsoft.us");
    let hosts = [graph_host(cloud)].into_iter().chain(second);
    hosts.map(|host| Destination::public("the built-in row for Microsoft Graph", host).built_in())
}

/// The one address in place of a name, and the one row of plain HTTP that leaves the machine's own stack: it is answered by
/// the host of the virtual machine, and no DNS stands before it.
pub(super) fn metadata_endpoint() -> Destination {
    let own = IpNet::from(IpAddr::V4(METADATA));
    Destination::within(
        "the built-in row for the metadata endpoint",
        METADATA_HOST,
        vec![own],
    )
    .over(Scheme::Http, HTTP)
    .built_in()
}

/// What `IDENTITY_ENDPOINT` names.
pub(super) fn identity_endpoint(url: &str) -> Result<Destination, Refusal> {
    let target = Target::read(url)?;
    let local = own_ranges();
    let named = match target.host.parse::<IpAddr>() {
        Ok(address) => local.iter().any(|range| range.contains(&address)),
        Err(_) => target.host == "localhost",
    };
    if !named || target.scheme != Scheme::Http {
        return Err(Refusal::NotThisMachine(target.host.to_owned()));
    }
    let port = PortRange {
        first: target.port,
        last: target.port,
    };
    let row = Destination::within("the row of IDENTITY_ENDPOINT", target.host, local);
    Ok(row.over(Scheme::Http, port).built_in())
}

/// Loopback, and the link-local range in which App Service on Linux answers.
fn own_ranges() -> Vec<IpNet> {
    let v4 = |a, b, length| Ipv4Net::new(Ipv4Addr::new(a, b, 0, 0), length).map(IpNet::V4);
    let ranges = [v4(127, 0, 8), v4(169, 254, 16)].into_iter().flatten();
    let loopback = IpNet::from(IpAddr::V6(std::net::Ipv6Addr::LOCALHOST));
    ranges.chain([loopback]).collect()
}

const METADATA: Ipv4Addr = Ipv4Addr::new(169, 254, 169, 254);
const METADATA_HOST: &str = "169.254.169.254";
const HTTP: PortRange = PortRange {
    first: 80,
    last: 80,
};
