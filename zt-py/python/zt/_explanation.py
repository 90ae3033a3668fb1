"""A decision in full."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class Explanation(dict[str, "Any"]):
    """A decision in full, as a dict: decision, kind, caller, holds, action, resource, facts, policies, why, unknown,
    snapshot, would, reasons, restrictions, activations, step_up, lease, has_more and near_misses, each a dict with `policy`
    and what it found `unmet`. `str()` gives a few lines of text.

    `unknown` lists the facts that nobody stated and that deciding denies test: an unknown never disarms a deny.

    >>> explanation = priya.explain(job.claiming(201, 1).check("secret.get", "secret:bureau-api-key"))
    >>> [miss["policy"] for miss in explanation["near_misses"]]
    ['AP-07']
    >>> print(explanation)
    sp:sp-score-201 secret.get secret:bureau-api-key: default_deny
      stated: job=201, stage=1
      caller holds: sp:sp-score-201, role:scoring_job
      AP-07 would allow: stage is 1, needs 2
    """

    def __init__(self, fields: dict[str, Any], text: str) -> None:
        super().__init__(fields)
        self.text = text
        """The same in a few lines."""

    def __str__(self) -> str:
        return self.text

    def __reduce__(self) -> tuple[Any, ...]:
        return Explanation, (dict(self), self.text)

    def _repr_html_(self) -> str:
        from zt import _html  # only a notebook needs it

        return _html.explanation(self)
