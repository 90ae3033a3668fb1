"""What a notebook shows: tables without scripts, every text escaped; and frames, plots and bars of what zt answers."""

from __future__ import annotations

import copy
import html.parser
import importlib.util
import io
import json
import os
import pickle
from pathlib import Path
from typing import Any

import pytest
from conftest import SignIn, World

import zt
from zt import _html, _progress

HOSTILE = "<script>alert('x')</script>\"& $\\color{green}{\\text{allow}}$"


def needs(package: str) -> pytest.MarkDecorator:
    return pytest.mark.skipif(importlib.util.find_spec(package) is None, reason=f"{package} is not installed")


class Page(html.parser.HTMLParser):
    """Reads markup as a browser does, and keeps its tags and texts. What stands in no element that MathJax leaves alone must be
    no formula."""

    ALLOWED = {"table", "caption", "thead", "tbody", "tr", "th", "td", "b", "br", "p", "pre"}

    def __init__(self, markup: str) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.plain = [False]
        self.texts: list[str] = []
        self.feed(markup)
        self.close()
        assert self.open == [], "a tag is left open"

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        assert tag in self.ALLOWED, tag
        assert {name for name, _ in attributes} <= {"style", "class"}
        if tag != "br":
            self.open.append(tag)
            self.plain.append("tex2jax_ignore mathjax_ignore" in dict(attributes).get("class", "") or self.plain[-1])

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag
        self.plain.pop()

    def handle_data(self, data: str) -> None:
        assert self.plain[-1] or "$" not in data, "a text may be set as a formula"
        self.texts.append(data)


def shown(value: Any) -> str:
    return "\n".join(Page(value._repr_html_()).texts)


def test_each_answer_shows_as_a_table(rt: zt.Runtime, sign_in: SignIn, job: zt.Session) -> None:
    priya, maya = sign_in("priya"), sign_in("maya")
    denied = maya.check("table.read", "table:raw.loan_applications")
    assert "AP-02" in shown(denied)
    near = sign_in("sp-score-201").claiming(201, 1).check("secret.get", "secret:bureau-api-key")
    assert "AP-07: stage is 1, needs 2" in shown(priya.explain(near))
    plan = shown(sign_in("jonas").plan(201))
    assert "runnable" in plan and "model.infer model:car_loan_scorer" in plan and "pe-" not in plan
    assert "job has no stages" in shown(sign_in("jonas").plan(202))
    found = job.log_metrics("car_loan_scorer", {"accuracy": 0.91}, rows=5000)
    assert "alert rules: 1 fired of 4" in shown(found) and "below 0.93" in shown(found)
    assert "alerts: 1" in shown(found.alerts)
    assert "audit log: 7" in shown(priya.audit_tail(7))
    assert "metadata" in shown(rt.status()) and "what to do" in shown(rt.status())
    assert "tables" in shown(rt) and "bureau-api-key" in job.secret("bureau-api-key")._repr_html_()


def test_what_a_caller_wrote_is_text_on_the_page(rt: zt.Runtime) -> None:
    rows = zt.Records([{HOSTILE: HOSTILE, "outcome": HOSTILE, "nested": {HOSTILE: [HOSTILE]}}], HOSTILE)
    page = shown(rows)
    assert page.count("<script>alert('x')</script>") == 6  # whole, as text: the reader of the page saw no such tag
    status = rt.status()
    status["ready"] = f"the metadata tables {HOSTILE}"
    status["audit"] |= {"is_writable": False, "last_error": HOSTILE}
    assert HOSTILE in shown(status)
    fields = {"near_misses": [{"policy": HOSTILE, "unmet": [{"fact": HOSTILE, "is": HOSTILE, "needs": "x"}]}], "kind": HOSTILE}
    fields |= dict.fromkeys(("caller", "action", "resource", "policies", "why", "facts", "holds", "unknown", "step_up"), HOSTILE)
    assert HOSTILE in shown(zt.Explanation(fields, HOSTILE))


def test_a_decision_about_a_hostile_name_is_text_on_the_page(sign_in: SignIn) -> None:
    for name in ("job:<script>alert(1)</script>", "job:$\\color{green}{\\text{allow}}$"):
        decision = sign_in("maya").check("job.run", name)
        assert name in shown(decision)
        tail = sign_in("priya").audit_tail(5)
        assert name in shown(tail)


def test_a_long_table_is_cut_and_says_so() -> None:
    page = shown(zt.Records({"at": at} for at in range(_html.MOST_ROWS + 8)))
    assert "8 more" in page and f"{_html.MOST_ROWS + 7}" not in page


def test_records_are_lists_of_dicts(sign_in: SignIn) -> None:
    tail = sign_in("priya").audit_tail(3)
    assert isinstance(tail, list) and json.loads(json.dumps(tail)) == tail
    assert [entry["seq"] for entry in tail] == sorted(entry["seq"] for entry in tail)
    for same in (copy.deepcopy(tail), pickle.loads(pickle.dumps(tail))):
        assert same == tail and same.caption == "audit log"
    columns = tail.to_columns()
    assert list(columns)[:2] == ["at", "caller"] and {len(cells) for cells in columns.values()} == {3}
    assert json.loads(columns["snapshot"][0]) == tail[0]["snapshot"]
    assert zt.Records().to_columns() == {} and shown(zt.Records()) == "records: 0"


def test_cells_of_records_have_one_type_a_column() -> None:
    rows = zt.Records([{"a": 1, "b": "x", "c": None, "d": [1]}, {"a": 1.5, "b": 2, "e": True}])
    expected = {"a": [1.0, 1.5], "b": ["x", "2"], "c": [None, None], "d": ["[1]", None], "e": [None, True]}
    assert rows.to_columns() == expected


@needs("pyarrow")
@needs("pandas")
@needs("polars")
def test_records_become_frames(sign_in: SignIn) -> None:
    tail = sign_in("priya").audit_tail(4)
    assert tail.to_arrow().num_rows == len(tail.to_pandas()) == tail.to_polars().height == 4
    assert list(tail.to_pandas()["at"]) == [entry["at"] for entry in tail]
    mixed = zt.Records([{"a": 1, "b": None}, {"a": 1.5, "b": [1]}])
    assert mixed.to_arrow().column_names == ["a", "b"] and mixed.to_polars().height == 2


def part_of(status: zt.Status, name: str) -> Any:
    return next(part for part in status.parts if part["part"] == name)


def test_the_card_says_what_works(own_world: World) -> None:
    with zt.open(own_world.folder) as rt:
        status = zt.status(rt)
        told = json.loads(json.dumps(status))
        assert told == dict(status) and (told["mode"], told["process"]) == ("development", os.getpid())
        assert {part["part"]: part["state"] for part in status.parts} == {
            "metadata": "works",
            "identity": "works",
            "vault": "not used yet",
            "network": "works",  # nothing is dialled: the local vault answers
            "audit": "works",
        }
        rt.authenticate(own_world.token("sp-score-201")).claiming(201, 2).secret("bureau-api-key")
        assert part_of(rt.status(), "vault")["state"] == "works" == part_of(rt.status(), "network")["state"]
        assert rt.status().is_well and "vault     works" in str(rt.status())
        assert pickle.loads(pickle.dumps(status)).parts == status.parts


@pytest.mark.parametrize(
    ("change", "name", "state", "fix"),
    [
        ({"ready": "the metadata tables were last confirmed 99 s ago"}, "metadata", "fails", "runtime.reload()"),
        ({"keys": "expired"}, "identity", "fails", "login.microsoftonline.com"),
        ({"keys": "stale"}, "identity", "limited", "within a day"),
        ({"gate": {"state": "broken", "closed_for_ms": 900}}, "vault", "fails", "network"),
        ({"gate": {"state": "paused", "closed_for_ms": 900}}, "vault", "limited", "read less often"),
        ({"slot": {"state": "negative", "last_error": "secret `x` is disabled"}}, "vault", "fails", "enabled"),
        ({"slot": {"state": "stale", "failures": 2, "last_error": "the vault asks for a pause"}}, "vault", "limited", "role"),
        ({"slot": {"state": "forbidden", "last_error": None}}, "network", "fails", "row of Network_Rules"),
        ({"slot": {"failures": 1, "last_error": "no connection to `kv`"}}, "network", "fails", "zt doctor"),
        ({"host": {"path": {"error": "no word of the vault", "private_endpoint": None}}}, "network", "fails", "zt doctor network"),
        ({"host": {"resolved": {"addresses": [], "error": "no such name"}}}, "network", "fails", "zt doctor network"),
        ({"audit": {"is_writable": False, "last_error": "no space left"}}, "audit", "fails", "free space"),
        ({"audit": {"checkpoint_error": "no key"}}, "audit", "limited", "audit key"),
    ],
)
def test_the_card_says_what_to_do(rt: zt.Runtime, change: dict[str, Any], name: str, state: str, fix: str) -> None:
    status = copy.deepcopy(rt.status())
    status["ready"] = change.get("ready")
    status["audit"] |= change.get("audit", {})
    status["secrets"]["slots"][0] |= change.get("slot", {})
    status["secrets"]["gates"][0] |= change.get("gate", {})
    status["network"][0] |= {"store": "key_vault"} | change["host"] if "host" in change else {}
    if keys := change.get("keys"):
        status.key_health[0]["state"] = keys
    part = part_of(status, name)
    assert (part["state"], fix in part["fix"]) == (state, True), part
    assert status.is_well is (state != "fails")
    assert fix in str(status) and fix in shown(status)


def test_the_card_says_by_which_way_a_vault_answered(rt: zt.Runtime) -> None:
    status = copy.deepcopy(rt.status())
    assert {host["store"] for host in status["network"]} == {"local"} and status["network"][0]["path"] is None
    assert part_of(status, "network")["detail"] == "the local vault answers, and nothing is dialled"
    for host in status["network"]:
        host["store"] = "key_vault"
    assert part_of(status, "network")["state"] == "not used yet"
    endpoint = "/subscriptions/s/resourceGroups/g/providers/Microsoft.Network/privateEndpoints/pe-kv"
    path = {"proof": "private_link", "peer": "10.10.1.5:443", "private_endpoint": endpoint, "error": None, "age_s": 12}
    status["network"][0] |= {"host": "kv.vault.azure.net", "path": path, "declared": [{"rule": "NR-1", "mode": "private_only"}]}
    expected = ("works", "kv.vault.azure.net by private_link of pe-kv, private_only, 12 s ago")
    assert (part_of(status, "network")["state"], part_of(status, "network")["detail"]) == expected
    assert "private_link of pe-kv" in shown(status)


def test_a_vault_that_is_not_there_shows_on_the_card(own_world: World) -> None:
    with zt.open(own_world.folder) as rt:
        job = rt.authenticate(own_world.token("sp-score-201")).claiming(201, 2)
        (own_world.folder / ".zt" / "vault").write_bytes(b"no vault")
        with pytest.raises(zt.Error):
            job.secret("bureau-api-key")
        part = part_of(rt.status(), "vault")
        assert (part["state"], part["detail"]) == ("fails", "1 of 1 fetches failed, none gave a value")


@needs("matplotlib")
def test_plots_show_what_fired(job: zt.Session, tmp_path: Path) -> None:
    import zt.plot

    window = job.log_metrics("car_loan_scorer", {"accuracy": 0.91}, rows=5000)
    figure = window.plot()
    figure.savefig(tmp_path / "alerts.png")
    assert (tmp_path / "alerts.png").stat().st_size > 1000
    labels = [label.get_text() for label in figure.axes[0].get_yticklabels()]
    assert labels[0] == "AL-01 accuracy" and "AL-03 psi/reference-deciles of car_value" in labels
    assert len(zt.plot.windows([window, window]).axes) == 4
    with pytest.raises(ValueError, match="rule `AL-77` is none of AL-01"):
        zt.plot.windows([window], rule="AL-77")
    with pytest.raises(ValueError, match="no rules"):
        zt.plot.windows([], rule="AL-01")
    assert len(zt.plot.windows([]).axes) == 1


@needs("altair")
@needs("polars")
def test_altair_draws_what_fired(job: zt.Session) -> None:
    import altair

    fired = job.log_metrics("car_loan_scorer", {"accuracy": 0.91}, rows=5000).alerts
    chart = altair.Chart(fired.to_polars()).mark_bar().encode(x="value:Q", y="rule:N")
    (rows,) = chart.to_dict()["datasets"].values()
    assert [(row["rule"], row["value"]) for row in rows] == [("AL-01", 0.91)]


@needs("matplotlib")
@pytest.mark.parametrize(
    ("reference", "current", "title"),
    [
        ([1.0] * 5, [1.0] * 5, "PSI 0.00"),
        (range(100), range(100), "PSI 0.00"),
        ([None, 1, 2], [float("nan"), 1, 2], "PSI 0.00"),
        (["a"], ["b"], "PSI 0.69"),
        (["missing", "a", None], ["missing", None, None], "PSI"),
        ([1000000 + at / 10 for at in range(20)], [1000000.1] * 20, "PSI"),
        (["$20K - $40K"], ["$20K - $40K", "$$"], "PSI"),
        (list(range(100)), [200] * 100, "PSI"),
        ([True, False], [True, True], "PSI"),
    ],
)
def test_drift_is_drawn_of_any_column(reference: Any, current: Any, title: str) -> None:
    import zt.plot

    figure = zt.plot.drift(reference, current)
    assert figure.axes[0].get_title().startswith(title)
    shares = [patch.get_height() for patch in figure.axes[0].patches]
    assert sum(shares) == pytest.approx(2)
    figure.savefig(io.BytesIO(), format="png")  # a label that is no formula of TeX raises nothing
    assert not any(label.get_parse_math() for label in figure.axes[0].get_xticklabels())
    with pytest.raises(ValueError, match="at least one row"):
        zt.plot.drift([], current)


def test_a_function_hears_how_far_a_file_is(job: zt.Session, sign_in: SignIn, tmp_path: Path) -> None:
    source, sealed, back = (tmp_path / name for name in ("model.onnx", "model.zt", "back"))
    source.write_bytes(b"weights" * 300_000)
    length = source.stat().st_size
    heard: list[tuple[int, int | None]] = []
    sealer = job.sealer("loan_scores_delta")
    assert sealer.seal_file(source, sealed, progress=lambda done, total: heard.append((done, total))) == length
    assert heard[-1] == (length, length) and heard == sorted(heard)
    heard.clear()
    opener = sign_in("ines").file_opener("loan_scores_delta", sealed)
    assert opener.unseal_file(sealed, back, name="model.onnx", progress=lambda done, total: heard.append((done, total))) == length
    assert heard[-1] == (sealed.stat().st_size,) * 2 and back.read_bytes() == source.read_bytes()
    assert sealer.seal_file(io.BytesIO(b"x"), io.BytesIO(), name="n", progress=True) == 1
    assert sealer.seal_file(io.BytesIO(b"x"), io.BytesIO(), name="n", progress=False) == 1


def test_what_a_progress_function_raises_ends_the_work(job: zt.Session, tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"x" * 100)

    def stop(done: int, total: int | None) -> None:
        raise RuntimeError("enough")

    with pytest.raises(RuntimeError, match="enough"):
        job.sealer("loan_scores_delta").seal_file(tmp_path / "a", tmp_path / "b", progress=stop)
    assert not (tmp_path / "b").exists()
    with pytest.raises(TypeError, match="`progress` must be True, or a function"):
        job.sealer("loan_scores_delta").seal_file(tmp_path / "a", tmp_path / "b", progress=7)  # type: ignore[arg-type]
    with pytest.raises(zt.NotFound):
        job.sealer("loan_scores_delta").seal_file(tmp_path / "none", tmp_path / "b", progress=True)


def test_a_bar_shows_after_two_seconds_alone(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    now = [0.0]
    monkeypatch.setattr(_progress.time, "monotonic", lambda: now[0])
    monkeypatch.setattr(_progress, "_tqdm", lambda total: None)
    bar = _progress.Bar(4 * 2**20)
    bar.tell(2**20, 4 * 2**20)
    assert capsys.readouterr().err == ""
    now[0] = 2.5
    bar.tell(2 * 2**20, 4 * 2**20)
    now[0] = 2.6
    bar.tell(3 * 2**20, 4 * 2**20)
    bar.tell(4 * 2**20, 4 * 2**20)
    assert capsys.readouterr().err == "\rzt: 2 of 4 MiB, 50%\rzt: 4 of 4 MiB, 100%\n"
