//! `zt list`: who may do what, on the tables as they are.

use anstream::println;
use clap::Args;
use zt_core::id::PrincipalId;
use zt_core::policy::{
    self, Action, AttributeSet, Context, Holder, ListPage, ListQuery, Listed, Resource,
};
use zt_core::runtime::{self, Config};
use zt_core::session;
use zt_core::text::shown;
use zt_core::{Code, Error, Result};

use crate::principal::{self, Membership};
use crate::{Answer, paint};

#[derive(Debug, Args)]
pub(crate) struct List {
    /// What: `table.read`. Without it, all actions on the resource.
    action: Option<String>,
    /// Who: `maya`, `user:maya`, `sp-score-201`. Without it, everybody.
    #[arg(long = "as", value_name = "NAME")]
    caller: Option<String>,
    /// On what: `table:gold.loan_scores`. Without it, all that the tables name.
    #[arg(long = "on", value_name = "RESOURCE")]
    resource: Option<String>,
    /// The job that the process claims to work on.
    #[arg(long)]
    job: Option<u32>,
    /// The stage that it claims to be in.
    #[arg(long)]
    stage: Option<u32>,
    /// Who proposed the change that is to be approved.
    #[arg(long)]
    author: Option<PrincipalId>,
    /// Who is in which group, `user:maya=group:grp-security`, beside `[development.groups]`.
    #[arg(long = "group", value_name = "CALLER=GROUP")]
    groups: Vec<Membership>,
    /// Also what is allowed in some declared job and stage.
    #[arg(long)]
    in_stages: bool,
    /// Also what is denied.
    #[arg(long)]
    denied: bool,
    /// Begin behind this token of the page before.
    #[arg(long, value_name = "TOKEN")]
    after: Option<String>,
    /// About how many lines a page, at most 10000.
    #[arg(long, default_value_t = 1000)]
    limit: usize,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

impl List {
    pub(crate) async fn run(self, config: &Config) -> Result<Answer> {
        if self.given() < 2 {
            let message = "a list needs two of an action, `--as` and `--on`";
            return Err(Error::new(Code::InvalidArgument, message)
                .with_help("`zt list --as maya table.read` lists what maya may read"));
        }
        let snapshot = runtime::tables(config).await?.current();
        let mut groups = principal::groups_told(Some(config), &self.groups);
        let everybody = Holder::all(&snapshot, &groups);
        let holders: Vec<Holder> = match &self.caller {
            Some(name) => {
                let id = principal::find(&snapshot, name)?;
                groups.retain(|caller, _| *caller == id);
                let is_named = |holder: &Holder| holder.id() == Some(&id);
                everybody.into_iter().filter(is_named).collect()
            }
            None => everybody,
        };
        let page = policy::list(&snapshot, &holders, &self.query()?);
        if self.json {
            println!(
                "{}",
                serde_json::to_string_pretty(&page).unwrap_or_default()
            );
        } else {
            self.print(&page);
            let dim = paint::DIM;
            println!("{dim}{}{dim:#}", principal::assumed(&groups));
        }
        Ok(if page.cells.is_empty() {
            Answer::No
        } else {
            Answer::Yes
        })
    }

    fn given(&self) -> usize {
        let given = [&self.action, &self.caller, &self.resource];
        given.into_iter().flatten().count()
    }

    fn query(&self) -> Result<ListQuery> {
        let mut query = ListQuery::new().under(self.context()).limit(self.limit);
        let (action, resource) = self.asked()?;
        if let Some(action) = action {
            query = query.of_action(action);
        }
        if let Some(resource) = resource {
            query = query.on_resource(resource);
        }
        if self.in_stages {
            query = query.in_stages();
        }
        if self.denied {
            query = query.with_denied();
        }
        Ok(match &self.after {
            Some(token) => query.after(token),
            None => query,
        })
    }

    /// Each alone is read by asking for something that every action and resource takes.
    fn asked(&self) -> Result<(Option<Action>, Option<Resource>)> {
        Ok(match (&self.action, &self.resource) {
            (Some(action), Some(resource)) => {
                let (action, resource) = session::parse(action, resource)?;
                (Some(action), Some(resource))
            }
            (Some(action), None) => (Some(session::parse_action(action)?), None),
            (None, Some(resource)) => {
                let any = Action::PolicyExplain.as_str();
                (None, Some(session::parse(any, resource)?.1))
            }
            (None, None) => (None, None),
        })
    }

    fn context(&self) -> Context {
        let mut context = Context::new();
        if let Some(job) = self.job {
            context = context.with_job(job);
        }
        if let Some(stage) = self.stage {
            context = context.with_stage(stage);
        }
        if let Some(author) = &self.author {
            context = context.with_author(author.clone());
        }
        context
    }

    fn print(&self, page: &ListPage) {
        for cell in &page.cells {
            println!("{}", self.line(cell));
        }
        if page.cells.is_empty() {
            let bad = paint::BAD;
            println!("{bad}nothing{bad:#}");
        }
        let dim = paint::DIM;
        if page.cells.iter().any(|cell| cell.resource.is_pattern()) {
            println!(
                "{dim}`*` stands for a name that no table has; the row's pattern may match more{dim:#}"
            );
        }
        if let Some(next) = &page.next {
            let next = shown(next).replace('\'', r"'\''");
            println!("{dim}more: --after '{next}'{dim:#}");
        }
    }

    /// What was not asked for by name, then the decision.
    fn line(&self, cell: &Listed) -> String {
        let mut parts = Vec::new();
        if self.caller.is_none() {
            parts.push(shown(&cell.principal));
        }
        if self.action.is_none() {
            parts.push(cell.action.to_string());
        }
        if self.resource.is_none() {
            parts.push(shown(cell.resource.name()));
        }
        parts.extend(
            cell.context
                .facts(&AttributeSet::default())
                .map(|(name, value)| format!("{name}={value}")),
        );
        let ruling = cell.ruling();
        let kind = ruling.kind.as_str();
        let text = shown(&ruling.to_string());
        parts.push(text.replacen(kind, &paint::decision(ruling.kind), 1));
        parts.join(" ")
    }
}
