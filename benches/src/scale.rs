//! Decisions on few and on very many policies: by handle, by text, whole, and by the oracle that looks at every row.

use std::fmt::Write as _;
use std::sync::Arc;
use std::time::{Duration, Instant};

use zt_core::metadata::Snapshot;
use zt_core::policy::{
    self, Action, Context, Decision, DecisionId, Holder, ListQuery, Located, Projection, Request,
    oracle,
};

use crate::Outcome;
use crate::harness::{Case, Effort, compare};
use crate::report::time;
use crate::tenant::{Question, Tenant, compile};

/// How many policies there are.
const SIZES: [usize; 5] = [10, 100, 1_000, 10_000, 100_000];
/// With more than this the oracle takes too long to wait for.
const MOST_FOR_THE_ORACLE: usize = 10_000;
/// Different questions, so that no cache holds the answers.
const QUESTIONS: usize = 3_000;
/// How often each size is compiled.
const LOADS: usize = 3;

/// A tenant and what is asked of it, in every form.
struct Size {
    policies: usize,
    snapshot: Arc<Snapshot>,
    load: Duration,
    asked: Vec<Asked>,
}

struct Asked {
    question: Question,
    projection: Projection,
    located: Located,
    action: Action,
    context: Context,
}

/// One table: a line for each size.
pub fn markdown(effort: Effort) -> Outcome<String> {
    let sizes: Vec<Size> = SIZES.into_iter().map(Size::new).collect::<Outcome<_>>()?;
    let forms: [&[Duration]; 4] = [
        &measured(effort, &sizes, Asked::by_handle),
        &measured(effort, &sizes, Asked::by_text),
        &measured(effort, &sizes, Asked::whole),
        &measured(effort, slow(&sizes), Asked::by_the_oracle),
    ];
    let mut text = String::from("\n## Decision by number of policies\n\n");
    text.push_str("Medians. A third each allowed, refused by a row and granted by none.\n\n");
    text.push_str("| policies | verdict by handle | verdict by text | whole decision | oracle | tables to snapshot |\n");
    text.push_str("|---:|---:|---:|---:|---:|---:|\n");
    for (at, size) in sizes.iter().enumerate() {
        let cell = |form: &[Duration]| form.get(at).copied().map_or("–".to_owned(), time);
        let cells: Vec<String> = forms.iter().map(|form| cell(form)).collect();
        let (policies, load) = (size.policies, time(size.load));
        let _ = writeln!(text, "| {policies} | {} | {load} |", cells.join(" | "));
    }
    let growth: Vec<String> = forms.iter().take(3).map(|form| growth(form)).collect();
    let [handle, by_text, whole] = growth.as_slice() else {
        return Ok(text);
    };
    let _ = writeln!(
        text,
        "\nFrom 1,000 to 100,000 policies: by handle {handle}, by text {by_text}, whole {whole}."
    );
    text.push_str(&beside(effort, &sizes));
    Ok(text)
}

/// What is asked off the hot path: why a request was refused, until when an answer holds, and all that one caller may.
fn beside(effort: Effort, sizes: &[Size]) -> String {
    let mut text = String::from("\n### Explanations, leases, lists\n\n");
    text.push_str("| policies | explain a refusal | lease | named resources | those that one caller may read, by handles | listed with their decisions |\n");
    text.push_str("|---:|---:|---:|---:|---:|---:|\n");
    for size in sizes {
        let decisions = || {
            size.asked
                .iter()
                .map(|asked| asked.decision(&size.snapshot))
        };
        let refused: Vec<Decision> = decisions().filter(|one| !one.is_allowed()).collect();
        let all: Vec<Decision> = decisions().collect();
        let (mut refused, mut all) = (refused.iter().cycle(), all.iter().cycle());
        let mut holders = size.asked.iter().filter_map(Asked::holder).cycle();
        let query = ListQuery::new().of_action(Action::TableRead).limit(10_000);
        let everything = query.clone().with_denied();
        let pages = |query: &ListQuery, holder: &Holder| {
            let (mut after, mut cells) = (None, 0);
            loop {
                let query = match after {
                    Some(token) => query.clone().after(token),
                    None => query.clone(),
                };
                let page = policy::list(&size.snapshot, std::slice::from_ref(holder), &query);
                cells += page.cells.len();
                after = page.next;
                if after.is_none() {
                    return cells;
                }
            }
        };
        let first = holders.next();
        let all_of = first.map(|holder| every(&size.snapshot, &everything, &holder));
        let resources = all_of.unwrap_or_default();
        let mut callers = size.asked.iter().cycle();
        let context = Context::new();
        let group = compare(
            "",
            effort,
            vec![
                Case::new("explain", || refused.next().map(policy::explain)),
                Case::new("lease", || all.next().map(Decision::lease)),
                Case::new("allowed", || {
                    callers.next().map(|asked| {
                        let read = Action::TableRead;
                        let by = &asked.projection;
                        by.allowed(&size.snapshot, read, &resources, &context, None)
                            .count()
                    })
                }),
                Case::new("list", || {
                    holders.next().map(|holder| pages(&query, &holder))
                }),
            ],
        );
        let cells: Vec<String> = group.measured.iter().map(|one| time(one.median)).collect();
        if let [explain, lease, allowed, list] = cells.as_slice() {
            let (policies, count) = (size.policies, resources.len());
            let _ = writeln!(
                text,
                "| {policies} | {explain} | {lease} | {count} | {allowed} | {list} |"
            );
        }
    }
    text
}

/// Every table that the rows name, as handles.
fn every(snapshot: &Arc<Snapshot>, query: &ListQuery, holder: &Holder) -> Vec<Located> {
    let (mut found, mut after) = (Vec::new(), None::<String>);
    loop {
        let query = match after {
            Some(token) => query.clone().after(token),
            None => query.clone(),
        };
        let page = policy::list(snapshot, std::slice::from_ref(holder), &query);
        let resources = page
            .cells
            .iter()
            .map(|cell| cell.resource.resource().clone());
        found.extend(resources.map(|resource| Located::new(snapshot, resource)));
        after = page.next;
        if after.is_none() {
            return found;
        }
    }
}

/// How many times as long 100,000 policies take as 1,000.
fn growth(form: &[Duration]) -> String {
    let [_, _, thousand, _, most] = form else {
        return "–".to_owned();
    };
    format!("{:.1}x", most.as_secs_f64() / thousand.as_secs_f64())
}

fn slow(sizes: &[Size]) -> &[Size] {
    let count = sizes.partition_point(|size| size.policies <= MOST_FOR_THE_ORACLE);
    sizes.get(..count).unwrap_or_default()
}

/// The median for each size, measured in turn.
fn measured(
    effort: Effort,
    sizes: &[Size],
    ask: impl Fn(&Asked, &Arc<Snapshot>) -> bool + Copy,
) -> Vec<Duration> {
    let cases = sizes.iter().map(|size| {
        let mut next = size.asked.iter().cycle();
        let run = move || next.next().is_some_and(|asked| ask(asked, &size.snapshot));
        Case::new(size.policies.to_string(), run)
    });
    let group = compare("", effort, cases.collect());
    group.measured.iter().map(|found| found.median).collect()
}

impl Size {
    fn new(policies: usize) -> Outcome<Self> {
        let mut tenant = Tenant::new(policies);
        let raw = tenant.tables(policies);
        let mut load = Duration::MAX;
        let mut snapshot = compile(&raw)?;
        for _ in 0..LOADS {
            let began = Instant::now();
            let next = compile(&raw)?;
            load = load.min(began.elapsed());
            snapshot = next;
        }
        let questions = tenant.questions(&snapshot, QUESTIONS)?;
        let asked = questions.into_iter().map(|question| {
            let Request {
                caller,
                groups,
                action,
                resource,
                context,
                ..
            } = question.request.clone();
            Asked {
                question,
                projection: Projection::new(&snapshot, caller, groups),
                located: Located::new(&snapshot, resource),
                action,
                context,
            }
        });
        Ok(Self {
            asked: asked.collect(),
            policies,
            load,
            snapshot,
        })
    }
}

impl Asked {
    fn decision(&self, snapshot: &Arc<Snapshot>) -> Decision {
        let request = self.question.request.clone().at(snapshot.loaded_at());
        policy::decide(snapshot, request, DecisionId::new(0, 0))
    }

    fn holder(&self) -> Option<Holder> {
        let Request { caller, groups, .. } = &self.question.request;
        Some(Holder::caller(caller.clone()?, Arc::clone(groups)))
    }

    fn by_handle(&self, snapshot: &Arc<Snapshot>) -> bool {
        let (action, context) = (self.action, &self.context);
        let verdict = self
            .projection
            .verdict(snapshot, action, &self.located, context, None);
        verdict.is_allowed()
    }

    fn by_text(&self, snapshot: &Arc<Snapshot>) -> bool {
        let Ok(action) = self.question.action.parse() else {
            return false;
        };
        let (text, context) = (&self.question.resource, &self.context);
        let verdict = self
            .projection
            .verdict_of(snapshot, action, text, context, None);
        verdict.is_ok_and(|verdict| verdict.is_allowed())
    }

    fn whole(&self, snapshot: &Arc<Snapshot>) -> bool {
        let request = self.question.request.clone();
        policy::decide(snapshot, request, DecisionId::new(0, 0)).is_allowed()
    }

    fn by_the_oracle(&self, snapshot: &Arc<Snapshot>) -> bool {
        let request = self.question.request.clone();
        oracle::decide(snapshot, request, DecisionId::new(0, 0)).is_allowed()
    }
}
