"""Models that are asked only by whom the policy allows, and loaded only when their files are what they were.

Works with whatever has `predict`: a pyfunc of MLflow, an estimator of scikit-learn, a class of one's own. MLflow is not needed;
where it is there, `Guarded.to_python_model` makes what `mlflow.pyfunc.log_model(python_model=...)` takes.
"""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from zt._errors import Integrity, Invalid, Unauthenticated

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from zt._zt import Session

__all__ = ["Guarded", "digest"]

PART = 1 << 20


class Guarded:
    """A model behind `session.require("model.infer", "model:NAME")`, which is asked at each prediction.

    `model` is an object with `predict`, or the path of a file or folder, which `load` makes a model of when it is first
    asked: after its `sha256` was found to be that of `digest(path)`, and not changed again when it was loaded.

    `session` is a session, or a function that signs in and answers one: in each process once, and again when it has ended. With
    a function of a module the whole pickles, to workers, registries and endpoints: neither the session nor a model that
    was loaded from files travels, only how to get them. A session itself does not pickle.

    >>> import zt.mlflow
    >>> class Scorer:
    ...     def predict(self, rows):
    ...         return [0.9 for _ in rows]
    >>> scorer = zt.mlflow.Guarded(Scorer(), name="car_loan_scorer", session=maya)
    >>> scorer.predict([1, 2])
    [0.9, 0.9]
    >>> zt.mlflow.Guarded(Scorer(), name="car_loan_scorer", session=elin).predict([1])
    Traceback (most recent call last):
    ...
    zt._errors.Denied: [ZT-1001] ...
    """

    def __init__(
        self,
        model: Any,
        *,
        name: str,
        session: Session | Callable[[], Session],
        load: Callable[[str], Any] | None = None,
        sha256: str | None = None,
    ) -> None:
        self._is_path = isinstance(model, str | os.PathLike)
        if self._is_path and load is None:
            raise TypeError("a model that is a path needs `load`, such as `joblib.load` or `mlflow.pyfunc.load_model`")
        if self._is_path and sha256 is None:
            raise TypeError("a model that is a path needs `sha256`: `zt.mlflow.digest(path)` tells it")
        if not self._is_path and not callable(getattr(model, "predict", None)):
            raise TypeError(f"a model has `predict`, and {type(model).__name__} has none")
        if sha256 is not None and (len(sha256) != 64 or not set(sha256.lower()) <= set("0123456789abcdef")):
            raise Invalid("`sha256` is not 64 hexadecimal digits", code="ZT-5001")
        self.name = name
        """Its row of ML_Models."""
        self.sha256 = sha256.lower() if sha256 else None
        """What its files must be, if it is loaded from files."""
        self._given, self._load, self._sign_in = os.fspath(model) if self._is_path else model, load, session
        self._session: tuple[int, Session] | None = None
        self._model: Any = None if self._is_path else model

    def predict(self, *rows: Any, **options: Any) -> Any:
        """Asks the policy, then the model. Raises Denied, with the decision; the model is not asked then."""
        return self._ask("predict", rows, options)

    def predict_proba(self, *rows: Any, **options: Any) -> Any:
        """The same for the method `predict_proba` of classifiers."""
        return self._ask("predict_proba", rows, options)

    def load(self) -> None:
        """Checks the files and loads the model now, instead of at the first prediction. Needs no right.

        Raises Integrity (ZT-6001) when the files are not those of `sha256`; nothing is loaded then.
        """
        if self._model is not None or self._load is None:
            return
        path = str(self._given)
        _refuse_other(path, self.sha256)
        model = self._load(path)
        _refuse_other(path, self.sha256)  # exchanged while it was loaded
        self._model = model

    def at(self, path: str | os.PathLike[str]) -> Guarded:
        """The same for files that lie elsewhere, such as an artifact that was downloaded."""
        if self._load is None:
            raise TypeError("this model was not given as a path")
        return Guarded(os.fspath(path), name=self.name, session=self._sign_in, load=self._load, sha256=self.sha256)

    def to_python_model(self) -> Any:
        """As `mlflow.pyfunc.PythonModel`. Files that are logged as the artifact `model` are checked and loaded from there.

        Needs MLflow; raises ImportError without it.
        """
        from zt._mlflow_model import GuardedModel

        return GuardedModel(self)

    def _ask(self, method: str, rows: tuple[Any, ...], options: dict[str, Any]) -> Any:
        self._require()
        self.load()
        return getattr(self._model, method)(*rows, **options)

    def _require(self) -> None:
        resource = f"model:{self.name}"
        if not callable(self._sign_in):
            self._sign_in.require("model.infer", resource)
            return
        process = os.getpid()
        is_new = self._session is None or self._session[0] != process
        session = self._sign_in() if is_new else self._session[1]  # type: ignore[index]
        self._session = process, session
        try:
            session.require("model.infer", resource)
        except Unauthenticated:
            if is_new:
                raise
            self._session = process, self._sign_in()  # its token has ended
            self._session[1].require("model.infer", resource)

    def __getstate__(self) -> dict[str, Any]:
        if not callable(self._sign_in):
            message = "a session does not leave its process: give Guarded a function of a module that signs in"
            raise TypeError(message)
        return self.__dict__ | {"_session": None, "_model": None if self._is_path else self._model}

    def __repr__(self) -> str:
        return f"Guarded({self.name})"


def digest(path: str | os.PathLike[str]) -> str:
    """The SHA-256 of a file, or of all files of a folder: of the text that `sha256sum` prints of them, sorted by their path, with
    `/` between its parts.

    Raises Invalid for a link and for what is neither file nor folder: what it names can change without notice.

    >>> import pathlib
    >>> len(zt.mlflow.digest(pathlib.Path(folder) / "zt.toml"))
    64
    """
    root = Path(path)
    if root.is_symlink() or not (root.is_file() or root.is_dir()):
        raise Invalid(f"`{root}` is no file or folder that can be checked", code="ZT-5001", help="links are refused")
    if root.is_file():
        return _of_file(root)
    lines = []
    for folder, folders, files in os.walk(root):
        for name in [*folders, *files]:
            found = Path(folder, name)
            if found.is_symlink() or not (found.is_file() or found.is_dir()):
                raise Invalid(f"`{found}` is no file or folder that can be checked", code="ZT-5001", help="links are refused")
        lines += [(Path(folder, name).relative_to(root).as_posix(), Path(folder, name)) for name in files]
    manifest = "".join(f"{_of_file(file)}  {name}\n" for name, file in sorted(lines))
    return hashlib.sha256(manifest.encode("utf-8", "surrogateescape")).hexdigest()


def _of_file(path: Path) -> str:
    found = hashlib.sha256()
    with path.open("rb") as file:
        while part := file.read(PART):
            found.update(part)
    return found.hexdigest()


def _refuse_other(path: str, sha256: str | None) -> None:
    found = digest(path)
    if found != sha256:
        message = f"the files of `{path}` are not those that were approved: their SHA-256 is {found}"
        raise Integrity(message, help="load the approved version, or approve this one and change `sha256`")
