//! A tenant of any size, always the same for a size: teams with groups, roles of workspaces and of the organisation,
//! policies on subtrees, single tables and with `*`, one in eight a deny, half of them bound to a job.

use std::sync::Arc;

use zt_core::clock::Timestamp;
use zt_core::id::PrincipalId;
use zt_core::metadata::{Cell, RawRow, RawTables, Snapshot};
use zt_core::policy::{self, Action, Context, DecisionId, DecisionKind, Request};

use crate::Outcome;

/// Sebastiano Vigna's SplitMix64.
struct Random(u64);

impl Random {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = self.0;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((bits ^ (bits >> 31)) % end.max(1) as u64) as usize
    }

    fn percent(&mut self, share: usize) -> bool {
        self.below(100) < share
    }
}

/// How much of everything there is, and who is in which team.
pub struct Tenant {
    random: Random,
    teams: usize,
    workspaces: usize,
    org_roles: usize,
    members: Vec<Vec<usize>>,
}

/// One question, as a program and as a person would ask it.
pub struct Question {
    pub request: Request,
    pub action: &'static str,
    pub resource: String,
}

/// Jobs that conditions name.
const JOBS: usize = 20;

impl Tenant {
    /// The tenant that fits so many policies.
    pub fn new(policies: usize) -> Self {
        let mut random = Random(policies as u64);
        let teams = (policies / 20).max(2);
        let users = (policies / 10).max(4);
        let members = (0..users).map(|_| {
            let count = (3 + random.below(8)).min(teams / 2);
            (0..count).map(|_| random.below(teams)).collect()
        });
        let members = members.collect();
        Self {
            random,
            teams,
            workspaces: (teams / 5).max(2),
            org_roles: (teams / 100).max(1),
            members,
        }
    }

    /// All its tables, as a source would deliver them.
    pub fn tables(&mut self, policies: usize) -> RawTables {
        let mut raw = RawTables::new("bench".to_owned());
        let people = (0..self.members.len()).map(|user| format!("user:u{user}"));
        let groups = (0..self.teams).map(|team| format!("group:t{team}"));
        for (at, id) in people.chain(groups).enumerate() {
            let oid = format!("00000000-0000-4000-8000-{at:012}");
            raw.push("Principals", row(&[("id", &id), ("oid", &oid)]));
        }
        for team in 0..self.teams {
            let group = format!("group:t{team}");
            let (workspace, org) = (team % self.workspaces, team % self.org_roles);
            for role in [format!("w{workspace}"), format!("o{org}")] {
                let binding = row(&[("role", &role), ("principal", &group)]);
                raw.push("Role_Bindings", binding);
            }
        }
        for rail in 0..4 {
            let resource = format!("table:*.*.forbidden{rail}");
            let cells = [
                ("id", format!("rail-{rail}")),
                ("principal", "*".to_owned()),
                ("action", "*".to_owned()),
                ("resource", resource),
                ("effect", "deny".to_owned()),
            ];
            raw.push("Access_Policies", row(&cells));
        }
        // However few there are, something is allowed.
        let cells = [
            ("id", "first"),
            ("principal", "group:t0"),
            ("action", "table.read"),
            ("resource", "table:w0.t0.**"),
            ("effect", "allow"),
        ];
        raw.push("Access_Policies", row(&cells));
        for at in 5..policies {
            let policy = self.policy(at);
            raw.push("Access_Policies", policy);
        }
        raw
    }

    fn policy(&mut self, at: usize) -> RawRow {
        let team = self.random.below(self.teams);
        let workspace = team % self.workspaces;
        let (principal, area) = match self.random.below(100) {
            0..62 => (format!("group:t{team}"), format!("w{workspace}.t{team}")),
            62..77 => (format!("role:w{workspace}"), format!("w{workspace}")),
            77..87 => {
                let org = self.random.below(self.org_roles);
                (format!("role:o{org}"), format!("w{workspace}"))
            }
            87..98 => {
                let user = self.random.below(self.members.len());
                (format!("user:u{user}"), format!("w{workspace}.t{team}"))
            }
            _ => ("*".to_owned(), format!("w{workspace}.public")),
        };
        let table = self.random.below(12);
        let (resource, is_path) = match self.random.below(100) {
            0..77 => (format!("table:{area}.**"), false),
            77..95 => (format!("table:w{workspace}.t{team}.x{table}"), true),
            _ => (format!("table:w{workspace}.*.x{table}"), true),
        };
        let action = match self.random.below(100) {
            0..70 if self.random.percent(70) => "table.read",
            0..70 => "table.write",
            70..95 => "table.*",
            _ => "*",
        };
        let is_deny = self.random.percent(12);
        let effect = if is_deny { "deny" } else { "allow" };
        let mut row = row(&[
            ("id", format!("P{at}")),
            ("principal", principal),
            ("action", action.to_owned()),
            ("resource", resource),
            ("effect", effect.to_owned()),
        ]);
        // A deny of a whole area under all conditions would leave nothing to decide below it.
        if self.random.percent(50) || is_deny && !is_path {
            let job = Cell::Integer(self.random.below(JOBS) as i64);
            let when = Cell::Map(vec![("job".to_owned(), job)]);
            row.cells.push(("when".to_owned(), when));
        }
        row
    }

    /// So many questions, a third each allowed, refused by a row and granted by none, one after the other.
    pub fn questions(&mut self, snapshot: &Arc<Snapshot>, count: usize) -> Outcome<Vec<Question>> {
        let mut found: [Vec<Question>; 3] = Default::default();
        for _ in 0..count * 1000 {
            if found.iter().all(|kind| kind.len() >= count / 3) {
                break;
            }
            let question = self.question()?;
            let id = DecisionId::new(0, 0);
            let kind = match policy::decide(snapshot, question.request.clone(), id).kind() {
                DecisionKind::Allow => 0,
                DecisionKind::ExplicitDeny => 1,
                DecisionKind::DefaultDeny => 2,
            };
            if let Some(found) = found.get_mut(kind).filter(|found| found.len() < count / 3) {
                found.push(question);
            }
        }
        let least = found.iter().map(Vec::len).min().unwrap_or(0);
        if least == 0 {
            return Err(
                format!("a kind of decision never came up with {} teams", self.teams).into(),
            );
        }
        let [allowed, refused, none] = found;
        let mixed = allowed.into_iter().zip(refused).zip(none);
        Ok(mixed
            .flat_map(|((one, two), three)| [one, two, three])
            .collect())
    }

    fn question(&mut self) -> Outcome<Question> {
        let user = self.random.below(self.members.len());
        let groups: Vec<usize> = self.members.get(user).cloned().unwrap_or_default();
        let own = groups.get(self.random.below(groups.len())).copied();
        let team = match own {
            Some(own) if self.random.percent(60) => own,
            _ => self.random.below(self.teams),
        };
        let table = match self.random.below(100) {
            0..10 => format!("forbidden{}", self.random.below(4)),
            _ => format!("x{}", self.random.below(12)),
        };
        // However dense a small tenant's grants are, somewhere nobody has any.
        let area = match self.random.below(100) {
            0..5 => "elsewhere".to_owned(),
            _ => format!("w{}.t{team}", team % self.workspaces),
        };
        let resource = format!("table:{area}.{table}");
        let action = match self.random.below(3) {
            0 => Action::TableWrite,
            _ => Action::TableRead,
        };
        let groups = groups.iter().map(|team| format!("group:t{team}").parse());
        let groups: Vec<PrincipalId> = groups.collect::<Result<_, _>>()?;
        let caller = format!("user:u{user}").parse()?;
        let job = self.random.below(JOBS) as u32;
        let request = Request::new(Some(caller), action, resource.parse()?)
            .with_groups(groups.into())
            .with_context(Context::new().with_job(job));
        Ok(Question {
            request,
            action: action.as_str(),
            resource,
        })
    }
}

/// Compiles tables.
pub fn compile(raw: &RawTables) -> Outcome<Arc<Snapshot>> {
    let snapshot = Snapshot::compile(raw, 1, Timestamp::from_millis(0))?;
    Ok(Arc::new(snapshot))
}

fn row<T: AsRef<str>>(cells: &[(&str, T)]) -> RawRow {
    let cell = |(name, text): &(&str, T)| {
        let text = Cell::Text(text.as_ref().to_owned());
        ((*name).to_owned(), text)
    };
    RawRow::new(None, cells.iter().map(cell).collect())
}
