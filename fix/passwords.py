"""Username(553) and Password(554) of a Logon. A password is kept only as its argon2id hash (argon2-cffi), made by `fixrouter password`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

__all__ = ["Login", "hashed", "is_hash"]

PASSWORD = "554"  # noqa: S105 - the tag's number
USERNAME = "553"
_hasher = PasswordHasher()


def hashed(password: str) -> str:
    """What stands in the configuration."""
    return _hasher.hash(password)


def is_hash(text: str) -> bool:
    """Whether a text is such a hash."""
    try:
        _hasher.check_needs_rehash(text)
    except InvalidHashError:
        return False
    return True


@dataclass(frozen=True, slots=True, repr=False)
class Login:
    """What a session must say at its Logon."""

    username: str
    password_hash: str

    def refuses(self, found: Mapping[str, str]) -> str:
        """Why this Logon is refused; "" where it is not. Never says which of the two was wrong."""
        try:
            _hasher.verify(self.password_hash, found.get(PASSWORD, ""))
        except VerificationError:
            right = False
        else:
            right = found.get(USERNAME) == self.username
        return "" if right else "wrong Username(553) or Password(554)"
