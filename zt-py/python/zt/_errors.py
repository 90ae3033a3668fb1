"""The exceptions of zt: one base, one class for each thing that a program can do about a failure.

They live in Python, so that they pickle with all they know and may have a second base where Python has the word.
"""

from __future__ import annotations

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from zt._zt import Decision


class Error(Exception):
    """Any failure of zt.

    >>> try:
    ...     maya.require("table.read", "table:raw.loan_applications")
    ... except zt.Error as error:
    ...     error.code, error.http_status, error.is_transient
    ('ZT-1001', 403, False)
    """

    code: str = "ZT-9001"
    """The stable code. Its number never changes and is never used again."""
    help: str | None = None
    """What to do about it, if zt knows."""
    public_message: str = "internal error"
    """The text that a remote caller may see: it helps to act and tells an attacker nothing."""
    http_status: int = 500
    """The HTTP status that a service should answer its remote caller with."""
    is_transient: bool = False
    """Whether the same call may succeed later without any change."""
    retry_after_s: int | None = None
    """The header `Retry-After` of that answer, in whole seconds, if it is known when to try again."""
    challenge: str | None = None
    """The header `WWW-Authenticate` of that answer; None where the status needs none."""
    claims: str | None = None
    """The claims request in that challenge, JSON: what the caller's client sends back with its next sign-in."""

    def __init__(
        self,
        message: str = "",
        *,
        code: str | None = None,
        help: str | None = None,
        public_message: str | None = None,
        http_status: int | None = None,
        is_transient: bool | None = None,
        retry_after_s: int | None = None,
        challenge: str | None = None,
        claims: str | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        given = {
            "code": code,
            "help": help,
            "public_message": public_message,
            "http_status": http_status,
            "is_transient": is_transient,
            "retry_after_s": retry_after_s,
            "challenge": challenge,
            "claims": claims,
        }
        self.__dict__.update((name, value) for name, value in given.items() if value is not None)

    if sys.version_info < (3, 11):

        def add_note(self, note: str, /) -> None:
            """As exceptions of later Pythons have it."""
            self.__notes__ = [*getattr(self, "__notes__", []), note]

    def __str__(self) -> str:
        text = f"[{self.code}] {self.message}"
        return f"{text}; {self.help}" if self.help else text

    def __reduce__(self) -> tuple[Any, ...]:
        return _restore, (type(self), self.message, self.__dict__.copy())


class Denied(Error, PermissionError):
    """The policy says no.

    >>> try:
    ...     maya.require("table.read", "table:raw.loan_applications")
    ... except zt.Denied as error:
    ...     error.decision.policies, error.decision.why
    (('AP-02',), 'raw applications hold salary and debt figures')
    """

    code = "ZT-1001"
    public_message = "access denied"
    http_status = 403

    def __init__(self, message: str = "", *, decision: Decision | None = None, **facts: Any) -> None:
        super().__init__(message, **facts)
        self.decision = decision
        """The decision behind it: its rows, its `why`, its id in the audit log."""


class Unauthenticated(Error):
    """The token does not prove who is calling, or nobody signed in. The text is for the log of this process alone.

    >>> try:
    ...     rt.authenticate("not a token")
    ... except zt.Unauthenticated as error:
    ...     error.http_status, error.challenge
    (401, 'Bearer realm="", error="invalid_token"')
    """

    code = "ZT-2001"
    public_message = "invalid_token"
    http_status = 401


class NotFound(Error, LookupError):
    """The thing named does not exist.

    >>> jonas.plan(999)
    Traceback (most recent call last):
    ...
    zt._errors.NotFound: [ZT-3001] ...
    """

    code = "ZT-3001"
    public_message = "not found"
    http_status = 404


class Unavailable(Error):
    """The vault, the audit log, Entra or its keys cannot be reached now; the same call may succeed later.

    >>> error = zt.Unavailable("the vault asks for a pause", retry_in=2.5)
    >>> error.is_transient, error.retry_in, error.http_status
    (True, 2.5, 503)
    """

    code = "ZT-4001"
    public_message = "temporarily unavailable"
    http_status = 503
    is_transient = True

    def __init__(self, message: str = "", *, retry_in: float | None = None, **facts: Any) -> None:
        super().__init__(message, **facts)
        self.retry_in = retry_in
        """When to try again, in seconds, if that is known."""


class Invalid(Error, ValueError):
    """An argument or the metadata tables are malformed.

    >>> maya.check("table.raed", "table:gold.loan_scores")
    Traceback (most recent call last):
    ...
    zt._errors.Invalid: [ZT-5001] ...
    """

    code = "ZT-5001"
    public_message = "invalid request"
    http_status = 400

    def __init__(
        self, message: str = "", *, problems: list[dict[str, Any]] | None = None, **facts: Any
    ) -> None:
        super().__init__(message, **facts)
        self.problems = problems if problems is not None else []
        """Every problem of the tables: place, table, row, column, text, reason and the nearest valid value."""


class Integrity(Error):
    """Stored or received bytes are not what was written: damage or tampering.

    >>> ines.file_opener("loan_scores_delta", b"no sealed file")
    Traceback (most recent call last):
    ...
    zt._errors.Integrity: [ZT-6003] ...
    """

    code = "ZT-6001"


class ConfigError(Error):
    """The configuration is wrong, the process has no identity of its own, or a handle was carried over a fork.

    >>> zt.open("/no/such/folder")
    Traceback (most recent call last):
    ...
    zt._errors.ConfigError: [ZT-7001] ...
    """

    code = "ZT-7001"


class Cancelled(Error):
    """The operation was given up before it ended, or its runtime is closed.

    >>> with zt.open(folder) as runtime:
    ...     session = runtime.authenticate(token)
    >>> session.check("model.infer", "model:car_loan_scorer")
    Traceback (most recent call last):
    ...
    zt._errors.Cancelled: [ZT-8002] ...
    """

    code = "ZT-8001"
    public_message = "cancelled"
    http_status = 499


class InternalError(Error):
    """A defect of zt.

    >>> zt.InternalError("please report it").http_status
    500
    """


class ExposedSecretWarning(UserWarning):
    """The value of a secret became a str, which nothing protects any more: not from prints, logs, pickles and tracebacks. Each
    such read stands in the audit log with `exposed_to`.

    Tests may make it an error:

    >>> import warnings, zt.databricks
    >>> secrets = zt.databricks.Secrets(job, {"bureau": ["bureau-api-key"]})
    >>> with warnings.catch_warnings():
    ...     warnings.simplefilter("error", zt.ExposedSecretWarning)
    ...     secrets.get("bureau", "bureau-api-key")
    Traceback (most recent call last):
    ...
    zt._errors.ExposedSecretWarning: `dbutils.secrets.get` gives secret `bureau-api-key` as plain text, ...
    """


def _restore(kind: type[Error], message: str, facts: dict[str, Any]) -> Error:
    error = kind(message)
    error.__dict__.update(facts)
    return error
