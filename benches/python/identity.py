"""Measures how long PyJWT needs for an access token of 3 kB, beside the signature alone.

Prints a Markdown table as the Rust benches do. Needs `pip install "pyjwt[crypto]"`; without it, says so and measures nothing.
Run: `python benches/python/identity.py [--quick]`.
"""

from __future__ import annotations

import statistics
import sys
import time
import uuid
from collections.abc import Callable

try:
    import jwt
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric import padding, rsa
    from cryptography.hazmat.primitives.hashes import SHA256
except ImportError as missing:
    print(f"skipped: {missing.name} is not installed")
    sys.exit(0)

TENANT = "11111111-1111-4111-8111-111111111111"
APPLICATION = "d0000000-0000-4000-8000-000000000001"
ISSUER = f"https://zt-development-issuer.invalid/{TENANT}/v2.0"
REQUIRED = ["exp", "nbf", "iat", "aud", "iss", "sub"]


def main(quick: bool) -> None:
    """Checks what is measured, measures it, prints the table."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    public = key.public_key()
    token = jwt.encode(claims(), key, algorithm="RS256", headers={"kid": "a"})
    signed, _, encoded = token.rpartition(".")
    signature = jwt.utils.base64url_decode(encoded)

    def alone() -> None:
        public.verify(signature, signed.encode(), padding.PKCS1v15(), SHA256())

    def whole(text: str = token) -> dict[str, object]:
        return jwt.decode(
            text,
            public,
            algorithms=["RS256"],
            audience=APPLICATION,
            issuer=ISSUER,
            leeway=60,
            options={"require": REQUIRED, "verify_signature": True},
        )

    if whole()["tid"] != TENANT:
        sys.exit("PyJWT reads another token than was signed")
    try:
        whole(signed + "." + jwt.utils.base64url_encode(signature[::-1]).decode())
        sys.exit("PyJWT accepts a token that is broken")
    except jwt.InvalidSignatureError:
        pass
    try:
        public.verify(signature[::-1], signed.encode(), padding.PKCS1v15(), SHA256())
        sys.exit("cryptography accepts a signature that is broken")
    except InvalidSignature:
        pass
    cases: dict[str, Callable[[], object]] = {
        "cryptography, signature alone, key kept": alone,
        f"PyJWT {jwt.__version__}, hardened: claims": whole,
    }
    print(f"## First verification in Python, {len(token)} bytes\n")
    print(table(cases, samples=3 if quick else 31, calls=10 if quick else 200))


def claims() -> dict[str, object]:
    """What Entra sends for a person in 30 groups."""
    now = int(time.time())
    groups = [str(uuid.UUID(int=number)) for number in range(1, 31)]
    return {
        "aud": APPLICATION,
        "iss": ISSUER,
        "tid": TENANT,
        "oid": "b0000000-0000-4000-8000-000000000002",
        "sub": "pairwise",
        "ver": "2.0",
        "iat": now,
        "nbf": now,
        "exp": now + 3600,
        "scp": "zt.access",
        "groups": groups,
        "aio": "E2Zg" * 37,
    }


def table(cases: dict[str, Callable[[], object]], samples: int, calls: int) -> str:
    """Takes samples of the cases in turn, so that a busy machine is busy for all of them."""
    times: dict[str, list[float]] = {name: [] for name in cases}
    for _ in range(samples):
        for name, run in cases.items():
            began = time.perf_counter()
            for _ in range(calls):
                run()
            times[name].append((time.perf_counter() - began) / calls)
    lines = ["| what | median | least | ratio |", "|---|---:|---:|---:|"]
    first = statistics.median(next(iter(times.values())))
    for name, taken in times.items():
        median = statistics.median(taken)
        lines.append(f"| {name} | {median * 1e6:.1f} µs | {min(taken) * 1e6:.1f} µs | {median / first:.2f} |")
    return "\n".join(lines)


if __name__ == "__main__":
    main(quick="--quick" in sys.argv)
