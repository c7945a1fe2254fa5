"""Frames of a Phoenix channel ("Channels"): from text to text. Pure.

The document's objects `{ref, join_ref, topic, event, payload}` are Phoenix's serializer 1.0.0, taken where `vsn` is left out.
With `vsn=2.0.0`, which newer Phoenix clients ask for, a frame is the array `[join_ref, ref, topic, event, payload]`.
"""

from dataclasses import dataclass, field
from typing import Any

from bridges.moonbase.sim_text import from_json, to_json

OBJECTS, ARRAYS = "1.0.0", "2.0.0"
VERSIONS = (OBJECTS, ARRAYS)
Ref = str | int | None


@dataclass(frozen=True, slots=True)
class Frame:
    """`ref` and `join_ref` are None in what the venue pushes."""

    topic: str
    event: str
    payload: dict[str, Any] = field(default_factory=dict)
    ref: Ref = None
    join_ref: Ref = None


class Unreadable(Exception):
    """It is no frame; the text says why."""


def read(text: str, vsn: str) -> Frame:
    """Unreadable for whatever is no frame of this version."""
    try:
        parts = from_json(text)
    except ValueError:
        raise Unreadable("not JSON") from None
    if vsn == ARRAYS:
        if not isinstance(parts, list) or len(parts) != 5:
            raise Unreadable("not an array of five")
        join_ref, ref, topic, event, payload = parts
    else:
        if not isinstance(parts, dict):
            raise Unreadable("not an object")
        ref, join_ref, topic, event, payload = (parts.get(name) for name in ("ref", "join_ref", "topic", "event", "payload"))
    if not isinstance(topic, str) or not isinstance(event, str) or not isinstance(payload, dict):
        raise Unreadable("topic and event are texts, payload is an object")
    return Frame(topic, event, payload, _ref(ref), _ref(join_ref))


def write(frame: Frame, vsn: str) -> str:
    if vsn == ARRAYS:
        return to_json([frame.join_ref, frame.ref, frame.topic, frame.event, frame.payload])
    names = ("ref", "join_ref", "topic", "event", "payload")
    return to_json({name: getattr(frame, name) for name in names})


def _ref(value: Any) -> Ref:
    if value is None or isinstance(value, str) or type(value) is int:
        return value
    raise Unreadable("ref and join_ref are texts, whole numbers or null")
