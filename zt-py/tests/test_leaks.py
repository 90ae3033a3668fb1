"""No implicit route of Python, IPython or a library leads to a secret's value: random ones, and those of a real notebook.

Asserts compare booleans, so that a failure never prints the value.
"""

from __future__ import annotations

import importlib.util
import json
import operator
import os
import pickle
import pprint
import subprocess
import sys
import textwrap
from collections.abc import Callable
from typing import Any

import pytest
from conftest import NEEDLE, World

import zt

given: Any
if importlib.util.find_spec("hypothesis"):
    from hypothesis import HealthCheck, settings, strategies
    from hypothesis import given as given

    PROFILE = settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck), database=None, derandomize=True)
else:
    pytest.skip("hypothesis is not installed", allow_module_level=True)


def needs(package: str) -> pytest.MarkDecorator:
    return pytest.mark.skipif(importlib.util.find_spec(package) is None, reason=f"{package} is not installed")


def leaks(shown: object) -> bool:
    """Whether eight bytes of the value stand in it, plain or in hexadecimal, or as their base64."""
    text = shown if isinstance(shown, bytes) else str(shown).encode("utf-8", "replace")
    parts = [NEEDLE[at : at + 8].encode() for at in range(len(NEEDLE) - 7)]
    return any(part in text or part.hex().encode() in text for part in parts)


def outcome(call: Callable[[], Any]) -> str:
    """What the call shows, or the whole of what it raises: message, notes, attributes, context."""
    try:
        return repr(call())
    except BaseException as raised:
        if type(raised).__name__ == "PanicException" or isinstance(raised, SystemError):
            pytest.fail(f"{type(raised).__name__} instead of an exception")
        return repr([raised, str(raised), vars(raised), getattr(raised, "__notes__", None), raised.__context__])


def test_the_detector_finds_a_leak() -> None:
    assert leaks(NEEDLE) and leaks(f"x{NEEDLE[3:12]}y") and leaks(NEEDLE.encode().hex()) and not leaks("[secret bureau-api-key@1]")


BINARY = [
    *(operator.add, operator.and_, operator.concat, operator.contains, operator.countOf, operator.eq, operator.floordiv),
    *(operator.ge, operator.getitem, operator.gt, operator.iadd, operator.iconcat, operator.indexOf, operator.le, operator.lshift),
    *(operator.lt, operator.matmul, operator.mod, operator.mul, operator.ne, operator.or_, operator.pow, operator.rshift),
    *(operator.sub, operator.truediv, operator.xor, operator.imul, operator.delitem, divmod),
]
UNARY = [
    *(operator.abs, operator.index, operator.inv, operator.neg, operator.not_, operator.pos, operator.truth, operator.length_hint),
    *(bytes, bytearray, memoryview, list, tuple, set, dict, iter, len, int, float, complex, hash, reversed, sorted, sum, max, min),
    *(ascii, repr, str, bool, bin, hex, oct, chr, ord, round, vars, enumerate, json.dumps, pprint.pformat, all, any, next),
]
OPERANDS = strategies.one_of(
    *(strategies.text(max_size=12), strategies.binary(max_size=12), strategies.integers(), strategies.floats(), strategies.none()),
    *(strategies.just(NEEDLE), strategies.just([]), strategies.just({}), strategies.slices(20)),
)


@PROFILE
@given(operation=strategies.sampled_from(BINARY), operand=OPERANDS, is_left=strategies.booleans())
def test_no_operator_leaks(operation: Any, operand: Any, is_left: bool) -> None:
    secret = held()
    shown = outcome(lambda: operation(secret, operand) if is_left else operation(operand, secret))
    assert leaks(shown) is False  # of the needle as operand too: no error repeats it, so what shows it is the secret


@pytest.mark.parametrize("operation", UNARY, ids=lambda one: one.__name__)
def test_no_builtin_leaks(operation: Any) -> None:
    assert leaks(outcome(lambda: operation(held()))) is False


@PROFILE
@given(spec=strategies.text(max_size=20), conversion=strategies.sampled_from(["", "!s", "!r", "!a"]))
def test_no_format_leaks(spec: str, conversion: str) -> None:
    secret = held()
    assert leaks(outcome(lambda: format(secret, spec))) is False
    assert leaks(outcome(lambda: f"{{0{conversion}:{spec}}}".format(secret))) is False
    assert leaks(outcome(lambda: f"%{spec}s" % secret)) is False


@PROFILE
@given(name=strategies.one_of(strategies.sampled_from(dir(zt.Secret)), strategies.text(max_size=12)))
def test_no_attribute_leaks(name: str) -> None:
    secret = held()
    shown = outcome(lambda: getattr(secret, name))
    assert leaks(shown) is False
    if name not in {"reveal", "__init_subclass__", "__class__"}:
        for arguments in ((), (None,), (2,), ("",)):
            assert leaks(outcome(lambda arguments=arguments: getattr(secret, name)(*arguments))) is False


def nested(inner: Any) -> Any:
    return strategies.one_of(
        strategies.lists(inner, max_size=3),
        strategies.dictionaries(strategies.text(max_size=3), inner, max_size=3),
        strategies.tuples(inner, inner),
    )


@PROFILE
@given(shape=strategies.recursive(strategies.sampled_from(["secret", 1, "text"]), nested, max_leaves=6), protocol=strategies.integers(0, 5))
def test_nothing_that_holds_a_secret_leaks(shape: Any, protocol: int) -> None:
    value = filled(shape, held())
    calls: list[Callable[[], Any]] = [
        lambda: str(value),
        lambda: json.dumps(value, default=str),
        lambda: json.dumps(value, default=repr),
        lambda: json.dumps(value, default=vars),
        lambda: pickle.dumps(value, protocol),
        lambda: pprint.pformat(value),
    ]
    assert not [call for call in calls if leaks(outcome(call))]


def filled(shape: Any, secret: zt.Secret) -> Any:
    if isinstance(shape, dict):
        return {name: filled(part, secret) for name, part in shape.items()}
    if isinstance(shape, list | tuple):
        return type(shape)(filled(part, secret) for part in shape)
    return secret if shape == "secret" else shape


HELD: list[zt.Secret] = []


@pytest.fixture(autouse=True)
def hold(job: zt.Session) -> None:
    """Hypothesis and fixtures of a test's own do not mix."""
    HELD[:] = [job.secret("bureau-api-key")]


def held() -> zt.Secret:
    return HELD[0]


@pytest.mark.parametrize("package", ["pandas", "polars", "pyarrow", "numpy"])
def test_no_library_of_frames_leaks(package: str) -> None:
    library = pytest.importorskip(package)
    secret = held()
    calls: dict[str, list[Callable[[], Any]]] = {
        "pandas": [
            lambda: library.DataFrame({"key": [secret]}).to_string(),
            lambda: library.DataFrame({"key": [secret]})._repr_html_(),
            lambda: library.DataFrame({"key": [secret]}).to_csv(),
            lambda: library.DataFrame({"key": [secret]}).to_json(),
            lambda: library.Series([secret]).astype(str).tolist(),
            lambda: library.Series([secret]).astype(bytes).tolist(),
        ],
        "polars": [lambda: library.DataFrame({"key": [secret]}), lambda: library.Series([secret], dtype=library.Object)],
        "pyarrow": [lambda: library.array([secret]), lambda: library.scalar(secret), lambda: library.py_buffer(secret)],
        "numpy": [lambda: library.array(secret), lambda: library.array([secret]).astype("S"), lambda: library.frombuffer(secret)],
    }
    assert not [call for call in calls[package] if leaks(outcome(call))]


def in_child(world: World, script: str, *, commands: str = "") -> subprocess.CompletedProcess[str]:
    start = f"""
import sys, zt
rt = zt.open({str(world.folder)!r})
job = rt.authenticate(sys.argv[1]).claiming(201, 2)
secret = job.secret("bureau-api-key")
"""
    command = [sys.executable, "-c", start + textwrap.dedent(script), world.token("sp-score-201")]
    environment = os.environ | {"IPYTHONDIR": str(world.folder / ".ipython"), "NO_COLOR": "1"}
    return subprocess.run(command, input=commands, env=environment, capture_output=True, text=True, timeout=100)


def test_a_debugger_after_the_failure_finds_zeros(world: World) -> None:
    script = """
        import pdb, sys
        def connect(key):
            with key.reveal() as view:
                raise ConnectionError("the bureau is closed")
        try:
            connect(secret)
        except ConnectionError:
            pdb.post_mortem(sys.exc_info()[2])
        print("ended")
    """
    commands = "p key\npp locals()\np view\np bytes(view)\nargs\nwhatis key\np key.__dict__\np vars(key)\np [x for x in dir(key)]\nup\npp locals()\nq\n"
    ran = in_child(world, script, commands=commands)
    assert ran.stdout.endswith("ended\n") and "[secret bureau-api-key@" in ran.stdout, ran.stderr[-500:]
    assert "\\x00\\x00\\x00" in ran.stdout and leaks(ran.stdout + ran.stderr) is False


@needs("IPython")
def test_a_shell_of_ipython_shows_no_value(world: World) -> None:
    script = """
        from IPython.core.interactiveshell import InteractiveShell
        shell = InteractiveShell.instance()
        shell.push({"secret": secret, "job": job})
        for mode in ("Plain", "Context", "Verbose", "Minimal"):
            shell.run_cell(f"%xmode {mode}")
            shell.run_cell("with secret.reveal() as view:\\n    kept = secret\\n    raise ValueError(kept)")
            shell.run_cell("secret + 'x'")
        for cell in (
            "secret", "print(secret)", "[secret]", "{'key': secret}", "display(secret)", "secret?", "secret??", "%pinfo2 secret", "%whos", "%who_ls",
            "%pdoc secret", "%psearch sec*", "_", "Out", "In", "%history", "%store secret", "f'{secret!r:>80}'", "secret.__dict__", "vars(secret)",
            "%timeit -n1 -r1 str(secret)", "%prun str(secret)", "!echo {secret}", "!echo $secret", "%env KEY=$secret", "%env KEY",
            "%macro again 1", "%pprint", "[secret]", "import sys; sys.displayhook(secret)", "%precision 3", "secret",
        ):
            shell.run_cell(cell)
        completions = shell.complete("secret.")[1]
        values = [repr(getattr(secret, name.rpartition(".")[2])) for name in completions]
        print(values, shell.display_formatter.format(secret), shell.user_ns)
        print("ended")
    """
    ran = in_child(world, script)
    assert ran.stdout.endswith("ended\n") and ran.stdout.count("[secret bureau-api-key@") > 20, ran.stderr[-500:]
    assert leaks(ran.stdout + ran.stderr) is False
    kept = b"".join(file.read_bytes() for file in (world.folder / ".ipython").rglob("*") if file.is_file())
    assert leaks(kept) is False


@needs("IPython")
def test_the_debugger_of_ipython_shows_no_value(world: World) -> None:
    script = """
        from IPython.core.interactiveshell import InteractiveShell
        shell = InteractiveShell.instance()
        shell.push({"secret": secret})
        shell.run_cell("def connect(key):\\n    with key.reveal() as view:\\n        raise ConnectionError('closed')")
        shell.run_cell("connect(secret)")
        shell.run_cell("%debug")
        print("ended")
    """
    commands = "p key\npp locals()\np bytes(view)\npinfo key\npdoc key\nargs\nup\npp locals()\nq\n"
    ran = in_child(world, script, commands=commands)
    assert ran.stdout.endswith("ended\n") and "[secret bureau-api-key@" in ran.stdout, ran.stderr[-500:]
    assert leaks(ran.stdout + ran.stderr) is False
