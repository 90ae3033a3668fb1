"""What a call costs from Python: a decision, a cached secret, an awaited one, a token that was seen before.

Beside them PyJWT, casbin and cedarpy where they are installed, and the cache that people write: a dict with a time.
Run: `ZT_BIN=… python benches/python/calls.py [--quick]`.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

import zt
from measure import in_turn, table
from world import VALUE, World, world

ACTION, RESOURCE = "secret.get", "secret:bureau-api-key"
AWAITED = 200


class DictCache:
    """What stands beside azure-keyvault-secrets in many a notebook: no policy, no audit, no expiry of the secret's own."""

    def __init__(self, fetch: Callable[[str], str], ttl: float) -> None:
        self._fetch, self._ttl = fetch, ttl
        self._kept: dict[str, tuple[str, float]] = {}

    def get(self, name: str) -> str:
        """The value, fetched again when it is too old."""
        kept = self._kept.get(name)
        if kept is None or time.monotonic() - kept[1] > self._ttl:
            kept = (self._fetch(name), time.monotonic())
            self._kept[name] = kept
        return kept[0]


def main() -> None:
    """Checks what is measured, measures it, prints the tables."""
    with world() as here, zt.open(here.folder) as rt:
        token = here.token("sp-score-201")
        job = rt.authenticate(token).claiming(201, 2)
        assert job.check(ACTION, RESOURCE)
        print(table("Decisions in Python", in_turn(decisions(job), calls=2000)))
        print(table("Cached secrets in Python", in_turn(secrets(job), calls=2000)))
        print(table("A token that was seen before", in_turn(tokens(rt, here, token), calls=500)))


def decisions(job: zt.Session) -> dict[str, Callable[[], object]]:
    """One question, and the same of other libraries: 27 rules of which one is about it."""
    cases: dict[str, Callable[[], object]] = {
        "zt: `session.check`, audited": lambda: job.check(ACTION, RESOURCE),
        f"zt: awaited, one of {AWAITED} in a loop": Awaited(lambda: job.check_async(ACTION, RESOURCE)),
    }
    for build in [cedar, casbin]:
        try:
            cases |= build()
        except ImportError as missing:
            print(f"left out: {missing.name} is not installed\n")
    return cases


def cedar() -> dict[str, Callable[[], object]]:
    """Policies and entities are given as text with each question: cedarpy keeps neither."""
    import cedarpy

    rule = 'permit(principal in Role::"{}", action == Action::"{}", resource == Secret::"{}") when {{ context.job == {} }};'
    rules = [rule.format("scoring_job", ACTION, "bureau-api-key", 201)]
    rules += [rule.format(f"role_{at}", ACTION, f"other-{at}", at) for at in range(26)]
    policies = "\n".join(rules)
    uid = {"type": "Principal", "id": "sp-score-201"}
    entities = [{"uid": uid, "attrs": {}, "parents": [{"type": "Role", "id": "scoring_job"}]}]
    request = {
        "principal": 'Principal::"sp-score-201"',
        "action": f'Action::"{ACTION}"',
        "resource": 'Secret::"bureau-api-key"',
        "context": {"job": 201},
    }

    def ask() -> bool:
        return bool(cedarpy.is_authorized(request, policies, entities).allowed)

    assert ask()
    return {"cedarpy": ask}


def casbin() -> dict[str, Callable[[], object]]:
    """The rules stay in the enforcer."""
    import casbin as library  # type: ignore[import-untyped]

    model = library.Model()
    model.load_model_from_text(
        """
[request_definition]
r = sub, obj, act, job
[policy_definition]
p = sub, obj, act, job
[role_definition]
g = _, _
[policy_effect]
e = some(where (p.eft == allow))
[matchers]
m = g(r.sub, p.sub) && r.obj == p.obj && r.act == p.act && r.job == p.job
"""
    )
    enforcer = library.Enforcer(model)
    enforcer.add_role_for_user("sp-score-201", "scoring_job")
    enforcer.add_policy("scoring_job", RESOURCE, ACTION, "201")
    for at in range(26):
        enforcer.add_policy(f"role_{at}", f"secret:other-{at}", ACTION, str(at))

    def ask() -> bool:
        return bool(enforcer.enforce("sp-score-201", RESOURCE, ACTION, "201"))

    assert ask()
    return {"casbin": ask}


def secrets(job: zt.Session) -> dict[str, Callable[[], object]]:
    """Hits within the time to live."""
    handle = job.secret_handle("bureau-api-key")
    kept = DictCache(lambda _name: VALUE, ttl=600.0)
    with job.secret("bureau-api-key").reveal() as value:
        assert bytes(value) == VALUE.encode()
    return {
        "zt: `handle.get`, policy asked, read counted": handle.get,
        "zt: `session.secret`": lambda: job.secret("bureau-api-key"),
        f"zt: `handle.get_async`, awaited, one of {AWAITED} in a loop": Awaited(handle.get_async),
        "a dict with a time": lambda: kept.get("bureau-api-key"),
    }


def tokens(rt: zt.Runtime, here: World, token: str) -> dict[str, Callable[[], object]]:
    """zt remembers what it verified; PyJWT verifies again."""
    cases: dict[str, Callable[[], object]] = {"zt: `rt.authenticate`": lambda: rt.authenticate(token)}
    try:
        import jwt
        from cryptography.hazmat.primitives.asymmetric import rsa
    except ImportError as missing:
        print(f"left out: {missing.name} is not installed\n")
        return cases
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    claims = jwt.decode(token, options={"verify_signature": False})
    own = jwt.encode(claims, key, algorithm="RS256")
    public = key.public_key()

    def decode() -> dict[str, object]:
        return jwt.decode(own, public, algorithms=["RS256"], audience=claims["aud"], issuer=claims["iss"], leeway=60)

    assert decode() == claims
    return cases | {f"PyJWT {jwt.__version__}: `jwt.decode`": decode}


class Awaited:
    """Awaits so many in one loop, that of a notebook: what its start costs is shared."""

    of_calls = AWAITED

    def __init__(self, start: Callable[[], object]) -> None:
        self._start = start
        self._loop = asyncio.new_event_loop()

    def __call__(self) -> object:
        return self._loop.run_until_complete(self._all())

    async def _all(self) -> None:
        for _ in range(AWAITED):
            await self._start()  # type: ignore[misc]


if __name__ == "__main__":
    main()
