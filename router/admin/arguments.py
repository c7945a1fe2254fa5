"""What an act's body says, checked against its `ActSpec`: every fault is a 400 that names the field. Pure.

Numbers are exact: a JSON number is taken digit by digit, as text, and never becomes a float.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from router.admin.contract import ActSpec, Argument
from router.admin.problems import Refusal, near, unknown

__all__ = ["Given", "Known", "exact", "read_body", "take"]

_NUMBER: Final = re.compile(r"-?(0|[1-9][0-9]{0,19})(\.[0-9]{1,20})?", re.ASCII)
_TEXT_AT_MOST: Final = 256
_WHY_AT_MOST: Final = 400
_FLAGS: Final = {True: True, False: False, "true": True, "false": False}


class _Digits(str):
    """A JSON number, as it was written."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Known:
    """Names that arguments may have."""

    sessions: Mapping[str, str]
    """By itself; as are symbols. Destinations: by the name in capitals."""
    destinations: Mapping[str, str]
    symbols: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Given:
    """The arguments of one act, in their order, as texts that were checked."""

    why: str
    texts: Mapping[str, str]
    flags: frozenset[str]

    def text(self, name: str) -> str:
        """An argument; "" where it was not given."""
        return self.texts.get(name, "")

    def amount(self, name: str) -> Decimal:
        """A number that was needed."""
        return Decimal(self.texts[name])

    def whole(self, name: str, least: int) -> int | None:
        """A whole number; None where it was not given. Raises `Refusal` where it is none, or below the least."""
        text = self.text(name)
        if not text:
            return None
        if not text.isdecimal() or int(text) < least:
            raise Refusal(400, f"{name}: {text} is not a whole number from {least}")
        return int(text)

    def command(self, act: str) -> str:
        """The act in one line, as it is journaled."""
        said = [f"{name}={json.dumps(value, ensure_ascii=False) if ' ' in value else value}" for name, value in self.texts.items()]
        return " ".join([act, *said, *sorted(self.flags)])


def read_body(body: bytes) -> dict[str, Any]:
    """A JSON object. Raises `Refusal`."""
    try:
        read = json.loads(
            body, parse_int=_Digits, parse_float=_Digits, parse_constant=_constant, object_pairs_hook=_once,
        )  # fmt: skip
    except RecursionError:
        raise Refusal(400, "the body is nested too deep: an object of texts is expected") from None
    except ValueError as wrong:
        raise Refusal(400, f"the body is not JSON: {str(wrong)[:200]}") from None
    if not isinstance(read, dict):
        raise Refusal(400, "the body is not an object: an object of texts is expected")
    return read


def _constant(name: str) -> Any:
    raise ValueError(f"{name} is not a number")


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    read = dict(pairs)
    if len(read) != len(pairs):
        raise ValueError("a field stands there twice")
    return read


def take(spec: ActSpec, body: Mapping[str, Any], known: Known, preview: bool) -> Given:
    """The arguments. Raises `Refusal` for the first that is wrong."""
    names = {each.name: each for each in spec.arguments}
    for field in body:
        if field != "why" and field not in names:
            raise Refusal(400, f"{field[:200]}: {spec.name} has no such argument", candidates=near(field, [*names, "why"]))
    texts: dict[str, str] = {}
    flags: set[str] = set()
    for argument in spec.arguments:
        value = body.get(argument.name)
        if argument.kind == "flag":
            if _flag(argument, value):
                flags.add(argument.name)
        elif value is not None and value != "":
            texts[argument.name] = _value(argument, value, known)
        elif argument.needed:
            raise Refusal(400, f"{argument.name} is missing: {argument.what}", candidates=argument.choices)
    return Given(_why(spec, body.get("why"), preview), texts, frozenset(flags))


def _flag(argument: Argument, value: object) -> bool:
    if value is None or value == "":
        return False
    if not isinstance(value, str | bool) or value not in _FLAGS:
        raise Refusal(400, f"{argument.name}: true or false is expected")
    return _FLAGS[value]


def _value(argument: Argument, value: object, known: Known) -> str:
    name = argument.name
    if argument.kind == "number":
        return _number(name, value)
    text = _text(name, value, _TEXT_AT_MOST)
    if argument.choices and text not in argument.choices:
        raise Refusal(400, f"{name}: {text} is none of {', '.join(argument.choices)}", candidates=near(text, argument.choices))
    match argument.kind:
        case "session":
            return _named(name, text, "session", known.sessions)
        case "destination":
            return _named(name, text.upper(), "destination", known.destinations)
        case "symbol":
            return _named(name, text, "symbol", known.symbols)
    return text


def _named(field: str, value: str, what: str, known: Mapping[str, str]) -> str:
    if value not in known:
        raise unknown(field, value, what, known.values())
    return known[value]


def exact(name: str, value: object) -> Decimal:
    """A number, exact. Raises `Refusal`."""
    return Decimal(_number(name, value))


def _number(name: str, value: object) -> str:
    if not isinstance(value, str) or not _NUMBER.fullmatch(value):
        raise Refusal(400, f"{name}: {str(value)[:60]!r} is not a number such as 12.5, with at most 20 digits on either side")
    return str(value)


def _text(name: str, value: object, most: int) -> str:
    if not isinstance(value, str) or isinstance(value, _Digits):
        raise Refusal(400, f"{name}: a text is expected")
    text = value.strip()
    if len(text) > most:
        raise Refusal(400, f"{name}: at most {most} characters, this has {len(text)}")
    if not text.isprintable():
        raise Refusal(400, f"{name}: it has characters that cannot be printed")
    return text


def _why(spec: ActSpec, value: object, preview: bool) -> str:
    why = _text("why", "" if value is None else value, _WHY_AT_MOST)
    if spec.destroys and not why and not preview:
        raise Refusal(400, f"why is missing: {spec.name} needs a reason, which is journaled")
    return why
