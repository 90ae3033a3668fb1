//! The compiled tables: immutable, versioned, hashed, shared by `Arc`.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, OnceLock};

use aws_lc_rs::digest;

use super::named_groups::NamedGroups;
use super::{
    AccessPolicy, Cell, PolicyActivation, Problem, RawTables, Report, SecretReference, StoreFacts,
    Tables, conditions, validate,
};
use crate::clock::Timestamp;
use crate::id::{Guid, PolicyId, PrincipalId, SecretRef};
use crate::identity::{Directory, Home, Revocations};
use crate::policy::{self, AttributeSet, Index, Located, Mode, Named, Ties};

/// One version of all tables. Never changes; a change of the tables makes another snapshot.
#[derive(Debug)]
pub struct Snapshot {
    version: u64,
    hash: SnapshotHash,
    source: String,
    loaded_at: Timestamp,
    tables: Tables,
    index: Index,
    by_oid: BTreeMap<(Option<Guid>, Guid), PrincipalId>,
    oids: BTreeMap<PrincipalId, Guid>,
    secret_rows: BTreeMap<SecretRef, usize>,
    attributes: AttributeSet,
    store: StoreFacts,
    shadow_rows: Vec<usize>,
    ties: Ties,
    revocations: Revocations,
    groups: NamedGroups,
    activations_of: BTreeMap<PolicyId, Vec<usize>>,
    named: OnceLock<Box<[(Named, Located)]>>,
}

/// SHA-256 over the content of all tables: the same rows give the same hash, whatever file, comment or column order
/// they come from. The order of rows counts.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct SnapshotHash([u8; 32]);

impl SnapshotHash {
    /// The 32 bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Display for SnapshotHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for byte in self.0 {
            write!(f, "{byte:02x}")?;
        }
        Ok(())
    }
}

impl fmt::Debug for SnapshotHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Snapshot {
    /// Reads, validates and compiles raw tables.
    ///
    /// # Errors
    /// Every problem of every table, at once.
    pub fn compile(raw: &RawTables, version: u64, loaded_at: Timestamp) -> Result<Self, Report> {
        let mut report = Report::new();
        let (mut tables, places) = Tables::read(raw, &mut report);
        let attributes = AttributeSet::new(tables.attributes.iter().cloned());
        conditions::compile(&mut tables, &attributes, &places, &mut report);
        let store = StoreFacts::compile(&tables, &attributes, &places, &mut report);
        validate::validate(&tables, &places, &mut report);
        if !report.is_empty() {
            return Err(report);
        }
        let index = Index::build(&tables).map_err(|too_many| {
            report.push(Problem::new(too_many.to_string()));
            report
        })?;
        let mut activations_of: BTreeMap<PolicyId, Vec<usize>> = BTreeMap::new();
        for (at, row) in tables.policy_activations.iter().enumerate() {
            activations_of
                .entry(row.policy.clone())
                .or_default()
                .push(at);
        }
        let named = tables.principals.iter();
        let oids: BTreeMap<PrincipalId, Guid> =
            named.map(|row| (row.id.clone(), row.oid)).collect();
        let secrets = tables.secret_references.iter().enumerate();
        let policies = tables.access_policies.iter().enumerate();
        let shadows = policies.filter(|(_, row)| row.mode == Mode::Shadow);
        Ok(Self {
            version,
            hash: content_hash(raw),
            source: raw.source.clone(),
            loaded_at,
            by_oid: tables
                .principals
                .iter()
                .map(|row| ((row.tenant, row.oid), row.id.clone()))
                .collect(),
            index,
            groups: NamedGroups::of(&tables),
            revocations: Revocations::compile(&tables.revocations, |id| oids.get(id).copied()),
            oids,
            ties: Ties::of(&tables),
            activations_of,
            named: OnceLock::new(),
            attributes,
            store,
            shadow_rows: shadows.map(|(at, _)| at).collect(),
            secret_rows: secrets.map(|(at, row)| (row.id.clone(), at)).collect(),
            tables,
        })
    }

    /// Counts up with every change that was taken.
    #[must_use]
    pub const fn version(&self) -> u64 {
        self.version
    }

    /// The hash of the content.
    #[must_use]
    pub const fn hash(&self) -> &SnapshotHash {
        &self.hash
    }

    /// Where the tables come from.
    #[must_use]
    pub fn source(&self) -> &str {
        &self.source
    }

    /// When they were loaded.
    #[must_use]
    pub const fn loaded_at(&self) -> Timestamp {
        self.loaded_at
    }

    /// All typed rows.
    #[must_use]
    pub const fn tables(&self) -> &Tables {
        &self.tables
    }

    /// A policy by its place in the table.
    #[must_use]
    pub fn policy(&self, row: usize) -> Option<&AccessPolicy> {
        self.tables.access_policies.get(row)
    }

    /// The attributes that conditions may test: built in, and declared in Attributes.
    #[must_use]
    pub const fn attributes(&self) -> &AttributeSet {
        &self.attributes
    }

    /// The places in the table of the policies in shadow mode.
    pub(crate) fn shadow_rows(&self) -> impl Iterator<Item = usize> {
        self.shadow_rows.iter().copied()
    }

    /// Finds the rows of Access_Policies that may speak of a request.
    pub(crate) const fn index(&self) -> &Index {
        &self.index
    }

    /// Every resource that there is to ask about, in order of its name. Made at the first listing.
    pub(crate) fn named(&self) -> &[(Named, Located)] {
        self.named.get_or_init(|| {
            let named = policy::named(self).into_iter();
            named
                .map(|one| {
                    let located = Located::new(self, one.resource().clone());
                    (one, located)
                })
                .collect()
        })
    }

    /// What the tables say of principals and resources.
    pub(crate) const fn store(&self) -> &StoreFacts {
        &self.store
    }

    /// The activations of a policy.
    pub(crate) fn activations(&self, policy: &PolicyId) -> impl Iterator<Item = &PolicyActivation> {
        let rows = self.activations_of.get(policy).into_iter().flatten();
        rows.filter_map(|row| self.tables.policy_activations.get(*row))
    }

    /// The object ids of the groups that rows name, of one tenant; sorted.
    pub(crate) fn groups_of(&self, home: Home) -> Arc<[Guid]> {
        self.groups.of_tenant(home)
    }

    /// Which tokens are refused although they are valid.
    pub(crate) const fn revocations(&self) -> &Revocations {
        &self.revocations
    }

    /// Who is in which group and holds which role.
    pub(crate) const fn ties(&self) -> &Ties {
        &self.ties
    }

    /// The reference of this id.
    #[must_use]
    pub fn secret_reference(&self, id: &SecretRef) -> Option<&SecretReference> {
        self.tables
            .secret_references
            .get(*self.secret_rows.get(id)?)
    }

    /// The Entra object id of a readable id.
    #[must_use]
    pub fn object_id(&self, principal: &PrincipalId) -> Option<Guid> {
        self.oids.get(principal).copied()
    }

    pub(crate) fn policy_id(&self, row: usize) -> &PolicyId {
        static NONE: std::sync::LazyLock<PolicyId> =
            std::sync::LazyLock::new(|| PolicyId::new("?"));
        self.policy(row).map_or(&NONE, |policy| &policy.id)
    }
}

impl Directory for Snapshot {
    fn principal(&self, home: Home, object: Guid) -> Option<PrincipalId> {
        let named = |tenant| self.by_oid.get(&(tenant, object)).cloned();
        match home {
            // The row of a caller from home may name that tenant too.
            Home::Own(tenant) => named(None).or_else(|| named(Some(tenant))),
            Home::Foreign(tenant) => named(Some(tenant)),
        }
    }
}

fn content_hash(raw: &RawTables) -> SnapshotHash {
    let mut tables: Vec<_> = raw
        .tables
        .iter()
        .filter(|table| !table.rows.is_empty())
        .collect();
    tables.sort_by(|a, b| a.name.cmp(&b.name));
    let mut bytes = Vec::new();
    for table in tables {
        put_text(&mut bytes, b'T', &table.name);
        for row in &table.rows {
            put_map(&mut bytes, &row.cells);
        }
    }
    let mut hash = [0; 32];
    hash.copy_from_slice(digest::digest(&digest::SHA256, &bytes).as_ref());
    SnapshotHash(hash)
}

/// Tag, length, bytes: no two different contents have the same bytes.
fn put_text(bytes: &mut Vec<u8>, tag: u8, text: &str) {
    bytes.push(tag);
    bytes.extend_from_slice(&(text.len() as u64).to_le_bytes());
    bytes.extend_from_slice(text.as_bytes());
}

fn put_count(bytes: &mut Vec<u8>, tag: u8, count: usize) {
    bytes.push(tag);
    bytes.extend_from_slice(&(count as u64).to_le_bytes());
}

fn put_map(bytes: &mut Vec<u8>, cells: &[(String, Cell)]) {
    let mut cells: Vec<_> = cells.iter().collect();
    cells.sort_by(|a, b| a.0.cmp(&b.0));
    put_count(bytes, b'M', cells.len());
    for (name, cell) in cells {
        put_text(bytes, b'K', name);
        put_cell(bytes, cell);
    }
}

fn put_cell(bytes: &mut Vec<u8>, cell: &Cell) {
    match cell {
        Cell::Text(text) => put_text(bytes, b'S', text),
        Cell::Integer(number) => put_text(bytes, b'I', &number.to_string()),
        Cell::Float(number) => put_text(bytes, b'F', &number.to_string()),
        Cell::Bool(value) => put_text(bytes, b'B', if *value { "1" } else { "0" }),
        Cell::List(cells) => {
            put_count(bytes, b'L', cells.len());
            for cell in cells {
                put_cell(bytes, cell);
            }
        }
        Cell::Map(cells) => put_map(bytes, cells),
    }
}
