//! Makes tenants, policies and requests up: the same seed gives the same ones.
//!
//! The mix is that of an MLOps tenant: 62 % of the rows speak of a team, 15 % of a team's role, 10 % of a role of the
//! organisation, 11 % of one user or service principal, 2 % of everybody. 70 % name one action, 25 % a noun, 5 % all.
//! 77 % name a subtree, 18 % one resource, 5 % hold a segment wildcard. 12 % deny. A third test job or stage.

use std::collections::BTreeSet;

use fastrand::Rng;

use super::model::{
    Ask, Caller, Policy, Tenant, action_patterns, resource_patterns, separator, split,
};

/// Shares of everything that is unusual.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Spice {
    /// As tenants are.
    Plain,
    /// As attackers make them: unknown callers, incomplete groups, authors, rows about everything.
    Odd,
}

const SCHEMAS: [&str; 4] = ["raw", "silver", "gold", "ml"];
const TABLES: [&str; 6] = [
    "loans",
    "scores",
    "customers",
    "claims",
    "prices",
    "features",
];

/// A tenant with so many policies.
pub fn tenant(rng: &mut Rng, policies: usize, spice: Spice) -> Tenant {
    let teams = (policies / 12).max(3);
    let mut tenant = Tenant::default();
    for team in 0..teams {
        tenant.principals.push(format!("group:team-{team}"));
        tenant.principals.push(format!("sp:job-{team}"));
        for user in 0..3 {
            tenant.principals.push(format!("user:u{user}-{team}"));
        }
        let steward = format!("steward-{team}");
        tenant
            .bindings
            .push((steward.clone(), format!("group:team-{team}")));
        tenant
            .bindings
            .push((steward, format!("sp:job-{}", rng.usize(..teams))));
        let role = format!("org-{}", team / 8);
        let holder = ["user:u0", "user:u1", "group:team", "sp:job"][rng.usize(..4)];
        tenant
            .bindings
            .push((role, format!("{holder}-{}", rng.usize(..teams))));
    }
    tenant.bindings.sort();
    tenant.bindings.dedup();
    tenant.resources = resources(policies);
    callers(rng, &mut tenant, teams, spice);
    let by_kind = Kinds::of(&tenant.resources);
    tenant.policies = (0..policies)
        .map(|place| {
            // Twelve of a hundred, spread evenly, so that a tenant of ten has one too.
            let denies = place * 12 % 100 < 12;
            policy(rng, &tenant, &by_kind, teams, (denies, spice))
        })
        .collect();
    tenant
}

fn resources(policies: usize) -> Vec<String> {
    let mut all = Vec::new();
    for catalog in 0..(policies / 20).max(2) {
        for schema in SCHEMAS {
            let tables = TABLES.iter();
            all.extend(tables.map(|table| format!("table:c{catalog}.{schema}.{table}")));
        }
        all.push(format!("table:c{catalog}.loans"));
        all.push(format!("view:c{catalog}.gold.scores"));
    }
    for number in 0..(policies / 10).max(4) {
        let team = number / 4;
        all.push(format!("model:team-{team}/scorer-{number}"));
        all.push(format!("secret:team-{team}/key-{number}"));
        all.push(format!("job:{}", 200 + number));
    }
    all
}

fn callers(rng: &mut Rng, tenant: &mut Tenant, teams: usize, spice: Spice) {
    let is_actor = |id: &&String| !id.starts_with("group:");
    let actors: Vec<String> = tenant.principals.iter().filter(is_actor).cloned().collect();
    for id in actors {
        let own = id.rsplit('-').next().unwrap_or_default();
        let mut groups = vec![format!("group:team-{own}")];
        for _ in 0..rng.usize(..4) {
            groups.push(format!("group:team-{}", rng.usize(..teams)));
        }
        groups.sort();
        groups.dedup();
        let is_odd = spice == Spice::Odd;
        tenant.callers.push(Caller {
            id: (!is_odd || rng.u8(..) < 240).then_some(id),
            groups,
            is_complete: !is_odd || rng.u8(..) < 230,
        });
    }
}

/// The resources by kind, for drawing one of a kind.
struct Kinds<'a>(Vec<(&'static str, Vec<&'a str>)>);

impl<'a> Kinds<'a> {
    fn of(resources: &'a [String]) -> Self {
        let of = |kind: &'static str| {
            let all = resources.iter().map(String::as_str);
            (kind, all.filter(|text| split(text).0 == kind).collect())
        };
        Self(["table", "model", "secret", "job", "view"].map(of).to_vec())
    }

    /// Tables most of all.
    fn draw(&self, rng: &mut Rng) -> (&'static str, &'a str) {
        let at = match rng.u8(..100) {
            0..56 => 0,
            56..70 => 1,
            70..84 => 2,
            84..96 => 3,
            _ => 4,
        };
        let (kind, all) = &self.0[at];
        (kind, all[rng.usize(..all.len())])
    }
}

fn policy(
    rng: &mut Rng,
    tenant: &Tenant,
    kinds: &Kinds<'_>,
    teams: usize,
    (denies, spice): (bool, Spice),
) -> Policy {
    let (kind, resource) = kinds.draw(rng);
    let anyone = rng.u8(..100) < 2;
    let principal = match rng.u8(..98) {
        _ if anyone => "*".to_owned(),
        0..62 => format!("group:team-{}", rng.usize(..teams)),
        62..77 => format!("role:steward-{}", rng.usize(..teams)),
        77..87 => format!("role:org-{}", rng.usize(..teams) / 8),
        _ => {
            let caller = &tenant.callers[rng.usize(..tenant.callers.len())];
            let id = caller.id.clone();
            id.unwrap_or_else(|| format!("group:team-{}", rng.usize(..teams)))
        }
    };
    let action = match rng.u8(..100) {
        0..70 => draw_action(rng, kind).to_owned(),
        70..95 => {
            let action = draw_action(rng, kind);
            format!("{}.*", action.split('.').next().unwrap_or_default())
        }
        _ => "*".to_owned(),
    };
    // Rows about everybody or about everything are few, or no larger tenant would have an answer but theirs.
    let resource = if anyone && spice == Spice::Plain {
        resource.to_owned()
    } else {
        pattern(rng, resource, denies, spice)
    };
    let (job, stage) = condition(rng);
    Policy {
        denies,
        principal,
        action,
        resource,
        job,
        stage,
        not_author: spice == Spice::Odd && rng.u8(..100) < 10,
    }
}

fn draw_action(rng: &mut Rng, kind: &str) -> &'static str {
    let of_kind: &[&str] = match kind {
        "table" => &["table.read", "table.read", "table.write"],
        "view" => &["table.read"],
        "model" => &["model.infer", "model.infer", "metric.report"],
        "secret" => &["secret.get"],
        _ => &["job.run", "job.plan", "metric.report"],
    };
    of_kind[rng.usize(..of_kind.len())]
}

fn condition(rng: &mut Rng) -> (Option<u32>, Option<u32>) {
    let job = rng.u32(200..204);
    let stage = rng.u32(1..4);
    match rng.u8(..100) {
        0..18 => (Some(job), None),
        18..28 => (Some(job), Some(stage)),
        28..34 => (None, Some(stage)),
        _ => (None, None),
    }
}

/// A pattern that matches the resource.
fn pattern(rng: &mut Rng, resource: &str, denies: bool, spice: Spice) -> String {
    let (kind, path) = split(resource);
    let separator = separator(kind);
    let mut segments: Vec<&str> = path.split(separator).collect();
    let is_odd = spice == Spice::Odd;
    if is_odd && rng.u8(..) < 4 {
        return if rng.bool() {
            "**".to_owned()
        } else {
            format!("{kind}:**")
        };
    }
    let wild = if is_odd { 25 } else { 5 };
    let roll = rng.u8(..100);
    let mut subtree = false;
    if roll < wild {
        // Only a part of a deeper path, so that a wildcard stays a rule of some team and not of all.
        let least = usize::from(!is_odd && segments.len() > 2);
        let at = rng.usize(least..segments.len());
        segments[at] = "*";
        subtree = is_odd && rng.bool();
    } else if roll < 82 && segments.len() > 1 {
        subtree = true;
    }
    if subtree {
        let least = if denies && !is_odd {
            segments.len() - 1
        } else {
            1
        };
        segments.truncate(rng.usize(least.max(1)..=segments.len()));
    }
    let path = segments.join(&separator.to_string());
    if subtree {
        format!("{kind}:{path}{separator}**")
    } else {
        format!("{kind}:{path}")
    }
}

/// What to aim a request at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Aim {
    /// A row that allows.
    Allow,
    /// A row that denies.
    Deny,
    /// Nothing.
    Nowhere,
}

/// Draws requests for one tenant.
pub struct Asker<'a> {
    tenant: &'a Tenant,
    spice: Spice,
    kinds: Kinds<'a>,
    held: Vec<BTreeSet<String>>,
}

impl<'a> Asker<'a> {
    pub fn new(tenant: &'a Tenant, spice: Spice) -> Self {
        Self {
            tenant,
            spice,
            kinds: Kinds::of(&tenant.resources),
            held: tenant.held(),
        }
    }

    /// What this caller holds.
    pub fn held(&self, caller: usize) -> &BTreeSet<String> {
        &self.held[caller]
    }

    /// A request that the aimed row is likely to match, others as well.
    pub fn ask(&self, rng: &mut Rng, aim: Aim) -> Ask {
        let tenant = self.tenant;
        let mut ask = self.anything(rng);
        let policies = &tenant.policies;
        let wanted = |policy: &&Policy| policy.denies == (aim == Aim::Deny);
        let start = rng.usize(..policies.len());
        let found = policies[start..]
            .iter()
            .chain(&policies[..start])
            .find(wanted);
        let Some(policy) = found.filter(|_| aim != Aim::Nowhere) else {
            return ask;
        };
        let count = tenant.callers.len();
        let start = rng.usize(..count);
        let holder = (0..count)
            .map(|step| (start + step) % count)
            .find(|caller| self.held[*caller].contains(&policy.principal));
        ask.caller = holder.unwrap_or(ask.caller);
        let prefix = policy.resource.split('*').next().unwrap_or_default();
        let prefix = prefix.strip_suffix(['.', '/']).unwrap_or(prefix);
        let matching = |resource: &&String| {
            resource.starts_with(prefix) && resource_patterns(resource).contains(&policy.resource)
        };
        let start = rng.usize(..tenant.resources.len());
        let (late, early) = (&tenant.resources[start..], &tenant.resources[..start]);
        if let Some(resource) = late.iter().chain(early).find(matching) {
            ask.resource.clone_from(resource);
        }
        let kind = split(&ask.resource).0;
        let fits = |action: &str| action_patterns(action).contains(&policy.action);
        let drawn: Vec<&str> = (0..6).map(|_| draw_action(rng, kind)).collect();
        ask.action = drawn
            .iter()
            .copied()
            .find(|action| fits(action))
            .unwrap_or(drawn[0]);
        // Mostly the facts that the row tests; sometimes others, sometimes none: an unknown.
        if rng.u8(..100) < 85 {
            ask.job = policy.job.or(ask.job);
            ask.stage = policy.stage.or(ask.stage);
        }
        ask
    }

    fn anything(&self, rng: &mut Rng) -> Ask {
        let (kind, resource) = self.kinds.draw(rng);
        let drawn = condition(rng);
        let states_all = rng.bool();
        let is_odd = self.spice == Spice::Odd;
        let author = (is_odd && rng.bool()).then(|| {
            let known = &self.tenant.principals;
            match rng.u8(..8) {
                0 => "user:invented".to_owned(),
                _ => known[rng.usize(..known.len())].clone(),
            }
        });
        Ask {
            caller: rng.usize(..self.tenant.callers.len()),
            action: draw_action(rng, kind),
            resource: resource.to_owned(),
            job: drawn.0.or_else(|| states_all.then_some(201)),
            stage: drawn.1.or_else(|| states_all.then_some(2)),
            author,
        }
    }
}
