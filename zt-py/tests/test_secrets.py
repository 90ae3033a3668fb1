"""No implicit route of Python leads to a secret's value. Asserts compare booleans, so that a failure never prints it."""

import asyncio
import copy
import copyreg
import io
import json
import logging
import os
import pickle
import subprocess
import sys
import textwrap
import time
import traceback
from pathlib import Path

import pytest
from conftest import NEEDLE, SignIn, World

import zt


def leaks(text: object) -> bool:
    """Whether a piece of the value stands in it, plain or in hexadecimal."""
    text = text if isinstance(text, bytes) else str(text).encode()
    return b"needle" in text or NEEDLE.encode().hex().encode() in text


def test_reveal_gives_the_bytes_and_wipes_them(secret: zt.Secret) -> None:
    with secret.reveal() as view:
        assert (bytes(view) == NEEDLE.encode()) is True
        assert view.readonly and view.nbytes == len(NEEDLE)
        kept, part = view, view[3:9]
    assert bytes(kept) == bytes(len(NEEDLE))
    assert bytes(part) == bytes(6)


def test_the_view_cannot_be_written(secret: zt.Secret) -> None:
    with secret.reveal() as view, pytest.raises(TypeError):
        view[0] = 0
    with secret.reveal() as view:
        assert (bytes(view) == NEEDLE.encode()) is True


def test_an_exception_in_the_block_wipes_too(secret: zt.Secret) -> None:
    with pytest.raises(KeyError), secret.reveal() as view:
        raise KeyError("oops")
    assert bytes(view) == bytes(len(NEEDLE))


def test_a_block_that_is_never_left_is_wiped_with_its_reveal(secret: zt.Secret) -> None:
    revealed = secret.reveal()
    view = revealed.__enter__()
    with pytest.raises(RuntimeError, match="again"):
        revealed.__enter__()
    assert not leaks(repr(revealed))
    del revealed
    assert bytes(view) == bytes(len(NEEDLE))


def test_a_reveal_outside_a_block_names_the_remedy(secret: zt.Secret) -> None:
    with pytest.raises(TypeError, match="with secret.reveal"):
        bytes(secret.reveal())


SHOWN = {
    "str": str,
    "repr": repr,
    "ascii": ascii,
    "format": format,
    "f-string": lambda secret: f"{secret}",
    "f-string repr": lambda secret: f"{secret!r:>99}",
    "format spec": lambda secret: f"{secret:.99s}",
    "str.format": lambda secret: "{0} {0!s} {0!r}".format(secret),
    "percent": lambda secret: "%s %r %a" % (secret, secret, secret),
    "print": lambda secret: print(secret, file=(out := io.StringIO())) or out.getvalue(),
    "html": lambda secret: secret._repr_html_(),
    "in a list": lambda secret: str([secret, {"key": secret}]),
    "json default": lambda secret: json.dumps(secret, default=str),
    "copy": lambda secret: str(copy.copy(secret)),
    "deepcopy": lambda secret: str(copy.deepcopy({"key": secret})),
    "doc": lambda secret: str(type(secret).__doc__),
    "dir": lambda secret: str([getattr(secret, name) for name in dir(secret)]),
}


@pytest.mark.parametrize("route", SHOWN)
def test_what_shows_a_secret_shows_its_name(route: str, secret: zt.Secret) -> None:
    shown = SHOWN[route](secret)
    assert leaks(shown) is False
    if route not in ("doc", "dir"):
        assert f"[secret bureau-api-key@{secret.version}]" in shown


REFUSED = {
    "bytes": bytes,
    "bytearray": bytearray,
    "memoryview": memoryview,
    "list": list,
    "tuple": tuple,
    "set": lambda secret: {secret},
    "iter": iter,
    "len": len,
    "int": int,
    "float": float,
    "index": lambda secret: [1][secret],
    "item": lambda secret: secret[0],
    "slice": lambda secret: secret[:],
    "in": lambda secret: "z" in secret,
    "hash": hash,
    "key": lambda secret: {secret: 1},
    "equal": lambda secret: secret == secret,
    "unequal": lambda secret: secret != NEEDLE,
    "equal reversed": lambda secret: NEEDLE == secret,
    "less": lambda secret: secret < NEEDLE,
    "add": lambda secret: secret + "x",
    "radd": lambda secret: "x" + secret,
    "radd bytes": lambda secret: b"x" + secret,
    "join": lambda secret: "".join([secret]),
    "times": lambda secret: secret * 2,
    "percent d": lambda secret: "%d" % secret,
    "bytes percent": lambda secret: b"%b" % secret,
    "json": json.dumps,
    "pickle": pickle.dumps,
    "pickle 0": lambda secret: pickle.dumps(secret, 0),
    "copyreg": lambda secret: copyreg.__reduce_ex__(secret, 2),
    "reduce": lambda secret: secret.__reduce__(),
    "getstate": lambda secret: secret.__getstate__(),
    "vars": vars,
    "subclass": lambda _: type("Leaky", (zt.Secret,), {}),
    "construct": lambda _: zt.Secret(),
    "fspath": lambda secret: open(secret),
    "encode": lambda secret: str(secret, "utf-8"),
    "write": lambda secret: io.BytesIO().write(secret),
}


@pytest.mark.parametrize("route", REFUSED)
def test_a_conversion_is_a_type_error_that_leaks_nothing(route: str, secret: zt.Secret) -> None:
    with pytest.raises(TypeError) as caught:
        REFUSED[route](secret)
    text = "".join(traceback.format_exception(caught.value))
    assert leaks(text.replace(__file__, "").replace("NEEDLE", "")) is False


@pytest.mark.parametrize(
    ("route", "remedy"),
    [
        *((route, "reveal") for route in ("bytes", "list", "len", "item", "in", "int", "add", "radd")),
        *((route, "hmac.compare_digest") for route in ("hash", "equal", "unequal", "key")),
        *((route, "session.secret") for route in ("pickle", "pickle 0", "reduce")),
    ],
)
def test_a_conversion_names_the_remedy(route: str, remedy: str, secret: zt.Secret) -> None:
    with pytest.raises(TypeError, match=remedy):
        REFUSED[route](secret)


def test_an_attribute_cannot_be_set(secret: zt.Secret) -> None:
    with pytest.raises(AttributeError):
        secret.value = 1  # type: ignore[attr-defined]
    with pytest.raises(AttributeError):
        secret.name = "other"  # type: ignore[misc]


def test_logs_and_tracebacks_show_the_name_alone(secret: zt.Secret) -> None:
    out = io.StringIO()
    handler = logging.StreamHandler(out)
    logger = logging.Logger("test")
    logger.addHandler(handler)
    logger.error("secret %s %r", secret, {"key": secret}, extra={"also": secret})

    def fails(key: zt.Secret) -> None:
        raise ValueError(key)

    try:
        fails(secret)
    except ValueError as error:
        lines = traceback.TracebackException.from_exception(error, capture_locals=True).format()
        assert leaks("".join(line for line in lines if "NEEDLE" not in line)) is False
    assert leaks(out.getvalue()) is False


def test_a_copy_is_the_same_object(secret: zt.Secret) -> None:
    assert copy.copy(secret) is secret
    assert copy.deepcopy([secret])[0] is secret


def test_a_secret_is_true_and_has_a_name_and_a_version(secret: zt.Secret) -> None:
    assert bool(secret) is True
    assert secret.name == "bureau-api-key"
    assert len(secret.version) == 32


def test_who_is_denied_gets_the_decision_and_no_secret(sign_in: SignIn) -> None:
    with pytest.raises(zt.Denied) as caught:
        sign_in("maya").secret("adb-token")
    error = caught.value
    assert (error.code, error.http_status) == ("ZT-1001", 403)
    assert error.decision is not None and error.decision.kind == "default_deny"
    assert error.decision.id in error.public_message
    assert leaks(error) is False


def test_each_read_is_decided_anew(job: zt.Session) -> None:
    assert job.secret("bureau-api-key")
    with pytest.raises(zt.Denied):
        job.claiming(201, 1).secret("bureau-api-key")


def test_a_secret_that_the_vault_has_not_is_not_found(own_world: World) -> None:
    with zt.open(own_world.folder) as rt:
        factory = rt.authenticate(own_world.token("mi-adf-brindlewick")).claiming(201, 1)
        with pytest.raises(zt.NotFound) as caught:
            factory.secret("sql-loans-password")
        assert isinstance(caught.value, LookupError)
        assert caught.value.public_message == "not found"


def test_no_record_of_the_audit_log_holds_the_value(own_world: World) -> None:
    with zt.open(own_world.folder) as rt:
        job = rt.authenticate(own_world.token("sp-score-201")).claiming(201, 2)
        with job.secret("bureau-api-key").reveal():
            pass
    files = [file for file in (own_world.folder / ".zt").rglob("*") if file.is_file()]
    assert len(files) > 3
    assert [file.name for file in files if leaks(file.read_bytes())] == []


def test_a_handle_reads_as_the_session_does(job: zt.Session, sign_in: SignIn) -> None:
    handle = job.secret_handle("bureau-api-key")
    assert handle.reference == "bureau-api-key" and repr(handle) == "SecretHandle(bureau-api-key)"
    for _ in range(3):
        with handle.get().reveal() as view:
            assert (bytes(view) == NEEDLE.encode()) is True
    with pytest.raises(zt.Denied):
        sign_in("maya").secret_handle("bureau-api-key").get()
    with pytest.raises(TypeError):
        pickle.dumps(handle)


def test_a_secret_says_how_old_it_was_and_how_it_came(secret: zt.Secret) -> None:
    assert secret.stale_for_s is None
    assert secret.path_proof == "local"


def test_a_new_version_comes_by_refresh_and_the_old_one_by_its_version(own_world: World) -> None:
    with zt.open(own_world.folder) as rt:
        job = rt.authenticate(own_world.token("sp-score-201")).claiming(201, 2)
        first = job.secret("bureau-api-key")
        own_world.command("vault", "set", "bureau-api-key", input=NEEDLE + "-2")
        assert job.secret("bureau-api-key").version == first.version
        second = refreshed(job)
        assert second.version != first.version
        with second.reveal() as view:
            assert (bytes(view) == NEEDLE.encode() + b"-2") is True
        assert job.secret_handle("bureau-api-key").get().version == second.version
        assert job.secret_version("bureau-api-key", second.version).version == second.version
        with pytest.raises(zt.Denied):
            job.claiming(201, 1).secret_version("bureau-api-key", second.version)
        with pytest.raises(zt.Denied):
            job.claiming(201, 1).refresh_secret("bureau-api-key")


def refreshed(job: zt.Session) -> zt.Secret:
    """The vault is asked once a second at most."""
    before = job.secret("bureau-api-key").version
    until = time.monotonic() + 30
    while time.monotonic() < until:
        secret = job.refresh_secret("bureau-api-key")
        if secret.version != before:
            return secret
        time.sleep(0.1)
    raise AssertionError("the vault was not asked")


def test_what_is_no_version_is_invalid_and_what_is_not_there_not_found(job: zt.Session) -> None:
    with pytest.raises(zt.Invalid) as caught:
        job.secret_version("bureau-api-key", NEEDLE)
    assert leaks(caught.value) is False
    with pytest.raises(zt.NotFound) as missing:
        job.secret_version("bureau-api-key", "0" * 31 + "1")
    assert leaks(missing.value) is False


def test_warming_tells_what_is_there_and_what_is_not(own_world: World) -> None:
    with zt.open(own_world.folder) as rt:
        job = rt.authenticate(own_world.token("sp-score-201")).claiming(201, 2)
        warmed = job.warm(["adb-token", "bureau-api-key", "no-such-row"], timeout_s=30)
        assert warmed["ready"] == 1
        failed = warmed["failed"]
        assert list(failed) == ["adb-token", "no-such-row"]
        assert isinstance(failed["adb-token"], zt.Denied)
        assert all(isinstance(error, zt.Error) for error in failed.values())
        assert leaks(warmed) is False
        states = {slot["name"]: slot["state"] for slot in rt.status()["secrets"]["slots"]}
        assert states["bureau-api-key"] == "fresh" and states["adb-token"] == "absent"
        assert job.warm([]) == {"ready": 0, "failed": {}}
        with pytest.raises(zt.Invalid):
            job.warm(["bureau-api-key"], timeout_s=-1)
        with pytest.raises(TypeError):
            job.warm("bureau-api-key")


def test_the_status_shows_no_value(own_world: World) -> None:
    with zt.open(own_world.folder) as rt:
        job = rt.authenticate(own_world.token("sp-score-201")).claiming(201, 2)
        secret = job.secret("bureau-api-key")
        status = rt.status()
        assert json.loads(json.dumps(status)) == status
        assert leaks(json.dumps(status)) is False
        (slot,) = (slot for slot in status["secrets"]["slots"] if slot["name"] == "bureau-api-key")
        assert (slot["state"], slot["version"], slot["readers"]) == ("fresh", secret.version, 1)
        assert status["process"] == os.getpid() and status["ready"] is None
        assert status["audit"]["is_writable"] is True
        metrics = rt.metrics_text()
        assert leaks(metrics) is False and "bureau-api-key" not in metrics
        assert {"zt_ready 1", "zt_audit_writable 1"} <= set(metrics.splitlines())
        assert "# TYPE zt_secret_misses_total counter" in metrics.splitlines()


def test_what_is_forgotten_is_fetched_anew(own_world: World) -> None:
    with zt.open(own_world.folder) as rt:
        job = rt.authenticate(own_world.token("sp-score-201")).claiming(201, 2)
        first = job.secret("bureau-api-key")
        own_world.command("vault", "set", "bureau-api-key", input=NEEDLE + "-2")
        rt.invalidate("bureau-api-key")
        assert job.secret("bureau-api-key").version != first.version
        with pytest.raises(zt.NotFound):
            rt.invalidate("no-such-row")


NEWS = [
    {
        "eventType": "Microsoft.KeyVault.SecretNewVersionCreated",
        "data": {"Id": "https://kv-brindlewick-prod.vault.azure.net/secrets/bureau-api-key"},
    },
    {"eventType": "Microsoft.Storage.BlobCreated", "data": {}},
    {
        "eventType": "Microsoft.EventGrid.SubscriptionValidationEvent",
        "data": {"validationCode": "512d38b6"},
    },
]


def test_an_event_makes_zt_ask_the_vault(own_world: World) -> None:
    with zt.open(own_world.folder) as rt:
        job = rt.authenticate(own_world.token("sp-score-201")).claiming(201, 2)
        first = job.secret("bureau-api-key")
        own_world.command("vault", "set", "bureau-api-key", input=NEEDLE + "-2")
        until = time.monotonic() + 30
        while job.secret("bureau-api-key").version == first.version:
            assert time.monotonic() < until
            told = rt.on_secret_event(json.dumps(NEWS))
            time.sleep(0.1)
        assert told["ignored"] == 1 and told["validation_code"] == "512d38b6"
        (event,) = told["taken"]
        assert event["secret"].endswith("/secrets/bureau-api-key") and event["change"] == "new_version"
        assert rt.on_secret_event(json.dumps(NEWS).encode()) == told


def test_what_is_no_delivery_is_refused_and_nothing_of_it_shown(rt: zt.Runtime) -> None:
    for body in (NEEDLE, NEEDLE.encode(), f'[{{"type": "{NEEDLE}"'):
        with pytest.raises(zt.Invalid) as caught:
            rt.on_secret_event(body)
        assert leaks(caught.value) is False
    with pytest.raises(TypeError, match="bytes or str"):
        rt.on_secret_event({"needle": 1})  # type: ignore[arg-type]


def test_the_awaitable_twins_answer_the_same(own_world: World) -> None:
    async def use() -> None:
        async with await zt.open_async(own_world.folder) as rt:
            job = (await rt.authenticate_async(own_world.token("sp-score-201"))).claiming(201, 2)
            warmed = await job.warm_async(["bureau-api-key", "adb-token"], 30)
            assert warmed["ready"] == 1 and list(warmed["failed"]) == ["adb-token"]
            secret = await job.secret_handle("bureau-api-key").get_async()
            again = await job.secret_version_async("bureau-api-key", secret.version)
            assert again.version == secret.version
            assert (await job.refresh_secret_async("bureau-api-key")).version == secret.version
            await rt.invalidate_async("bureau-api-key")
            told = await rt.on_secret_event_async(json.dumps(NEWS))
            assert told["ignored"] == 1
            with pytest.raises(zt.Denied):
                await job.claiming(201, 1).secret_handle("bureau-api-key").get_async()
            with (await job.secret_handle("bureau-api-key").get_async()).reveal() as view:
                assert (bytes(view) == NEEDLE.encode()) is True

    asyncio.run(use())


@pytest.mark.skipif(not Path("/proc/self/mem").exists(), reason="there is no /proc")
def test_the_memory_of_the_process_holds_one_copy_more_inside_the_block_only(world: World) -> None:
    script = """
        import sys, zt
        def pause(where):
            print(where, flush=True)
            sys.stdin.readline()
        with zt.open(sys.argv[1]) as rt:
            job = rt.authenticate(sys.argv[2]).claiming(201, 2)
            secret = job.secret("bureau-api-key")
            pause("fetched")
            with secret.reveal() as view:
                pause("inside")
            pause("after")
    """
    command = [sys.executable, "-c", textwrap.dedent(script), world.folder, world.token("sp-score-201")]
    copies = {}
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdin is not None and child.stdout is not None
        for where in ("fetched", "inside", "after"):
            assert child.stdout.readline().strip() == where
            copies[where] = copies_in_memory(child.pid, NEEDLE.encode())
            child.stdin.write("\n")
            child.stdin.flush()
    assert copies["fetched"] <= 1  # none where nobody else may look, in secret memory
    assert copies["inside"] == copies["fetched"] + 1
    assert copies["after"] == copies["fetched"]


def copies_in_memory(pid: int, value: bytes) -> int:
    """How often the value stands in another process. Another, for whoever looks for it holds it."""
    found = 0
    with open(f"/proc/{pid}/maps") as maps, open(f"/proc/{pid}/mem", "rb", 0) as memory:
        for line in maps:
            span, rights, *_ = line.split()
            if not rights.startswith("rw"):
                continue
            start, end = (int(bound, 16) for bound in span.split("-"))
            try:
                memory.seek(start)
                found += memory.read(end - start).count(value)
            except (OSError, OverflowError):
                continue
    return found


@pytest.mark.skipif(not Path("/proc/self/mem").exists(), reason="there is no /proc")
def test_no_memory_of_the_process_holds_the_value_after_the_end(world: World) -> None:
    script = """
        import sys, zt
        def pause(where):
            print(where, flush=True)
            sys.stdin.readline()
        with zt.open(sys.argv[1]) as rt:
            job = rt.authenticate(sys.argv[2]).claiming(201, 2)
            secret = job.secret_handle("bureau-api-key").get()
            copy = bytearray(64)
            with secret.reveal() as view:
                copy[:len(view)] = view
            pause("copied")
            copy[:] = bytes(64)
            del secret
        del rt, job
        pause("closed")
    """
    command = [sys.executable, "-c", textwrap.dedent(script), world.folder, world.token("sp-score-201")]
    copies = {}
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdin is not None and child.stdout is not None
        for where in ("copied", "closed"):
            assert child.stdout.readline().strip() == where
            copies[where] = copies_in_memory(child.pid, NEEDLE.encode())
            child.stdin.write("\n")
            child.stdin.flush()
    assert copies["copied"] >= 1
    assert copies["closed"] == 0
