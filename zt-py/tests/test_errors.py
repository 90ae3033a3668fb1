"""One hierarchy, everything a program can act on, and it survives a pickle."""

import copy
import os
import pickle
from pathlib import Path

import pytest
from conftest import SignIn, World

import zt

CLASSES = [
    zt.Denied,
    zt.Unauthenticated,
    zt.NotFound,
    zt.Unavailable,
    zt.Invalid,
    zt.Integrity,
    zt.ConfigError,
    zt.Cancelled,
    zt.InternalError,
]


@pytest.mark.parametrize("kind", CLASSES)
def test_every_class_is_an_error_that_can_be_made_by_hand(kind: type[zt.Error]) -> None:
    error = kind("no")
    assert isinstance(error, zt.Error) and error.code.startswith("ZT-")
    copied = pickle.loads(pickle.dumps(error))
    assert type(copied) is kind and str(copied) == str(error) == f"[{error.code}] no"


def test_a_denied_is_a_permission_error_with_its_decision(sign_in: SignIn) -> None:
    with pytest.raises(PermissionError) as caught:
        sign_in("maya").require("table.read", "table:raw.loan_applications")
    error = caught.value
    assert isinstance(error, zt.Denied) and not error.is_transient
    assert error.decision.policies == ("AP-02",)
    assert "salary" in str(error) and str(error).startswith("[ZT-1001] ")
    assert error.help is not None and error.decision.id in error.help
    for copied in (pickle.loads(pickle.dumps(error)), copy.copy(error)):
        assert (str(copied), copied.code, copied.help) == (str(error), error.code, error.help)
        assert copied.public_message == error.public_message
        assert copied.decision.id == error.decision.id and not copied.decision


def test_a_refused_token_tells_the_remote_caller_nothing(rt: zt.Runtime) -> None:
    with pytest.raises(zt.Unauthenticated) as caught:
        rt.authenticate("not a token")
    assert caught.value.public_message == "invalid_token"
    assert caught.value.http_status == 401


def test_a_changed_token_is_refused_and_a_bearer_prefix_is_not(rt: zt.Runtime, world: World) -> None:
    token = world.token("maya")
    head, body, mark = token.split(".")
    with pytest.raises(zt.Unauthenticated):
        rt.authenticate(f"{head}.{body}.{mark[:-4]}AAAA")
    assert rt.authenticate(f"Bearer {token}").name == "user:maya"


def test_malformed_input_is_invalid(sign_in: SignIn) -> None:
    maya = sign_in("maya")
    with pytest.raises(zt.Invalid, match="did you mean `table.read`") as caught:
        maya.check("table.reed", "table:raw.loan_applications")
    assert isinstance(caught.value, ValueError) and caught.value.problems == []
    with pytest.raises(zt.Invalid):
        maya.check("table.read", "nothing")
    with pytest.raises(zt.Invalid, match="author"):
        maya.check("metadata.approve", "metadata:Access_Policies", author="jonas")
    with pytest.raises(OverflowError):
        maya.claiming(-1, 2)


def test_a_missing_folder_is_a_configuration_error(tmp_path: Path) -> None:
    with pytest.raises(zt.ConfigError) as caught:
        zt.open(tmp_path / "nowhere")
    assert caught.value.code == "ZT-7001" and caught.value.help
    assert any(note.startswith("because ") for note in caught.value.__notes__)
    copied = pickle.loads(pickle.dumps(caught.value))
    assert copied.__notes__ == caught.value.__notes__


def test_every_problem_of_the_tables_is_told(own_world: World) -> None:
    tables = own_world.folder / "brindlewick.toml"
    text = tables.read_text().replace('effect = "deny"', 'effect = "denny"').replace("ttl_s = 300", 'ttl_s = "x"')
    tables.write_text(text)
    with pytest.raises(zt.Invalid) as caught:
        zt.open(own_world.folder)
    problems = caught.value.problems
    assert {problem["row"] for problem in problems} >= {"AP-02", "adb-token"}
    assert problems[0]["place"]["line"] > 1
    assert pickle.loads(pickle.dumps(caught.value)).problems == problems


def test_keywords_add_and_never_replace(own_world: World, tmp_path: Path) -> None:
    with pytest.raises(zt.ConfigError, match="replace"):
        zt.open(own_world.folder, audit_folder=tmp_path / "elsewhere")
    with pytest.raises(TypeError, match="audit_folder"):
        zt.open(own_world.folder, audit_foldr="x")  # type: ignore[call-arg]
    with pytest.raises(TypeError) as caught:
        zt.open(own_world.folder, vault_passphrase=[b"zt-needle-phrase"])  # type: ignore[arg-type]
    assert ("needle" in str(caught.value)) is False
    with pytest.raises(zt.ConfigError):
        zt.open(own_world.folder, mode="production")
    text = (own_world.folder / "zt.toml").read_text().replace('folder = ".zt/audit"', "")
    (own_world.folder / "zt.toml").write_text(text)
    with zt.open(own_world.folder, audit_folder=Path("elsewhere"), mode=None):
        pass
    assert os.listdir(own_world.folder / "elsewhere")


CLOUD = '''
mode = "development"
tables = "brindlewick.toml"

[identity]
cloud = "public"
audience = "d0000000-0000-4000-8000-000000000001"
'''


def test_the_order_of_keywords_decides_nothing(own_world: World) -> None:
    (own_world.folder / "zt.toml").write_text(CLOUD)
    for keywords in (
        {"mode": "production", "audit_folder": "elsewhere"},
        {"audit_folder": "elsewhere", "mode": "production"},
    ):
        with pytest.raises(zt.ConfigError, match="may not set `audit.folder`: a production"):
            zt.open(own_world.folder, **keywords)  # type: ignore[arg-type]
    assert not (own_world.folder / "elsewhere").exists()


def test_a_closed_runtime_refuses_and_closes_again(own_world: World) -> None:
    rt = zt.open(own_world.folder)
    maya = rt.authenticate(own_world.token("maya"))
    with pytest.raises(zt.Invalid, match="timeout"):
        rt.close(-1)
    rt.close()
    rt.close(timeout=0)
    for call in (
        lambda: maya.check("table.read", "table:raw.loan_applications"),
        lambda: maya.secret("adb-token"),
        lambda: rt.authenticate("any"),
        lambda: rt.reload(),
    ):
        with pytest.raises(zt.Cancelled) as caught:
            call()
        assert (caught.value.code, caught.value.http_status) == ("ZT-8002", 503)
        assert not caught.value.is_transient
