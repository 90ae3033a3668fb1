"""zt on Databricks: a drop-in for `dbutils.secrets`, and the credentials of Unity Catalog.

What a notebook says today, `dbutils.secrets.get("bureau", "api-key")`, gives a str that every print, log and traceback may show.
`Secrets` takes the same calls, asks the policy and writes the audit log. It still gives a str, and says so by an
`ExposedSecretWarning`; `Secrets.secret` gives a `zt.Secret`, which is where to go from there. `zt migrate scan PATHS` on a shell
finds the calls and drafts the rows.

>>> import zt.databricks
>>> secrets = zt.databricks.Secrets(job, {"bureau": {"api-key": "bureau-api-key"}})
>>> secrets.listScopes(), secrets.list("bureau")
([SecretScope(name='bureau')], [SecretMetadata(key='api-key')])
"""

from __future__ import annotations

import warnings
from collections import namedtuple

from zt._errors import ConfigError, ExposedSecretWarning, Invalid, NotFound

TYPE_CHECKING = False
if TYPE_CHECKING:
    from builtins import list as list_
    from collections.abc import Iterable, Mapping, Sequence
    from typing import Any, NoReturn

    from zt._zt import Secret, Session, TokenCredential

__all__ = ["DBUtils", "ExposedBytes", "ExposedSecret", "SecretMetadata", "SecretScope", "Secrets", "credential"]

SecretScope = namedtuple("SecretScope", ["name"])
SecretScope.__doc__ = "A scope, as `dbutils.secrets.listScopes` has it."
SecretMetadata = namedtuple("SecretMetadata", ["key"])
SecretMetadata.__doc__ = "A key of a scope, as `dbutils.secrets.list` has it."

PICKLED = "an exposed secret does not leave its process: pass its name, and read it there with `session.secret(name)`"


class _Exposed:
    """What the exposed forms share: their own repr and HTML show nothing, and they are not pickled."""

    def __repr__(self) -> str:
        return f"[exposed {type(self).__name__}]"

    def __copy__(self) -> _Exposed:
        return self

    def __deepcopy__(self, memo: object) -> _Exposed:
        return self

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        raise TypeError(PICKLED)

    def __reduce__(self) -> NoReturn:
        raise TypeError(PICKLED)

    def __getnewargs__(self) -> NoReturn:
        raise TypeError(PICKLED)

    def _repr_html_(self) -> str:
        return repr(self)


class ExposedSecret(_Exposed, str):
    """The value of a secret as a str: it works wherever a str does, so `print`, f-strings and everything made of it show the
    value, and so do `%whos`, `token?` and the pane of variables of a notebook, which call `str`. Its own repr, and so the last
    line of a cell, does not; `pickle` refuses it.

    >>> token = zt.databricks.ExposedSecret("sample")
    >>> token, f"Bearer {token}"
    ([exposed ExposedSecret], 'Bearer sample')
    """

    __slots__ = ()


class ExposedBytes(_Exposed, bytes):
    """The same as bytes.

    >>> zt.databricks.ExposedBytes(b"sample")
    [exposed ExposedBytes]
    """

    __slots__ = ()


class Secrets:
    """`dbutils.secrets` on rows of Secret_References: the same calls, under the policy and in the audit log.

    `scopes` says what a scope and a key are: `{"bureau": {"api-key": "bureau-api-key"}}`, or `{"kv": ["adb-token"]}` where a
    key is called as its row of Secret_References.

    >>> import warnings
    >>> secrets = zt.databricks.Secrets(job, {"bureau": ["bureau-api-key"]})
    >>> with warnings.catch_warnings(record=True) as told:
    ...     token = secrets.get("bureau", "bureau-api-key")
    >>> token, told[0].category.__name__
    ([exposed ExposedSecret], 'ExposedSecretWarning')
    >>> secrets.secret("bureau", "bureau-api-key").name        # where to go from there
    'bureau-api-key'
    """

    def __init__(self, session: Session, scopes: Mapping[str, Mapping[str, str] | Iterable[str]]) -> None:
        self._session = session
        self._scopes: dict[str, dict[str, str]] = {}
        for scope, keys in scopes.items():
            if isinstance(keys, str):
                raise TypeError(f"the keys of scope `{scope}` must be several, as a dict or a list, not one str")
            references: Any = keys
            pairs = references.items() if hasattr(keys, "items") else ((key, key) for key in references)
            self._scopes[scope] = dict(pairs)

    def get(self, scope: str, key: str) -> ExposedSecret:
        """The value as a str. Each call stands in the audit log with `exposed_to`, on disk, and warns; Python shows a warning once
        for each line unless its filters say more.

        Raises NotFound for a scope or key that the mapping does not have, Invalid for a value that is not UTF-8, else as
        `Session.secret`.
        """
        with self._expose(scope, key, "dbutils.secrets.get").reveal() as view:
            try:
                return ExposedSecret(view, "utf-8")
            except UnicodeDecodeError:
                pass  # its text and its `object` hold the value
        raise Invalid(f"secret `{scope}/{key}` is no text in UTF-8", code="ZT-5001", help="read it with `getBytes`")

    def getBytes(self, scope: str, key: str) -> ExposedBytes:  # noqa: N802 - Databricks calls it so
        """The value as bytes; else as `get`."""
        with self._expose(scope, key, "dbutils.secrets.getBytes").reveal() as view:
            return ExposedBytes(view)

    def secret(self, scope: str, key: str) -> Secret:
        """The `zt.Secret` of a scope and key, which nothing prints: `with secrets.secret(scope, key).reveal() as view:`."""
        return self._session.secret(self._reference(scope, key))

    def list(self, scope: str) -> list_[SecretMetadata]:
        """The keys of a scope that the caller may read now, in order. One whose id in the mapping is no name of a secret is none
        of them; `get` says why."""
        keys = sorted(self._keys(scope).items())
        try:
            may = self._may(keys)
        except Invalid:
            may = [self._may_one(one) for one in keys]
        return [SecretMetadata(key) for (key, _), is_allowed in zip(keys, may, strict=True) if is_allowed]

    def _may(self, keys: Sequence[tuple[str, str]]) -> list_[bool]:
        return self._session.check_many("secret.get", [f"secret:{reference}" for _, reference in keys])

    def _may_one(self, key: tuple[str, str]) -> bool:
        try:
            return self._may([key])[0]
        except Invalid:
            return False

    def listScopes(self) -> list_[SecretScope]:  # noqa: N802 - Databricks calls it so
        """The scopes of the mapping, in order."""
        return [SecretScope(scope) for scope in sorted(self._scopes)]

    def _expose(self, scope: str, key: str, exposed_to: str) -> Secret:
        reference = self._reference(scope, key)
        secret = self._session._secret_to_expose(reference, exposed_to)
        message = f"`{exposed_to}` gives secret `{reference}` as plain text, which nothing protects: use `session.secret`"
        warnings.warn(message, ExposedSecretWarning, stacklevel=3)
        return secret

    def _reference(self, scope: str, key: str) -> str:
        reference = self._keys(scope).get(key)
        if reference is None:
            message = f"scope `{scope}` has no key `{key}`"
            raise NotFound(message, help="name its row of Secret_References in `scopes`; `zt migrate scan` drafts both")
        return reference

    def _keys(self, scope: str) -> dict[str, str]:
        keys = self._scopes.get(scope)
        if keys is None:
            known = ", ".join(sorted(self._scopes)) or "none"
            raise NotFound(f"there is no scope `{scope}`", help=f"the mapping has {known}")
        return keys

    def __repr__(self) -> str:
        return f"Secrets({', '.join(sorted(self._scopes))})"


class DBUtils:
    """`dbutils` as it is, but for `secrets`: `dbutils = zt.databricks.DBUtils(dbutils, secrets)` at the top of a notebook.

    >>> class Before:
    ...     fs = "the file system"
    >>> dbutils = zt.databricks.DBUtils(Before(), zt.databricks.Secrets(job, {"bureau": ["bureau-api-key"]}))
    >>> dbutils.fs, dbutils.secrets
    ('the file system', Secrets(bureau))
    """

    def __init__(self, dbutils: Any, secrets: Secrets) -> None:
        self._dbutils = dbutils
        self.secrets = secrets

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") or name == "_dbutils":
            raise AttributeError(name)
        return getattr(self._dbutils, name)


def credential(name: str, *, dbutils: Any = None) -> TokenCredential:
    """A service credential of Unity Catalog, for `zt.open(folder, credential=zt.databricks.credential("zt-runtime"))`.

    `dbutils` is found by itself in a notebook; in a UDF the library of Databricks is asked. Raises ConfigError (ZT-7002) where
    there is neither, or where they know no such credential.

    >>> zt.databricks.credential("zt-runtime")
    Traceback (most recent call last):
    ...
    zt._errors.ConfigError: [ZT-7002] there is no way to the service credential `zt-runtime`: ...
    """
    provider = _provider(dbutils)
    if provider is None:
        message = f"there is no way to the service credential `{name}`: this is no notebook, job or UDF of Databricks"
        raise ConfigError(message, code="ZT-7002", help="give an object with `get_token`, such as azure.identity's")
    try:
        found = provider(name)
    except Exception as error:
        # Its text is Databricks' own, which may name more than the credential.
        message = f"Databricks gives no service credential `{name}`: {type(error).__name__}"
        raise ConfigError(message, code="ZT-7002", help="grant ACCESS on it to who runs this, and use a runtime of 16.2 or later") from None
    if not callable(getattr(found, "get_token", None)):
        raise ConfigError(f"the service credential `{name}` gives no tokens of Azure", code="ZT-7002")
    return found  # type: ignore[no-any-return]


def _provider(dbutils: Any) -> Any:
    import sys
    from importlib import import_module

    if dbutils is None:
        ipython = sys.modules.get("IPython")
        shell = ipython.get_ipython() if ipython is not None else None
        dbutils = getattr(shell, "user_ns", {}).get("dbutils")
    provider = getattr(getattr(dbutils, "credentials", None), "getServiceCredentialsProvider", None)
    if provider is not None:
        return provider
    try:
        return import_module("databricks.service_credentials").getServiceCredentialsProvider
    except (ImportError, AttributeError):
        return None
