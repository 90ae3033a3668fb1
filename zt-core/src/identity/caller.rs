//! The verified caller: what a token proved, as ids; no name, no mail, no token.

use std::fmt;
use std::sync::Arc;

use crate::clock::Timestamp;
use crate::id::{Guid, PrincipalId, PrincipalKind};

use super::claim::{Claim, OtherClaims};
use super::error::AuthError;
use super::groups::Member;
pub use super::token_facts::{AuthStrength, ClientApp, ClientAuth, Mfa, TokenInfo, TokenVersion};

/// Somebody who proved who they are. Cheap to clone; immutable; made by [`Authenticator`](super::Authenticator) alone.
///
/// The key of a caller is ([`tenant`](Self::tenant), [`object`](Self::object)), the claims `tid` and `oid`, which never change and
/// are never used again (Microsoft Learn, "Secure applications and APIs by validating claims"). Readable ids come from a
/// [`Directory`], that is from the current snapshot, each time: a reload of the tables renames callers, a token does not.
/// `Debug` and `Display` show ids only.
#[derive(Clone)]
pub struct Caller(Arc<Facts>);

/// What a [`Caller`] holds.
pub(super) struct Facts {
    pub(super) tenant: Guid,
    pub(super) is_foreign: bool,
    pub(super) object: Guid,
    pub(super) kind: CallerKind,
    pub(super) groups: Groups,
    pub(super) app_roles: Box<[Box<str>]>,
    pub(super) scopes: Box<[Box<str>]>,
    pub(super) client: Option<ClientApp>,
    pub(super) strength: AuthStrength,
    pub(super) takes_challenges: bool,
    pub(super) token: Option<TokenInfo>,
    pub(super) claims: OtherClaims,
}

impl Caller {
    pub(super) fn new(facts: Facts) -> Self {
        Self(Arc::new(facts))
    }

    /// A caller that somebody only says is calling, for simulations (`zt check --as maya`).
    ///
    /// # Errors
    /// [`AuthError::Ambiguous`] if the id names a group: groups do not call.
    #[cfg_attr(
        not(all(test, feature = "testing")),
        expect(
            dead_code,
            reason = "simulations in the runtime and the CLI build on it"
        )
    )]
    pub(crate) fn asserted(
        tenant: Guid,
        id: &PrincipalId,
        object: Guid,
        groups: Groups,
    ) -> Result<Self, AuthError> {
        let kind = CallerKind::of(id).ok_or(AuthError::Ambiguous {
            problem: "a group cannot call",
        })?;
        Ok(Self::new(Facts {
            tenant,
            is_foreign: false,
            object,
            kind,
            groups,
            app_roles: Box::default(),
            scopes: Box::default(),
            client: None,
            strength: AuthStrength { mfa: Mfa::Unknown },
            takes_challenges: false,
            token: None,
            claims: OtherClaims::default(),
        }))
    }

    /// The Entra tenant that vouches for the caller (`tid`).
    #[must_use]
    pub fn tenant(&self) -> Guid {
        self.0.tenant
    }

    /// The caller's object id in that tenant (`oid`).
    #[must_use]
    pub fn object(&self) -> Guid {
        self.0.object
    }

    /// A person or an application.
    #[must_use]
    pub fn kind(&self) -> CallerKind {
        self.0.kind
    }

    /// Whom a directory of groups is asked about.
    pub(crate) fn member(&self) -> Member {
        Member {
            tenant: self.0.tenant,
            object: self.0.object,
            kind: self.0.kind,
        }
    }

    /// Where the caller's object ids are from, seen from the tables.
    #[must_use]
    pub fn home(&self) -> Home {
        match self.0.is_foreign {
            true => Home::Foreign(self.0.tenant),
            false => Home::Own(self.0.tenant),
        }
    }

    /// The readable id that the tables give this caller; `None` if no row of Principals names the object id.
    ///
    /// # Errors
    /// [`AuthError::PrincipalKind`] if the row says user where the token says application, the reverse, or group.
    pub fn principal(&self, directory: &dyn Directory) -> Result<Option<PrincipalId>, AuthError> {
        match directory.principal(self.home(), self.0.object) {
            Some(id) if CallerKind::of(&id) != Some(self.0.kind) => Err(AuthError::PrincipalKind {
                object: self.0.object,
                kind: self.0.kind.as_str(),
                id,
            }),
            found => Ok(found),
        }
    }

    /// The object ids of the caller's groups; readable through [`Groups::principals`].
    #[must_use]
    pub fn groups(&self) -> &Groups {
        &self.0.groups
    }

    /// App roles that the application's owner assigned (`roles`): of the person, or of the workload.
    #[must_use]
    pub fn app_roles(&self) -> &[Box<str>] {
        &self.0.app_roles
    }

    /// Scopes that the client was granted for a person (`scp`); empty for workloads.
    #[must_use]
    pub fn scopes(&self) -> &[Box<str>] {
        &self.0.scopes
    }

    /// The application that asked for the token. It identifies the caller only if [`kind`](Self::kind) is a service principal.
    #[must_use]
    pub fn client(&self) -> Option<ClientApp> {
        self.0.client
    }

    /// How strongly the person proved to be themselves.
    #[must_use]
    pub fn auth_strength(&self) -> AuthStrength {
        self.0.strength
    }

    /// About how many bytes it takes.
    pub(super) fn size(&self) -> usize {
        let facts = &*self.0;
        let texts = |texts: &[Box<str>]| texts.iter().map(|text| text.len() + 16).sum::<usize>();
        let groups = match &facts.groups {
            Groups::Complete(ids) => ids.len() * size_of::<Guid>(),
            Groups::Overage | Groups::NotInToken => 0,
        };
        size_of::<Facts>()
            + groups
            + texts(&facts.app_roles)
            + texts(&facts.scopes)
            + facts.claims.size()
    }

    /// Whether the caller's client says that it understands claims challenges (`xms_cc` with `cp1`): to others a challenge is
    /// noise, and a step-up ends in a plain refusal.
    #[must_use]
    pub fn takes_challenges(&self) -> bool {
        self.0.takes_challenges
    }

    /// What the token says of a name beside the claims that have a method of their own.
    pub(crate) fn claim(&self, name: &str) -> Option<Claim<'_>> {
        self.0.claims.get(name)
    }

    /// About the token; `None` if there was none.
    #[must_use]
    pub fn token(&self) -> Option<&TokenInfo> {
        self.0.token.as_ref()
    }

    /// When the proof ends (`exp`); `None` if there is no token.
    #[must_use]
    pub fn expires_at(&self) -> Option<Timestamp> {
        self.token().map(|token| token.exp)
    }

    /// How we know.
    #[must_use]
    pub fn provenance(&self) -> Provenance {
        match self.0.token {
            Some(_) => Provenance::VerifiedToken,
            None => Provenance::Asserted,
        }
    }
}

impl fmt::Display for Caller {
    /// `oid:GUID`, the name of a caller that no row names.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "oid:{}", self.0.object)
    }
}

impl fmt::Debug for Caller {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Caller")
            .field("tenant", &self.0.tenant)
            .field("object", &self.0.object)
            .field("kind", &self.0.kind)
            .field("provenance", &self.provenance())
            .finish_non_exhaustive()
    }
}

/// Maps Entra's object ids to the readable ids of the tables (Principals).
pub trait Directory {
    /// The id that a row gives this object, person, group or application.
    fn principal(&self, home: Home, object: Guid) -> Option<PrincipalId>;
}

/// Which tenant an object id belongs to. Object ids are unique in a tenant; rows of Principals without `tenant` are of the home
/// tenant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(
    clippy::exhaustive_enums,
    reason = "a tenant is ours or it is not, and implementations must tell"
)]
pub enum Home {
    /// The tenant that the runtime was opened for.
    Own(Guid),
    /// Another one that is let in.
    Foreign(Guid),
}

/// Who can call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum CallerKind {
    /// A person, through some client.
    User,
    /// An application or managed identity, by itself.
    ServicePrincipal,
}

impl CallerKind {
    const fn as_str(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::ServicePrincipal => "service principal",
        }
    }

    fn of(id: &PrincipalId) -> Option<Self> {
        match id.kind() {
            PrincipalKind::User => Some(Self::User),
            PrincipalKind::ServicePrincipal => Some(Self::ServicePrincipal),
            PrincipalKind::Group => None,
        }
    }
}

/// The groups of a caller: object ids as the token has them, or readable ids after [`principals`](Self::principals).
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Groups<Id = Guid> {
    /// All of them, sorted, each once.
    Complete(Box<[Id]>),
    /// Too many for the token (over 200). Which ones is not known, and the token's URL is never called: fail closed.
    Overage,
    /// The token says nothing of groups. Not the same as "in no group".
    NotInToken,
}

impl Groups {
    /// Sorts and counts each once.
    pub(crate) fn complete(mut ids: Vec<Guid>) -> Self {
        ids.sort_unstable();
        ids.dedup();
        Self::Complete(ids.into_boxed_slice())
    }

    /// The readable ids that the tables give these groups. A group that no row names is left out: no policy can name it.
    ///
    /// # Errors
    /// [`AuthError::PrincipalKind`] if a row says that one of them is no group.
    pub fn principals(
        &self,
        home: Home,
        directory: &dyn Directory,
    ) -> Result<Groups<PrincipalId>, AuthError> {
        let objects = match self {
            Self::Complete(objects) => objects,
            Self::Overage => return Ok(Groups::Overage),
            Self::NotInToken => return Ok(Groups::NotInToken),
        };
        let mut ids = Vec::new();
        for object in objects {
            match directory.principal(home, *object) {
                None => {}
                Some(id) if id.kind() == PrincipalKind::Group => ids.push(id),
                Some(id) => {
                    return Err(AuthError::PrincipalKind {
                        object: *object,
                        kind: "group",
                        id,
                    });
                }
            }
        }
        ids.sort_unstable();
        Ok(Groups::Complete(ids.into_boxed_slice()))
    }
}

/// How a caller is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Provenance {
    /// By a token whose signature, issuer, audience and time were verified here.
    VerifiedToken,
    /// Because somebody said so: good for a simulation, never for an effect.
    Asserted,
}
