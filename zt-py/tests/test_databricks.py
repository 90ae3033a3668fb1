"""The drop-in for `dbutils.secrets`: the same calls, audited, warned about, and seen by nobody who looks at the object."""

from __future__ import annotations

import copy
import pickle
import sys
import traceback
import types
import warnings
from collections.abc import Iterator
from typing import Any

import pytest
from conftest import NEEDLE, SignIn, World

import zt
from zt import databricks

SCOPES = {"bureau": {"api-key": "bureau-api-key"}, "kv": ["bureau-api-key", "adb-token"]}


@pytest.fixture
def secrets(job: zt.Session) -> databricks.Secrets:
    return databricks.Secrets(job, SCOPES)


def quietly(call: Any) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", zt.ExposedSecretWarning)
        return call()


def test_the_calls_are_those_of_dbutils(secrets: databricks.Secrets) -> None:
    token = quietly(lambda: secrets.get("bureau", "api-key"))
    assert isinstance(token, str) and (token == NEEDLE) is True and (f"Bearer {token}" == "Bearer " + NEEDLE) is True
    assert (quietly(lambda: secrets.get(scope="kv", key="bureau-api-key")) == NEEDLE) is True
    raw = quietly(lambda: secrets.getBytes("bureau", "api-key"))
    assert isinstance(raw, bytes) and (raw == NEEDLE.encode()) is True
    assert [scope.name for scope in secrets.listScopes()] == ["bureau", "kv"]
    assert [metadata.key for metadata in secrets.list("bureau")] == ["api-key"]


def test_only_what_may_be_read_is_listed(secrets: databricks.Secrets, sign_in: SignIn) -> None:
    assert [metadata.key for metadata in secrets.list("kv")] == ["bureau-api-key"]
    assert databricks.Secrets(sign_in("maya"), SCOPES).list("kv") == []


def test_one_wrong_id_in_the_mapping_hides_no_other_key(job: zt.Session) -> None:
    secrets = databricks.Secrets(job, {"bureau": {"api-key": "bureau-api-key", "odd": "no such name / of a secret", "x": ""}})
    assert [metadata.key for metadata in secrets.list("bureau")] == ["api-key"]
    with pytest.raises(zt.Invalid):
        quietly(lambda: secrets.get("bureau", "x"))


def test_each_exposure_warns_and_stands_in_the_log(secrets: databricks.Secrets, sign_in: SignIn) -> None:
    for _ in range(2):
        with pytest.warns(zt.ExposedSecretWarning, match="use `session.secret`") as told:
            secrets.get("bureau", "api-key")
        assert told[0].filename == __file__
    exposed = [entry for entry in sign_in("priya").audit_tail(20) if "exposed_to" in entry.get("detail", {})]
    assert [entry["detail"]["exposed_to"] for entry in exposed[-2:]] == ["dbutils.secrets.get"] * 2
    assert exposed[-1]["caller"] == "sp:sp-score-201" and exposed[-1]["resource"] == "secret:bureau-api-key"
    assert (NEEDLE in str(exposed)) is False
    with warnings.catch_warnings(), pytest.raises(zt.ExposedSecretWarning):
        warnings.simplefilter("error", zt.ExposedSecretWarning)
        secrets.getBytes("bureau", "api-key")


@pytest.mark.parametrize("read", ["get", "getBytes"])
def test_who_looks_at_the_object_sees_no_value(secrets: databricks.Secrets, read: str) -> None:
    value = quietly(lambda: getattr(secrets, read)("bureau", "api-key"))
    looks = [repr(value), f"{value!r}", f"{[value]}", f"{ {'token': value} }", value._repr_html_(), ascii(value)]
    try:
        token = value  # noqa: F841 - a local of the frame
        raise RuntimeError("the bureau is closed")
    except RuntimeError as error:
        looks.append("".join(traceback.TracebackException.from_exception(error, capture_locals=True).format()))
    assert not [look for look in looks if NEEDLE in look]
    assert copy.copy(value) is value and copy.deepcopy([value])[0] is value
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        with pytest.raises(TypeError, match="does not leave its process"):
            pickle.dumps(value, protocol)
    for call in (value.__reduce__, value.__getnewargs__, lambda: value.__reduce_ex__(2)):
        with pytest.raises(TypeError, match="does not leave its process"):
            call()


def test_a_deny_is_a_deny(job: zt.Session) -> None:
    secrets = databricks.Secrets(job.claiming(201, 1), SCOPES)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(zt.Denied):
            secrets.get("bureau", "api-key")
        with pytest.raises(zt.Denied):
            secrets.secret("bureau", "api-key")


def test_unknown_scopes_and_keys_are_not_found(secrets: databricks.Secrets) -> None:
    with pytest.raises(zt.NotFound, match="there is no scope `burau`; the mapping has bureau, kv"):
        secrets.get("burau", "api-key")
    with pytest.raises(LookupError, match="scope `bureau` has no key `key`"):
        secrets.secret("bureau", "key")
    with pytest.raises(zt.NotFound, match="there is no scope"):
        secrets.list("none")
    with pytest.raises(TypeError, match="keys of scope `a` must be several"):
        databricks.Secrets(None, {"a": "b"})  # type: ignore[arg-type]


def test_bytes_that_are_no_text_are_refused_without_a_trace(own_world: World) -> None:
    command = [own_world.zt_bin, "-C", str(own_world.folder), "vault", "set", "bureau-api-key"]
    import subprocess

    set_ = subprocess.run(command, input=NEEDLE.encode() + b"\xff", capture_output=True)
    assert set_.returncode == 0
    with zt.open(own_world.folder) as rt:
        secrets = databricks.Secrets(rt.authenticate(own_world.token("sp-score-201")).claiming(201, 2), SCOPES)
        with pytest.raises(zt.Invalid, match="no text in UTF-8; read it with `getBytes`") as raised:
            quietly(lambda: secrets.get("bureau", "api-key"))
        assert raised.value.__context__ is None and raised.value.__cause__ is None


def test_dbutils_is_as_it_was_but_for_secrets(secrets: databricks.Secrets) -> None:
    before = types.SimpleNamespace(fs="fs", secrets="theirs")
    dbutils = databricks.DBUtils(before, secrets)
    assert dbutils.fs == "fs" and dbutils.secrets is secrets
    with pytest.raises(AttributeError):
        dbutils.widgets
    with pytest.raises(TypeError):
        pickle.dumps(dbutils)


class Credential:
    def get_token(self, *scopes: str) -> Any:
        raise NotImplementedError


@pytest.fixture
def dbutils() -> Iterator[Any]:
    def provider(name: str) -> Any:
        if name == "none":
            raise RuntimeError(f"{NEEDLE}: no such credential")
        return Credential() if name == "azure" else object()

    yield types.SimpleNamespace(credentials=types.SimpleNamespace(getServiceCredentialsProvider=provider))


def test_a_service_credential_is_found_where_databricks_has_it(dbutils: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    assert isinstance(databricks.credential("azure", dbutils=dbutils), Credential)
    with pytest.raises(zt.ConfigError, match="RuntimeError; grant ACCESS") as raised:
        databricks.credential("none", dbutils=dbutils)
    assert raised.value.code == "ZT-7002" and (NEEDLE in str(raised.value)) is False and raised.value.__suppress_context__
    with pytest.raises(zt.ConfigError, match="gives no tokens of Azure"):
        databricks.credential("aws", dbutils=dbutils)
    shell = types.SimpleNamespace(user_ns={"dbutils": dbutils})
    monkeypatch.setitem(sys.modules, "IPython", types.SimpleNamespace(get_ipython=lambda: shell))  # type: ignore[arg-type]
    assert isinstance(databricks.credential("azure"), Credential)
    shell.user_ns = {}
    with pytest.raises(zt.ConfigError, match="no notebook, job or UDF of Databricks"):
        databricks.credential("azure")
    library = types.ModuleType("databricks.service_credentials")
    library.getServiceCredentialsProvider = dbutils.credentials.getServiceCredentialsProvider  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "databricks.service_credentials", library)
    monkeypatch.setitem(sys.modules, "databricks", types.ModuleType("databricks"))
    assert isinstance(databricks.credential("azure"), Credential)
