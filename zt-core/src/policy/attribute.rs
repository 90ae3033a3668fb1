//! The attributes that conditions may test: the built-in ones and the rows of Attributes.
//!
//! In: rows. Out: [`Attribute`]s, found by `namespace.name` in [`AttributeSet`]. Never: a value of a request, which is `Facts`.

mod set;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, LazyLock};

pub use set::AttributeSet;

use super::value::{Value, ValueType};
use super::{Action, ResourceKind};

/// What an attribute is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(
    clippy::exhaustive_enums,
    reason = "a new namespace must stop the build of every evaluator"
)]
pub enum Namespace {
    /// Who asks.
    Principal,
    /// On what.
    Resource,
    /// What is asked.
    Action,
    /// Under which circumstances.
    Context,
    /// When.
    Time,
    /// What a row of the resource holds: its columns.
    Row,
}

impl Namespace {
    /// Those that rows of Attributes may add to.
    pub(crate) const OPEN: &'static [(&'static str, Self)] = &[
        ("principal", Self::Principal),
        ("resource", Self::Resource),
        ("action", Self::Action),
        ("context", Self::Context),
        ("row", Self::Row),
    ];

    /// As conditions write it, without the point.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Principal => "principal",
            Self::Resource => "resource",
            Self::Action => "action",
            Self::Context => "context",
            Self::Time => "time",
            Self::Row => "row",
        }
    }
}

/// How a fact is known, or must be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(
    clippy::exhaustive_enums,
    reason = "a new provenance must stop the build where it is judged"
)]
pub enum Provenance {
    /// A verified token says it.
    Token,
    /// A store of the tables' owner says it.
    Store,
    /// The calling process says it.
    Request,
    /// The runtime itself knows it: what is asked, and the time.
    Runtime,
}

impl Provenance {
    /// Those that rows of Attributes may demand.
    pub(crate) const WORDS: &'static [(&'static str, Self)] = &[
        ("token", Self::Token),
        ("store", Self::Store),
        ("request", Self::Request),
    ];

    /// As the audit log writes it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Token => "token",
            Self::Store => "store",
            Self::Request => "asserted",
            Self::Runtime => "runtime",
        }
    }

    /// Whether a fact known like this counts where `needed` is needed: what is asserted never counts as more.
    #[must_use]
    pub const fn counts_as(self, needed: Self) -> bool {
        match needed {
            Self::Token => matches!(self, Self::Token),
            Self::Store => matches!(self, Self::Store),
            Self::Request => true,
            Self::Runtime => matches!(self, Self::Runtime),
        }
    }
}

/// Who may see a value.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
#[expect(
    clippy::exhaustive_enums,
    reason = "a new level must stop the build wherever values are shown"
)]
pub enum Sensitivity {
    /// Anybody.
    Public,
    /// Readers of the audit log and of explanations.
    #[default]
    Internal,
    /// Nobody: explanations and the audit log write `[secret]`.
    Secret,
}

impl Sensitivity {
    pub(crate) const WORDS: &'static [(&'static str, Self)] = &[
        ("public", Self::Public),
        ("internal", Self::Internal),
        ("secret", Self::Secret),
    ];
}

/// The attributes that need no row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum BuiltIn {
    PrincipalId,
    PrincipalKind,
    Mfa,
    AuthContexts,
    ClientId,
    Tenant,
    ResourceKind,
    ResourcePath,
    ActionName,
    Job,
    Stage,
    Proven,
    Author,
    Now,
    Hour,
    Weekday,
}

/// The words of `time.weekday_utc`, Monday first.
pub(super) const WEEKDAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

/// One attribute that conditions may test: a row of Attributes, or built in.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Attribute {
    /// What it is about.
    pub namespace: Namespace,
    /// Its name, without the namespace.
    pub name: String,
    /// The type of its values (`type`).
    pub kind: ValueType,
    /// The words of an enum.
    pub values: Vec<String>,
    /// What counts when the fact is missing; none leaves it unknown.
    pub default: Option<Value>,
    /// How a fact must be known to count.
    pub provenance: Provenance,
    /// Who may see its value.
    pub sensitivity: Sensitivity,
    /// The claim of a token that says it, where that is not its own name.
    pub claim: Option<String>,
    pub(super) built_in: Option<BuiltIn>,
}

impl Attribute {
    /// An attribute that a row declares.
    pub(crate) fn declared(
        (namespace, name): (Namespace, String),
        (kind, values): (ValueType, Vec<String>),
        default: Option<Value>,
        (provenance, claim): (Provenance, Option<String>),
        sensitivity: Sensitivity,
    ) -> Self {
        Self {
            claim,
            namespace,
            name,
            kind,
            values,
            default,
            provenance,
            sensitivity,
            built_in: None,
        }
    }

    /// Whether it is who the caller is.
    pub(crate) fn is_caller(&self) -> bool {
        matches!(
            self.built_in,
            Some(BuiltIn::PrincipalId | BuiltIn::PrincipalKind)
        )
    }

    /// Whether the tables say it, of a principal or a resource.
    pub(super) fn is_in_tables(&self) -> bool {
        let is_said = matches!(self.namespace, Namespace::Principal | Namespace::Resource);
        is_said && self.provenance == Provenance::Store
    }

    /// The claim of a token that says it.
    #[must_use]
    pub fn claim_name(&self) -> &str {
        self.claim.as_deref().unwrap_or(&self.name)
    }

    /// Whether its value is never shown.
    #[must_use]
    pub fn is_secret(&self) -> bool {
        self.sensitivity == Sensitivity::Secret
    }

    /// The name of the fact in explanations: the whole name, but for job, stage and author, which have no namespace there.
    #[must_use]
    pub fn fact(&self) -> String {
        match self.built_in {
            Some(BuiltIn::Job | BuiltIn::Stage | BuiltIn::Author) => self.name.clone(),
            _ => self.to_string(),
        }
    }

    /// Whether it has a value under all facts: it has a default, or every request names it.
    pub(super) fn is_always_known(&self) -> bool {
        let named = matches!(
            self.built_in,
            Some(BuiltIn::ResourceKind | BuiltIn::ActionName)
        );
        let default = self.default.as_ref().map(Value::as_datum);
        named || default.is_some_and(|value| value.fit(self.kind, &self.values).is_some())
    }

    pub(super) fn built_in(built_in: BuiltIn) -> Self {
        use Namespace::{Action as Asked, Context, Principal, Resource, Time};
        use Provenance::{Request, Runtime, Token};
        use ValueType::{Bool, Datetime, Enum, Int, Set, Text};
        let (namespace, name, kind, provenance) = match built_in {
            BuiltIn::PrincipalId => (Principal, "id", Text, Token),
            BuiltIn::PrincipalKind => (Principal, "kind", Enum, Token),
            BuiltIn::Mfa => (Principal, "mfa", Bool, Token),
            BuiltIn::AuthContexts => (Principal, "acrs", Set, Token),
            BuiltIn::ClientId => (Principal, "client_id", Text, Token),
            BuiltIn::Tenant => (Principal, "tenant", Text, Token),
            BuiltIn::ResourceKind => (Resource, "kind", Enum, Runtime),
            BuiltIn::ResourcePath => (Resource, "path", Text, Runtime),
            BuiltIn::ActionName => (Asked, "name", Enum, Runtime),
            BuiltIn::Job => (Context, "job", Int, Request),
            BuiltIn::Stage => (Context, "stage", Int, Request),
            BuiltIn::Proven => (Context, "proven", Bool, Runtime),
            BuiltIn::Author => (Context, "author", Text, Request),
            BuiltIn::Now => (Time, "now", Datetime, Runtime),
            BuiltIn::Hour => (Time, "hour_utc", Int, Runtime),
            BuiltIn::Weekday => (Time, "weekday_utc", Enum, Runtime),
        };
        let values: Vec<&str> = match built_in {
            BuiltIn::PrincipalKind => vec!["user", "sp"],
            BuiltIn::ResourceKind => ResourceKind::ALL.iter().map(|kind| kind.as_str()).collect(),
            BuiltIn::ActionName => Action::ALL.iter().map(|action| action.as_str()).collect(),
            BuiltIn::Weekday => WEEKDAYS.to_vec(),
            BuiltIn::PrincipalId
            | BuiltIn::Mfa
            | BuiltIn::AuthContexts
            | BuiltIn::ClientId
            | BuiltIn::Tenant
            | BuiltIn::ResourcePath
            | BuiltIn::Job
            | BuiltIn::Stage
            | BuiltIn::Proven
            | BuiltIn::Author
            | BuiltIn::Now
            | BuiltIn::Hour => Vec::new(),
        };
        Self {
            namespace,
            name: name.to_owned(),
            kind,
            values: values.into_iter().map(str::to_owned).collect(),
            default: None,
            provenance,
            claim: None,
            sensitivity: Sensitivity::Internal,
            built_in: Some(built_in),
        }
    }
}

/// Prints `context.zone`.
impl fmt::Display for Attribute {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.namespace.as_str(), self.name)
    }
}

static BUILT_IN: LazyLock<BTreeMap<String, Arc<Attribute>>> = LazyLock::new(|| {
    let all = [
        BuiltIn::PrincipalId,
        BuiltIn::PrincipalKind,
        BuiltIn::Mfa,
        BuiltIn::AuthContexts,
        BuiltIn::ClientId,
        BuiltIn::Tenant,
        BuiltIn::ResourceKind,
        BuiltIn::ResourcePath,
        BuiltIn::ActionName,
        BuiltIn::Job,
        BuiltIn::Stage,
        BuiltIn::Proven,
        BuiltIn::Author,
        BuiltIn::Now,
        BuiltIn::Hour,
        BuiltIn::Weekday,
    ];
    all.into_iter()
        .map(|built_in| {
            let attribute = Attribute::built_in(built_in);
            (attribute.to_string(), Arc::new(attribute))
        })
        .collect()
});

/// A built-in attribute, for whoever asks for it without a condition.
pub(super) fn shared(built_in: BuiltIn) -> Option<&'static Attribute> {
    let mut all = BUILT_IN.values();
    let found = all.find(|attribute| attribute.built_in == Some(built_in));
    found.map(|attribute| &**attribute)
}
