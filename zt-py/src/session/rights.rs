//! Who may do what, as a list.

use pyo3::prelude::*;
use zt_core::policy::{Action, ListPage, ListQuery};
use zt_core::session::parse_action;
use zt_core::{Code, Error};

use super::Session;
use crate::aio;
use crate::error::Failure;
use crate::executor::{self, Work};
use crate::plain;

impl Session {
    fn list_work(&self, everybody: bool, query: ListQuery) -> Result<Work<ListPage>, Failure> {
        let session = self.core()?.clone();
        Ok(executor::aside(move || match everybody {
            true => session.list_everybody(&query),
            false => session.list(&query),
        }))
    }
}

#[pymethods]
impl Session {
    /// What this caller may: `zt.Records`, a list of dicts with `principal`, `action`, `resource`, `decision`, `policies` and
    /// what is shown, in order. Without an action all are asked, without a resource all that the tables name.
    ///
    /// A page has about `limit` cells; `next` of the answer is what the next page begins `after`, None at the last. `in_stages`
    /// lists also what some declared job and stage would allow, `with_denied` what is denied: these tell what to claim, and
    /// need a resource and `policy.explain` on it. Raises Denied without that right; else as `check`.
    ///
    /// >>> [cell["resource"] for cell in maya.list("table.read")]
    /// ['table:gold.loan_scores']
    #[pyo3(signature = (action = None, resource = None, *, in_stages = false, with_denied = false, limit = 1000, after = None))]
    #[expect(clippy::too_many_arguments, reason = "Python names them")]
    fn list<'py>(
        &self,
        py: Python<'py>,
        action: Option<&str>,
        resource: Option<&str>,
        in_stages: bool,
        with_denied: bool,
        limit: usize,
        after: Option<String>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let asked = query(action, resource, limit, after)?;
        let asked = revealing(asked, in_stages, with_denied);
        page(py, &executor::wait(py, self.list_work(false, asked)?)?)
    }

    /// `list` for asyncio: an awaitable.
    #[pyo3(signature = (action = None, resource = None, *, in_stages = false, with_denied = false, limit = 1000, after = None))]
    #[expect(clippy::too_many_arguments, reason = "Python names them")]
    fn list_async<'py>(
        &self,
        py: Python<'py>,
        action: Option<&str>,
        resource: Option<&str>,
        in_stages: bool,
        with_denied: bool,
        limit: usize,
        after: Option<String>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let asked = query(action, resource, limit, after)?;
        let asked = revealing(asked, in_stages, with_denied);
        aio::later(py, self.list_work(false, asked)?, paged)
    }

    /// Who may do what on a resource: `zt.Records` as `list` gives them. Users and service principals stand with what they hold
    /// themselves, any member of each group and anyone (`*`) beside them.
    ///
    /// Raises Denied unless this caller may `policy.explain` the resource.
    ///
    /// >>> who = priya.list_everybody("table:gold.loan_scores", "table.read")
    /// >>> sorted({cell["principal"] for cell in who})[0]
    /// 'group:grp-credit-analysts'
    #[pyo3(signature = (resource, action = None, *, limit = 1000, after = None))]
    fn list_everybody<'py>(
        &self,
        py: Python<'py>,
        resource: &str,
        action: Option<&str>,
        limit: usize,
        after: Option<String>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let asked = query(action, Some(resource), limit, after)?;
        page(py, &executor::wait(py, self.list_work(true, asked)?)?)
    }

    /// `list_everybody` for asyncio: an awaitable.
    #[pyo3(signature = (resource, action = None, *, limit = 1000, after = None))]
    fn list_everybody_async<'py>(
        &self,
        py: Python<'py>,
        resource: &str,
        action: Option<&str>,
        limit: usize,
        after: Option<String>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let asked = query(action, Some(resource), limit, after)?;
        aio::later(py, self.list_work(true, asked)?, paged)
    }
}

fn revealing(query: ListQuery, in_stages: bool, with_denied: bool) -> ListQuery {
    let query = if in_stages { query.in_stages() } else { query };
    if with_denied {
        query.with_denied()
    } else {
        query
    }
}

/// A page on its way to an awaiter.
#[expect(clippy::needless_pass_by_value, reason = "the bridge hands it over")]
fn paged(py: Python<'_>, found: ListPage) -> PyResult<Py<PyAny>> {
    page(py, &found).map(Bound::unbind)
}

fn query(
    action: Option<&str>,
    resource: Option<&str>,
    limit: usize,
    after: Option<String>,
) -> Result<ListQuery, Failure> {
    let mut query = ListQuery::new().limit(limit);
    if let Some(action) = action {
        let action: Action = parse_action(action)?;
        query = query.of_action(action);
    }
    if let Some(resource) = resource {
        let parsed = resource
            .parse()
            .map_err(|why: zt_core::policy::NotAResource| {
                Error::new(
                    Code::InvalidArgument,
                    format!("resource `{resource}`: {why}"),
                )
            })?;
        query = query.on_resource(parsed);
    }
    if let Some(after) = after {
        query = query.after(after);
    }
    Ok(query)
}

fn page<'py>(py: Python<'py>, page: &ListPage) -> PyResult<Bound<'py, PyAny>> {
    let records = plain::records(py, "rights", &page.cells)?;
    records.setattr("next", page.next.clone())?;
    Ok(records)
}
