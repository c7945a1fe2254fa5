"""Completion on the console: of commands, of arguments, and of values, which the API is asked for and which are kept for a second."""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator, Iterable
from dataclasses import dataclass, field
from typing import Final

from prompt_toolkit.completion import CompleteEvent, Completer, Completion
from prompt_toolkit.document import Document

from router.admin.client import Client, NoToken, Refused, Unreachable
from router.admin.contract import Argument
from router.admin.words import COMMANDS, Command, known

__all__ = ["Values", "WordCompleter", "wanted"]

KEPT_S: Final = 1.0
Found = tuple[str, str]
"""A word, and what it is."""


@dataclass(slots=True)
class Wanted:
    """What could come next: words that are known, and kinds of values after a lead ("destination=" or "")."""

    words: list[Found] = field(default_factory=list)
    values: list[Found] = field(default_factory=list)
    """(lead, kind)."""


def wanted(line: str) -> tuple[str, Wanted]:
    """The word that is being typed, and what it may become."""
    *before, word = line.split(" ") if line.strip() else [""]
    before = [each for each in before if each]
    if before and before[0] == "watch":
        return _after_watch(before[1:], word)
    if not before:
        return word, Wanted([(each, _what(each)) for each in known()])
    if before[0] == "help":
        return word, Wanted([(each, _what(each)) for each in known()] if len(before) == 1 else [])
    found = Wanted()
    for command in (each for each in COMMANDS if each.name == before[0].lower()):
        _arguments(command, before[1:], word, found)
    return word, found


def _after_watch(before: list[str], word: str) -> tuple[str, Wanted]:
    if before:
        return wanted(" ".join([*before, word]))
    return word, Wanted([(each.name, each.what) for each in COMMANDS if each.act is None])


def _arguments(command: Command, before: list[str], word: str, found: Wanted) -> None:
    """What of one command's arguments may come next, added to `found`."""
    by_name = {each.name: each for each in command.arguments}
    taken = {each.partition("=")[0] for each in before} & set(by_name)
    placed = [each for each in before if each.partition("=")[0] not in {*by_name, "why"}]
    open_ones = [each for each in command.arguments if each.name not in taken and each.kind != "flag"]
    name, equals, _ = word.partition("=")
    if equals and name in by_name:
        _offer(by_name[name], f"{name}=", before, found)
        return
    places = open_ones[len(placed) :]
    if places and not command.names_only:
        _offer(places[0], "", before, found)
    found.words += [(each.name, each.what) for each in command.arguments if each.kind == "flag" and each.name not in taken]
    found.words += [(f"{each.name}=", each.what) for each in places[0 if command.names_only else 1 :]]
    if command.act is not None and "why=" not in " ".join(before):
        found.words.append(('why="', "the reason, for the journal"))


def _offer(argument: Argument, lead: str, before: list[str], found: Wanted) -> None:
    if argument.choices:
        found.words += [(lead + each, argument.what) for each in argument.choices]
    scope = next((each for each in ("session", "account", "destination") if argument.name == "name" and each in before), "")
    found.values.append((lead, scope or argument.kind))


def _what(name: str) -> str:
    special = {"watch": "any listing, live", "help": "what there is; help COMMAND", "quit": "leave"}
    return special.get(name) or next(each.what for each in COMMANDS if each.name == name)


class Values:
    """The values there are now, by kind; asked of the API at most once a second. Where it cannot be asked, there are none."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._kept: dict[str, tuple[float, list[Found]]] = {}

    async def of(self, kind: str) -> list[Found]:
        """The values of a kind: order, session, destination, account, symbol, link."""
        at, found = self._kept.get(kind, (-KEPT_S, []))
        if time.monotonic() - at < KEPT_S:
            return found
        try:
            found = list(dict(await self._asked(kind)).items())
        except (Unreachable, Refused, NoToken):
            found = []
        self._kept[kind] = time.monotonic(), found
        return found

    async def _asked(self, kind: str) -> Iterable[Found]:
        if kind == "session":
            return [(row.name, "up" if row.logged_on else "logged out") for row in await self._client.sessions()]
        if kind in ("destination", "symbol", "link"):
            rows = await self._client.venues()
            if kind == "symbol":
                return [(symbol, row.name) for row in rows for symbol in row.symbols]
            return [(row.name, row.state) if kind == "destination" else (row.link, row.name) for row in rows]
        if kind in ("order", "account"):
            orders = (await self._client.orders({"state": "all", "limit": "100"})).rows
            if kind == "account":
                return [(row.account, row.session) for row in orders if row.account]
            about = [(row, f"{row.side} {row.order_qty} {row.symbol} {'UNKNOWN' if row.unknown else row.status}") for row in orders]
            return [(row.order_id, what) for row, what in about] + [(row.cl_ord_id, what) for row, what in about]
        return []


class WordCompleter(Completer):
    """prompt_toolkit's side of it."""

    def __init__(self, values: Values) -> None:
        self._values = values

    def get_completions(self, document: Document, complete_event: CompleteEvent) -> Iterable[Completion]:  # noqa: ARG002 - theirs
        return ()

    async def get_completions_async(self, document: Document, complete_event: CompleteEvent) -> AsyncGenerator[Completion, None]:  # noqa: ARG002
        word, may = wanted(document.text_before_cursor)
        for text, what in may.words:
            if text.startswith(word):
                yield Completion(text, -len(word), display_meta=what)
        for lead, kind in may.values:
            for value, what in await self._values.of(kind):
                # A value that drives the terminal is no help; ids are found by any part of them, since they differ at their ends.
                if value.isprintable() and word.startswith(lead) and word[len(lead) :].lower() in value.lower():
                    yield Completion(lead + (f'"{value}"' if " " in value else value), -len(word), display=value, display_meta=what)
