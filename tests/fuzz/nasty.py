"""What a hostile peer puts where a value should be: JSON tokens, FIX values, ways to spoil a true message. It knows no venue."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from decimal import Decimal
from typing import Any, Final

from tests.fuzz.tape import Tape

__all__ = ["TOKENS", "VALUES", "Raw", "bytes_of", "dumps", "garbage", "mutated", "paths", "put"]


class Raw(str):
    """A JSON token that goes out as it stands, whether it is JSON or not."""

    __slots__ = ()


class Twice(list[Any]):
    """Two values for one key: a duplicate."""


_NUMBERS: Final = (
    "0", "-0", "-0.0", "1", "-1", "5", "-5", "7", "0.5", "-0.5", "1.0000000000000000000000000000001", "1e2", "1E-9", "1e19", "1e30",
    "-1e30", "1e-30", "1e400", "1E+999999999", "-1E-999999999", "0E+999999999", "0E-999999999", "1e99999999999999999999", "9" * 30,
    "9" * 5000,
    "0." + "1" * 5000, "9223372036854775807", "9223372036854775808", "-9223372036854775809", "18446744073709551616", "1e24", "1e-34",
    "99999999999999999999999.99999999999999", "0.000000000000000001",
)  # fmt: skip
_NOT_JSON: Final = ("NaN", "Infinity", "-Infinity", "nan", "0x10", "01", "+1", "'a'", "undefined", "", "1_0", ".5", "5.")
_TEXTS: Final = (
    "", " ", "x", "a\x01 58=x", "a\x0158=x\x0110=000\x01", "\x00", "\x1b[31mred", "a\nb\rc", "\u2028\u2029", "\x85\x9b", "\ud800",
    "\udcff\udc80", "\ufffe", "\u202eabc", "٣", "１", "1_0", " 1 ", "+5", "0x10", "NaN", "sNaN", "Infinity", "-inf", "1e400", "-1", "-5",
    "x" * 70, "x" * 600, "9" * 5000, "9" * 19, "9" * 20, "../../etc", "a/b?c=d&e#f", "%n%s", "new", "Filled", "FILLED", "null", "true",
    "1E+999999999", "0E+999999999", "1" + "0" * 40, "0." + "0" * 40 + "1", "2019-02-17T20:37:41", "9999-12-31T23:59:59.999999-23:59",
    "0001-01-01T00:00:00+23:59", "20261121-25:61:61", "99991231-23:59:59.999",
)  # fmt: skip
_DEEP: Final = ("[" * 100_000, '{"a":' * 100_000, "[" * 700 + "]" * 700, '{"a":' * 400 + "1" + "}" * 400, "[" * 200 + "]" * 200)
TOKENS: Final = (
    *_NUMBERS, *(json.dumps(each) for each in (*_NUMBERS, *_TEXTS)), *_NOT_JSON, *_DEEP, "null", "true", "false", "[]", "{}", "[null]",
    "[[]]", "[{}]", '{"":null}', '{"id":1}', "[1,2]", "[1,2,3,4]", '["a","b"]', json.dumps("x" * 100_000), "[" + "1," * 3000 + "1]",
)  # fmt: skip
"""Instead of any value."""
VALUES: Final = (*_NUMBERS, *(each for each in _TEXTS if each), "NaN", "-Infinity", "x" * 100_000)
"""Instead of a FIX field's value."""


def dumps(value: Any) -> str:
    """JSON, with raw tokens as they stand and duplicate keys."""
    match value:
        case Raw():
            return str(value)
        case Decimal():
            return f"{value:f}"
        case dict():
            pairs = [(key, each) for key, one in value.items() for each in (one if isinstance(one, Twice) else (one,))]
            return "{" + ",".join(f"{json.dumps(key)}:{dumps(each)}" for key, each in pairs) + "}"
        case list() | tuple():
            return "[" + ",".join(map(dumps, value)) + "]"
    return json.dumps(value)


def paths(value: Any, before: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Where something stands in a message, the whole of it first."""
    yield before
    if isinstance(value, dict):
        for key, each in value.items():
            yield from paths(each, (*before, key))
    elif isinstance(value, list):
        for at, each in enumerate(value[:5]):
            yield from paths(each, (*before, at))


def put(value: Any, path: tuple[Any, ...], new: Any) -> Any:
    """A copy with something else in one place."""
    if not path:
        return new
    copy: Any = dict(value) if isinstance(value, dict) else list(value)
    copy[path[0]] = put(copy[path[0]], path[1:], new)
    return copy


def _at(value: Any, path: tuple[Any, ...]) -> Any:
    for step in path:
        value = value[step]
    return value


def mutated(value: Any, tape: Tape, times: int = 3) -> Any:
    """A true message, spoiled in up to so many places (often in none)."""
    for _ in range(0 if tape.maybe(2) else tape.below(times) + 1):
        places = list(paths(value))
        path = places[tape.below(len(places))]
        if not path and not tape.maybe(8):
            continue
        value = _spoiled(value, path, _at(value, path), places, tape)
    return value


def _spoiled(whole: Any, path: tuple[Any, ...], old: Any, places: list[tuple[Any, ...]], tape: Tape) -> Any:
    match tape.below(10):
        case 0 if path and isinstance(_at(whole, path[:-1]), dict):
            holder = _at(whole, path[:-1])
            return put(whole, path[:-1], {key: each for key, each in holder.items() if key != path[-1]})
        case 1:
            return put(whole, path, Twice([old, Raw(tape.pick(TOKENS))])) if path and isinstance(path[-1], str) else whole
        case 2:
            return put(whole, path, [old])
        case 3:
            return put(whole, path, _at(whole, tape.pick(places)))
        case 4 if isinstance(old, list):
            return put(whole, path, [*old, *old[:1] * tape.below(40)])
        case 5 if isinstance(old, str):
            return put(whole, path, tape.pick(("", old + "\x01", old * 9, old.upper(), old[:-1], "\ud800" + old)))
        case 6 if isinstance(old, int | float | Decimal) and not isinstance(old, bool):
            return put(whole, path, tape.pick((-old, old + 1, old * 2, old * 10**12, str(old), Raw(f"-{old}"), 0)))
        case _:
            return put(whole, path, Raw(tape.pick(TOKENS)))


def bytes_of(text: str, tape: Tape, packed: bool = False) -> str | bytes:
    """A text as a frame: most often as it is; truncated, spoiled, in a wrong encoding, with bytes where text should be."""
    data = text.encode("utf-8", "surrogatepass")
    match tape.below(24):
        case 0:
            data = data[: tape.below(len(data) + 1)]
        case 1:
            at = tape.below(len(data) + 1)
            data = data[:at] + tape.raw(8) + data[at + tape.below(4) :]
        case 2:
            data = tape.pick((b"\xef\xbb\xbf" + data, data + data, b"\xff" + data, data + b"\x00", b"\xc0\x80", data.replace(b'"', b"'")))
        case 3:
            data = text.encode(tape.pick(("utf-16", "utf-16-le", "utf-32", "utf-7")), "replace")
        case _ if packed:
            return gzip.compress(data, 1)
        case each if each < 12:
            return data
        case _:
            return text
    return gzip.compress(data, 1) if packed and tape.maybe(2) else data


def garbage(tape: Tape) -> bytes:
    """No message at all."""
    return tape.pick(
        (b"", tape.raw(40), b"[" * 100_000, b'{"a":' * 50_000, b"\x00" * 20, b"[" + b"9" * 6000 + b"]", b'"\\ud800"', b"1e400")
    )
