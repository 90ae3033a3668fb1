"""The decisions that everybody agrees on: examples/world/expected.json, through Python."""

import copy
import json
import pickle

import pytest
from conftest import SAMPLE, SignIn, World

import zt

EXPECTED = json.loads((SAMPLE / "expected.json").read_text())


@pytest.mark.parametrize(
    "case", EXPECTED["decisions"], ids=lambda case: f"{case['caller']} {case['resource']} {case['context']}"
)
def test_a_decision_is_the_expected_one(case: dict, sign_in: SignIn) -> None:
    session, context = sign_in(case["caller"]), dict(case["context"])
    if "job" in context:
        session = session.claiming(context.pop("job"), context.pop("stage"))
    decision = session.check(case["action"], case["resource"], **context)
    assert decision.kind == case["decision"]
    assert list(decision.policies) == case["policies"]
    assert bool(decision) is decision.is_allowed is (case["decision"] == "allow")
    assert (decision.caller, decision.action, decision.resource) == (
        case["caller"],
        case["action"],
        case["resource"],
    )


@pytest.mark.parametrize("case", EXPECTED["visible_columns"])
def test_a_permit_shows_the_expected_columns(case: dict, sign_in: SignIn) -> None:
    permit = sign_in(case["caller"]).require("table.read", case["resource"])
    everything = ["y_pred_proba", *case["visible"], "salary_range"]
    assert permit.columns.visible(everything) == case["visible"]
    assert permit.columns.visible(name for name in everything) == case["visible"]
    assert permit.columns.only == case["visible"]
    assert "y_pred_proba" not in permit.columns and not permit.columns.is_all
    assert permit.decision.is_allowed
    with pytest.raises(TypeError):
        permit.columns.visible("y_pred")


def test_a_deny_shows_no_column(sign_in: SignIn) -> None:
    decision = sign_in("maya").check("table.read", "table:raw.loan_applications")
    assert decision.columns.visible(["salary_range"]) == []


def test_an_allow_without_columns_shows_all(sign_in: SignIn) -> None:
    columns = sign_in("maya").require("table.read", "table:gold.loan_scores").columns
    assert columns.is_all and columns.only is None and columns.all_but is None
    assert columns.visible(["b", "a"]) == ["b", "a"]


def test_a_notebook_shows_a_decision_as_a_small_table(sign_in: SignIn) -> None:
    decision = sign_in("maya").check("table.read", "table:raw.loan_applications")
    html = decision._repr_html_()
    assert html.startswith("<table class=") and "AP-02" in html and decision.id in html
    assert "<script" not in html
    assert "AP-02" in repr(decision)


def test_a_table_of_a_notebook_escapes_what_the_rows_say(own_world: World) -> None:
    tables = own_world.folder / "brindlewick.toml"
    tables.write_text(tables.read_text().replace("raw applications hold", "<script>alert('&')</script>"))
    with zt.open(own_world.folder) as rt:
        decision = rt.authenticate(own_world.token("maya")).check("table.read", "table:raw.loan_applications")
        assert "<script" not in decision._repr_html_()
        assert "&lt;script&gt;alert(&#39;&amp;&#39;)" in decision._repr_html_()
        assert "<caption>zt runtime</caption>" in rt._repr_html_()


def test_a_copy_of_a_decision_is_the_same_object(sign_in: SignIn) -> None:
    decision = sign_in("maya").check("model.infer", "model:car_loan_scorer")
    assert copy.copy(decision) is decision and copy.deepcopy([decision])[0] is decision


def test_a_deny_travels_and_an_allow_does_not(sign_in: SignIn) -> None:
    denied = sign_in("maya").check("table.read", "table:raw.loan_applications")
    told = pickle.loads(pickle.dumps(denied))
    assert not told and (told.id, told.kind, told.policies) == (denied.id, denied.kind, denied.policies)
    assert told.why == denied.why and told.snapshot_version == 1
    with pytest.raises(zt.Invalid, match="another process"):
        sign_in("priya").explain(told)
    with pytest.raises(TypeError, match="check again"):
        pickle.dumps(sign_in("maya").check("model.infer", "model:car_loan_scorer"))


def test_a_forged_pickle_is_never_an_allow(sign_in: SignIn) -> None:
    denied = sign_in("maya").check("table.read", "table:raw.loan_applications")
    restore, fields = denied.__reduce__()
    forged = restore(fields[0], "allow", *fields[2:])
    assert not forged and forged.kind == "default_deny"


def test_claiming_makes_another_session(sign_in: SignIn) -> None:
    plain = sign_in("sp-score-201")
    claimed = plain.claiming(job=201, stage=2)
    assert claimed.check("secret.get", "secret:bureau-api-key")
    assert not plain.check("secret.get", "secret:bureau-api-key")
    assert claimed.name == plain.name == "sp:sp-score-201"
    assert repr(claimed) == "Session(sp:sp-score-201, job 201, stage 2)"


def test_an_explanation_is_for_priya_only(sign_in: SignIn, job: zt.Session) -> None:
    decision = job.claiming(201, 1).check("secret.get", "secret:bureau-api-key")
    with pytest.raises(zt.Denied):
        sign_in("maya").explain(decision)
    explanation = sign_in("priya").explain(decision)
    assert explanation["decision"] == decision.id
    assert explanation["near_misses"][0]["policy"] == "AP-07"
    assert explanation["near_misses"][0]["unmet"][0]["fact"] == "stage"
    assert "AP-07 would allow: stage is 1, needs 2" in str(explanation)
    assert json.loads(json.dumps(explanation)) == explanation
    assert str(pickle.loads(pickle.dumps(explanation))) == str(explanation)
    assert "<caption>explanation</caption>" in explanation._repr_html_()


UNSTATED = """
[[Access_Policies]]
id = "AP-98"
principal = "role:security_admin"
action = "table.read"
resource = "table:raw.*"
effect = "deny"
when = { job = 7 }
"""


def test_an_explanation_lists_the_facts_that_nobody_stated(own_world: World) -> None:
    tables = own_world.folder / "brindlewick.toml"
    tables.write_text(tables.read_text() + UNSTATED)
    with zt.open(own_world.folder) as rt:
        priya = rt.authenticate(own_world.token("priya"))
        explanation = priya.explain(priya.check("table.read", "table:raw.loan_applications"))
        assert (explanation["kind"], explanation["policies"]) == ("explicit_deny", ["AP-98"])
        assert explanation["unknown"] == ["job"]
        assert "unknown, so the deny stands: job" in str(explanation)
        stated = priya.claiming(7, 1)
        assert stated.explain(stated.check("table.read", "table:raw.loan_applications"))["unknown"] == []


def test_the_documentation_of_an_explanation_names_every_field(sign_in: SignIn) -> None:
    priya = sign_in("priya")
    for field in priya.explain(priya.check("audit.read", "audit:log")):
        assert field in (zt.Explanation.__doc__ or "")


def test_the_audit_tail_is_for_priya_only(sign_in: SignIn) -> None:
    denied = sign_in("maya").check("table.read", "table:raw.loan_applications")
    with pytest.raises(zt.Denied):
        sign_in("maya").audit_tail(5)
    entries = sign_in("priya").audit_tail(500)
    assert all(isinstance(entry, dict) for entry in entries)
    assert any(entry.get("outcome") == "explicit_deny" and "AP-02" in entry["policies"] for entry in entries)
    assert len(sign_in("priya").audit_tail(2)) == 2
    assert not denied


def test_reload_takes_good_tables_and_keeps_the_last_good_ones(own_world: World) -> None:
    with zt.open(own_world.folder) as rt:
        maya = rt.authenticate(own_world.token("maya"))
        before = rt.snapshot
        assert (before.version, len(before.hash)) == (1, 64)
        tables = own_world.folder / "brindlewick.toml"
        good = tables.read_text()
        tables.write_text(good.replace('action = "model.infer"', 'action = "model.inferr"', 1))
        with pytest.raises(zt.Invalid) as caught:
            rt.reload()
        problem = caught.value.problems[0]
        assert (problem["row"], problem["column"], problem["nearest"]) == ("AP-01", "action", "model.infer")
        assert rt.snapshot.hash == before.hash
        assert maya.check("model.infer", "model:car_loan_scorer")
        tables.write_text(good.replace('effect = "allow"', 'effect = "deny"', 1))
        assert rt.reload().version == 2
        assert not maya.check("model.infer", "model:car_loan_scorer")
        assert before.version == 1 and rt.snapshot.source.endswith("brindlewick.toml")


ZONES = """
[[Attributes]]
namespace = "context"
name = "zone"
type = "enum"
values = ["public", "private"]
provenance = "request"

[[Access_Policies]]
id = "AP-80"
principal = "role:data_scientist"
action = "table.read"
resource = "table:gold.extra"
effect = "allow"
condition = "context.zone == 'private'"
"""


def test_a_stated_fact_is_looked_at_and_an_undeclared_one_refused(own_world: World) -> None:
    tables = own_world.folder / "brindlewick.toml"
    tables.write_text(tables.read_text() + ZONES)
    with zt.open(own_world.folder) as rt:
        maya = rt.authenticate(own_world.token("maya"))
        read = ("table.read", "table:gold.extra")
        assert not maya.check(*read)
        assert not maya.claiming_fact("zone", "public").check(*read)
        assert maya.claiming_fact("zone", "private").check(*read)
        with pytest.raises(zt.Invalid, match="must be one of public, private") as raised:
            maya.claiming_fact("zone", "zt-needle-zone")
        assert "needle" not in str(raised.value)
        with pytest.raises(zt.Invalid, match="context.zoen"):
            maya.claiming_fact("zoen", True)
