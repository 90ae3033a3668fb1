"""How a process is, on one card: what works, and what to do about what does not."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Literal, TypedDict

    from zt._zt import KeyHealth

    class Part(TypedDict):
        """One line of the card."""

        part: str
        state: Literal["works", "limited", "fails", "not used yet"]
        detail: str
        fix: str


ON_THE_WAY = ("cannot be resolved", "no connection to", "is refused:", "Network_Rules", "firewall of", "not admitted", "did not answer")
"""What errors of the network say."""


class Status(dict[str, "Any"]):
    """How this process is: a dict in the words of `zt status`, which a notebook shows as one card.

    >>> [part["part"] for part in rt.status().parts]
    ['metadata', 'identity', 'vault', 'network', 'audit']
    >>> rt.status().parts[0]["state"], rt.status().is_well
    ('works', True)
    """

    def __init__(self, fields: dict[str, Any], keys: list[KeyHealth]) -> None:
        super().__init__(fields)
        self.key_health = keys
        """As `Runtime.key_health()`."""

    @property
    def parts(self) -> list[Part]:
        """Metadata, identity, vault, network and audit, each a dict of `part`, `state` (works, limited, fails, not used yet),
        `detail` and `fix`, which is empty where there is nothing to do."""
        return [self._metadata(), self._identity(), self._vault(), self._network(), self._audit()]

    @property
    def is_well(self) -> bool:
        """Whether no part fails."""
        return all(part["state"] != "fails" for part in self.parts)

    def _metadata(self) -> Part:
        snapshot = self["snapshot"]
        detail = f"snapshot {snapshot['version']}, confirmed {snapshot['confirmed_s']} s ago"
        if "metadata tables" in (self["ready"] or ""):
            fix = "make the source of the tables readable again, then `runtime.reload()`; nothing is allowed until then"
            return _part("metadata", "fails", f"{detail}: {self['ready']}", fix)
        return _part("metadata", "works", detail)

    def _identity(self) -> Part:
        if not self.key_health:
            return _part("identity", "fails", "there are no keys of the issuer", "check `identity.tenant` and the way to Entra ID")
        worst = max(self.key_health, key=lambda keys: WORST.index(keys["state"]))
        detail = f"keys of tenant {worst['tenant']}: {worst['state']}"
        if worst["error"]:
            detail += f", last fetch failed: {worst['error']}"
        match worst["state"]:
            case "empty" | "expired":
                fix = "open the way to login.microsoftonline.com, or pin the keys with `identity.keys`; no token is verified until then"
                return _part("identity", "fails", detail, fix)
            case "stale":
                return _part("identity", "limited", detail, "open the way to login.microsoftonline.com within a day")
            case _:
                return _part("identity", "works", detail)

    def _vault(self) -> Part:
        secrets = self["secrets"]
        shut = [gate for gate in secrets["gates"] if gate["state"] in {"paused", "broken"}]
        if shut:
            detail = "; ".join(f"{gate['vault']} is {gate['state']}, asked again in {gate['closed_for_ms']} ms" for gate in shut)
            fix = "paused: read less often, or warm once; broken: see `network` and the vault's own health in Azure"
            return _part("vault", "fails" if any(gate["state"] == "broken" for gate in shut) else "limited", detail, fix)
        bad = [slot for slot in secrets["slots"] if slot["state"] in {"negative", "stale"} or slot["failures"]]
        bad = [slot for slot in bad if not _is_about_network(slot)]
        if bad:
            detail = "; ".join(f"{slot['name']} is {slot['state']}: {slot['last_error']}" for slot in bad)
            fix = "check the secret's name, `enabled` and `exp` in the vault, and the role Key Vault Secrets User of this identity"
            return _part("vault", "fails" if any(slot["state"] == "negative" for slot in bad) else "limited", detail, fix)
        counts, held = secrets["counts"], [slot for slot in secrets["slots"] if slot["version"]]
        if counts["fetches"] and counts["failures"] >= counts["fetches"] and not held:
            detail = f"{counts['failures']} of {counts['fetches']} fetches failed, none gave a value"
            return _part("vault", "fails", detail, "read a secret: its exception says why, and so does the audit log")
        if not counts["fetches"] and not held:
            return _part("vault", "not used yet", "nothing was fetched", "`session.warm(names)` fetches what a job needs")
        return _part("vault", "works", f"{len(held)} of {len(secrets['slots'])} secrets held, {counts['fetches']} fetched")

    def _network(self) -> Part:
        slots = self["secrets"]["slots"]
        forbidden = [slot for slot in slots if slot["state"] == "forbidden"]
        if forbidden:
            vaults = ", ".join(sorted({slot["vault"] for slot in forbidden}))
            return _part("network", "fails", f"no rule names {vaults}", "add a row of Network_Rules for the vault's host")
        bad = [slot for slot in slots if slot["failures"] and _is_about_network(slot)]
        sinks = [sink for sink in self["audit"]["sinks"] if not sink["is_delivering"] and _speaks_of_network(sink["last_error"])]
        if bad or sinks:
            detail = "; ".join(sorted({str(one["last_error"]) for one in [*bad, *sinks]}))
            return _part("network", "fails", detail, DOCTOR)
        dialled = [host for host in self["network"] if host["store"] != "local"]
        if self["network"] and not dialled:
            return _part("network", "works", "the local vault answers, and nothing is dialled")
        refused = [host for host in dialled if any(_error(host, what) for what in ("resolved", "path"))]
        if refused:
            why = "; ".join(f"{host['host']}: {_error(host, 'path') or _error(host, 'resolved')}" for host in refused)
            return _part("network", "fails", why, DOCTOR)
        answered = [_way(host) for host in dialled if host["path"]]
        if not answered:
            return _part("network", "not used yet", "no connection was made")
        return _part("network", "works", "; ".join(answered))

    def _audit(self) -> Part:
        audit = self["audit"]
        detail = f"{audit['records']} records on disk, {audit['queued']} waiting"
        if not audit["is_writable"]:
            fix = "free space or rights of the audit folder; nothing is allowed while the log cannot be written"
            return _part("audit", "fails", f"{detail}: {audit['last_error']}", fix)
        if audit["checkpoint_error"]:
            return _part("audit", "limited", f"{detail}; checkpoint: {audit['checkpoint_error']}", "check the audit key")
        late = [sink for sink in audit["sinks"] if not sink["is_delivering"]]
        if late:
            detail += "".join(f"; {sink['name']} is {sink['behind']} behind: {sink['last_error']}" for sink in late)
            return _part("audit", "limited", detail, "see the page Secrets in a live process: When a sink is down")
        return _part("audit", "works", detail)

    def __str__(self) -> str:
        lines = [f"{part['part']:9} {part['state']:12} {part['detail']}" for part in self.parts]
        fixes = [f"{'':9} do: {part['fix']}" if part["fix"] else "" for part in self.parts]
        return "\n".join(line for pair in zip(lines, fixes, strict=True) for line in pair if line)

    def __reduce__(self) -> tuple[Any, ...]:
        return Status, (dict(self), self.key_health)

    def _repr_html_(self) -> str:
        from zt import _html  # only a notebook needs it

        return _html.status(self)


WORST = ("pinned", "fresh", "stale", "expired", "empty")
"""States of keys, from good to bad."""


DOCTOR = "`zt doctor network` of the Rust command names the cause of a broken private path"


def _error(host: dict[str, Any], what: str) -> str | None:
    return host[what] and host[what]["error"]  # type: ignore[no-any-return]


def _way(host: dict[str, Any]) -> str:
    """`kv-loans.vault.azure.net by private_link of pe-kv-loans, private_only, 12 s ago`."""
    path = host["path"]
    through = f" of {path['private_endpoint'].rpartition('/')[2]}" if path["private_endpoint"] else ""
    modes = "".join(f", {row['mode']}" for row in host["declared"])
    return f"{host['host']} by {path['proof']}{through}{modes}, {path['age_s']} s ago"


def _part(part: str, state: Literal["works", "limited", "fails", "not used yet"], detail: str, fix: str = "") -> Part:
    return {"part": part, "state": state, "detail": detail, "fix": fix}


def _is_about_network(slot: dict[str, Any]) -> bool:
    return _speaks_of_network(slot["last_error"])


def _speaks_of_network(error: str | None) -> bool:
    return any(words in (error or "") for words in ON_THE_WAY)
