"""Why a message is not taken as a request, where it names nothing that a report could speak of. Pure."""

from __future__ import annotations

from collections.abc import Mapping

__all__ = ["MissingField", "Refused", "UnsupportedMessage", "needed"]


class MissingField(Exception):
    """A tag without which there is nothing to answer about; `tag` is its number."""

    def __init__(self, tag: str) -> None:
        super().__init__(f"required tag {tag} is missing")
        self.tag = int(tag)


class UnsupportedMessage(Exception):
    """A message type that is valid FIX and not taken here."""


class Refused(Exception):
    """A message that is answered with BusinessMessageReject(j) and our own Text."""


def needed(found: Mapping[str, str], tag: str) -> str:
    """A field that must be there. Raises `MissingField`."""
    value = found.get(tag)
    if not value:
        raise MissingField(tag)
    return value
