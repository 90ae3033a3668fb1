//! What there is to ask: the resources that tables name, and the jobs and stages.
//!
//! In: snapshots. Out: resources and contexts, each once, in a stable order. A pattern stands for endless names, so each
//! pattern adds resources that no table names: rows that speak of names by patterns alone treat all of these alike. What
//! conditions test is read here and nowhere else in listing and diff.

use std::collections::BTreeSet;
use std::fmt;

use super::condition::Looks;
use super::{Context, Resource, ResourceKind, ResourcePattern};
use crate::clock::Timestamp;
use crate::id::{PrincipalId, PrincipalKind};
use crate::metadata::{AccessPolicy, Snapshot, Tables};

/// A resource that tables name, or one that stands for all that they do not name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Named {
    name: String,
    resource: Resource,
    is_pattern: bool,
}

impl Named {
    /// The resource as it is, or with `*` for a part that no table names: `table:raw.*`.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What is asked of policy.
    #[must_use]
    pub const fn resource(&self) -> &Resource {
        &self.resource
    }

    /// Whether it stands for names that no table has. A row's pattern may match more of them than are listed.
    #[must_use]
    pub const fn is_pattern(&self) -> bool {
        self.is_pattern
    }

    /// One resource by its name.
    #[must_use]
    pub fn exact(resource: Resource) -> Self {
        Self {
            name: resource.to_string(),
            resource,
            is_pattern: false,
        }
    }
}

impl fmt::Display for Named {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

/// Every resource that a snapshot names, as [`resources`].
#[must_use]
pub(crate) fn named(snapshot: &Snapshot) -> Vec<Named> {
    resources(&[snapshot])
}

/// Every resource that these snapshots name, in alphabetical order: in rows of Access_Policies and Resources, in what stages need, as
/// secrets, jobs, models, outputs and their tables, as metadata tables and the audit log. And for each pattern of a row,
/// up to two names below it that no table has. What cannot be written as a resource cannot be asked and is left out.
#[must_use]
pub(crate) fn resources(snapshots: &[&Snapshot]) -> Vec<Named> {
    let mut exact: BTreeSet<Resource> = BTreeSet::new();
    for snapshot in snapshots {
        add_named(snapshot.tables(), &mut exact);
    }
    let named = || {
        let all = snapshots.iter();
        all.flat_map(|snapshot| written(snapshot.tables()))
    };
    let mut patterns: BTreeSet<&str> = BTreeSet::new();
    patterns.extend(named().map(ResourcePattern::as_str));
    let other = unused(&exact, &patterns);
    let mut all: BTreeSet<Named> = exact.into_iter().map(Named::exact).collect();
    for pattern in named().filter(|pattern| pattern.exact().is_none()) {
        all.extend(samples(pattern, &other));
    }
    all.into_iter().collect()
}

/// The resources of rows of Access_Policies and Resources.
fn written(tables: &Tables) -> impl Iterator<Item = &ResourcePattern> {
    let rows = tables.access_policies.iter();
    let described = tables.resources.iter().map(|row| &row.resource);
    rows.flat_map(|row| &row.resources).chain(described)
}

fn add_named(tables: &Tables, to: &mut BTreeSet<Resource>) {
    to.extend(written(tables).filter_map(ResourcePattern::exact));
    let needs = tables.stages.iter().flat_map(|row| &row.needs);
    to.extend(needs.map(|need| need.resource.clone()));
    let mut add = |kind: ResourceKind, name: &str| to.extend(format!("{kind}:{name}").parse());
    for row in &tables.secret_references {
        add(ResourceKind::Secret, row.id.as_str());
    }
    for row in &tables.jobs {
        add(ResourceKind::Job, &row.job_id.to_string());
    }
    for row in &tables.ml_models {
        add(ResourceKind::Model, &row.name);
    }
    for row in &tables.output_storage {
        add(ResourceKind::Output, &row.name);
        add(ResourceKind::Table, &row.table);
    }
    for name in Tables::NAMES {
        add(ResourceKind::Metadata, name);
    }
    add(ResourceKind::Audit, "log");
}

/// A name that stands in no resource and no pattern.
fn unused(exact: &BTreeSet<Resource>, patterns: &BTreeSet<&str>) -> String {
    let is_used = |name: &String| {
        exact
            .iter()
            .any(|resource| resource.as_str().contains(name.as_str()))
            || patterns
                .iter()
                .any(|pattern| pattern.contains(name.as_str()))
    };
    let mut names = (0_u64..).map(|number| format!("other-{number}"));
    names.find(|name| !is_used(name)).unwrap_or_default()
}

/// Names that the pattern matches and no table has: `*` as another name, `**` as nothing, one and two of them.
fn samples(pattern: &ResourcePattern, other: &str) -> Vec<Named> {
    let Some(kind) = pattern.kind() else {
        let kinds = ResourceKind::ALL.iter();
        return kinds
            .flat_map(|kind| sample(&format!("{kind}:*"), *kind, other))
            .collect();
    };
    let text = pattern.as_str();
    let Some(root) = text.strip_suffix("**") else {
        return sample(text, kind, other).into_iter().collect();
    };
    let separator = kind.separator();
    let texts = [
        root.trim_end_matches(separator).to_owned(),
        format!("{root}*"),
        format!("{root}*{separator}*"),
    ];
    texts
        .iter()
        .filter_map(|text| sample(text, kind, other))
        .collect()
}

/// The root of `table:**` has no name: it is no resource, and so is no sample.
fn sample(text: &str, kind: ResourceKind, other: &str) -> Option<Named> {
    let (_, path) = text.split_once(':')?;
    let separator = kind.separator();
    let segments = path.split(separator);
    let segments: Vec<&str> = segments
        .map(|segment| if segment == "*" { other } else { segment })
        .collect();
    let path = segments.join(separator.encode_utf8(&mut [0; 4]));
    Some(Named {
        name: text.to_owned(),
        resource: format!("{kind}:{path}").parse().ok()?,
        is_pattern: path.contains(other),
    })
}

/// A job and a stage that a process claims, or does not.
type Claim = (Option<u32>, Option<u32>);

/// The jobs and stages that rows and stages name, and numbers that stand for all others.
#[derive(Debug)]
pub(super) struct Claims {
    declared: BTreeSet<Claim>,
    other_job: u32,
    other_stage: u32,
}

impl Claims {
    /// Of these snapshots.
    pub(super) fn of(snapshots: &[&Snapshot]) -> Self {
        let declared: BTreeSet<Claim> = snapshots
            .iter()
            .flat_map(|snapshot| declared_claims(snapshot))
            .chain([(None, None)])
            .collect();
        let jobs = declared.iter().filter_map(|(job, _)| *job).collect();
        let stages = declared.iter().filter_map(|(_, stage)| *stage).collect();
        Self {
            other_job: free(&jobs),
            other_stage: free(&stages),
            declared,
        }
    }

    /// How many are declared, nothing claimed included.
    pub(super) fn len(&self) -> usize {
        self.declared.len()
    }

    /// No fewer than [`contexts`](Self::contexts) gives.
    pub(super) fn at_most(&self, tested: &Tested) -> usize {
        let with_others = |numbers: &BTreeSet<u32>| numbers.len().saturating_add(2);
        with_others(&tested.jobs)
            .saturating_mul(with_others(&tested.stages))
            .saturating_add(self.declared.len())
    }

    /// The contexts that rows can tell apart which test these jobs and stages, with those that are declared: each tested
    /// job, another and none, with each tested stage, another and none.
    pub(super) fn contexts(&self, tested: &Tested) -> Vec<Context> {
        let of = |numbers: &BTreeSet<u32>, other: u32| -> Vec<Option<u32>> {
            let numbers = numbers.iter().copied().map(Some);
            numbers.chain([None, Some(other)]).collect()
        };
        let stages = of(&tested.stages, self.other_stage);
        let mut all = self.declared.clone();
        for job in of(&tested.jobs, self.other_job) {
            all.extend(stages.iter().map(|stage| (job, *stage)));
        }
        all.into_iter().map(claim).collect()
    }
}

/// What the conditions of some rows look at.
#[derive(Debug, Default)]
pub(super) struct Tested {
    /// Whether at anything at all.
    pub(super) facts: bool,
    /// Whether at who proposed a change.
    pub(super) author: bool,
    /// The texts that the author is compared with.
    pub(super) authors: BTreeSet<String>,
    /// The moments at which their windows begin and end, and with which they compare the time.
    pub(super) moments: BTreeSet<Timestamp>,
    jobs: BTreeSet<u32>,
    stages: BTreeSet<u32>,
}

impl Tested {
    /// Adds what this row looks at.
    pub(super) fn add(&mut self, row: &AccessPolicy) {
        let looks = row.when.looks();
        self.facts |= looks.anything;
        self.author |= looks.author;
        self.authors.extend(looks.authors);
        self.moments.extend(looks.moments);
        self.moments.extend(row.valid_from);
        self.moments.extend(row.valid_to);
        self.jobs.extend(around(&looks.jobs));
        self.stages.extend(around(&looks.stages));
    }
}

/// The facts that conditions of these snapshots look at and that no question states: they are asked as unknown.
pub(super) fn untried(snapshots: &[&Snapshot]) -> Vec<String> {
    let rows = snapshots
        .iter()
        .flat_map(|snapshot| &snapshot.tables().access_policies);
    let mut names = BTreeSet::new();
    for row in rows {
        names.extend(row.when.looks().others);
    }
    let tables = snapshots.iter().map(|snapshot| snapshot.tables());
    names.extend(tables.flat_map(windowed).map(str::to_owned));
    names.into_iter().collect()
}

/// The tables beside Access_Policies with rows that count for some time: the windows of policies alone are tried.
fn windowed(tables: &Tables) -> impl Iterator<Item = &'static str> {
    let (mut members, mut bindings) = (tables.memberships.iter(), tables.role_bindings.iter());
    let found = [
        (
            "windows of Memberships",
            members.any(|row| !row.extent.window.is_always()),
        ),
        (
            "windows of Role_Bindings",
            bindings.any(|row| !row.extent.window.is_always()),
        ),
        (
            "windows of Policy_Activations",
            !tables.policy_activations.is_empty(),
        ),
    ];
    let found = found.into_iter().filter(|(_, is_windowed)| *is_windowed);
    found.map(|(name, _)| name)
}

/// The numbers and their neighbours: between two of them no comparison changes.
fn around(numbers: &BTreeSet<u32>) -> impl Iterator<Item = u32> {
    numbers.iter().flat_map(|number| {
        let least = number.saturating_sub(1);
        least..=number.saturating_add(1)
    })
}

/// The smallest number above all of these.
fn free(used: &BTreeSet<u32>) -> u32 {
    let last = used.last().copied().unwrap_or(0);
    let below = || (0..u32::MAX).find(|number| !used.contains(number));
    last.checked_add(1).or_else(below).unwrap_or(u32::MAX)
}

/// The jobs and stages that a snapshot names, as a process would claim them.
pub(super) fn declared_stages(snapshot: &Snapshot) -> Vec<Context> {
    let claims: BTreeSet<Claim> = declared_claims(snapshot).collect();
    claims.into_iter().map(claim).collect()
}

fn declared_claims(snapshot: &Snapshot) -> impl Iterator<Item = Claim> {
    let tables = snapshot.tables();
    let stages = tables
        .stages
        .iter()
        .map(|row| (Some(row.job_id), Some(row.id)));
    let jobs = tables.jobs.iter().map(|row| (Some(row.job_id), None));
    let rows = tables.access_policies.iter().map(job_and_stage);
    stages
        .chain(jobs)
        .chain(rows.filter(|claim| *claim != (None, None)))
}

fn claim((job, stage): Claim) -> Context {
    let mut context = Context::new();
    if let Some(job) = job {
        context = context.with_job(job);
    }
    match stage {
        Some(stage) => context.with_stage(stage),
        None => context,
    }
}

/// The job and the stage that a row names, where it names one.
fn job_and_stage(row: &AccessPolicy) -> Claim {
    let Looks { jobs, stages, .. } = row.when.looks();
    (jobs.first().copied(), stages.first().copied())
}

/// Whom somebody could name as the author of a change: nobody, itself, whom conditions name, and somebody else whom both
/// snapshots know.
pub(super) fn authors(
    snapshots: &[&Snapshot],
    holder: Option<&PrincipalId>,
    tested: &BTreeSet<String>,
) -> Vec<Option<PrincipalId>> {
    let Some(first) = snapshots.first() else {
        return vec![None];
    };
    let is_known = |id: &&PrincipalId| {
        id.kind() != PrincipalKind::Group
            && Some(*id) != holder
            && !tested.contains(id.as_str())
            && snapshots
                .iter()
                .all(|snapshot| snapshot.object_id(id).is_some())
    };
    let someone = first
        .tables()
        .principals
        .iter()
        .map(|row| &row.id)
        .find(is_known);
    let tested = tested.iter().filter_map(|name| name.parse().ok());
    let others = tested.filter(|id: &PrincipalId| Some(id) != holder);
    let named = [holder, someone].into_iter().flatten().cloned();
    [None]
        .into_iter()
        .chain(named.chain(others).map(Some))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(pattern: &str) -> Vec<(String, String)> {
        let found = samples(&pattern.parse().unwrap(), "other-0");
        found
            .iter()
            .map(|named| (named.name().to_owned(), named.resource().path().to_owned()))
            .collect()
    }

    #[test]
    fn a_pattern_is_told_by_names_that_it_matches() {
        let pair = |name: &str, path: &str| (name.to_owned(), path.to_owned());
        assert_eq!(names("job:*"), [pair("job:*", "other-0")]);
        assert_eq!(
            names("table:raw.**"),
            [
                pair("table:raw", "raw"),
                pair("table:raw.*", "raw.other-0"),
                pair("table:raw.*.*", "raw.other-0.other-0"),
            ]
        );
        assert_eq!(names("table:**").len(), 2);
        assert_eq!(names("**").len(), ResourceKind::ALL.len());
        for pattern in ["job:*", "table:raw.**", "table:**", "table:*.dbo.*", "**"] {
            let pattern: ResourcePattern = pattern.parse().unwrap();
            let found = samples(&pattern, "other-0");
            assert!(found.iter().all(|named| pattern.matches(named.resource())));
        }
    }

    #[test]
    fn a_name_that_stands_for_others_is_used_by_nobody() {
        let exact = BTreeSet::from(["secret:other-0".parse().unwrap()]);
        let patterns = BTreeSet::from(["secret:other-1/*"]);
        assert_eq!(unused(&exact, &patterns), "other-2");
        assert_eq!(free(&BTreeSet::from([3, 7])), 8);
        assert_eq!(free(&BTreeSet::from([0, u32::MAX])), 1);
    }
}
