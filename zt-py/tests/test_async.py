"""The asyncio twins: the same answers, no thread per call, clean when cancelled."""

import asyncio
import os
from pathlib import Path
from typing import Any

import pytest
from conftest import NEEDLE, SignIn, World

import zt


def test_the_whole_job_in_asyncio(own_world: World) -> None:
    token, robot = own_world.token("maya"), own_world.token("sp-score-201")

    async def main() -> None:
        async with await zt.open_async(own_world.folder) as rt:
            maya = await rt.authenticate_async(token)
            assert maya.check("model.infer", "model:car_loan_scorer")
            job = (await rt.authenticate_async(robot)).claiming(201, 2)
            secrets = await asyncio.gather(*(job.secret_async("bureau-api-key") for _ in range(50)))
            assert len({secret.version for secret in secrets}) == 1
            with (await job.secret_async("bureau-api-key")).reveal() as view:
                assert (bytes(view) == NEEDLE.encode()) is True
            assert (await rt.reload_async()).version >= 1
            # Synchronous calls work inside a running loop, as notebooks have one.
            assert job.secret("bureau-api-key").name == "bureau-api-key"
        await rt.close_async()

    asyncio.run(main())


def test_each_twin_answers_as_the_call_does(sign_in: SignIn) -> None:
    maya, priya = sign_in("maya"), sign_in("priya")

    async def main() -> None:
        denied = await maya.check_async("table.read", "table:raw.loan_applications")
        assert not denied and denied.policies == ("AP-02",)
        change = ("metadata.approve", "metadata:Access_Policies")
        assert await priya.check_async(*change, author="user:tomasz")
        assert not await priya.check_async(*change, author="user:priya")
        permit = await sign_in("elin").require_async("table.read", "table:gold.loan_scores")
        assert "y_pred_proba" not in permit.columns
        with pytest.raises(zt.Denied) as caught:
            await maya.require_async("table.read", "table:raw.loan_applications")
        assert caught.value.decision is not None
        with pytest.raises(zt.Invalid):
            await maya.check_async("table.reed", "table:raw.loan_applications")
        explanation = await priya.explain_async(denied)
        assert isinstance(explanation, zt.Explanation) and explanation == priya.explain(denied)
        with pytest.raises(zt.Denied):
            await maya.explain_async(denied)
        assert [type(entry) for entry in await priya.audit_tail_async(2)] == [dict, dict]
        with pytest.raises(zt.Denied):
            await maya.audit_tail_async()
        many = await asyncio.gather(*(maya.check_async("model.infer", "model:car_loan_scorer") for _ in range(200)))
        assert all(many)

    asyncio.run(main())


def test_what_waits_has_a_twin() -> None:
    waits = {
        zt.Runtime: (
            *("authenticate", "workload", "sign_in", "on_behalf_of"),
            *("purge_keys", "reload", "close", "invalidate", "on_secret_event"),
        ),
        zt.Session: (
            *("check", "require", "explain", "plan", "sealer", "opener", "file_opener", "grant"),
            *("secret", "secret_version", "refresh_secret", "warm"),
            *("log_metrics", "log_batch", "audit_tail"),
            *("check_many", "view", "list", "list_everybody"),
        ),
        zt.SecretHandle: ("get",),
    }
    for kind, names in waits.items():
        assert {name for name in vars(kind) if name.endswith("_async")} == {f"{name}_async" for name in names}


def test_open_async_is_a_coroutine(own_world: World) -> None:
    rt = asyncio.run(zt.open_async(own_world.folder))
    rt.close()


def test_an_error_is_raised_where_it_is_awaited(own_world: World) -> None:
    async def main() -> None:
        rt = await zt.open_async(own_world.folder)
        maya = await rt.authenticate_async(own_world.token("maya"))
        waiting = maya.secret_async("adb-token")
        with pytest.raises(zt.Denied):
            await waiting
        with pytest.raises(zt.Unauthenticated):
            await rt.authenticate_async("nobody")
        with pytest.raises(zt.ConfigError):
            await zt.open_async(own_world.folder / "nowhere")
        await rt.close_async()

    asyncio.run(main())


def test_a_ready_answer_is_given_once(job: zt.Session) -> None:
    async def main() -> None:
        job.secret("bureau-api-key")
        waiting = job.secret_async("bureau-api-key")
        assert (await waiting).name == "bureau-api-key"
        with pytest.raises(RuntimeError, match="awaited already"):
            await waiting

    asyncio.run(main())


DENIED = ("table.read", "table:raw.loan_applications")
GOLD = ("table.read", "table:gold.loan_scores")
DURABLE = """
[[Access_Policies]]
id = "AP-78"
principal = "*"
action = "table.read"
resource = "table:gold.**"
effect = "restrict"
obligations = { audit = "durable" }
"""


def at_once(waiting: Any) -> Any:
    """The answer of an awaitable that is ready, without any loop."""
    try:
        next(waiting.__await__())
    except StopIteration as end:
        return end.value
    raise AssertionError("it waits")


def test_a_check_is_ready_where_nothing_waits_for_the_disk(own_world: World) -> None:
    with zt.open(own_world.folder) as rt:
        maya, priya = (rt.authenticate(own_world.token(name)) for name in ["maya", "priya"])
        assert at_once(maya.check_async(*GOLD)) and at_once(maya.check_async(*GOLD))
        assert at_once(maya.require_async(*GOLD)).columns.is_all
        with pytest.raises(zt.Invalid):
            at_once(maya.check_async("table.reed", "table:gold.loan_scores"))
        with pytest.raises(RuntimeError, match="no running event loop"):
            maya.check_async(*DENIED)  # a first deny is on the disk before its answer

        async def first() -> None:
            waiting = maya.check_async(*DENIED)
            assert asyncio.isfuture(waiting) and not await waiting

        asyncio.run(first())
        assert not at_once(maya.check_async(*DENIED))
        with pytest.raises(zt.Denied) as raised:
            at_once(maya.require_async(*DENIED))
        assert raised.value.decision is not None and raised.value.decision.policies == ("AP-02",)
        told = [entry for entry in priya.audit_tail(50) if entry["resource"] in (DENIED[1], GOLD[1])]
        assert [(entry["resource"], entry["kind"]) for entry in told if entry["kind"] == "decision"] == [
            (GOLD[1], "decision"),
            (DENIED[1], "decision"),  # what no loop could wait for
            (DENIED[1], "decision"),
        ]
        tables = own_world.folder / "brindlewick.toml"
        tables.write_text(tables.read_text() + DURABLE)
        rt.reload()

        async def demanded() -> None:
            for _ in range(2):
                waiting = maya.check_async(*GOLD)
                assert asyncio.isfuture(waiting) and await waiting

        asyncio.run(demanded())


def test_a_cancelled_open_is_clean(own_world: World) -> None:
    keys = own_world.folder / ".zt" / "dev-issuer.jwks.json"
    text = keys.read_text()
    keys.unlink()
    os.mkfifo(keys)  # reading it waits for a writer

    async def main() -> None:
        opening = asyncio.ensure_future(zt.open_async(own_world.folder))
        await asyncio.sleep(0.1)
        opening.cancel()
        with pytest.raises(asyncio.CancelledError):
            await opening
        release(keys, text)
        await asyncio.sleep(0.2)  # the abandoned answer comes, and nobody is disturbed

    asyncio.run(main())


def test_a_loop_that_is_gone_disturbs_nobody(own_world: World) -> None:
    keys = own_world.folder / ".zt" / "dev-issuer.jwks.json"
    text = keys.read_text()
    keys.unlink()
    os.mkfifo(keys)

    async def main() -> None:
        asyncio.ensure_future(zt.open_async(own_world.folder))
        await asyncio.sleep(0.1)

    asyncio.run(main())
    release(keys, text)


def test_without_a_loop_the_twin_says_so(own_world: World, rt: zt.Runtime) -> None:
    with pytest.raises(RuntimeError, match="no running event loop"):
        rt.reload_async()


def release(fifo: Path, text: str) -> None:
    """Lets the reader of the pipe go."""
    with fifo.open("w") as pipe:
        pipe.write(text)
