"""The operators' language: what a line on the console, or the words after `fixrouter ctl`, ask for. Pure.

What acts comes from `contract.ACTS`: there is no second list. Arguments are given by name (`key=value`) or by place; an argument that is a
flag is its bare name. An act all of whose arguments may be left out (`cancel-all`) takes names only: a slip must not widen it.
"""

from __future__ import annotations

import difflib
import re
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from typing import Final

from router.admin.contract import ACTS, ActSpec, Argument
from router.words import TimeInForce

__all__ = ["COMMANDS", "Command", "Request", "WrongUse", "known", "nearest", "read", "split"]


class WrongUse(Exception):
    """A line that cannot be meant: the text says what is wrong and what would be right."""


@dataclass(frozen=True, slots=True)
class Command:
    """One word of the language."""

    name: str
    what: str
    arguments: tuple[Argument, ...] = ()
    examples: tuple[str, ...] = ()
    act: ActSpec | None = None
    """None: it only looks."""
    more: bool = False
    """Names beyond `arguments` are taken too (what a venue's topic wants)."""

    @property
    def names_only(self) -> bool:
        return self.act is not None and len(self.arguments) > 1 and not any(each.needed for each in self.arguments)

    @property
    def usage(self) -> str:
        return " ".join([self.name, *(_usage(each, self.names_only) for each in self.arguments), *(["key=value…"] if self.more else [])])


@dataclass(frozen=True, slots=True)
class Request:
    """A line, understood."""

    command: Command
    given: dict[str, str] = field(default_factory=dict)
    """Arguments by name, a flag as "true"."""
    why: str = ""
    every_s: float = 0
    """Ask again and again, so often (`watch`); 0: once."""

    @property
    def line(self) -> str:
        """As it could be typed, all by name."""
        return " ".join([self.command.name, *(f"{name}={value}" for name, value in self.given.items())])


def _of(kind: str, what: str, needed: bool = False, name: str = "") -> Argument:
    return Argument.model_validate({"name": name or kind, "what": what, "needed": needed, "kind": kind})


_WHERE: Final = (
    _of("destination", "only there"), _of("account", "only of this Account(1)"),
    _of("session", "only of this client session"), _of("symbol", "only of this symbol"),
)  # fmt: skip
_LIMIT: Final = _of("number", "at most so many rows, the newest", name="limit")
_AFTER: Final = Argument(name="after", what="the page after this OrderID")
_STATE: Final = Argument(name="state", what="which; open where nothing is said", choices=["open", "unknown", "done", "all"])
_SIDE: Final = Argument(name="side", what="buy or sell", choices=["buy", "sell"])
_ORDER: Final = _of("order", "only of this OrderID or ClOrdID")
_ROUTE_TEST: Final = (
    _SIDE.model_copy(update={"needed": True}), _of("number", "OrderQty(38)", True, "qty"), _of("symbol", "Symbol(55)", True),
    _of("number", "limit price; without it, a market order", name="price"), _of("number", "stop price", name="stop_px"),
    Argument(name="tif", what="TimeInForce(59)", choices=[each.value for each in TimeInForce]),
    _of("session", "as if from this client session"), _of("destination", "as if the client asked for it"),
    _of("account", "as if of this Account(1)"),
)  # fmt: skip

_SEEN: Final = (
    Command("status", "everything at a glance", examples=("status",)),
    Command("sessions", "FIX sessions, with clients and with venues", examples=("sessions",)),
    Command("session", "one session", (_of("session", "which", True),), ("session OMS42", "session FIX.4.4:ROUTER->OMS44")),
    Command("venues", "destinations: up or not and why, open and unknown orders", examples=("venues",)),
    Command("venue", "one destination, and what it can be asked", (_of("destination", "which", True),), ("venue PHEMEX",)),
    Command("orders", "orders, the newest first", (_STATE, *_WHERE, _SIDE, _of("order", "any of its ids", name="id"), _LIMIT, _AFTER),
            ("orders", "orders unknown", "orders open destination=PHEMEX symbol=BTC/USD", "orders done session=OMS42 limit=20")),
    Command("order", "an order's whole life, by any of its ids", (_of("order", "our OrderID, a ClOrdID or the venue's", True),),
            ("order 261121080000-42",)),
    Command("fills", "executions, the newest first", (*_WHERE, _SIDE, _ORDER, _LIMIT), ("fills", "fills symbol=BTC/USDT limit=20")),
    Command("balances", "balances, asked of the venues now", (_WHERE[0],), ("balances", "balances CRYPTOCOM")),
    Command("positions", "positions, asked of the venues now", (_WHERE[0],), ("positions", "positions PHEMEX")),
    Command("holdings", "balances and positions as the venues told them last, and when; nobody is asked", (_WHERE[0],),
            ("holdings", "holdings BINANCE")),
    Command("routes", "where orders go that name no destination, in the order that is tried", examples=("routes",)),
    Command("limits", "what orders must keep to", (_WHERE[0], _WHERE[3]), ("limits BINANCE", "limits symbol=BTC/USDT")),
    Command("budgets", "venues' request budgets and what of them is used", examples=("budgets",)),
    Command("rejects", "what was refused, by whom and why; the newest first", (_WHERE[0], _WHERE[2], _ORDER, _LIMIT),
            ("rejects", "rejects session=OMS42")),
    Command("latency", "how long each stage took, of the last minutes", examples=("latency",)),
    Command("alerts", "alerts: those that are active, then those of before", (_LIMIT,), ("alerts", "alerts limit=5")),
    Command("config", "the settings in use", (Argument(name="key", what="only keys that begin with this"),), ("config", "config router.")),
    Command("route-test", "where an order would go now, and why; nothing is sent", _ROUTE_TEST,
            ("route-test buy 0.5 BTC/USDT price=65000", "route-test sell 5 BTC/USD session=OMS44 destination=PHEMEX")),
    Command("whoami", "whose token this is, and what it may do", examples=("whoami",)),
    Command("ask", "ask a venue about one of its topics (`venue DEST` lists them)",
            (_of("destination", "which", True), Argument(name="topic", what="what about", needed=True)),
            ("ask PHEMEX balances", "ask CRYPTOCOM trades symbol=BTC/USDT"), more=True),
)  # fmt: skip

_EXAMPLES: Final[Mapping[str, tuple[str, ...]]] = {
    "halt": ('halt all why="strange prices"', "halt session OMS42", "halt account ACC1", "halt destination PHEMEX"),
    "resume": ("resume all", "resume session OMS42"),
    "cancel": ('cancel 261121080000-42 why="client asked by phone"',),
    "cancel-all": ("cancel-all destination=PHEMEX", "cancel-all session=OMS42 symbol=BTC/USDT", "cancel-all"),
    "reconcile": ("reconcile PRIMEBIT",),
    "resolve": ("resolve 261121080000-42 venue_order_id=8f3a21", "resolve 261121080000-42 not_placed"),
    "mark-done": ("mark-done 261121080000-42", "mark-done 261121080000-42 expired"),
    "fill-correct": ("fill-correct 261121080000-42 261121080000-42-3 0.4 65000",),
    "assign-margin": ("assign-margin MOONBASE ETC/BTC 0.5",),
    "fill-bust": ("fill-bust 261121080000-42 261121080000-42-3",),
    "venue": ("venue PHEMEX reconnect", "venue PHEMEX disable"),
    "session": ("session OMS42 logout", "session OMS42 seqnum next_in=120 next_out=88"),
    "resend": ("resend OMS42 100 0",),
    "reload": ("reload",),
    "stop": ("stop", "stop cancel_all"),
}
_DONE: Final = tuple(Command(each.name, each.what, tuple(each.arguments), _EXAMPLES.get(each.name, (each.name,)), each) for each in ACTS)
COMMANDS: Final = (*_SEEN, *_DONE)
"""All of them; `session` and `venue` are there twice, as what is seen and as what is done: how much is given decides."""
WATCH_S: Final = 2.0


def known() -> list[str]:
    """Every first word there is."""
    return [*dict.fromkeys(each.name for each in COMMANDS), "watch", "help", "quit"]


def split(line: str) -> list[str]:
    """A line's words; quotes keep blanks together and nothing else is special. Raises `WrongUse`."""
    words = shlex.shlex(line, posix=True, punctuation_chars=False)
    words.whitespace_split, words.commenters, words.escape = True, "", ""
    try:
        return list(words)
    except ValueError:
        raise WrongUse('a quotation mark is missing: why="like this"') from None


def read(words: Sequence[str]) -> Request:
    """What some words ask for. Raises `WrongUse`."""
    name, rest = words[0].lower(), list(words[1:])
    if name == "watch":
        return _watched(rest)
    fitting = [each for each in COMMANDS if each.name == name]
    if not fitting:
        raise WrongUse(f"there is no command {words[0]}{nearest(name, known())}")
    given = [word for word in rest if not word.startswith("why=")]
    chosen = fitting[-1] if len(given) > 1 or fitting[0].act is not None else fitting[0]
    return _filled(chosen, given, next((word[4:] for word in rest if word.startswith("why=")), ""))


def _watched(rest: list[str]) -> Request:
    every = WATCH_S
    if len(rest) > 1 and re.fullmatch(r"\d+(\.\d+)?", rest[-1]) and rest[0].lower() not in ("order", "ask"):
        every = max(0.2, float(rest.pop()))
    if not rest or rest[0].lower() == "watch":
        raise WrongUse("watch what? For example: watch orders open 2")
    request = read(rest)
    if request.command.act is not None:
        raise WrongUse(f"{request.command.name} acts: it cannot be watched")
    return Request(request.command, request.given, every_s=every)


def _filled(command: Command, words: list[str], why: str) -> Request:
    """Words put to a command's arguments."""
    by_name = {each.name: each for each in command.arguments}
    given: dict[str, str] = {}
    for word in words:
        name, equals, value = word.partition("=")
        if not (equals and (name in by_name or (command.more and name.isidentifier()))):
            name, value = _placed(command, given, word)
        if name in given:
            raise WrongUse(f"{name} is given twice")
        given[name] = _checked(by_name[name], value) if name in by_name else value
    missing = [each.name for each in command.arguments if each.needed and each.name not in given]
    if missing:
        raise WrongUse(f"{command.name} needs {' and '.join(missing)}: {command.usage}. For example: {command.examples[0]}")
    return Request(command, given, why)


def _placed(command: Command, given: Mapping[str, str], word: str) -> tuple[str, str]:
    """Which argument a word without a name is."""
    flag = next((each.name for each in command.arguments if each.kind == "flag" and each.name == word), None)
    if flag is not None:
        return flag, "true"
    open_ones = [each for each in command.arguments if each.name not in given and each.kind != "flag"]
    if command.names_only or not open_ones:
        name, equals, _ = word.partition("=")
        wrong = f"{command.name} has no {name}=" if equals else f"{command.name}: {word} is one word too many"
        raise WrongUse(f"{wrong}{_usage_after(name, command)}")
    if re.fullmatch(r"[a-z_]+=.*", word, re.DOTALL) and open_ones[0].kind != "order":
        name = word.partition("=")[0]
        raise WrongUse(f"{command.name} has no {name}={_usage_after(name, command)}")
    return open_ones[0].name, word


def _usage_after(name: str, command: Command) -> str:
    return f"{nearest(name, [each.name for each in command.arguments]) or '.'} Usage: {command.usage}"


def _checked(argument: Argument, value: str) -> str:
    """A value, as the API wants it. Raises `WrongUse`."""
    if argument.choices:
        if value.lower() not in argument.choices:
            near = nearest(value.lower(), argument.choices)
            raise WrongUse(f"{argument.name} is one of {', '.join(argument.choices)}; not {value}{near}")
        return value.lower()
    if not value:
        raise WrongUse(f"{argument.name}= needs a value")
    if argument.kind == "number" and not _number(value):
        raise WrongUse(f"{argument.name} is a number ({argument.what}); not {value}")
    if argument.kind == "flag" and value.lower() not in ("true", "yes", "false", "no"):
        raise WrongUse(f"{argument.name} is yes or no; not {value}")
    return {"yes": "true", "no": "false"}.get(value.lower(), value.lower()) if argument.kind == "flag" else value


def _number(value: str) -> bool:
    try:
        return Decimal(value).is_finite() and "_" not in value
    except InvalidOperation:
        return False


def nearest(word: str, words: Sequence[str]) -> str:
    """ "; perhaps …?", where something is near."""
    near = difflib.get_close_matches(word, words, 3, 0.55) or [each for each in words if word and each.startswith(word)][:3]
    return f"; perhaps {' or '.join(near)}?" if near else ""


def _usage(argument: Argument, named: bool) -> str:
    word = f"{argument.name}=…" if named else "|".join(argument.choices) if argument.choices else argument.name.upper()
    if argument.kind == "flag":
        word = argument.name
    return word if argument.needed else f"[{word}]"
