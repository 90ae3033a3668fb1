"""Who the process is and who is in front of it, without Azure: credential objects, prompts, and what neither may show."""

from __future__ import annotations

import asyncio
import base64
import copy
import gc
import json
import os
import pickle
import subprocess
import sys
import textwrap
import time
import traceback
import types
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from conftest import NEEDLE, SignIn, World

import zt
from zt import _sign_in

HOUR = 3600


class Answer(NamedTuple):
    """As `azure.core.credentials.AccessToken`."""

    token: Any
    expires_on: Any


class Fake:
    """Gives what it was made with, and notes what it was asked."""

    def __init__(self, answer: Any) -> None:
        self.answer = answer
        self.asked: list[tuple[str, ...]] = []

    def get_token(self, *scopes: str, claims: str | None = None) -> Any:
        self.asked.append(scopes)
        if isinstance(self.answer, BaseException):
            raise self.answer
        return self.answer() if callable(self.answer) else self.answer


def later(seconds: float = HOUR) -> int:
    return int(time.time() + seconds)


def workload_error(world: World, credential: Any) -> zt.Error:
    with zt.open(world.folder, credential=credential) as rt, pytest.raises(zt.Error) as caught:
        rt.workload()
    return caught.value


def everything_told(error: BaseException) -> str:
    return "".join(traceback.format_exception(error)) + repr(error) + repr(vars(error))


def test_a_credential_object_is_who_the_process_is(own_world: World) -> None:
    fake = Fake(Answer(own_world.token("sp-score-201"), later()))
    with zt.open(own_world.folder, credential=fake) as rt:
        assert fake.asked == []
        job = rt.workload()
        assert job.name == "sp:sp-score-201"
        assert asyncio.run(workload_async(rt)).name == job.name
    assert fake.asked == [("d0000000-0000-4000-8000-000000000001/.default",)]


async def workload_async(rt: zt.Runtime) -> zt.Session:
    return await rt.workload_async()


def test_the_newer_protocol_will_do(own_world: World) -> None:
    token = own_world.token("sp-score-201")

    class Info:
        def get_token_info(self, *scopes: str, options: object = None) -> Any:
            return types.SimpleNamespace(token=token, expires_on=later(), token_type="Bearer", refresh_on=None)

    with zt.open(own_world.folder, credential=Info()) as rt:
        assert rt.workload().name == "sp:sp-score-201"


def test_of_its_exception_the_type_alone_is_told(own_world: World) -> None:
    class ClientAuthenticationError(Exception):
        pass

    raised = ClientAuthenticationError(f"the token {NEEDLE} is not accepted")
    raised.__cause__ = ValueError(NEEDLE)
    error = workload_error(own_world, Fake(raised))
    assert isinstance(error, zt.ConfigError) and error.code == "ZT-7002"
    assert "`Fake` was refused: `get_token` raised `ClientAuthenticationError`" in str(error)
    assert (NEEDLE in everything_told(error)) is False
    assert error.__cause__ is None and error.__context__ is None
    log = "".join(file.read_text() for file in (own_world.folder / ".zt/audit").glob("*.jsonl"))
    assert (NEEDLE in log) is False


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (None, "answered a `NoneType` without `.token`"),
        (NEEDLE, "answered a `str` without `.token`"),
        ({"token": NEEDLE}, "answered a `dict` without `.token`"),
        (types.SimpleNamespace(token=NEEDLE), "without `.expires_on`"),
        (Answer(NEEDLE.encode(), later()), "`.token` of what `get_token` answered is `bytes`, not str"),
        (Answer("", later()), "is empty"),
        (Answer(f"{NEEDLE}\r\nX: y", later()), "characters that no token has"),
        (Answer("\ud800" + NEEDLE, later()), "characters that no token has"),
        (Answer(NEEDLE, "2026-01-01"), "`.expires_on` of what `get_token` answered is `str`, not a number of seconds"),
        (Answer(NEEDLE, True), "is `bool`, not a number"),
        (Answer(NEEDLE, later() * 1000), "is no moment in seconds"),
        (Answer(NEEDLE, float("nan")), "is no moment in seconds"),
        (Answer(NEEDLE, -1), "is no moment in seconds"),
    ],
    ids=lambda case: type(case).__name__,
)
def test_a_wrong_shape_is_told_precisely_and_shows_no_token(own_world: World, answer: Any, reason: str) -> None:
    error = workload_error(own_world, Fake(answer))
    assert error.code == "ZT-7002" and reason in str(error), str(error)
    assert (NEEDLE in everything_told(error)) is False


def test_a_token_that_has_ended_is_no_token(own_world: World) -> None:
    error = workload_error(own_world, Fake(Answer(NEEDLE, later(-HOUR))))
    assert isinstance(error, zt.Unavailable) and error.code == "ZT-4006" and "ended already" in str(error)
    assert (NEEDLE in everything_told(error)) is False


@pytest.mark.filterwarnings("error")
def test_an_asynchronous_credential_is_refused(own_world: World) -> None:
    class Aio:
        async def get_token(self, *scopes: str) -> Any:
            return Answer(NEEDLE, later())

    with pytest.raises(TypeError, match="asynchronous.*azure.identity.aio"):
        zt.open(own_world.folder, credential=Aio())  # type: ignore[arg-type]
    # One that hides it is found when it is asked; nothing is left that was never awaited.
    error = workload_error(own_world, Fake(Aio().get_token))
    assert error.code == "ZT-7002" and "answered a coroutine" in str(error)
    gc.collect()


@pytest.mark.parametrize(
    "credential",
    [NEEDLE, lambda scope: NEEDLE, types.SimpleNamespace(get_token=NEEDLE)],
    ids=["text", "function", "namespace"],
)
def test_what_gives_no_tokens_is_no_credential(own_world: World, credential: Any) -> None:
    with pytest.raises(TypeError, match="must be an object with a method `get_token") as caught:
        zt.open(own_world.folder, credential=credential)
    assert (NEEDLE in everything_told(caught.value)) is False


def test_a_token_of_somebody_elses_is_refused_as_anyones(own_world: World) -> None:
    fake = Fake(Answer("a.b.c" + NEEDLE, later()))
    with zt.open(own_world.folder, credential=fake) as rt, pytest.raises(zt.Unauthenticated) as caught:
        rt.workload()
    assert caught.value.code == "ZT-2001" and len(fake.asked) == 2  # asked anew once: it may have been revoked
    assert (NEEDLE in everything_told(caught.value)) is False


def test_a_slow_credential_lets_other_threads_run_and_hears_ctrl_c(own_world: World) -> None:
    script = """
        import os, signal, sys, threading, time, zt
        class Slow:
            def get_token(self, *scopes):
                time.sleep(50)
        def interrupt():
            time.sleep(0.5)
            global sent
            sent = time.monotonic()
            os.kill(os.getpid(), signal.SIGINT)
        rt = zt.open(sys.argv[1], credential=Slow())
        threading.Thread(target=interrupt).start()
        try:
            rt.workload()
        except KeyboardInterrupt:
            print(time.monotonic() - sent < 0.3)
    """
    assert run(script, own_world.folder).stdout == "True\n"


def test_the_end_of_the_process_waits_for_no_credential_and_is_no_abort(own_world: World) -> None:
    script = """
        import asyncio, sys, time, zt
        class Busy:
            def get_token(self, *scopes):
                while True:
                    time.sleep(0)       # wakes in the midst of the end
        async def main(rt):
            try:
                await asyncio.wait_for(rt.workload_async(), 0.2)
            except TimeoutError:
                print("given up", flush=True)
        asyncio.run(main(zt.open(sys.argv[1], credential=Busy())))
    """
    assert run(script, own_world.folder).stdout == "given up\n"  # `run` looks at the exit code


def test_without_an_identity_everything_that_was_tried_is_told(own_world: World) -> None:
    script = """
        import sys, zt
        with zt.open(sys.argv[1]) as rt:
            try:
                rt.workload()
            except zt.ConfigError as error:
                print(error)
    """
    config = own_world.folder / "zt.toml"
    # No machine of its own to ask either: nothing listens there.
    config.write_text(config.read_text().replace("[development.groups]", NO_MACHINE))
    told = run(script, own_world.folder).stdout
    assert told.startswith("[ZT-7002] "), told
    for tried in ("AZURE_TENANT_ID", "managed identity", "az"):
        assert tried in told, told


NO_MACHINE = """
[development]
azure_plain = "127.0.0.1:9"

[development.groups]
"""


def test_nobody_signs_in_where_nobody_is(own_world: World) -> None:
    script = """
        import sys, zt
        with zt.open(sys.argv[1]) as rt:
            try:
                rt.sign_in()
            except zt.Unauthenticated as error:
                print(error.code, error.http_status, error.public_message, "workload()" in error.help, "prompt=" in error.help)
    """
    assert run(script, own_world.folder).stdout == "ZT-2006 401 sign_in_failed True True\n"


def test_the_development_issuer_signs_in_by_its_command(rt: zt.Runtime) -> None:
    with pytest.raises(zt.ConfigError, match="zt dev-token"):
        rt.sign_in(prompt=print)
    with pytest.raises(TypeError, match="`prompt` must be a function"):
        rt.sign_in(prompt="me")  # type: ignore[arg-type]


class Kernel:
    def __init__(self, allow_stdin: bool) -> None:
        self._allow_stdin = allow_stdin


Place = Callable[..., Callable[[Any], None] | None]


@pytest.fixture
def place(monkeypatch: pytest.MonkeyPatch) -> Place:
    """What `prompt_here` finds in a process like this."""

    def place(*, tty: bool = False, kernel: Kernel | None = None, runs: str | None = None) -> Any:
        shell = types.SimpleNamespace(kernel=kernel) if kernel or runs else None
        ipython = types.SimpleNamespace(get_ipython=lambda: shell)
        monkeypatch.setitem(sys.modules, "IPython", ipython)
        monkeypatch.setattr(sys, "stderr", types.SimpleNamespace(isatty=lambda: tty))
        monkeypatch.delenv("DATABRICKS_RUNTIME_VERSION", raising=False)
        if runs is not None:
            monkeypatch.setenv("DATABRICKS_RUNTIME_VERSION", "17.3")
            context = types.SimpleNamespace(isInJob=runs == "job")
            module = types.SimpleNamespace(get_context=lambda: context)
            monkeypatch.setitem(sys.modules, "dbruntime", types.ModuleType("dbruntime"))
            monkeypatch.setitem(sys.modules, "dbruntime.databricks_repl_context", module)
        return _sign_in.prompt_here()

    return place


def test_a_person_is_told_where_they_look(place: Place) -> None:
    assert place() is None
    assert place(tty=True) is _sign_in._print
    assert place(kernel=Kernel(True)) is _sign_in._display
    assert place(kernel=Kernel(False)) is None  # nbclient, papermill
    assert place(runs="notebook") is _sign_in._print_in_notebook
    assert place(runs="job") is None
    assert place(runs="job", tty=True) is None


def test_a_process_without_standard_error_tells_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "IPython", raising=False)
    monkeypatch.setattr(sys, "stderr", None)
    assert _sign_in.prompt_here() is None


def test_the_message_is_flushed_plain_text(capsys: pytest.CaptureFixture[str]) -> None:
    _sign_in._print(types.SimpleNamespace(message="go <b>there</b>"))  # type: ignore[arg-type]
    _sign_in._print_in_notebook(types.SimpleNamespace(message="and there"))  # type: ignore[arg-type]
    told = capsys.readouterr()
    assert (told.err, told.out) == ("go <b>there</b>\n", "and there\n")


def test_a_probe_and_an_engineer_see_how_the_keys_are(own_world: World) -> None:
    rt = zt.open(own_world.folder)
    assert rt.ready() is None
    (keys,) = {frozenset(keys): keys for keys in rt.key_health()}.values()
    assert keys["state"] == "pinned" and keys["keys"] >= 1 and keys["failures"] == 0
    assert (keys["age_s"], keys["next_refresh_s"], keys["error"]) == (None, None, None)
    rt.purge_keys()
    rt.authenticate(own_world.token("maya"))
    rt.close()
    for call in (rt.ready, rt.purge_keys, rt.workload, lambda: rt.sign_in(print)):
        with pytest.raises(zt.Cancelled):
            call()


def test_a_forked_child_has_no_identity_of_the_parents(own_world: World) -> None:
    script = """
        import os, sys, zt
        class Never:
            def get_token(self, *scopes):
                raise SystemExit
        rt = zt.open(sys.argv[1], credential=Never())
        job = rt.authenticate(sys.argv[2])
        child = os.fork()
        if child == 0:
            refused = 0
            calls = (rt.workload, rt.ready, rt.key_health, rt.purge_keys, lambda: rt.sign_in(print))
            for call in (*calls, lambda: rt.on_behalf_of(job, sys.argv[2], "https://x.example/.default")):
                try:
                    call()
                except zt.ConfigError as error:
                    refused += error.code == "ZT-7001"
            os._exit(refused)
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
    """
    assert run(script, own_world.folder, own_world.token("sp-score-201")).stdout == "6\n"


def test_what_a_remote_caller_is_answered(rt: zt.Runtime, sign_in: SignIn) -> None:
    with pytest.raises(zt.Unauthenticated) as caught:
        rt.authenticate("not a token")
    error = caught.value
    assert error.http_status == 401 and error.claims is None and error.retry_after_s is None
    assert error.challenge == 'Bearer realm="", error="invalid_token"'
    with pytest.raises(zt.Unauthenticated) as caught:
        rt.authenticate("")
    assert caught.value.code == "ZT-2004" and caught.value.challenge == "Bearer"
    with pytest.raises(zt.Denied) as denied:
        sign_in("maya").require("table.read", "table:raw.loan_applications")
    assert denied.value.challenge is None and denied.value.http_status == 403


STEP_UP = """
[[Access_Policies]]
id = "AP-98"
principal = "*"
action = "model.infer"
resource = "model:car_loan_scorer"
effect = "restrict"
obligations = { step_up = "c2" }
"""


def test_a_stronger_sign_in_is_asked_for_in_words_that_clients_know(own_world: World) -> None:
    with (own_world.folder / "brindlewick.toml").open("a") as tables:
        tables.write(STEP_UP)
    with zt.open(own_world.folder) as rt:
        told = {}
        for client, claim in (("new", 'xms_cc=["cp1"]'), ("old", "xms_cc=[]")):
            maya = rt.authenticate(own_world.token("maya", "--claim", claim))
            with pytest.raises(zt.Denied) as caught:
                maya.require("model.infer", "model:car_loan_scorer")
            assert caught.value.code == "ZT-1002"
            told[client] = caught.value
    new, old = told["new"], told["old"]
    assert new.http_status == 401 and new.challenge is not None and new.claims is not None
    assert json.loads(new.claims) == {"access_token": {"acrs": {"essential": True, "value": "c2"}}}
    assert new.challenge.endswith(f'claims="{base64.b64encode(new.claims.encode()).decode()}"')
    assert (old.http_status, old.challenge, old.claims) == (403, None, None)
    copied = pickle.loads(pickle.dumps(new))
    assert (copied.challenge, copied.claims) == (new.challenge, new.claims)


def test_a_challenge_survives_a_pickle() -> None:
    made = zt.Unauthenticated("again", code="ZT-2005", challenge='Bearer error="x"', claims="{}", retry_after_s=3)
    for copied in (pickle.loads(pickle.dumps(made)), copy.copy(made)):
        assert (copied.challenge, copied.claims, copied.retry_after_s) == ('Bearer error="x"', "{}", 3)
    assert (zt.Error("x").challenge, zt.Error("x").claims, zt.Error("x").retry_after_s) == (None, None, None)


def test_without_a_loop_the_twin_of_a_sign_in_says_so(rt: zt.Runtime) -> None:
    with pytest.raises(RuntimeError, match="no running event loop"):
        rt.sign_in_async(prompt=print)


def run(script: str, *arguments: object) -> subprocess.CompletedProcess[str]:
    """In a process without terminal, credentials or the tools that sign developers in."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("AZURE_", "IDENTITY_"))}
    environment["PATH"] = str(Path(sys.executable).parent)
    command = [sys.executable, "-c", textwrap.dedent(script), *map(str, arguments)]
    ran = subprocess.run(
        command, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60
    )
    assert ran.returncode == 0, ran.stderr
    return ran
