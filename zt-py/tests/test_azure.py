"""Azure as the simulator plays it: published keys, device codes, the process's own identity, acting for a caller."""

from __future__ import annotations

import asyncio
import json
import os
import re
import shutil
import subprocess
import sys
import textwrap
import threading
import time
import urllib.parse
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from conftest import REPOSITORY, SAMPLE

import zt

TENANT = "11111111-1111-4111-8111-111111111111"
API = "d0000000-0000-4000-8000-000000000001"
SECRET = "sample-secret-of-the-simulator"
SCORER = {
    "AZURE_TENANT_ID": TENANT,
    "AZURE_CLIENT_ID": "e0000000-0000-4000-8000-000000000002",
    "AZURE_CLIENT_SECRET": SECRET,
}
ITSELF = SCORER | {"AZURE_CLIENT_ID": API}


class Azure:
    """The simulator, as its control endpoint has it."""

    def __init__(self, process: subprocess.Popen[str], greeting: str) -> None:
        self.process = process
        self.config = textwrap.dedent(greeting.split("zt.toml:\n")[1].split("\n\nA token:")[0])
        self.plain = self.found(r"Control +http://(\S+)/control", greeting)
        self.endpoint = self.found(r"IDENTITY_ENDPOINT=(\S+)", greeting)
        self.header = self.found(r"IDENTITY_HEADER=(\S+)", greeting)

    @staticmethod
    def found(pattern: str, text: str) -> str:
        match = re.search(pattern, text)
        assert match is not None, text
        return match[1]

    def control(self, what: str, body: dict[str, Any] | None = None, **query: str) -> str:
        url = f"http://{self.plain}/control/{what}?{urllib.parse.urlencode(query)}"
        data = json.dumps(body).encode() if body else b""
        with urllib.request.urlopen(urllib.request.Request(url, data=data, method="POST")) as answer:
            return str(answer.read().decode())

    def token(self, name: str) -> str:
        return str(json.loads(self.control("token", name=name))["access_token"])

    def approve(self, code: str, name: str) -> None:
        self.control("device/approve", code=code, user=name)


@pytest.fixture(scope="module")
def azure(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Azure]:
    """Built, unless ZT_AZURE_SIMULATOR names one."""
    program = os.environ.get("ZT_AZURE_SIMULATOR")
    if program is None:
        if shutil.which("cargo") is None:
            pytest.skip("no cargo to build the Azure simulator")
        command = ["cargo", "build", "-p", "zt-azure-simulator", "--message-format", "json-render-diagnostics"]
        built = subprocess.run(command, cwd=REPOSITORY, check=True, stdout=subprocess.PIPE, text=True)
        messages = [json.loads(line) for line in built.stdout.splitlines() if line.startswith("{")]
        program = [message["executable"] for message in messages if message.get("executable")][-1]
    folder = tmp_path_factory.mktemp("azure")
    command = [program, "--https-port", "0", "--http-port", "0", "--folder", str(folder)]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        greeting = ""
        while "Ctrl-C stops it" not in greeting:
            line = process.stderr.readline()
            assert line, greeting
            greeting += line
        threading.Thread(target=process.stderr.read, daemon=True).start()
        yield Azure(process, greeting)
        process.terminate()


@pytest.fixture
def folder(azure: Azure, tmp_path: Path) -> Path:
    """The sample world, with the configuration that the simulator prints."""
    shutil.copy(SAMPLE / "brindlewick.toml", tmp_path)
    shutil.copytree(SAMPLE / "data", tmp_path / "data")
    (tmp_path / ".zt").mkdir()
    (tmp_path / ".zt" / "vault.key").touch(mode=0o600)
    (tmp_path / ".zt" / "vault.key").write_bytes(os.urandom(32))
    (tmp_path / "zt.toml").write_text('tables = "brindlewick.toml"\n' + azure.config)
    return tmp_path


@pytest.fixture
def rt(folder: Path) -> Iterator[zt.Runtime]:
    with zt.open(folder) as runtime:
        yield runtime


def test_a_token_of_entra_is_verified_with_the_keys_that_entra_publishes(azure: Azure, rt: zt.Runtime) -> None:
    maya = rt.authenticate(azure.token("maya"))
    assert maya.name == "user:maya"
    assert maya.check("model.infer", "model:car_loan_scorer")
    assert not maya.check("table.read", "table:raw.loan_applications")
    rt.ready()
    health = {keys["version"]: keys for keys in rt.key_health()}
    assert health["2.0"]["state"] == "fresh" and health["2.0"]["keys"] > 1
    assert health["2.0"]["tenant"] == TENANT
    age, due = health["2.0"]["age_s"], health["2.0"]["next_refresh_s"]
    assert age is not None and 0 <= age < 60 and due is not None and due > 0
    rt.purge_keys()
    assert rt.authenticate(azure.token("maya")).name == "user:maya"


def test_a_person_signs_in_by_a_code(azure: Azure, rt: zt.Runtime) -> None:
    seen: list[zt.SignIn] = []

    def prompt(sign_in: zt.SignIn) -> None:
        assert threading.current_thread() is threading.main_thread()
        seen.append(sign_in)
        azure.approve(sign_in.user_code, "maya")

    maya = rt.sign_in(prompt)
    assert maya.name == "user:maya" and maya.check("model.infer", "model:car_loan_scorer")
    (asked,) = seen
    assert asked.verification_uri.startswith("https://") and asked.user_code in str(asked)
    assert asked.message == str(asked) and asked.expires_at.tzinfo is not None
    assert 800 < asked.expires_at.timestamp() - time.time() <= 900
    assert repr(asked) == f"SignIn({asked.user_code} at {asked.verification_uri})"


def test_a_person_signs_in_while_the_loop_runs(azure: Azure, rt: zt.Runtime) -> None:
    ticks = 0

    async def tick() -> None:
        nonlocal ticks
        while True:
            await asyncio.sleep(0.05)
            ticks += 1

    def prompt(sign_in: zt.SignIn) -> asyncio.Task[None]:
        assert threading.current_thread() is threading.main_thread()

        async def tell() -> None:
            azure.approve(sign_in.user_code, "priya")

        return asyncio.create_task(tell())

    async def main() -> zt.Session:
        ticking = asyncio.ensure_future(tick())
        try:
            return await rt.sign_in_async(prompt)
        finally:
            ticking.cancel()

    assert asyncio.run(main()).name == "user:priya"
    assert ticks > 10


def test_who_declines_is_not_signed_in(azure: Azure, rt: zt.Runtime) -> None:
    with pytest.raises(zt.Unauthenticated, match="declined") as caught:
        rt.sign_in(lambda asked: azure.control("device/decline", code=asked.user_code))
    assert caught.value.code == "ZT-2006"


def test_what_the_prompt_raises_ends_the_sign_in(rt: zt.Runtime) -> None:
    class Gone(Exception):
        pass

    def prompt(_: zt.SignIn) -> None:
        raise Gone

    async def coroutine(_: zt.SignIn) -> None:
        pass

    async def main() -> None:
        with pytest.raises(Gone):
            await rt.sign_in_async(prompt)
        with pytest.raises(TypeError, match="coroutine"):
            await rt.sign_in_async(coroutine)

    start = time.monotonic()
    with pytest.raises(Gone):
        rt.sign_in(prompt)
    with pytest.raises(TypeError, match="coroutine"):
        rt.sign_in(coroutine)
    asyncio.run(main())
    assert time.monotonic() - start < 3  # nobody waited for the person


def test_a_cancelled_sign_in_is_clean(rt: zt.Runtime) -> None:
    async def main() -> None:
        told = asyncio.Event()
        waiting = asyncio.ensure_future(rt.sign_in_async(lambda asked: told.set()))
        await told.wait()
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting

    asyncio.run(main())


def test_ctrl_c_is_heard_while_a_person_is_waited_for(folder: Path) -> None:
    script = """
        import os, signal, sys, threading, time, zt
        def interrupt():
            time.sleep(0.7)
            global sent
            sent = time.monotonic()
            os.kill(os.getpid(), signal.SIGINT)
        with zt.open(sys.argv[1]) as rt:
            try:
                rt.sign_in(lambda asked: threading.Thread(target=interrupt).start())
            except KeyboardInterrupt:
                print(round((time.monotonic() - sent) * 1000))
    """
    ran = run(script, folder)
    assert int(ran.stdout) <= 100, ran.stdout


@pytest.mark.skipif(sys.platform == "win32", reason="there are no pseudo-terminals")
def test_a_terminal_shows_the_code(azure: Azure, folder: Path) -> None:
    import pty

    script = """
        import sys, zt
        with zt.open(sys.argv[1]) as rt:
            print(rt.sign_in().name)
    """
    ours, theirs = pty.openpty()
    command = [sys.executable, "-c", textwrap.dedent(script), str(folder)]
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=theirs, text=True) as child:
        os.close(theirs)
        shown = os.read(ours, 4096).decode()
        azure.approve(Azure.found(r"\b([A-Z0-9]{8,9})\b", shown), "maya")
        assert child.stdout is not None and child.stdout.read() == "user:maya\n"
    os.close(ours)


WORKLOAD = """
    import sys, zt
    with zt.open(sys.argv[1]) as rt:
        job = rt.workload()
        rt.workload()
        print(job.name, bool(job.claiming(201, 2).check("secret.get", "secret:bureau-api-key")))
"""


def test_a_service_principal_of_the_environment_is_who_the_process_is(folder: Path) -> None:
    assert run(WORKLOAD, folder, environment=SCORER).stdout == "sp:sp-score-201 True\n"


def test_a_managed_identity_is_who_the_process_is(azure: Azure, folder: Path) -> None:
    identity = {"IDENTITY_ENDPOINT": azure.endpoint, "IDENTITY_HEADER": azure.header}
    ran = run(WORKLOAD, folder, environment=identity)
    assert ran.stdout.startswith("sp:mi-adf-brindlewick "), ran.stderr


def test_a_wrong_secret_is_told_without_it(folder: Path) -> None:
    script = """
        import sys, zt
        with zt.open(sys.argv[1]) as rt:
            try:
                rt.workload()
            except zt.ConfigError as error:
                print(error.code, error)
    """
    ran = run(script, folder, environment=SCORER | {"AZURE_CLIENT_SECRET": "zt-needle-wrong"})
    assert ran.stdout.startswith("ZT-7002") and "AADSTS7000215" in ran.stdout
    assert ("needle" in ran.stdout + ran.stderr) is False


def test_the_application_acts_for_its_caller(azure: Azure, folder: Path) -> None:
    script = """
        import asyncio, pickle, sys, zt
        folder, token, other = sys.argv[1:]
        with zt.open(folder) as rt:
            maya = rt.authenticate(token)
            graph = rt.on_behalf_of(maya, token, "https://graph.microsoft.com/.default")
            print(graph.token.count("."), graph.expires_on > 0, graph.token in repr(graph) + str(graph))
            async def twin():
                return await rt.on_behalf_of_async(maya, "Bearer " + token, "https://graph.microsoft.com/.default")
            print(asyncio.run(twin()).expires_on > 0)
            try:
                pickle.dumps(graph)
            except TypeError as error:
                print("not pickled" in str(error), graph.token in str(error))
            try:
                rt.on_behalf_of(maya, other, "https://graph.microsoft.com/.default")
            except zt.Unauthenticated as error:
                print(error.code, "another caller" in str(error))
    """
    token, other = azure.token("maya"), azure.token("priya")
    ran = run(script, folder, token, other, environment=ITSELF)
    assert ran.stdout.splitlines() == ["2 True False", "True", "True False", "ZT-2001 True"], ran.stderr
    log = "".join(file.read_text() for file in (folder / ".zt/audit").glob("*.jsonl"))
    assert "on-behalf-of" in log and (token in log) is False


def test_an_azure_that_is_down_is_unavailable(azure: Azure, folder: Path) -> None:
    azure.control("faults", {"path": f"/{TENANT}/oauth2/v2.0/devicecode", "fault": "status", "status": 503, "retry_after": 7})
    with zt.open(folder) as rt, pytest.raises(zt.Unavailable) as caught:
        rt.sign_in(print)
    error = caught.value
    assert (error.code, error.http_status, error.retry_after_s, error.retry_in) == ("ZT-4006", 503, 7, 7.0)
    assert error.is_transient and error.challenge is None


def run(
    script: str, *arguments: object, environment: dict[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """In a process of this identity and no other."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("AZURE_", "IDENTITY_"))}
    command = [sys.executable, "-c", textwrap.dedent(script), *map(str, arguments)]
    ran = subprocess.run(
        command,
        env=clean | {"PATH": str(Path(sys.executable).parent)} | (environment or {}),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert ran.returncode == 0, ran.stderr
    return ran


def test_the_status_says_how_the_way_to_the_vault_was_proven(
    azure: Azure, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in SCORER.items():
        monkeypatch.setenv(name, value)
    vault = "vaults/kv-brindlewick-prod"
    azure.control(vault)
    azure.control(f"{vault}/secrets/bureau-api-key", {"value": "of-the-simulator"})
    azure.control(f"{vault}/grant", {"who": "sp-score-201", "rights": ["secrets/get"]})
    endpoint = "/subscriptions/s/resourceGroups/g/providers/Microsoft.Network/privateEndpoints/pe-kv-brindlewick"
    azure.control(f"{vault}/network", {"way": "private_link", "endpoint": endpoint, "address": "10.20.4.5"})
    with zt.open(folder, vault_store="key_vault") as rt:

        def way() -> Any:
            (host,) = rt.status()["network"]
            return host

        before = way()
        assert (before["host"], before["store"], before["path"]) == ("kv-brindlewick-prod.vault.azure.net", "key_vault", None)
        assert [(row["rule"], row["mode"], row["cidrs"]) for row in before["declared"]] == [("NR-01", "private_only", ["10.20.4.0/26"])]
        job = rt.authenticate(azure.token("sp-score-201")).claiming(201, 2)
        with job.secret("bureau-api-key").reveal() as view:
            assert view.nbytes == len("of-the-simulator")
        path = way()["path"]
        # A simulator is not looked up, and its address proves nothing: the vault's word does.
        assert way()["resolved"] is None and path["peer"].startswith("127.0.0.1:")
        assert (path["proof"], path["private_endpoint"], path["error"]) == ("private_link", endpoint, None)
        network = next(part for part in rt.status().parts if part["part"] == "network")
        assert network["state"] == "works" and "by private_link of pe-kv-brindlewick, private_only" in network["detail"]
