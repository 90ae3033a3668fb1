"""Guarded models: asked only by whom the policy allows, loaded only from the files that were approved."""

from __future__ import annotations

import gc
import hashlib
import importlib.util
import os
import pickle
import py_compile
import subprocess
import sys
import tempfile
import textwrap
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from conftest import SignIn, World

import zt
import zt.mlflow


class Scorer:
    calls = 0

    def __init__(self, factor: float = 0.5) -> None:
        self.factor = factor

    def predict(self, rows: list[float], params: dict[str, float] | None = None) -> list[float]:
        Scorer.calls += 1
        return [row * (params or {}).get("factor", self.factor) for row in rows]

    def predict_proba(self, rows: list[float]) -> list[tuple[float, float]]:
        return [(row, 1 - row) for row in rows]


def load(path: str) -> Scorer:
    return Scorer(float(Path(path).read_text() if Path(path).is_file() else Path(path, "factor").read_text()))


def never() -> zt.Session:
    raise AssertionError("nobody signs in")


def test_each_prediction_asks_the_policy(sign_in: SignIn) -> None:
    scorer = zt.mlflow.Guarded(Scorer(), name="car_loan_scorer", session=sign_in("maya"))
    assert scorer.predict([1.0]) == [0.5] and scorer.predict([1.0], params={"factor": 2.0}) == [2.0]
    assert scorer.predict_proba([0.25]) == [(0.25, 0.75)] and repr(scorer) == "Guarded(car_loan_scorer)"
    before = Scorer.calls
    refused = zt.mlflow.Guarded(Scorer(), name="car_loan_scorer", session=sign_in("elin"))
    for ask in (refused.predict, refused.predict_proba):
        with pytest.raises(zt.Denied) as raised:
            ask([1.0])
        assert raised.value.decision is not None and raised.value.decision.action == "model.infer"
    other = zt.mlflow.Guarded(Scorer(), name="other_model", session=sign_in("maya"))
    with pytest.raises(zt.Denied):
        other.predict([1.0])
    assert Scorer.calls == before


def test_files_are_checked_before_they_are_loaded(sign_in: SignIn, tmp_path: Path) -> None:
    path = tmp_path / "model"
    path.write_text("0.25")
    sha256 = zt.mlflow.digest(path)
    assert sha256 == hashlib.sha256(b"0.25").hexdigest()
    scorer = zt.mlflow.Guarded(path, name="car_loan_scorer", session=sign_in("maya"), load=load, sha256=sha256.upper())
    assert scorer.predict([1.0]) == [0.25]
    path.write_text("0.75")
    assert scorer.predict([1.0]) == [0.25]  # what was loaded stays
    loaded: list[str] = []
    changed = zt.mlflow.Guarded(path, name="car_loan_scorer", session=sign_in("maya"), load=loaded.append, sha256=sha256)
    with pytest.raises(zt.Integrity, match="not those that were approved") as raised:
        changed.predict([1.0])
    assert loaded == [] and raised.value.code == "ZT-6001"


def guard(session: Any, path: Path, how: Any) -> zt.mlflow.Guarded:
    return zt.mlflow.Guarded(path, name="car_loan_scorer", session=session, load=how, sha256=zt.mlflow.digest(path))


def test_what_is_loaded_is_a_copy_of_what_was_checked(sign_in: SignIn, tmp_path: Path) -> None:
    path = tmp_path / "model.txt"
    path.write_text("0.25")
    given: list[Path] = []

    def exchanged(copy: str) -> Scorer:
        given.append(Path(copy))
        path.write_text("0.75")  # swapped after the check, and back
        scorer = load(copy)
        path.write_text("0.25")
        return scorer

    scorer = guard(sign_in("maya"), path, exchanged)
    assert scorer.predict([1.0]) == [0.25]
    (copy,) = given
    assert copy != path and copy.name == "model.txt" and copy.parent.stat().st_mode & 0o777 == 0o700
    path.unlink()
    assert scorer.predict([1.0]) == [0.25] and copy.read_text() == "0.25"  # models read on from it
    del scorer
    gc.collect()
    assert not copy.parent.exists()


def test_files_that_change_while_they_are_copied_are_not_loaded(sign_in: SignIn, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "model"
    path.write_text("0.25")
    loaded: list[str] = []
    scorer = guard(sign_in("maya"), path, loaded.append)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    before, original = set(tmp_path.iterdir()), zt.mlflow._files

    def swapped(root: Path) -> Any:
        for found in original(root):
            path.write_text("0.75")
            yield found
            path.write_text("0.25")

    monkeypatch.setattr(zt.mlflow, "_files", swapped)
    with pytest.raises(zt.Integrity):
        scorer.predict([1.0])
    assert loaded == [] and set(tmp_path.iterdir()) == before


def test_a_loader_that_writes_beside_the_model_changes_nothing(sign_in: SignIn, tmp_path: Path) -> None:
    root = tmp_path / "model"
    (root / "code").mkdir(parents=True)
    (root / "code" / "weights_of_zt.py").write_text("factor = 0.25")
    before = zt.mlflow.digest(root)

    def compiled(copy: str) -> Scorer:
        source = str(Path(copy, "code", "weights_of_zt.py"))
        assert Path(py_compile.compile(source) or "").exists()  # as an import of `code_paths` does
        return Scorer(float(Path(source).read_text().split()[-1]))

    for _ in range(2):
        assert guard(sign_in("maya"), root, compiled).predict([1.0]) == [0.25]
    assert zt.mlflow.digest(root) == before


def test_a_child_of_a_fork_leaves_the_copy_where_it_is(sign_in: SignIn, tmp_path: Path) -> None:
    path = tmp_path / "model"
    path.write_text("0.25")
    given: list[str] = []

    def loaded(copy: str) -> Scorer:
        given.append(copy)
        return load(copy)

    scorer = guard(sign_in("maya"), path, loaded)
    scorer.load()
    child = os.fork()
    if child == 0:
        del scorer
        gc.collect()
        os._exit(0)
    os.waitpid(child, 0)
    assert Path(given[0]).exists()


def test_threads_that_ask_first_load_once(sign_in: SignIn, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, copies = tmp_path / "model", tmp_path / "copies"
    path.write_text("0.25")
    copies.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(copies))
    begin = threading.Barrier(8)
    given: list[str] = []

    def loaded(copy: str) -> Scorer:
        given.append(copy)
        time.sleep(0.2)  # as long as others need to come too
        return load(copy)

    scorer = guard(sign_in("maya"), path, loaded)

    def ask(_: int) -> list[float]:
        begin.wait()
        return scorer.predict([4.0])

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(ask, range(8))) == [[1.0]] * 8
    assert (len(given), len(list(copies.iterdir()))) == (1, 1)


def test_names_that_could_pass_for_several_are_refused(tmp_path: Path) -> None:
    root = tmp_path / "model"
    root.mkdir()
    (root / "A").write_text("hello")
    (root / "B").write_text("guard")
    told = zt.mlflow.digest(root)
    hidden = hashlib.sha256(b"guard").hexdigest()
    (root / "B").unlink()
    (root / "A").unlink()
    for name in (f"A\n{hidden}  B", "A\\n", "A\r", "A\x7f"):
        (root / name).write_text("hello")
        with pytest.raises(zt.Invalid, match="a control character or a backslash"):
            assert zt.mlflow.digest(root) != told
        (root / name).unlink()
    (root / "a\nb").mkdir()
    with pytest.raises(zt.Invalid):
        zt.mlflow.digest(root)


def test_a_folder_that_cannot_be_listed_has_no_digest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "a").write_text("x")
    original = os.scandir

    def closed(path: Any) -> Any:
        if Path(path).name == "sub":
            raise PermissionError(13, "Permission denied", str(path))
        return original(path)

    zt.mlflow.digest(tmp_path)
    monkeypatch.setattr(os, "scandir", closed)  # whom modes do not bind runs the tests too
    with pytest.raises(PermissionError):
        zt.mlflow.digest(tmp_path)


def test_a_deny_loads_nothing(sign_in: SignIn, tmp_path: Path) -> None:
    scorer = zt.mlflow.Guarded(tmp_path / "none", name="car_loan_scorer", session=sign_in("elin"), load=load, sha256="0" * 64)
    with pytest.raises(zt.Denied):
        scorer.predict([1.0])


def test_the_digest_of_a_folder_is_that_of_its_list(tmp_path: Path) -> None:
    root = tmp_path / "model"
    (root / "data").mkdir(parents=True)
    (root / "data" / "weights").write_bytes(b"w" * 3_000_000)
    (root / "MLmodel").write_text("flavors:")
    (root / "empty").write_bytes(b"")
    before = zt.mlflow.digest(root)
    script = "find . -type f -printf '%P\\0' | LC_ALL=C sort -z | xargs -0 sha256sum | sha256sum"
    told = subprocess.run(["sh", "-c", script], cwd=root, capture_output=True, text=True, check=True).stdout
    assert told.split()[0] == before == zt.mlflow.digest(str(root))
    (root / "data" / "weights").rename(root / "data" / "weights2")
    assert zt.mlflow.digest(root) != before
    (root / "data" / "weights2").rename(root / "data" / "weights")
    assert zt.mlflow.digest(root) == before
    (root / "more").symlink_to(root / "MLmodel")
    with pytest.raises(zt.Invalid, match="links are refused"):
        zt.mlflow.digest(root)
    (root / "more").unlink()
    (root / "more").symlink_to(root / "data", target_is_directory=True)
    with pytest.raises(zt.Invalid, match="links are refused"):
        zt.mlflow.digest(root)
    for path in (tmp_path / "none", root / "more"):
        with pytest.raises(zt.Invalid):
            zt.mlflow.digest(path)


def test_what_makes_no_guard_is_refused(sign_in: SignIn, tmp_path: Path) -> None:
    maya: Any = sign_in("maya")
    guarded: Any = zt.mlflow.Guarded
    for given, says in [
        ({"model": object()}, "a model has `predict`"),
        ({"model": None}, "a model has `predict`"),
        ({"model": "path"}, "needs `load`"),
        ({"model": tmp_path, "load": load}, "needs `sha256`"),
        ({"model": Scorer(), "sha256": "0" * 64}, "are for a path"),
        ({"model": Scorer(), "load": load}, "are for a path"),
    ]:
        with pytest.raises(TypeError, match=says):
            guarded(**given, name="x", session=maya)
    with pytest.raises(zt.Invalid, match="64 hexadecimal digits"):
        guarded("path", name="x", session=maya, load=load, sha256="g" * 64)
    with pytest.raises(TypeError, match="not given as a path"):
        guarded(Scorer(), name="x", session=maya).at(tmp_path)


def test_a_session_does_not_travel_but_the_way_to_one_does(sign_in: SignIn, tmp_path: Path) -> None:
    with pytest.raises(TypeError, match="give Guarded a function of a module that signs in"):
        pickle.dumps(zt.mlflow.Guarded(Scorer(), name="car_loan_scorer", session=sign_in("maya")))
    path = tmp_path / "model"
    path.write_text("0.25")
    scorer = zt.mlflow.Guarded(path, name="car_loan_scorer", session=never, load=load, sha256=zt.mlflow.digest(path))
    scorer._session = (0, sign_in("maya"))
    scorer.load()
    again = pickle.loads(pickle.dumps(scorer))
    assert (again.name, again.sha256, again._session, again._model) == (scorer.name, scorer.sha256, None, None)
    with pytest.raises(AssertionError, match="nobody signs in"):
        again.predict([1.0])


def test_a_function_signs_in_once_and_again_when_the_session_has_ended(world: World, rt: zt.Runtime) -> None:
    signed_in = []

    def sign_in_again() -> zt.Session:
        signed_in.append(1)
        return rt.authenticate(world.token("maya"))

    scorer = zt.mlflow.Guarded(Scorer(), name="car_loan_scorer", session=sign_in_again)
    assert [scorer.predict([1.0]) for _ in range(3)] == [[0.5]] * 3 and len(signed_in) == 1

    class Ended:
        def require(self, action: str, resource: str) -> None:
            raise zt.Unauthenticated("the token has ended")

    scorer._session = (scorer._session[0], Ended())  # type: ignore[assignment,index]
    assert scorer.predict([1.0]) == [0.5] and len(signed_in) == 2
    ended: Any = zt.mlflow.Guarded(Scorer(), name="car_loan_scorer", session=lambda: Ended())  # type: ignore[arg-type,return-value]
    with pytest.raises(zt.Unauthenticated):
        ended.predict([1.0])


def test_a_worker_of_another_process_opens_its_own(world: World, tmp_path: Path) -> None:
    (tmp_path / "model").write_text("0.25")
    (tmp_path / "serving.py").write_text(
        textwrap.dedent("""
        import os, zt
        from pathlib import Path
        def session():
            return zt.open(os.environ["FOLDER"]).authenticate(os.environ["TOKEN"])
        class Model:
            def __init__(self, factor): self.factor = factor
            def predict(self, rows): return [row * self.factor for row in rows]
        def load(path): return Model(float(Path(path).read_text()))
        """)
    )
    script = """
        import multiprocessing, sys, serving, zt.mlflow
        guarded = zt.mlflow.Guarded("model", name="car_loan_scorer", session=serving.session, load=serving.load, sha256=zt.mlflow.digest("model"))
        if __name__ == "__main__":
            print(guarded.predict([1.0]))
            for kind in ("spawn", "fork"):
                with multiprocessing.get_context(kind).Pool(1) as pool:
                    print(pool.map(guarded.predict, [[2.0]]))
    """
    (tmp_path / "main.py").write_text(textwrap.dedent(script))
    environment = os.environ | {"FOLDER": str(world.folder), "TOKEN": world.token("maya")}
    ran = subprocess.run([sys.executable, "main.py"], cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=100)
    assert ran.stdout == "[0.25]\n[[0.5]]\n[[0.5]]\n", ran.stderr


def test_mlflow_is_not_needed() -> None:
    script = "import sys; sys.modules['mlflow'] = None; import zt.mlflow; print(zt.mlflow.Guarded.__name__)"
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert ran.stdout == "Guarded\n", ran.stderr


@pytest.mark.skipif(importlib.util.find_spec("mlflow") is None, reason="mlflow is not installed")
def test_mlflow_saves_loads_and_asks(world: World, tmp_path: Path) -> None:
    (tmp_path / "weights").mkdir()
    (tmp_path / "weights" / "factor").write_text("0.25")
    (tmp_path / "serving.py").write_text(
        textwrap.dedent("""
        import os, zt
        from pathlib import Path
        def session():
            return zt.open(os.environ["FOLDER"]).authenticate(os.environ["TOKEN"])
        class Model:
            def __init__(self, factor): self.factor = factor
            def predict(self, rows, params=None): return [row * self.factor for row in rows]
        def load(path): return Model(float(Path(path, "factor").read_text()))
        """)
    )
    script = """
        import os, pathlib, warnings, serving, zt, zt.mlflow
        warnings.simplefilter("ignore")
        import mlflow.pyfunc
        guarded = zt.mlflow.Guarded("weights", name="car_loan_scorer", session=serving.session, load=serving.load, sha256=zt.mlflow.digest("weights"))
        artifacts = {"model": str(pathlib.Path("weights").absolute())}
        mlflow.pyfunc.save_model("saved", python_model=guarded.to_python_model(), artifacts=artifacts, pip_requirements=[])
        assert b"token" not in pathlib.Path("saved", "python_model.pkl").read_bytes().lower()
        print(mlflow.pyfunc.load_model("saved").unwrap_python_model().predict(None, [2.0]))
        os.environ["TOKEN"] = os.environ["OTHER"]
        try:
            mlflow.pyfunc.load_model("saved").unwrap_python_model().predict(None, [2.0])
        except zt.Denied as error:
            print(error.code)
        (next(pathlib.Path("saved", "artifacts").rglob("factor"))).write_text("9")
        try:
            mlflow.pyfunc.load_model("saved")
        except zt.Integrity as error:
            print(error.code)
    """
    (tmp_path / "main.py").write_text(textwrap.dedent(script))
    environment = os.environ | {"FOLDER": str(world.folder), "TOKEN": world.token("maya"), "OTHER": world.token("elin")}
    ran = subprocess.run([sys.executable, "main.py"], cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=200)
    assert ran.stdout == "[0.5]\nZT-1001\nZT-6001\n", ran.stderr
