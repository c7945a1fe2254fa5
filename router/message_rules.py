"""`[[clients.rules]]`: what is changed in a client session's messages, as its file says it. Shape only.

Which tags a rule may touch, and what a value may hold, is FIX's business: `fix.rules.faults` says it, with the key of each fault.
Rules work at the rim: before an order is read, after a report is written. So the journal holds what they made of an order, and a
replay does not depend on them."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

__all__ = ["Direction", "MessageRule"]

Direction = Literal["in", "out"]


def _several(value: Any) -> Any:
    """One text is a list of one; anything else is judged as it is."""
    return (value,) if isinstance(value, str) else value


class MessageRule(BaseModel):
    """One rule. Tags and values are text, as on the wire: a number written as one in TOML is a fault, never a conversion.

    In the file the keys are `set`, `copy` and `map`; the names here differ because pydantic's own are taken."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    direction: Direction
    """From the client, or to it."""
    messages: tuple[str, ...] = ()
    """MsgType(35) values; empty: every one that rules know in this direction."""
    when: dict[str, Annotated[tuple[str, ...], BeforeValidator(_several)]] = {}
    """Tag to a value, several values, or "*", present; a tag written "!18" turns its condition around. All must hold."""
    mapped: dict[str, dict[str, str]] = Field(default={}, alias="map")
    """Tag to old value to new value; other values stay."""
    copied: dict[str, str] = Field(default={}, alias="copy")
    """To, from: only where `from` is present."""
    default: dict[str, str] = {}
    """Tag to value, only where the tag is absent."""
    always: dict[str, str] = Field(default={}, alias="set")
    """Tag to value, added or replaced."""
    drop: tuple[str, ...] = ()
    """Tags to take out."""
