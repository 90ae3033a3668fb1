//! Decisions beside Cedar, regorus and Casbin: the same policies, the same requests, the same answers, how long each takes.
//!
//! In: the sizes of an effort. Out: Markdown. No engine is measured on a request that it has not answered as zt does.

pub mod casbin;
pub mod cedar;
pub mod chart;
pub mod draw;
pub mod model;
pub mod regorus;

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;
use std::time::{Duration, Instant};

use fastrand::Rng;
use zt_core::metadata::Snapshot;
use zt_core::policy::{self, DecisionId, DecisionKind, Located, Projection, Request};

use crate::Outcome;
use crate::harness::{Case, Effort, compare};
use crate::report::time;
use crate::world::World;
use draw::{Aim, Asker, Spice};
use model::{Ask, Tenant};
use regorus::Form;

/// zt's second line: it loads what the first loads.
const BY_HANDLE: &str = "zt, verdict by handle";
/// Requests of each kind for a tenant.
const EACH: usize = 300;
/// One call asks this many: one of each kind, so that every sample has the same mix.
const ROUND: usize = 3;
/// How long an engine's answers are compared before it is measured.
const CHECKING: Duration = Duration::from_secs(20);

/// What came out for one engine on one size.
#[derive(Debug, Clone)]
pub struct Line {
    pub engine: String,
    pub policies: usize,
    /// One decision.
    pub median: Duration,
    pub load: Duration,
    /// Decisions that were compared with zt's.
    pub compared: usize,
}

/// Measures every engine on every size.
pub fn markdown(world: &World, effort: Effort) -> Outcome<String> {
    let mut lines = Vec::new();
    for policies in effort.policies() {
        lines.extend(measured(world, effort, *policies)?);
    }
    if let Some(file) = std::env::args().find_map(|a| a.strip_prefix("--chart=").map(str::to_owned))
    {
        std::fs::write(file, chart::svg(&lines))?;
    }
    Ok(tables(&lines))
}

fn measured(world: &World, effort: Effort, policies: usize) -> Outcome<Vec<Line>> {
    let mut rng = Rng::with_seed(42);
    let tenant = draw::tenant(&mut rng, policies, Spice::Plain);
    let mut loads = Vec::new();
    let snapshot = timed(&mut loads, || tenant.snapshot())?;
    loads.push(loads.iter().copied().sum());
    let cedar = timed(&mut loads, || {
        cedar::Cedar::load(&tenant, cedar::Denies::Stand)
    })?;
    let rego_loop = timed(&mut loads, || regorus::Regorus::load(&tenant, Form::Loop))?;
    let rego_indexed = timed(&mut loads, || {
        regorus::Regorus::load(&tenant, Form::Indexed)
    })?;
    let casbin = timed(&mut loads, || {
        casbin::Casbin::load(&tenant, &world.executor)
    })?;
    let asked = Asked::new(&tenant, &snapshot, &mut rng)?;
    let (rego_loop, rego_indexed) = (RefCell::new(rego_loop), RefCell::new(rego_indexed));

    let id = DecisionId::new(0, 0);
    let engines: Vec<(&str, Answer<'_>)> = vec![
        (
            "zt",
            Box::new(|at| {
                let decision = policy::decide(&snapshot, asked.zt[at].clone(), id);
                Ok(Said::Allowed(decision.is_allowed()))
            }),
        ),
        (
            BY_HANDLE,
            Box::new(|at| {
                let Prepared(projection, located) = &asked.prepared[at];
                let Request {
                    action, context, ..
                } = &asked.zt[at];
                let verdict = projection.verdict(&snapshot, *action, located, context, None);
                Ok(Said::Kind(verdict.kind()))
            }),
        ),
        (
            "Cedar",
            Box::new(|at| Ok(Said::Allowed(cedar.is_allowed(&asked.cedar[at])))),
        ),
        (
            "regorus, a loop",
            Box::new(|at| {
                let said = rego_loop.borrow_mut().decide(&asked.rego[at])?;
                Ok(Said::Kind(said))
            }),
        ),
        (
            "regorus, indexed by hand",
            Box::new(|at| {
                let said = rego_indexed.borrow_mut().decide(&asked.rego[at])?;
                Ok(Said::Kind(said))
            }),
        ),
        (
            "Casbin",
            Box::new(|at| Ok(Said::Allowed(casbin.is_allowed(&asked.casbin[at])?))),
        ),
    ];
    let mut counts = Vec::new();
    for (name, answer) in &engines {
        let compared = asked
            .check(answer)
            .map_err(|why| format!("{name}, {policies}: {why}"))?;
        counts.push(compared);
    }
    let cases = engines
        .iter()
        .zip(&counts)
        .map(|((name, answer), compared)| {
            let mut at = 0;
            Case::new(*name, move || {
                let mut allowed = 0;
                for _ in 0..ROUND {
                    let said = answer(at % compared).map(|said| said.is_allowed());
                    allowed += usize::from(said.unwrap_or_default());
                    at += 1;
                }
                allowed
            })
        });
    let group = compare("Decision", effort, cases.collect());
    let lines = group.measured.into_iter().zip(loads).zip(counts);
    let line = |((measured, load), compared): ((crate::harness::Measured, _), _)| Line {
        engine: measured.name,
        policies,
        median: measured.median / ROUND as u32,
        load,
        compared,
    };
    Ok(lines.map(line).collect())
}

/// Answers the request in this place.
type Answer<'a> = Box<dyn Fn(usize) -> Outcome<Said> + 'a>;

/// What an engine says: not all tell one deny from the other.
#[derive(Debug, Clone, Copy)]
enum Said {
    Kind(DecisionKind),
    Allowed(bool),
}

impl Said {
    fn is_allowed(self) -> bool {
        match self {
            Self::Kind(kind) => kind == DecisionKind::Allow,
            Self::Allowed(allowed) => allowed,
        }
    }

    fn agrees(self, kind: DecisionKind) -> bool {
        match self {
            Self::Kind(said) => said == kind,
            Self::Allowed(allowed) => allowed == (kind == DecisionKind::Allow),
        }
    }
}

/// What a session keeps: the caller and the resource, looked up once.
struct Prepared(Projection, Located);

/// The requests as each engine takes them: allow, explicit deny and default deny in turn.
struct Asked {
    zt: Vec<Request>,
    prepared: Vec<Prepared>,
    cedar: Vec<cedar_policy::Request>,
    rego: Vec<::regorus::Value>,
    casbin: Vec<Vec<String>>,
    kinds: Vec<DecisionKind>,
}

impl Asked {
    fn new(tenant: &Tenant, snapshot: &Arc<Snapshot>, rng: &mut Rng) -> Outcome<Self> {
        let asker = Asker::new(tenant, Spice::Plain);
        let wanted = [
            (DecisionKind::Allow, Aim::Allow),
            (DecisionKind::ExplicitDeny, Aim::Deny),
            (DecisionKind::DefaultDeny, Aim::Nowhere),
        ];
        let mut found: BTreeMap<&str, Vec<Ask>> = BTreeMap::new();
        for (kind, aim) in wanted {
            let asks = found.entry(kind.as_str()).or_default();
            // A tenant of few rows may have few such requests; then they are asked again and again.
            for _ in 0..EACH * 40 {
                let ask = asker.ask(rng, aim);
                let decision =
                    policy::decide(snapshot, tenant.request(&ask)?, DecisionId::new(0, 0));
                if decision.kind() == kind {
                    asks.push(ask);
                }
                if asks.len() == EACH {
                    break;
                }
            }
            if asks.is_empty() {
                return Err(format!("no request is answered with {kind}").into());
            }
        }
        let mut asked = Self {
            zt: Vec::new(),
            prepared: Vec::new(),
            cedar: Vec::new(),
            rego: Vec::new(),
            casbin: Vec::new(),
            kinds: Vec::new(),
        };
        for at in 0..EACH {
            for (kind, _) in wanted {
                let asks = &found[kind.as_str()];
                let ask = &asks[at % asks.len()];
                let request = tenant.request(ask)?;
                let (caller, groups) = (request.caller.clone(), request.groups.clone());
                asked.prepared.push(Prepared(
                    Projection::new(snapshot, caller, groups),
                    Located::new(snapshot, request.resource.clone()),
                ));
                asked.zt.push(request);
                asked.cedar.push(cedar::request(tenant, ask)?);
                asked.rego.push(regorus::input(ask, asker.held(ask.caller)));
                asked.casbin.push(casbin::request(tenant, ask)?);
                asked.kinds.push(kind);
            }
        }
        Ok(asked)
    }

    /// How many answers were compared, whole rounds; those alone are measured.
    fn check(&self, answer: &Answer<'_>) -> Outcome<usize> {
        let began = Instant::now();
        let mut compared = 0;
        for (at, kind) in self.kinds.iter().enumerate() {
            let said = answer(at)?;
            if !said.agrees(*kind) {
                return Err(format!("{said:?} where zt says {kind}: {:#?}", self.zt[at]).into());
            }
            compared = at + 1;
            if began.elapsed() > CHECKING && compared.is_multiple_of(ROUND) {
                break;
            }
        }
        Ok(compared)
    }
}

fn timed<T>(loads: &mut Vec<Duration>, load: impl FnOnce() -> Outcome<T>) -> Outcome<T> {
    let began = Instant::now();
    let loaded = load()?;
    loads.push(began.elapsed());
    Ok(loaded)
}

fn tables(lines: &[Line]) -> String {
    let mut text = String::from("\n## Decisions beside Cedar, regorus and Casbin\n");
    text.push_str(&table(lines, "one decision", |line| line.median));
    let loaded: Vec<Line> = lines
        .iter()
        .filter(|line| line.engine != BY_HANDLE)
        .cloned()
        .collect();
    text.push_str(&table(&loaded, "loading", |line| line.load));
    let compared: usize = lines.iter().map(|line| line.compared).sum();
    let _ = writeln!(
        text,
        "\n{compared} answers were compared with zt's before anything was measured; none differed."
    );
    text
}

/// Engines down, sizes across; in brackets how many times zt's.
fn table(lines: &[Line], what: &str, value: impl Fn(&Line) -> Duration) -> String {
    let mut sizes: Vec<usize> = lines.iter().map(|line| line.policies).collect();
    sizes.dedup();
    let mut text = format!("\n| {what} |");
    for size in &sizes {
        let _ = write!(text, " {} policies |", thousands(*size));
    }
    let _ = write!(text, "\n|---|{}\n", "---:|".repeat(sizes.len()));
    let of = |engine: &str, size: usize| {
        let mut own = lines.iter().filter(|line| line.policies == size);
        own.find(|line| line.engine == engine).map(&value)
    };
    let mut engines: Vec<&str> = Vec::new();
    for line in lines {
        if !engines.contains(&line.engine.as_str()) {
            engines.push(&line.engine);
        }
    }
    for engine in engines {
        let _ = write!(text, "| {engine} |");
        for size in &sizes {
            let cell = match (of(engine, *size), of("zt", *size)) {
                (Some(took), Some(_)) if engine == "zt" => time(took),
                (Some(took), Some(zt)) => {
                    format!("{} ({})", time(took), ratio(took, zt))
                }
                _ => "–".to_owned(),
            };
            let _ = write!(text, " {cell} |");
        }
        text.push('\n');
    }
    text
}

/// How many times as long, with two digits that mean something.
fn ratio(took: Duration, zt: Duration) -> String {
    let ratio = took.as_secs_f64() / zt.as_secs_f64();
    if ratio < 10.0 {
        let digits = (1.0 - ratio.log10().floor()).clamp(0.0, 6.0) as usize;
        return format!("{ratio:.digits$}×");
    }
    let step = 10_f64.powf(ratio.log10().floor() - 1.0);
    format!("{}×", thousands(((ratio / step).round() * step) as usize))
}

/// `100000` as `100,000`.
pub fn thousands(number: usize) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}
