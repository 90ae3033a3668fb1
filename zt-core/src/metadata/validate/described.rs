//! What the tables say of principals and resources must be said of somebody whom it can count for, and once.
//!
//! The values themselves are checked where they are read, against Attributes.

use std::collections::BTreeMap;

use super::{At, Check};
use crate::id::PrincipalKind;
use crate::metadata::{Problem, Tables};

/// Attributes of groups count for nobody; two rows of Resources must not speak of the same resource, however it is spelt;
/// a row of ours that one names must exist.
pub(super) fn described(tables: &Tables, check: &mut Check<'_>) {
    for row in &tables.principals {
        if row.id.kind() == PrincipalKind::Group && !row.attributes.is_empty() {
            let at = At {
                table: "Principals",
                key: row.id.as_str(),
                column: "attributes",
            };
            // Which of several groups would say it? So it is said of callers alone.
            let reason = "a group's attributes count for none of its members: give them to users \
                          and service principals";
            check.problem(at, Problem::new(reason));
        }
    }
    let mut rows = BTreeMap::new();
    for row in &tables.resources {
        let key = row.spelt.as_str();
        let at = At {
            table: "Resources",
            key,
            column: "resource",
        };
        if let Some(resource) = row.resource.exact() {
            check.resource(at, &resource);
        }
        let Some(place) = row.resource.subtree_root() else {
            continue;
        };
        if let Some(first) = rows.insert(place, key)
            && first != key
        {
            let reason = format!("`{first}` is the same: upper and lower case do not differ here");
            check.problem(at, Problem::new(reason).text(key));
        }
    }
}
