//! What a grant shall say, and what it cannot.

use std::time::Duration;

use crate::audit::Record;
use crate::error::{Code, Error, Result};
use crate::grant::{Grant, LONGEST, MOST, Right, USUAL};
use crate::id::PrincipalId;
use crate::policy::Action;

/// What a grant shall say.
///
/// ```
/// use zt_core::session::GrantRequest;
///
/// let request = GrantRequest::for_executors()
///     .with("model.infer", "model:car_loan_scorer")
///     .with("data.seal", "output:loan_scores_delta");
/// ```
#[derive(Debug, Clone)]
#[must_use = "a request is no grant: pass it to `Session::grant`"]
pub struct GrantRequest {
    pub(super) about: About,
    pub(super) rights: Vec<(String, String)>,
    pub(super) columns: Option<Vec<String>>,
    pub(super) lasts: Duration,
}

#[derive(Debug, Clone)]
pub(super) enum About {
    Stage {
        subject: PrincipalId,
        job: u32,
        stage: Option<u32>,
    },
    Executors,
}

impl GrantRequest {
    /// That another principal is in this stage of a job; without a stage, in the job. Needs `grant.issue` on `job:N`.
    pub const fn for_stage(subject: PrincipalId, job: u32, stage: Option<u32>) -> Self {
        Self::new(About::Stage {
            subject,
            job,
            stage,
        })
    }

    /// Rights of the session's own for the executors of the job and stage that it claims. Needs `grant.delegate` on `job:N`.
    pub const fn for_executors() -> Self {
        Self::new(About::Executors)
    }

    const fn new(about: About) -> Self {
        Self {
            about,
            rights: Vec::new(),
            columns: None,
            lasts: USUAL,
        }
    }

    /// Adds a right: `table.read`, `table.write`, `model.infer` or `data.seal` on a resource, or on those that a pattern such
    /// as `table:gold.*` matches and the session may use now.
    pub fn with(mut self, action: &str, resource: &str) -> Self {
        self.rights.push((action.to_owned(), resource.to_owned()));
        self
    }

    /// Only these columns of tables.
    pub fn of_columns(mut self, columns: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.columns = Some(columns.into_iter().map(Into::into).collect());
        self
    }

    /// For this long, an hour at most; 15 minutes without.
    pub const fn lasting(mut self, lasts: Duration) -> Self {
        self.lasts = lasts;
        self
    }
}

pub(super) fn refuse_senseless(request: &GrantRequest) -> Result<()> {
    if request.lasts > LONGEST || request.lasts < Duration::from_secs(1) {
        return Err(invalid("a grant lasts from a second to an hour"));
    }
    let columns = request.columns.as_ref().map_or(0, Vec::len);
    if columns > MOST {
        return Err(invalid(&format!(
            "a grant names 64 columns at most, and these are {columns}"
        )));
    }
    match request.about {
        About::Executors if request.rights.is_empty() => {
            Err(invalid("a grant for executors needs a right"))
        }
        About::Stage { .. } if !request.rights.is_empty() || request.columns.is_some() => Err(
            invalid("a grant for a stage carries no rights: its subject has its own"),
        ),
        About::Stage { .. } | About::Executors => Ok(()),
    }
}

/// What executors can do without tables, network and secrets.
pub(super) fn travelling(action: Action) -> Result<Action> {
    match action {
        Action::TableRead | Action::TableWrite | Action::ModelInfer | Action::DataSeal => {
            Ok(action)
        }
        Action::SecretGet | Action::DataOpen => Err(invalid(&format!(
            "`{action}` stays on the driver: no secret and no unwrapped key travels to executors"
        ))),
        Action::JobRun
        | Action::JobPlan
        | Action::MetricReport
        | Action::MetadataPropose
        | Action::MetadataApprove
        | Action::PolicyExplain
        | Action::GrantIssue
        | Action::GrantDelegate
        | Action::AuditRead => Err(invalid(&format!(
            "`{action}` stays on the driver: executors may `table.read`, `table.write`, `model.infer` and `data.seal`"
        ))),
    }
}

/// What the record of an issue says of the grant. What a record does not hold it counts as omitted; the mark is of the whole text.
pub(super) fn issued(record: Record, grant: &Grant) -> Record {
    let record = record
        .with_detail("grant", grant.id())
        .with_detail("subject", grant.subject())
        .with_detail("until", grant.expires_at().to_string())
        .with_detail("kind", grant.kind().as_str())
        .with_detail("mark", grant.mark())
        .with_detail("rights", grant.rights().len().to_string());
    let record = match grant.columns() {
        Some(columns) => record.with_detail("columns", columns.join(", ")),
        None => record,
    };
    let rights = packed(grant.rights()).into_iter().enumerate();
    rights.fold(record, |record, (at, rights)| {
        record.with_detail(format!("right_{at}"), rights)
    })
}

/// Rights, as many in each text as a detail of a record takes.
fn packed(rights: &[Right]) -> Vec<String> {
    let mut texts: Vec<String> = Vec::new();
    for right in rights {
        let right = right.to_string();
        match texts.last_mut() {
            Some(text) if text.len() + right.len() + 2 <= 256 => {
                text.push_str(", ");
                text.push_str(&right);
            }
            Some(_) | None => texts.push(right),
        }
    }
    texts
}

pub(super) fn invalid(message: &str) -> Error {
    Error::new(Code::InvalidArgument, message)
}
