"""Who is asking: bearer tokens, and what is done about wrong ones.

A token is a JWT (RFC 7519) signed with HS256 by a secret that only this router has, with `sub` the operator's name, `role`, and `exp`. The
secret is made at the first start, in a file of its own that nobody else may read; who deletes it makes every token void.

Never in logs: secrets and tokens. Never in addresses of pages: tokens, since those are logged by whatever lies between.
"""

from __future__ import annotations

import contextlib
import os
import secrets
from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import jwt

from router.admin.contract import Role

__all__ = ["Buckets", "Operator", "Refused", "Tokens", "allowed", "kept_secret", "write_token"]

_ALGORITHM: Final = "HS256"
_SECRET_BYTES: Final = 32
"""RFC 7518, 3.2: at least the hash's size."""
_NAME_AT_MOST: Final = 64
_TOKEN_AT_MOST: Final = 4096
_RANK: Final = {Role.VIEW: 0, Role.TRADE: 1, Role.ADMIN: 2}


class Refused(Exception):
    """A token that is none; the text says why, and nothing of the token."""


@dataclass(frozen=True, slots=True)
class Operator:
    """Who is asking."""

    name: str
    role: Role
    expires: int
    """Seconds since 1970."""


class Tokens:
    """Makes tokens and reads them."""

    def __init__(self, secret: bytes) -> None:
        """Raises `ValueError` for a secret that is too short."""
        if len(secret) < _SECRET_BYTES:
            raise ValueError(f"the admin secret has {len(secret)} bytes: at least {_SECRET_BYTES} are needed")
        self._secret = secret

    def __repr__(self) -> str:
        return "Tokens(***)"

    def make(self, sub: str, role: Role, valid_for_s: int, now_s: int) -> str:
        """A token. Raises `ValueError` for a name that would not read well in a journal."""
        if not _is_name(sub):
            raise ValueError(f"an operator's name is 1 to {_NAME_AT_MOST} printable characters")
        claims = {"sub": sub, "role": role.value, "iat": now_s, "exp": now_s + valid_for_s}
        return jwt.encode(claims, self._secret, algorithm=_ALGORITHM)

    def read(self, token: str, now_s: int) -> Operator:
        """Whose token it is. Raises `Refused`. The signature is compared in constant time (`hmac.compare_digest`, in pyjwt)."""
        if not token or len(token) > _TOKEN_AT_MOST:
            raise Refused("a token is needed: Authorization: Bearer …")
        try:
            # Times are judged by our clock below: one clock for making and reading.
            options = {"require": ["sub", "role", "exp"], "verify_exp": False, "verify_iat": False, "verify_aud": False}
            claims = jwt.decode(token, self._secret, algorithms=[_ALGORITHM], options=options)  # type: ignore[arg-type]
        except (jwt.PyJWTError, ValueError, RecursionError):
            raise Refused("the token is not one of this router's") from None
        return _operator(claims.get("sub"), claims.get("role"), claims.get("exp"), now_s)

    def of_header(self, header: str, now_s: int) -> Operator:
        """The same for the value of an Authorization header."""
        scheme, _, token = header.partition(" ")
        return self.read(token.strip() if scheme.lower() == "bearer" else "", now_s)


def _operator(name: object, role: object, expires: object, now_s: int) -> Operator:
    if not isinstance(name, str) or not _is_name(name) or role not in list(Role) or type(expires) is not int:
        raise Refused("the token's claims are not what they should be")
    if expires <= now_s:
        raise Refused("the token has expired: ask for another (fixrouter token)")
    return Operator(name, Role(str(role)), expires)


def _is_name(name: str) -> bool:
    return 0 < len(name) <= _NAME_AT_MOST and name.isprintable() and bool(name.strip())


def allowed(operator: Operator, needed: Role) -> bool:
    """True when the operator's role includes the one that is needed."""
    return _RANK[operator.role] >= _RANK[needed]


class Buckets:
    """How often each key may do something: `burst` at once, and so many a second from then on. Keeps a bounded number of keys."""

    def __init__(self, per_second: float, burst: int, keys_at_most: int = 1024) -> None:
        self._per_second = per_second
        self._burst = float(burst)
        self._most = keys_at_most
        self._levels: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, key: str, now: float) -> float:
        """Take one: 0.0 when it may be done, else the seconds to wait. `now` is of a monotonic clock."""
        level, since = self._levels.pop(key, (self._burst, now))
        level = min(self._burst, level + (now - since) * self._per_second)
        wait = 0.0 if level >= 1 else (1 - level) / self._per_second
        self._levels[key] = (level if wait else level - 1, now)
        if len(self._levels) > self._most:
            self._levels.popitem(last=False)
        return wait


def kept_secret(path: Path) -> bytes:
    """The secret in a file, made where there is none. Raises `OSError`; `ValueError` where others may read it or it is too short."""
    with contextlib.suppress(FileExistsError):
        _write_private(path, secrets.token_bytes(_SECRET_BYTES).hex().encode())
    if path.stat().st_mode & 0o077:
        raise ValueError(f"{path}: others than its owner may read it: chmod 600, or delete it and make new tokens")
    secret = path.read_bytes().strip()
    Tokens(secret)
    return secret


def write_token(path: Path, token: str) -> None:
    """Keep a token in a file that only its owner may read. Raises `OSError`."""
    fresh = path.with_name(f"{path.name}.new")
    fresh.unlink(missing_ok=True)
    _write_private(fresh, token.encode() + b"\n")
    fresh.replace(path)


def _write_private(path: Path, data: bytes) -> None:
    """Make a file of mode 0600. Raises `FileExistsError` where there is one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    # Written whole under another name, then linked: two routers that start at once agree on one secret.
    fresh = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    file = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        os.write(file, data)
        os.link(fresh, path)
    finally:
        os.close(file)
        fresh.unlink()
