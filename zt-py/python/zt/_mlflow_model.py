"""`zt.mlflow.Guarded` as MLflow wants it. Imports MLflow; only `Guarded.to_python_model` imports this."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from zt.mlflow import Guarded

PythonModel: Any = import_module("mlflow.pyfunc").PythonModel

class GuardedModel(PythonModel):  # type: ignore[misc]
    """Asks the policy at each prediction of a model server."""

    def __init__(self, guarded: Guarded) -> None:
        self.guarded = guarded

    def load_context(self, context: Any) -> None:
        """Checks and loads the artifact `model`, if there is one."""
        path = (context.artifacts or {}).get("model")
        if path is not None:
            self.guarded = self.guarded.at(path)
        self.guarded.load()

    def predict(self, context: Any, model_input: Any, params: dict[str, Any] | None = None) -> Any:
        """The prediction, if the policy allows it."""
        return self.guarded.predict(model_input, **({"params": params} if params else {}))
