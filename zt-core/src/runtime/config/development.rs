//! The section `[development]`: what only a process that guards nothing may be told.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;

use toml::de::{DeTable, DeValue};

use super::Config;
use crate::id::{PrincipalId, PrincipalKind};
use crate::metadata::{Place, Problem};

/// The groups that the development issuer puts into a person's token, as Entra would.
pub type DevelopmentGroups = BTreeMap<PrincipalId, Vec<PrincipalId>>;

/// What the section says.
#[derive(Debug, Clone, Default)]
pub(super) struct Development {
    groups: DevelopmentGroups,
    azure: Option<SocketAddr>,
    azure_plain: Option<SocketAddr>,
    azure_ca: Option<PathBuf>,
}

impl Config {
    /// Who is in which group, for the development issuer and `zt check --as`.
    #[must_use]
    pub const fn development_groups(&self) -> &DevelopmentGroups {
        &self.development.groups
    }

    /// Where a simulator of Azure listens for TLS, in place of every host of Azure (`development.azure`).
    #[must_use]
    pub const fn simulated_azure(&self) -> Option<SocketAddr> {
        self.development.azure
    }

    /// Where it listens for plain HTTP, in place of the machine's metadata endpoint (`development.azure_plain`).
    #[must_use]
    pub const fn simulated_metadata_endpoint(&self) -> Option<SocketAddr> {
        self.development.azure_plain
    }

    /// The file of its certificate authority (`development.azure_ca`), which is trusted and no other.
    #[must_use]
    pub fn simulated_azure_ca(&self) -> Option<PathBuf> {
        let ca = self.development.azure_ca.as_ref();
        ca.map(|file| self.folder.join(file))
    }
}

impl Development {
    pub(super) fn is_empty(&self) -> bool {
        self.groups.is_empty()
            && self.azure.is_none()
            && self.azure_plain.is_none()
            && self.azure_ca.is_none()
    }

    pub(super) fn read(&mut self, section: &DeTable<'_>, at: &Place, problems: &mut Vec<Problem>) {
        for (key, value) in section {
            let name: &str = key.get_ref();
            let read = match name {
                "groups" => self.read_groups(value.get_ref()),
                "azure" => address(value.get_ref()).map(|read| self.azure = Some(read)),
                "azure_plain" => address(value.get_ref()).map(|read| self.azure_plain = Some(read)),
                "azure_ca" => match value.get_ref().as_str() {
                    Some(file) => {
                        self.azure_ca = Some(PathBuf::from(file));
                        Ok(())
                    }
                    None => Err("expected the file of a certificate".to_owned()),
                },
                _ => Err("not a setting of `[development]`".to_owned()),
            };
            if let Err(why) = read {
                let problem = Problem::new(why).text(name).nearest(&NAMES);
                problems.push(problem.at(Some(at.clone())));
            }
        }
    }

    fn read_groups(&mut self, value: &DeValue<'_>) -> Result<(), String> {
        let table = value.as_table().ok_or("expected `[development.groups]`")?;
        for (person, members) in table {
            let (person, groups) = read_groups(person.get_ref(), members.get_ref())
                .map_err(|why| format!("`{}`: {why}", person.get_ref()))?;
            self.groups.insert(person, groups);
        }
        Ok(())
    }
}

const NAMES: [&str; 4] = ["groups", "azure", "azure_plain", "azure_ca"];

/// A simulator is on this machine: anything else would be somebody's Azure of their own.
fn address(value: &DeValue<'_>) -> Result<SocketAddr, String> {
    let text = value.as_str().unwrap_or_default();
    match text.parse::<SocketAddr>() {
        Ok(address) if address.ip().is_loopback() => Ok(address),
        Ok(_) | Err(_) => {
            Err("expected a loopback address with a port: `127.0.0.1:8443`".to_owned())
        }
    }
}

fn read_groups(
    person: &str,
    groups: &DeValue<'_>,
) -> Result<(PrincipalId, Vec<PrincipalId>), String> {
    let person = person
        .parse()
        .map_err(|why: crate::id::NotAPrincipal| why.to_string())?;
    let list = groups.as_array().ok_or("expected a list of groups")?;
    let group = |value: &toml::Spanned<DeValue<'_>>| {
        let text = value
            .get_ref()
            .as_str()
            .ok_or("expected a list of groups")?;
        let group: PrincipalId = text.parse().map_err(|why| format!("`{text}`: {why}"))?;
        if group.kind() != PrincipalKind::Group {
            return Err(format!("`{text}` is not a group"));
        }
        Ok(group)
    };
    Ok((
        person,
        list.iter().map(group).collect::<Result<_, String>>()?,
    ))
}
