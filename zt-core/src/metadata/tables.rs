//! The rows of every table as types: one file a table.

mod access_policies;
mod alert_rules;
mod attributes;
mod cluster_profiles;
mod encryption_rules;
mod extents;
mod feature_engineering;
mod integration_runtimes;
mod jobs;
mod memberships;
mod ml_models;
mod named_cells;
mod network_rules;
mod output_storage;
mod pipeline_dependencies;
mod policy_activations;
mod principals;
mod resources;
mod revocations;
mod role_bindings;
mod secret_references;
mod stages;
mod words;
mod world;

pub use access_policies::{AccessPolicy, Duties};
pub use alert_rules::{AlertRule, Fires};
pub use cluster_profiles::ClusterProfile;
pub use encryption_rules::{Algorithm, EncryptionRule};
pub use feature_engineering::FeatureStep;
pub use integration_runtimes::{IntegrationRuntime, RuntimeKind};
pub use jobs::{Job, Priority};
pub use memberships::Membership;
pub use ml_models::MlModel;
pub use named_cells::NamedCells;
pub use network_rules::{NetworkMode, NetworkRule, NotPorts, PortRange, PrivateLink};
pub use output_storage::{OutputFormat, OutputStorage};
pub use pipeline_dependencies::{PipelineDependency, StageOutcome};
pub use policy_activations::PolicyActivation;
pub use principals::Principal;
pub use resources::ResourceRow;
pub use revocations::{Revocation, RevocationTarget};
pub use role_bindings::RoleBinding;
pub use secret_references::{SecretKind, SecretReference};
pub use stages::{Need, Stage};
pub use world::World;

use std::collections::hash_map;

use rustc_hash::FxHashMap;

use super::reader::{Row, RowReader};
use super::schema::key_of;
use super::{Place, Problem, RawRow, RawTables, Report, TableSchema};
use crate::policy::Attribute;

/// Where rows stand: by table and key.
#[derive(Debug, Default)]
pub(super) struct Places(FxHashMap<&'static str, FxHashMap<String, Option<Place>>>);

impl Places {
    /// Where the row of this key stands.
    pub(super) fn of(&self, table: &str, key: &str) -> Option<Place> {
        self.0.get(table)?.get(key)?.clone()
    }

    /// The keys of a table, in no order.
    pub(super) fn keys(&self, table: &str) -> impl Iterator<Item = &str> {
        let keys = self.0.get(table).into_iter().flat_map(FxHashMap::keys);
        keys.map(String::as_str)
    }
}

macro_rules! tables {
    ($($field:ident: $row:ident,)+) => {
        /// All typed rows, each table in the order of its source.
        #[derive(Debug, Clone, Default, PartialEq)]
        #[non_exhaustive]
        pub struct Tables {
            $(
                #[doc = concat!("The rows of [`", stringify!($row), "`].")]
                pub $field: Vec<$row>,
            )+
        }

        impl Tables {
            /// The names of all tables.
            pub const NAMES: &'static [&'static str] = &[$(<$row as Row>::TABLE),+];

            pub(super) const SCHEMA: &'static [TableSchema] = &[$(TableSchema {
                name: <$row as Row>::TABLE,
                columns: <$row as Row>::COLUMNS,
                key: <$row as Row>::KEY,
            }),+];

            /// The number of rows of each table, by name.
            pub fn counts(&self) -> impl Iterator<Item = (&'static str, usize)> {
                [$((<$row as Row>::TABLE, self.$field.len())),+].into_iter()
            }

            /// Reads every table and reports every cell that does not fit, every unknown table and every repeated key.
            /// Also answers where each row stands, for the checks across tables.
            pub(super) fn read(raw: &RawTables, report: &mut Report) -> (Self, Places) {
                let mut tables = Self::default();
                let mut places = Places::default();
                for table in &raw.tables {
                    match table.name.as_str() {
                        $(<$row as Row>::TABLE => {
                            tables.$field = read_rows(&table.rows, &mut places, report);
                        })+
                        unknown => report.push(unknown_table(unknown, table.rows.first())),
                    }
                }
                (tables, places)
            }
        }
    };
}

tables! {
    world: World,
    principals: Principal,
    role_bindings: RoleBinding,
    memberships: Membership,
    access_policies: AccessPolicy,
    policy_activations: PolicyActivation,
    attributes: Attribute,
    resources: ResourceRow,
    secret_references: SecretReference,
    network_rules: NetworkRule,
    integration_runtimes: IntegrationRuntime,
    cluster_profiles: ClusterProfile,
    jobs: Job,
    stages: Stage,
    pipeline_dependencies: PipelineDependency,
    ml_models: MlModel,
    feature_engineering: FeatureStep,
    output_storage: OutputStorage,
    encryption_rules: EncryptionRule,
    alert_rules: AlertRule,
    revocations: Revocation,
}

fn unknown_table(name: &str, first: Option<&RawRow>) -> Problem {
    Problem::new("not a metadata table")
        .text(name)
        .nearest(Tables::NAMES)
        .at(first.and_then(|row| row.place.clone()))
}

fn read_rows<R: Row>(rows: &[RawRow], places: &mut Places, report: &mut Report) -> Vec<R> {
    let mut typed = Vec::with_capacity(rows.len());
    let places = places.0.entry(R::TABLE).or_default();
    places.reserve(rows.len());
    for (at, row) in rows.iter().enumerate() {
        let (key, is_complete) = key_of(R::KEY, row, at);
        if is_complete {
            match places.entry(key.clone()) {
                hash_map::Entry::Occupied(mut first) => {
                    let first = first.insert(row.place.clone());
                    report.push(repeated::<R>(&key, row, first.as_ref()));
                }
                hash_map::Entry::Vacant(free) => {
                    free.insert(row.place.clone());
                }
            }
        }
        let mut reader = RowReader::new(R::TABLE, &key, row, report);
        reader.refuse_unknown(R::COLUMNS);
        typed.extend(R::read(&mut reader));
    }
    typed
}

fn repeated<R: Row>(key: &str, row: &RawRow, first: Option<&Place>) -> Problem {
    let reason = match first {
        Some(place) => format!("the key is used twice, first at {place}"),
        None => "the key is used twice".to_owned(),
    };
    Problem::new(reason)
        .text(key)
        .at(row.place.clone())
        .row(R::TABLE, key)
        .column(&R::KEY.join(", "))
}
