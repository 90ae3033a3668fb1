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

/// Entra of a cloud.
pub(super) fn entra(cloud: Cloud) -> impl Iterator<Item = Destination> {
    let hosts = cloud.login_hosts();
    hosts.map(|host| Destination::public("the built-in row for Entra", host).built_in())
}

/// Microsoft Graph of a cloud. Azure Government has a second one, of the Department of Defense.
pub(super) fn graph(cloud: Cloud) -> impl Iterator<Item = Destination> {
    let second = (cloud == Cloud::UsGov).then_some("dod-graph.microsoft.us");
    let hosts = cloud.graph_host().into_iter().chain(second);
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
