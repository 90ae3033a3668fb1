//! Memberships: both ends exist, and no group is in itself, through however many others.

use super::cycles::components;
use super::{At, Check};
use crate::metadata::{Problem, Tables};

pub(super) fn memberships(tables: &Tables, check: &mut Check<'_>) {
    let rows = tables.memberships.iter();
    let components = components(rows.map(|row| (&row.member, &row.group)));
    for row in &tables.memberships {
        let key = format!("{}/{}", row.member, row.group);
        let at = |column| At {
            table: "Memberships",
            key: &key,
            column,
        };
        check.principal(at("member"), row.member.as_str());
        check.principal(at("group"), row.group.as_str());
        if components.get(&row.member) == components.get(&row.group) {
            let reason = format!("`{}` would be in itself", row.member);
            check.problem(at("group"), Problem::new(reason).text(row.group.as_str()));
        }
    }
}
