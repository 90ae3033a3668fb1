//! A tenant that every engine can be given: principals, roles, resources, policies, callers, and what they ask.
//!
//! In: what [`draw`](super::draw) made up. Out: zt's tables and requests. It knows nothing of any other engine.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use zt_core::clock::Timestamp;
use zt_core::metadata::{Cell, RawRow, RawTables, Snapshot};
use zt_core::policy::{Context, Request};

use crate::Outcome;

/// A row of Access_Policies.
#[derive(Debug, Clone)]
pub struct Policy {
    pub denies: bool,
    /// `user:`, `sp:`, `group:`, `role:` and a name, or `*`.
    pub principal: String,
    /// `table.read`, `table.*` or `*`.
    pub action: String,
    pub resource: String,
    pub job: Option<u32>,
    pub stage: Option<u32>,
    pub not_author: bool,
}

/// Somebody who asks.
#[derive(Debug, Clone)]
pub struct Caller {
    /// None: no row of Principals names the caller.
    pub id: Option<String>,
    pub groups: Vec<String>,
    /// Whether these are all the groups.
    pub is_complete: bool,
}

/// One request.
#[derive(Debug, Clone)]
pub struct Ask {
    /// Whose, by place in [`Tenant::callers`].
    pub caller: usize,
    pub action: &'static str,
    pub resource: String,
    pub job: Option<u32>,
    pub stage: Option<u32>,
    pub author: Option<String>,
}

/// Everything that an engine is told before the first request.
#[derive(Debug, Clone, Default)]
pub struct Tenant {
    pub principals: Vec<String>,
    /// Role without its prefix, and who holds it.
    pub bindings: Vec<(String, String)>,
    /// Every resource that may be asked for.
    pub resources: Vec<String>,
    pub callers: Vec<Caller>,
    pub policies: Vec<Policy>,
}

impl Policy {
    /// The facts that it tests and their values, `not_author` aside.
    pub fn facts(&self) -> impl Iterator<Item = (&'static str, u32)> {
        let facts = [("job", self.job), ("stage", self.stage)];
        facts
            .into_iter()
            .filter_map(|(name, value)| Some((name, value?)))
    }
}

impl Tenant {
    /// The name of the policy in this place: the one that Cedar gives it.
    pub fn policy_id(place: usize) -> String {
        format!("policy{place}")
    }

    /// Compiled for zt.
    pub fn snapshot(&self) -> Outcome<Arc<Snapshot>> {
        let compiled = Snapshot::compile(&self.tables(), 1, Timestamp::from_millis(0));
        Ok(Arc::new(compiled?))
    }

    /// As zt's metadata tables.
    pub fn tables(&self) -> RawTables {
        let mut raw = RawTables::new("generated".to_owned());
        for (number, principal) in self.principals.iter().enumerate() {
            let oid = format!("00000000-0000-0000-0000-{number:012x}");
            push(&mut raw, "Principals", &[("id", principal), ("oid", &oid)]);
        }
        for (role, principal) in &self.bindings {
            let cells = [("role", role.as_str()), ("principal", principal)];
            push(&mut raw, "Role_Bindings", &cells);
        }
        for resource in &self.resources {
            let (kind, path) = split(resource);
            match kind {
                "secret" => {
                    let name = path.replace('/', "-");
                    let vault = "https://kv-bench.vault.azure.net";
                    let cells = [("id", path), ("vault", vault), ("name", &name)];
                    push(&mut raw, "Secret_References", &cells);
                }
                "model" => push(&mut raw, "ML_Models", &[("name", path)]),
                "job" => push_job(&mut raw, path, &self.principals),
                _ => {}
            }
        }
        for (place, policy) in self.policies.iter().enumerate() {
            raw.push("Access_Policies", row(place, policy));
        }
        raw
    }

    /// As zt is asked.
    pub fn request(&self, ask: &Ask) -> Outcome<Request> {
        let caller = self.callers.get(ask.caller).ok_or("a caller is known")?;
        let id = caller.id.as_ref().map(|id| id.parse()).transpose()?;
        let groups: Result<Vec<_>, _> = caller.groups.iter().map(|group| group.parse()).collect();
        let mut context = Context::new();
        if let Some(job) = ask.job {
            context = context.with_job(job);
        }
        if let Some(stage) = ask.stage {
            context = context.with_stage(stage);
        }
        if let Some(author) = &ask.author {
            context = context.with_author(author.parse()?);
        }
        let request = Request::new(id, ask.action.parse()?, ask.resource.parse()?)
            .with_groups(Arc::from(groups?))
            .with_context(context);
        Ok(if caller.is_complete {
            request
        } else {
            request.with_incomplete_groups()
        })
    }

    /// What each caller holds, itself and `*` included: what the principal of a row may name.
    pub fn held(&self) -> Vec<BTreeSet<String>> {
        let mut roles: BTreeMap<&str, Vec<String>> = BTreeMap::new();
        for (role, principal) in &self.bindings {
            let held = roles.entry(principal).or_default();
            held.push(format!("role:{role}"));
        }
        let held = |caller: &Caller| {
            let own = caller.id.iter().chain(&caller.groups);
            let granted = own
                .clone()
                .filter_map(|id| roles.get(id.as_str()))
                .flatten();
            own.chain(granted)
                .cloned()
                .chain(["*".to_owned()])
                .collect()
        };
        self.callers.iter().map(held).collect()
    }
}

/// Kind and path of a resource or of a pattern; `**` has no kind.
pub fn split(resource: &str) -> (&str, &str) {
    resource.split_once(':').unwrap_or(("", resource))
}

/// What separates the segments of this kind's paths.
pub fn separator(kind: &str) -> char {
    if matches!(kind, "table" | "view") {
        '.'
    } else {
        '/'
    }
}

/// The patterns of actions that speak of an action.
pub fn action_patterns(action: &str) -> [String; 3] {
    let noun = action.split_once('.').map_or(action, |(noun, _)| noun);
    [action.to_owned(), format!("{noun}.*"), "*".to_owned()]
}

/// Every pattern that matches a resource, from the text alone.
pub fn resource_patterns(resource: &str) -> Vec<String> {
    let (kind, path) = split(resource);
    let separator = separator(kind);
    let segments: Vec<&str> = path.split(separator).collect();
    let mut patterns = vec!["**".to_owned(), format!("{kind}:**")];
    for length in 1..=segments.len() {
        for stars in 0..1_u32 << length {
            let segment = |(at, name): (usize, &&str)| {
                let is_star = stars >> at & 1 == 1;
                (if is_star { "*" } else { name }).to_owned()
            };
            let named = segments.iter().take(length).enumerate();
            let path = named.map(segment).collect::<Vec<_>>();
            let path = path.join(&separator.to_string());
            patterns.push(format!("{kind}:{path}{separator}**"));
            if length == segments.len() {
                patterns.push(format!("{kind}:{path}"));
            }
        }
    }
    patterns
}

fn row(place: usize, policy: &Policy) -> RawRow {
    let text = |name: &str, text: &str| (name.to_owned(), Cell::Text(text.to_owned()));
    let mut cells = vec![
        text("id", &Tenant::policy_id(place)),
        text("principal", &policy.principal),
        text("action", &policy.action),
        text("resource", &policy.resource),
        text("effect", if policy.denies { "deny" } else { "allow" }),
    ];
    let mut when: Vec<(String, Cell)> = policy
        .facts()
        .map(|(name, value)| (name.to_owned(), Cell::Integer(value.into())))
        .collect();
    if policy.not_author {
        when.push(("not_author".to_owned(), Cell::Bool(true)));
    }
    if !when.is_empty() {
        cells.push(("when".to_owned(), Cell::Map(when)));
    }
    RawRow::new(None, cells)
}

fn push(raw: &mut RawTables, table: &str, cells: &[(&str, &str)]) {
    let cell = |(name, text): &(&str, &str)| ((*name).to_owned(), Cell::Text((*text).to_owned()));
    raw.push(table, RawRow::new(None, cells.iter().map(cell).collect()));
}

fn push_job(raw: &mut RawTables, number: &str, principals: &[String]) {
    let runs_as = principals.iter().find(|id| id.starts_with("sp:"));
    let (Some(runs_as), Ok(job)) = (runs_as, number.parse()) else {
        return;
    };
    let cells = vec![
        ("job_id".to_owned(), Cell::Integer(job)),
        ("name".to_owned(), Cell::Text(format!("job-{number}"))),
        ("run_as".to_owned(), Cell::Text(runs_as.clone())),
    ];
    raw.push("Jobs", RawRow::new(None, cells));
}
