//! The reasons of a vault's 403.

/// The inner code of a 403.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Denial {
    /// No access policy allows it.
    AccessDenied,
    /// No role assignment allows it.
    ForbiddenByRbac,
    /// A policy forbids it.
    ForbiddenByPolicy,
    /// The client's address is not on the vault's list.
    ForbiddenByFirewall,
    /// Public access is off, and the client came that way.
    ForbiddenByConnection,
    /// The secret is disabled.
    SecretDisabled,
}

const ALL: &[(Denial, &str)] = &[
    (Denial::AccessDenied, "AccessDenied"),
    (Denial::ForbiddenByRbac, "ForbiddenByRbac"),
    (Denial::ForbiddenByPolicy, "ForbiddenByPolicy"),
    (Denial::ForbiddenByFirewall, "ForbiddenByFirewall"),
    (Denial::ForbiddenByConnection, "ForbiddenByConnection"),
    (Denial::SecretDisabled, "SecretDisabled"),
];

impl Denial {
    /// Every one.
    pub fn all() -> impl Iterator<Item = Self> {
        ALL.iter().map(|&(denial, _)| denial)
    }

    /// As the answer spells it.
    #[must_use]
    pub fn code(self) -> &'static str {
        let row = ALL.iter().find(|&&(own, _)| own == self);
        row.map_or("", |&(_, code)| code)
    }

    /// The one that is spelt like this.
    #[must_use]
    pub fn named(code: &str) -> Option<Self> {
        let row = ALL.iter().find(|&&(_, own)| own == code);
        row.map(|&(denial, _)| denial)
    }
}
