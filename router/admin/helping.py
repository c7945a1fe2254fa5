"""Help on the operators' language, from its own tables. Pure."""

from __future__ import annotations

from rich.console import Group, RenderableType
from rich.text import Text

from router.admin.words import COMMANDS, Command, WrongUse, known, nearest

__all__ = ["helped"]


def helped(word: str = "") -> RenderableType:
    """All commands in a line each, or all of one. Raises `WrongUse`."""
    if not word:
        see = [("", "to see:"), *((each.name, each.what) for each in COMMANDS if each.act is None), ("watch", "any of these, live")]
        do = [("", "to act:"), *((each.name, each.what) for each in COMMANDS if each.act is not None)]
        also = [("", "besides:"), ("help COMMAND", "its arguments, with examples"), ("quit", "leave; Ctrl-D does so too")]
        return Group(*(_pairs(each) for each in (see, do, also)))
    if word == "watch":
        return Group(Text("watch COMMAND [SECONDS]", "bold"), Text("any listing, live; Ctrl-C ends it"), _example("watch orders open 2"))
    fitting = [each for each in COMMANDS if each.name == word]
    if not fitting and word not in known():
        raise WrongUse(f"there is no command {word}{nearest(word, known())}")
    return Group(*(part for each in fitting for part in _help_of(each)))


def _help_of(command: Command) -> list[RenderableType]:
    parts: list[RenderableType] = [Text(command.usage, "bold"), Text(f"  {command.what}")]
    spec = command.act
    if spec is not None:
        asks = '; shows what it will do, asks, and wants a reason (why="…")' if spec.destroys else ""
        parts.append(Text(f"  needs the role {spec.role}{asks}", "dim"))
    for each in command.arguments:
        of = f": {', '.join(each.choices)}" if each.choices else ""
        parts.append(Text(f"  {each.name:16}{each.what}{of}" + ("" if each.needed else " (may be left out)")))
    return [*parts, *(_example(each) for each in command.examples), Text("")]


def _example(line: str) -> Text:
    return Text(f"  › {line}", "cyan")


def _pairs(pairs: list[tuple[str, str]]) -> RenderableType:
    lines = [Text(f"{name:14}{what}") if name else Text(what, "bold") for name, what in pairs]
    return Group(*lines, Text(""))
