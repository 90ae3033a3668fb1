"""One session, one secret and one handle in many threads at once, with and without a GIL."""

from __future__ import annotations

import asyncio
import sys
import sysconfig
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from conftest import NEEDLE, SignIn, World

import zt

THREADS, ROUNDS = 8, 200
MODEL = ("model.infer", "model:car_loan_scorer")
DENIED = ("table.read", "table:raw.loan_applications")


def hammer(*works: Callable[[int], object]) -> None:
    """Each thread does all of it, again and again, and all begin at once."""
    begin = threading.Barrier(THREADS)

    def run(thread: int) -> None:
        begin.wait(100)
        for at in range(ROUNDS):
            works[(thread + at) % len(works)](at)

    with ThreadPoolExecutor(THREADS) as pool:
        for done in [pool.submit(run, thread) for thread in range(THREADS)]:
            done.result(300)


def test_the_module_needs_no_gil() -> None:
    if sysconfig.get_config_var("Py_GIL_DISABLED"):
        assert not sys._is_gil_enabled()  # type: ignore[attr-defined]


def test_one_session_in_many_threads(sign_in: SignIn) -> None:
    maya, elin = sign_in("maya"), sign_in("elin")
    rows = {"id": [1, 2], "y_pred_proba": [0.9, 0.1], "y_pred": [1, 0]}
    permit = elin.require("table.read", "table:gold.loan_scores")
    shown = {"id": [1, 2], "y_pred": [1, 0]}

    def check(_: int) -> None:
        assert maya.check(*MODEL) and not maya.check(*DENIED)

    def many(_: int) -> None:
        assert maya.check_many("table.read", ["table:gold.loan_scores", DENIED[1]]) == [True, False]

    def show(_: int) -> None:
        assert permit.apply(rows) == shown == elin.view(rows, "table:gold.loan_scores")

    def claim(at: int) -> None:
        assert repr(maya.claiming(at + 1, 2)) == f"Session(user:maya, job {at + 1}, stage 2)"

    hammer(check, many, show, claim)


def test_one_secret_and_one_handle_in_many_threads(job: zt.Session) -> None:
    secret, handle = job.secret("bureau-api-key"), job.secret_handle("bureau-api-key")
    revealed = secret.reveal()

    def reveal(_: int) -> None:
        with secret.reveal() as view:
            assert (bytes(view) == NEEDLE.encode()) is True

    def get(_: int) -> None:
        with handle.get().reveal() as view:
            assert (bytes(view) == NEEDLE.encode()) is True

    def share(_: int) -> None:
        # One block is entered once: whoever comes second is told, and sees nothing of it.
        try:
            with revealed as view:
                kept = view
        except RuntimeError as told:
            assert "entered already" in str(told)
        else:
            assert not any(kept)

    def name(_: int) -> None:
        assert str(secret).startswith("[secret bureau-api-key@") and handle.reference == "bureau-api-key"

    hammer(reveal, get, share, name)


def test_loops_of_many_threads_await_one_session(job: zt.Session) -> None:
    handle = job.secret_handle("bureau-api-key")

    async def ask() -> None:
        for _ in range(ROUNDS // 10):
            secrets = await asyncio.gather(*(handle.get_async() for _ in range(5)))
            decisions = await asyncio.gather(*(job.check_async(*MODEL) for _ in range(5)))
            assert all(decisions) and {secret.name for secret in secrets} == {"bureau-api-key"}
            assert not await job.check_async("secret.get", "secret:adb-token")

    with ThreadPoolExecutor(THREADS) as pool:
        for done in [pool.submit(asyncio.run, ask()) for _ in range(THREADS)]:
            done.result(300)


def test_one_awaitable_gives_its_answer_to_one_thread(job: zt.Session) -> None:
    job.secret("bureau-api-key")

    def answers(_: int) -> None:
        waiting, given = job.secret_async("bureau-api-key"), []

        def take() -> None:
            try:
                waiting.__await__().__next__()  # type: ignore[attr-defined]
            except StopIteration as end:
                given.append(end.value)
            except RuntimeError:
                pass

        threads = [threading.Thread(target=take) for _ in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(given) == 1

    for at in range(ROUNDS // 4):
        answers(at)


def test_a_runtime_is_closed_while_others_use_it(own_world: World) -> None:
    token = own_world.token("maya")
    for _ in range(3):
        with zt.open(own_world.folder) as rt:
            maya, closed = rt.authenticate(token), threading.Event()

            def ask(maya: zt.Session = maya, closed: threading.Event = closed) -> int:
                answered = 0
                while True:
                    try:
                        assert maya.check(*MODEL)
                        answered += 1
                    except zt.Cancelled as told:
                        assert told.code == "ZT-8002" and closed.is_set()
                        return answered

            with ThreadPoolExecutor(THREADS) as pool:
                asking = [pool.submit(ask) for _ in range(THREADS)]
                closed.set()
                rt.close()
                assert all(done.result(300) >= 0 for done in asking)
