//! What a vault says about the way by which a request came in: the header `x-ms-keyvault-network-info`.
//!
//! Out: the header's text. The real one is written by the service from the connection that it sees; here a test says it, so
//! that a client can be shown a vault that was reached over the internet, or one that lies.

use std::net::Ipv4Addr;

/// How the vault was reached, as it tells it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum NetworkInfo {
    /// Over a public address.
    Public(Ipv4Addr),
    /// Over a private endpoint.
    PrivateLink {
        /// The endpoint's resource id.
        endpoint: String,
        /// The client's address.
        address: Ipv4Addr,
    },
    /// The header is not sent.
    Absent,
    /// This text, whatever it says.
    Text(String),
}

impl NetworkInfo {
    /// Over the sample world's private endpoint of this name.
    #[must_use]
    pub fn private_endpoint(name: &str) -> Self {
        Self::PrivateLink {
            endpoint: format!("{ENDPOINTS}/{name}"),
            address: ADDRESS,
        }
    }

    pub(crate) fn header(&self) -> Option<String> {
        match self {
            Self::Public(address) => Some(format!(
                "conn_type=Ipv4;addr={address};act_addr_fam=InterNetwork;"
            )),
            Self::PrivateLink { endpoint, address } => Some(format!(
                "conn_type=PrivateLink;private_endpoint={endpoint};addr={address};act_addr_fam=InterNetworkV6;"
            )),
            Self::Absent => None,
            Self::Text(text) => Some(text.clone()),
        }
    }

    /// The client's address, as refusals tell it.
    pub(super) const fn address(&self) -> Ipv4Addr {
        match self {
            Self::Public(address) | Self::PrivateLink { address, .. } => *address,
            Self::Absent | Self::Text(_) => ADDRESS,
        }
    }
}

const ENDPOINTS: &str = "/subscriptions/22222222-2222-4222-8222-222222222222/resourceGroups/rg-brindlewick/providers/Microsoft.Network/privateEndpoints";
/// In the subnet that the sample world's rule names.
const ADDRESS: Ipv4Addr = Ipv4Addr::new(10, 20, 4, 5);
