"""zt on Spark: the driver authorises, executors score and seal, the audit log has all of it.

Only a signed grant and public keys travel to executors, in the closure of a function; no secret, no session, no broadcast.
It needs the public API of Spark alone, so that it runs on classic clusters and on Spark Connect:

    grant = job.grant(["model.infer model:car_loan_scorer", "data.seal output:loan_scores_delta"])
    scored = zt.spark.map(loans, score, grant, "id long, y_pred_proba double", require=["model.infer model:car_loan_scorer"])
    sealed = zt.spark.seal(scored, grant)
    try:
        write_deltalake(path, sealed.toArrow())
    except Exception as raised:
        raise zt.spark.errors(raised, job, grant) or raised
    zt.spark.merge(job, grant)

A grant narrows what our code does on executors. It does not hold hostile code: that has what its cluster has.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from importlib import import_module
from itertools import chain

from zt import _errors
from zt._errors import Error, Integrity, Invalid
from zt._spark_errors import carried, error_of, trailers
from zt._zt import Executor, Grant, Session

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, TypedDict

    class Told(TypedDict):
        """What came into the audit log."""

        statements: int
        acts: int
        repeated: int
        incomplete: int
        retried: int
        waiting: int

    DataFrame = Any
    """Of pyspark, classic or Connect."""
    Function = Callable[[Any, Executor], Any]
    """Takes a `pyarrow.Table` and the executor, and answers a frame of Arrow."""

__all__ = ["errors", "filter", "forget", "map", "merge", "open", "seal"]

_AUDIT = "_zt_audit"
_KEY = "_zt_key"
_LOCK = threading.Lock()


class _Observed:
    """What one frame tells once it is acted on."""

    def __init__(self, observation: Any) -> None:
        self._observation = observation
        self._answer: list[dict[str, Any]] = []
        self._waiting: threading.Thread | None = None

    def told(self, timeout: float) -> list[str] | None:
        """The statements, or None. `Observation.get` waits for ever for an action that nobody starts: a thread does.

        On Connect it does not wait, and answers nothing before the action: only what has our key was told.
        """
        if self._waiting is None:
            self._waiting = threading.Thread(target=self._get, daemon=True)
            self._waiting.start()
        self._waiting.join(max(timeout, 0.05))
        if self._waiting.is_alive():
            return None
        answer = self._answer.pop() if self._answer else {}
        if "statements" not in answer:
            self._waiting = None
            return None
        self._answer.append(answer)
        return list(answer["statements"] or [])

    def _get(self) -> None:
        self._answer.append(dict(self._observation.get))


# By grant: the frames whose statements are not in the log yet. What nobody merged a day after its grant ended is let go.
_PENDING: dict[str, list[_Observed]] = {}
_ENDS: dict[str, int] = {}
_KEPT_S = 86_400


def _await(grant: Grant, one: _Observed) -> None:
    with _LOCK:
        for other in [id for id, end in _ENDS.items() if end + _KEPT_S < time.time()]:
            _drop(other)
        _ENDS[grant.id] = grant.expires_on
        _PENDING.setdefault(grant.id, []).append(one)


def _done(grant: Grant, one: _Observed) -> None:
    with _LOCK:
        # Another call may have merged it meanwhile, or forgotten it.
        with contextlib.suppress(KeyError, ValueError):
            _PENDING[grant.id].remove(one)
        if not _PENDING.get(grant.id):
            _drop(grant.id)


def _drop(id: str) -> None:
    _PENDING.pop(id, None)
    _ENDS.pop(id, None)


def seal(
    df: DataFrame, grant: Grant, columns: Sequence[str] | None = None, *, output: str | None = None
) -> DataFrame:
    """The rows with the columns of the output's rule sealed, and `_zt_key` with the wrapped data key: one for each partition.

    `columns` are those of `df` that are kept, else all; `output` is named where the grant has several. An executor wraps
    its data key by the public key in the grant: it opens nothing, and neither does who reads its memory later. Where the grant
    names columns, every column that stays in plain must be one of them.
    """
    output = _output(grant, output)
    kept = df if columns is None else df.select(*columns)
    sealed = {name.lower() for name in grant.sealed_columns(output)}
    missing = sealed - {name.lower() for name in kept.columns}
    if missing:
        raise Invalid(f"the rule of `{output}` seals columns that are not there: {', '.join(sorted(missing))}")
    fields = [(field.name, field.dataType, field.name.lower() in sealed) for field in kept.schema.fields]
    names = [name for name, _, _ in fields]
    plain = [name for name, _, is_sealed in fields if not is_sealed]

    def work(batches: Iterator[Any], executor: Executor) -> Iterator[Any]:
        pa = import_module("pyarrow")

        executor.require_columns(plain)
        sealer = executor.sealer(output)
        for batch in batches:
            done = sealer.seal(pa.Table.from_batches([batch]))
            executor.sealed(output, done.num_rows)
            texts = [_KEY, *(name for name in names if name.lower() in sealed)]
            for name in texts:
                at = done.column_names.index(name)
                done = done.set_column(at, name, done.column(at).cast(pa.string()))
            yield done

    return _run(kept, grant, work, [*fields, (_KEY, None, True)])


def map(
    df: DataFrame, fn: Function, grant: Grant, schema: Any, *, require: Sequence[str] = ()
) -> DataFrame:
    """`fn` over the rows of `df`, batch by batch, on executors that hold the grant.

    `fn` takes a `pyarrow.Table` and a `zt.Executor`, and answers a table of `schema`: what `StructType` or a text such as
    `"id long, score double"` says. The rights in `require`, each `action resource`, are asked for in every partition before the
    first row, and so are the columns of `df` where the grant names columns.
    """
    rights = [_right(text) for text in require]
    named = list(df.columns)

    def work(batches: Iterator[Any], executor: Executor) -> Iterator[Any]:
        pa = import_module("pyarrow")

        executor.require_columns(named)
        for action, resource in rights:
            executor.require(action, resource)
        for batch in batches:
            yield pa.table(fn(pa.Table.from_batches([batch]), executor))

    # A text is parsed by Spark itself: nothing here reads its grammar.
    if isinstance(schema, str):
        schema = df.sparkSession.createDataFrame([], schema).schema
    return _run(df, grant, work, [(field.name, field.dataType, False) for field in schema.fields])


def filter(df: DataFrame, grant: Grant, column: str, *, action: str = "table.read") -> DataFrame:
    """The rows whose `column` names a resource on which the grant covers `action`. A missing or malformed name is not covered.

    Where the grant names columns, all of `df` must be of them.
    """
    named = list(df.columns)

    def work(batches: Iterator[Any], executor: Executor) -> Iterator[Any]:
        pa, pc = import_module("pyarrow"), import_module("pyarrow.compute")

        executor.require_columns(named)
        # Only what is covered is kept: that is bounded by the grant, and the names in the data are not.
        covered: dict[str, None] = {}
        for batch in batches:
            table = pa.Table.from_batches([batch])
            cells = table.column(column)
            for resource in pc.unique(cells).to_pylist():
                if resource is not None and resource not in covered and _covers(executor, action, resource):
                    covered[resource] = None
            yield table.filter(pc.is_in(cells, value_set=pa.array(list(covered), cells.type)))

    return _run(df, grant, work, [(field.name, field.dataType, False) for field in df.schema.fields])


def open(df: DataFrame, session: Session, output: str) -> DataFrame:
    """Sealed rows of an output in plain, as far as the session may see them. They pass through the driver.

    Unwrapped keys never leave it: executors that could open would hold what opens everything.
    """
    sealed = df.toArrow()
    opened = session.opener(output, sealed).unseal(sealed)
    return df.sparkSession.createDataFrame(opened)


def merge(session: Session, grant: Grant, *, timeout: float = 10.0) -> Told:
    """Brings what executors did under the grant into the audit log of this session's runtime: call it after an action.

    It waits at most `timeout` seconds for what Spark has to tell. `waiting` counts the frames of which nothing was told: they
    were not acted on, or their action failed (`errors` brings its account). The next call looks at them again, until
    `forget`, or a day after the grant has ended. Of a frame that is acted on twice the first action is told. `incomplete`
    counts the partitions that began and were not read to their end, as by `limit`: what they did after their beginning is not
    told. `retried` counts those whose task Spark tried again: what the tries before did is told nowhere.

    Raises Integrity for an account that no executor of the grant can have sent, after all others are in the log.
    """
    with _LOCK:
        pending = list(_PENDING.get(grant.id, []))
    end = time.monotonic() + timeout
    total: Told = {"statements": 0, "acts": 0, "repeated": 0, "incomplete": 0, "retried": 0, "waiting": 0}
    refused: Integrity | None = None
    for one in pending:
        statements = one.told(end - time.monotonic())
        if statements is None:
            total["waiting"] += 1
            continue
        try:
            merged = session.merge(grant, statements)
        except Integrity as error:
            refused = refused or error
        else:
            total["statements"] += merged["statements"]
            total["acts"] += merged["acts"]
            total["repeated"] += merged["repeated"]
            total["incomplete"] += merged["incomplete"]
            total["retried"] += merged["retried"]
        _done(grant, one)
    if refused is not None:
        raise refused
    return total


def forget(grant: Grant) -> None:
    """Frames of this grant of which nothing was told are waited for no more. What asked Spark for them still ends with it."""
    with _LOCK:
        _drop(grant.id)


def errors(raised: BaseException, session: Session | None = None, grant: Grant | None = None) -> Error | None:
    """The error of zt behind what Spark raised on the driver, or None if there is none. Only text crosses Spark.

    With a session and the grant, what the failed task did comes into the audit log too, whatever it failed with. An account that
    no executor can have sent stands there as refused, and does not stand in the way of the error.
    """
    error = None
    for told in trailers(raised):
        statement = told.get("statement")
        if session is not None and grant is not None and isinstance(statement, str):
            with contextlib.suppress(Integrity):
                session.merge(grant, [statement])
        error = error or error_of(told)
    if error is not None:
        error.__cause__ = raised
    return error


def _run(
    df: DataFrame,
    grant: Grant,
    work: Callable[[Iterator[Any], Executor], Iterator[Any]],
    fields: list[tuple[str, Any, bool]],
) -> DataFrame:
    """Maps batches. Each partition begins and ends with a row of its own that carries its account; an observation brings them
    to the driver, and nobody sees them in the frame. Who sees a beginning without an end knows that acts are missing."""
    sql, types = import_module("pyspark.sql"), import_module("pyspark.sql.types")
    text = types.StringType()
    schema = types.StructType()
    for name, kind, is_text in [*fields, (_AUDIT, None, True)]:
        schema = schema.add(name, text if is_text else kind)

    def run(batches: Iterable[Any]) -> Iterator[Any]:
        executor = None
        try:
            executor = grant.executor(task=_task())
            filled = (batch for batch in batches if batch.num_rows)
            first = next(filled, None)
            if first is None:
                return
            arrow = import_module("pyspark.sql.pandas.types").to_arrow_schema(schema)
            yield _account(arrow, executor.interim())
            for table in work(_while_valid(chain([first], filled), executor), executor):
                if table.num_rows:
                    yield from _rows(arrow, table)
            yield _account(arrow, executor.statement())
        except Error as error:
            raise RuntimeError(carried(error, executor)) from None
        except Exception as error:
            raise RuntimeError(carried(error, executor)) from error

    functions = import_module("pyspark.sql.functions")
    observation = sql.Observation()
    statements = functions.collect_list(_AUDIT).alias("statements")
    observed = df.mapInArrow(run, schema).observe(observation, statements)
    _await(grant, _Observed(observation))
    return observed.filter(functions.col(_AUDIT).isNull()).drop(_AUDIT)


def _task() -> tuple[int, int, int] | None:
    """Stage, partition and attempt, where this is a task of Spark that knows them."""
    with contextlib.suppress(ImportError, AttributeError):
        if context := import_module("pyspark").TaskContext.get():
            return context.stageId(), context.partitionId(), context.attemptNumber()
    return None


def _while_valid(batches: Iterator[Any], executor: Executor) -> Iterator[Any]:
    for batch in batches:
        executor.require_valid()
        yield batch


def _account(arrow: Any, statement: str) -> Any:
    pa = import_module("pyarrow")

    nothing = [pa.nulls(1, field.type) for field in list(arrow)[:-1]]
    return pa.RecordBatch.from_arrays([*nothing, pa.array([statement], pa.string())], schema=arrow)


def _rows(arrow: Any, table: Any) -> Iterator[Any]:
    pa = import_module("pyarrow")

    table = table.select(arrow.names[:-1]).append_column(_AUDIT, pa.nulls(table.num_rows, pa.string()))
    return iter(table.cast(arrow).combine_chunks().to_batches())


def _covers(executor: Executor, action: str, resource: str) -> bool:
    try:
        executor.require(action, resource)
    except (_errors.Denied, Invalid):
        return False
    return True


def _right(text: str) -> tuple[str, str]:
    action, space, resource = text.partition(" ")
    if not space:
        raise Invalid(f"`{text}` is no right: expected `action resource`")
    return action, resource


def _output(grant: Grant, output: str | None) -> str:
    outputs = grant.outputs
    if output is None and len(outputs) == 1:
        return outputs[0]
    if output in outputs:
        return output
    known = ", ".join(outputs) or "none"
    raise Invalid(f"the grant seals {known}", help="name one of its outputs: `output=`, or grant `data.seal` on it")
