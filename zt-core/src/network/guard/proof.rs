//! How the path to an answer was proven: what the row that admitted its peer demands, against what the vault says.

use std::net::SocketAddr;

use super::destination::{Addresses, Destination, Route};
use super::refusal::Refusal;
use crate::metadata::PrivateLink;
use crate::network::private_link::{Testimony, name_of};
use crate::network::{PathKind, PathProof};

impl Route {
    /// How the path of an answer was proven: the address that gave it, and its header
    /// [`TESTIMONY`](crate::network::private_link::TESTIMONY), `None` where it is missing, not text, or there twice. Asked
    /// before the body is read, also of a refusal and of the challenge before any token. A simulator's address proves
    /// nothing, so there the vault's word alone counts.
    ///
    /// # Errors
    /// [`Refusal`] where every row that admits the peer requires the vault's word for Private Link, and it does not give it.
    pub fn prove(&self, peer: SocketAddr, header: Option<&str>) -> Result<PathProof, Refusal> {
        let said = header.and_then(Testimony::read);
        let is_simulated = self.dialled().is_some();
        let mut refused = None;
        for row in self.rows() {
            if !is_simulated && row.check(peer.ip()).is_err() {
                continue;
            }
            match row.prove(said.as_ref(), is_simulated) {
                Ok(proof) => return Ok(proof),
                Err(refusal) => refused = refused.or(Some(refusal)),
            }
        }
        Err(refused.unwrap_or_else(|| Refusal::Peer {
            host: self.host().to_owned(),
            peer,
        }))
    }
}

impl Destination {
    fn prove(&self, said: Option<&Testimony>, is_simulated: bool) -> Result<PathProof, Refusal> {
        let demand = self.private_link();
        let said = said.filter(|_| demand != PrivateLink::Off);
        let expected = self.private_endpoint();
        let is_ours = |said: &Testimony| expected.is_none_or(|own| said.is_through(own));
        if let Some(said) = said.filter(|said| said.is_private_link() && is_ours(said))
            && (is_simulated || *self.addresses() != Addresses::Public)
        {
            let proof = PathProof::new(PathKind::PrivateLink);
            return Ok(through(proof, said));
        }
        if demand == PrivateLink::Require {
            return Err(self.unproven(said));
        }
        let by_address = match self.addresses() {
            _ if is_simulated => PathKind::Unproven,
            Addresses::Within(_) => PathKind::Address,
            Addresses::Public => PathKind::Public,
            Addresses::Any => PathKind::Unproven,
        };
        Ok(match said {
            Some(said) if said.is_private_link() => through(PathProof::new(by_address), said),
            // Inside our ranges, and yet the vault sees us coming over the internet: something stands between.
            Some(_) if is_simulated || self.is_private() => PathProof::new(PathKind::Public),
            Some(_) | None => PathProof::new(by_address),
        })
    }

    fn unproven(&self, said: Option<&Testimony>) -> Refusal {
        let (host, rule) = (self.host().to_owned(), self.rule().to_owned());
        match said {
            None => Refusal::NoTestimony { host, rule },
            Some(said) => match said.private_endpoint() {
                None => Refusal::PublicPath { host, rule },
                Some(id) => Refusal::OtherEndpoint {
                    host,
                    rule,
                    expected: self.private_endpoint().unwrap_or_default().to_owned(),
                    named: name_of(id).unwrap_or_default().to_owned(),
                },
            },
        }
    }
}

fn through(proof: PathProof, said: &Testimony) -> PathProof {
    match said.private_endpoint() {
        Some(id) => proof.through(id),
        None => proof,
    }
}

#[cfg(test)]
mod tests {
    use super::super::Guard;
    use super::*;

    const ID: &str =
        "/subscriptions/s/resourceGroups/g/providers/Microsoft.Network/privateEndpoints/";
    const VAULT: &str = "kv.vault.azure.net";

    fn header(said: &str) -> Option<String> {
        match said {
            "-" => None,
            "public" => {
                Some("conn_type=Ipv4;addr=72.68.182.20;act_addr_fam=InterNetwork;".to_owned())
            }
            "lies" => Some("conn_type=PrivateLink;addr=10.0.0.1;".to_owned()),
            name => Some(format!(
                "conn_type=PrivateLink;private_endpoint={ID}{name};addr=10.10.1.5;"
            )),
        }
    }

    fn row(host: &str, kind: &str, demand: PrivateLink, endpoint: Option<&str>) -> Destination {
        let within = || vec!["10.0.0.0/8".parse().unwrap()];
        let row = match kind {
            "private_only" => Destination::within("row", host, within()).privately(),
            "allow_cidr" => Destination::within("row", host, within()),
            "ncc" => Destination::anywhere("row", host),
            _ => Destination::public("row", host),
        };
        row.demanding(demand, endpoint)
    }

    /// The strength with the endpoint's name, or the refusal's variant.
    fn outcome(row: Destination, said: &str, dialled: bool) -> String {
        let host = row.host().to_owned();
        let public = *row.addresses() == Addresses::Public;
        let mut peer: SocketAddr = "10.1.2.3:443".parse().unwrap();
        if public {
            peer = "20.190.160.1:443".parse().unwrap();
        }
        let mut guard = Guard::new().with(row);
        if dialled {
            peer = "127.0.0.1:9".parse().unwrap();
            guard = guard.dialling(&host, peer);
        }
        let route = guard.route(&format!("https://{host}/")).unwrap();
        assert!(route.is_peer(peer));
        match route.prove(peer, header(said).as_deref()) {
            Ok(proof) => {
                let name = proof.private_endpoint.as_deref().and_then(name_of);
                format!("{} {}", proof.kind, name.unwrap_or_default())
                    .trim()
                    .to_owned()
            }
            Err(refusal) => {
                let text = refusal.to_string();
                assert!(
                    text.contains(&host) && text.contains("row") && !text.contains("subscriptions")
                );
                let shown = format!("{refusal:?}");
                shown.split([' ', '{']).next().unwrap().to_owned()
            }
        }
    }

    #[test]
    fn each_row_takes_what_it_demands() {
        use PrivateLink::{Off, Record, Require};
        #[rustfmt::skip]
        let cases = [
            // row, demand, its endpoint, what the vault says, outcome
            ("private_only", Record, Some("pe-kv"), "pe-kv", "private_link pe-kv"),
            ("private_only", Record, Some("pe-kv"), "PE-KV", "private_link PE-KV"),
            ("private_only", Record, None, "pe-x", "private_link pe-x"),
            ("private_only", Record, Some("pe-kv"), "pe-x", "address pe-x"),
            ("private_only", Record, Some("pe-kv"), "public", "public"),
            ("private_only", Record, Some("pe-kv"), "lies", "address"),
            ("private_only", Record, Some("pe-kv"), "-", "address"),
            ("private_only", Off, Some("pe-kv"), "pe-kv", "address"),
            ("private_only", Off, Some("pe-kv"), "public", "address"),
            ("private_only", Require, Some("pe-kv"), "pe-kv", "private_link pe-kv"),
            ("private_only", Require, None, "pe-x", "private_link pe-x"),
            ("private_only", Require, Some("pe-kv"), "pe-x", "OtherEndpoint"),
            ("private_only", Require, Some("pe-kv"), "public", "PublicPath"),
            ("private_only", Require, Some("pe-kv"), "lies", "NoTestimony"),
            ("private_only", Require, Some("pe-kv"), "-", "NoTestimony"),
            ("allow_cidr", Record, None, "public", "address"),
            ("allow_cidr", Record, None, "pe-x", "private_link pe-x"),
            ("allow_cidr", Require, None, "public", "PublicPath"),
            ("ncc", Require, None, "pe-x", "private_link pe-x"),
            ("ncc", Require, None, "-", "NoTestimony"),
            ("ncc", Require, Some("pe-kv"), "pe-x", "OtherEndpoint"),
            ("ncc", Record, None, "-", "unproven"),
            ("ncc", Record, None, "public", "public"),
            ("ncc", Record, Some("pe-kv"), "pe-x", "unproven pe-x"),
            ("public", Record, None, "-", "public"),
            ("public", Record, None, "public", "public"),
        ];
        for (kind, demand, endpoint, said, expected) in cases {
            let row = row(VAULT, kind, demand, endpoint);
            assert_eq!(
                outcome(row, said, false),
                expected,
                "{kind} {demand} {endpoint:?} {said}"
            );
        }
    }

    #[test]
    fn a_simulator_is_judged_by_its_word_alone() {
        use PrivateLink::{Record, Require};
        for kind in ["private_only", "allow_cidr", "ncc", "public"] {
            for (demand, said, expected) in [
                (Record, "pe-kv", "private_link pe-kv"),
                (Record, "pe-x", "unproven pe-x"),
                (Record, "public", "public"),
                (Record, "-", "unproven"),
                (Require, "pe-kv", "private_link pe-kv"),
                (Require, "-", "NoTestimony"),
                (Require, "public", "PublicPath"),
            ] {
                let row = row(VAULT, kind, demand, Some("pe-kv"));
                assert_eq!(outcome(row, said, true), expected, "{kind} {demand} {said}");
            }
        }
    }

    #[test]
    fn nobody_but_a_vault_is_believed() {
        for host in ["api.creditbureau.example", "sql.database.windows.net"] {
            let row = row(host, "private_only", PrivateLink::Record, None);
            assert_eq!(outcome(row, "pe-x", false), "address", "{host}");
        }
        let hsm = row(
            "h.managedhsm.azure.net",
            "private_only",
            PrivateLink::Require,
            None,
        );
        assert_eq!(outcome(hsm, "pe-x", false), "private_link pe-x");
    }
}
