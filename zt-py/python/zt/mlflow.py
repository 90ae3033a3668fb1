"""Models that are asked only by whom the policy allows, and loaded only from a checked copy of their files.

Works with whatever has `predict`: a pyfunc of MLflow, an estimator of scikit-learn, a class of one's own. MLflow is not needed;
where it is there, `Guarded.to_python_model` makes what `mlflow.pyfunc.log_model(python_model=...)` takes.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
import threading
import weakref
from pathlib import Path

from zt._errors import Integrity, Invalid, Unauthenticated

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any

    from zt._zt import Session

__all__ = ["Guarded", "digest"]

PART = 1 << 20


class Guarded:
    """A model behind `session.require("model.infer", "model:NAME")`, which is asked at each prediction.

    `model` is an object with `predict`, or the path of a file or folder, which `load` makes a model of when it is first
    asked. `load` gets the path of a private copy, whose own bytes were found to be those of `sha256` (`digest(path)`): what
    happens to the files meanwhile, or later, changes nothing. The copy stays in the temporary folder (`TMPDIR`) as long as
    the guard, because models read on from it.

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
        if not self._is_path and (load is not None or sha256 is not None):
            raise TypeError("`load` and `sha256` are for a path: the files of a model that is loaded already are not checked")
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
        self._loading = threading.RLock()

    def predict(self, *rows: Any, **options: Any) -> Any:
        """Asks the policy, then the model. Raises Denied, with the decision; the model is not asked then."""
        return self._ask("predict", rows, options)

    def predict_proba(self, *rows: Any, **options: Any) -> Any:
        """The same for the method `predict_proba` of classifiers."""
        return self._ask("predict_proba", rows, options)

    def load(self) -> None:
        """Copies and checks the files and loads the model now, instead of at the first prediction; once, however many threads ask.
        Needs no right.

        Raises Integrity (ZT-6001) when the files are not those of `sha256`; nothing is loaded then.
        """
        if self._model is not None or self._load is None:
            return
        with self._loading:
            if self._model is not None:  # another thread was first
                return
            folder = tempfile.mkdtemp(prefix="zt-model-")  # entered by its owner alone
            try:
                model = self._load(_copy(Path(self._given), Path(folder), self.sha256))
            except BaseException:
                shutil.rmtree(folder, ignore_errors=True)
                raise
            weakref.finalize(self, _remove, folder, os.getpid())
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
        state = self.__dict__ | {"_session": None, "_model": None if self._is_path else self._model}
        del state["_loading"]
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state, _loading=threading.RLock())

    def __repr__(self) -> str:
        return f"Guarded({self.name})"


def digest(path: str | os.PathLike[str]) -> str:
    """The SHA-256 of a file, or of all files of a folder: of the text that `sha256sum` prints of them, sorted by their path, with
    `/` between its parts. Empty folders and the files' modes are not in it.

    Raises Invalid for a link and for what is neither file nor folder, since what it names can change without notice, and for
    a name with a control character or a backslash; OSError for a folder that cannot be listed.

    >>> import pathlib
    >>> len(zt.mlflow.digest(pathlib.Path(folder) / "zt.toml"))
    64
    """
    root = Path(path)
    return _digest((name, _sha256(file)) for name, file in _files(root))


def _files(root: Path) -> Iterator[tuple[str, Path]]:
    """The files with their names below the root; a file itself has none."""
    if root.is_symlink() or not (root.is_file() or root.is_dir()):
        raise Invalid(f"`{root}` is no file or folder that can be checked", code="ZT-5001", help="links are refused")
    if root.is_file():
        yield "", root
        return
    for folder, folders, files in os.walk(root, onerror=_raise):
        for name in [*folders, *files]:
            found = Path(folder, name)
            if found.is_symlink() or not (found.is_file() or found.is_dir()):
                raise Invalid(f"`{found}` is no file or folder that can be checked", code="ZT-5001", help="links are refused")
            if any(ord(character) < 32 or character in "\x7f\\" for character in name):
                message = f"the name {name!r} in `{root}` has a control character or a backslash, and could pass for several"
                raise Invalid(message, code="ZT-5001", help="rename it")
        yield from ((Path(folder, name).relative_to(root).as_posix(), Path(folder, name)) for name in files)


def _raise(error: OSError) -> None:
    raise error


def _digest(files: Iterator[tuple[str, str]]) -> str:
    lines = sorted((name.encode("utf-8", "surrogateescape"), sha256) for name, sha256 in files)
    if lines and not lines[0][0]:
        return lines[0][1]
    return hashlib.sha256(b"".join(b"%s  %s\n" % (sha256.encode(), name) for name, sha256 in lines)).hexdigest()


def _sha256(path: Path, copy: Path | None = None) -> str:
    """Of the bytes that were read, which are those of the copy."""
    found = hashlib.sha256()
    opened = os.open(path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0))
    with open(opened, "rb") as file, open(copy or os.devnull, "xb" if copy else "wb") as into:  # noqa: PTH123 - a descriptor
        while part := file.read(PART):
            found.update(part)
            into.write(part)
    return found.hexdigest()


def _copy(root: Path, into: Path, sha256: str | None) -> str:
    """Copies the files and answers where, if the copy is what was approved."""
    target = into / (root.resolve().name or "model")

    def copied(name: str, file: Path) -> str:
        place = target / name if name else target
        place.parent.mkdir(parents=True, exist_ok=True)
        return _sha256(file, place)

    found = _digest((name, copied(name, file)) for name, file in _files(root))
    if found != sha256:
        message = f"the files of `{root}` are not those that were approved: their SHA-256 is {found}"
        raise Integrity(message, help="load the approved version, or approve this one and change `sha256`")
    if not target.exists():  # a folder without files
        target.mkdir()
    return str(target)


def _remove(folder: str, process: int) -> None:
    if os.getpid() == process:  # a forked child reads on from its parent's
        shutil.rmtree(folder, ignore_errors=True)
