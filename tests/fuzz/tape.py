"""A tape of bytes that decides everything a hostile peer does. Hypothesis draws it, atheris mutates it, a failing one can be pasted into a
test: so one description of the peer serves all three."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

__all__ = ["Tape"]

_Any = TypeVar("_Any")


class Tape:
    """Choices read from bytes; at the end of them every choice is the first."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    @property
    def done(self) -> bool:
        """Whether nothing is left to decide by."""
        return self._at >= len(self._data)

    def below(self, limit: int) -> int:
        """A whole number from 0 to `limit` - 1."""
        value = 0
        for _ in range(1 if limit <= 256 else 2):
            value = value * 256 + (0 if self.done else self._data[self._at])
            self._at += 1
        return value % limit

    def pick(self, among: Sequence[_Any]) -> _Any:
        """One of them."""
        return among[self.below(len(among))]

    def maybe(self, of: int) -> bool:
        """True once in about so many times."""
        return self.below(of) == of - 1

    def raw(self, most: int) -> bytes:
        """Bytes as they stand on the tape."""
        size = self.below(most + 1)
        taken = self._data[self._at : self._at + size]
        self._at += size
        return taken
