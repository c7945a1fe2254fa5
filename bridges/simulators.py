"""All venues' simulators: their settings from one TOML file, and which of them to start."""

import tomllib
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from decimal import Decimal
from pathlib import Path
from typing import Any, Protocol

from pydantic import BaseModel, ConfigDict

from bridges.apifiny import simulator as apifiny
from bridges.apifiny.settings import ApifinySettings
from bridges.cryptocom import simulator as cryptocom
from bridges.cryptocom.sim_settings import CryptocomSettings
from bridges.phemex import simulator as phemex
from bridges.phemex.sim_settings import PhemexSettings


class SimulatorSettings(BaseModel):
    """The file, one table a venue. Amounts are Decimal from the file's text; an unknown key is a fault."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    apifiny: ApifinySettings
    phemex: PhemexSettings
    cryptocom: CryptocomSettings


class Running(Protocol):
    async def close(self) -> None: ...


# One line a venue: how it is started. The key is its table in the file and its name on the command line.
VENUES: dict[str, Callable[[SimulatorSettings], Awaitable[Running]]] = {
    "apifiny": lambda settings: apifiny.serve(settings.apifiny),
    "phemex": lambda settings: phemex.serve(settings.phemex),
    "cryptocom": lambda settings: cryptocom.serve(settings.cryptocom),
}


def load(path: Path) -> SimulatorSettings:
    """Reads the file and the secrets it names (`secret_file`, relative to its folder).

    Errors: OSError (no file), tomllib.TOMLDecodeError (a ValueError), pydantic.ValidationError (a ValueError, with the
    key) or ValueError (a secret that stands in the file, or is missing).
    """
    with path.open("rb") as file:
        tree = tomllib.load(file, parse_float=Decimal)
    _read_secrets(tree, path.parent, "")
    return SimulatorSettings.model_validate(tree)


async def serve(names: Sequence[str], settings: SimulatorSettings) -> AsyncExitStack:
    """Starts the simulators named ("all" is every one, case does not matter); closing the stack ends them.

    ValueError for an unknown name, OSError for a port that is taken; nothing runs then.
    """
    wanted = chosen(names)
    async with AsyncExitStack() as stack:
        for name in wanted:
            running = await VENUES[name](settings)
            stack.push_async_callback(running.close)
        return stack.pop_all()


def chosen(names: Sequence[str]) -> list[str]:
    """The venues meant, each once, in the order of `VENUES`; ValueError naming what is unknown."""
    lower = {name.lower() for name in names}
    unknown = sorted(lower - set(VENUES) - {"all"})
    if unknown or not lower:
        what = f"unknown simulator {', '.join(unknown)}" if unknown else "no simulator named"
        raise ValueError(f"{what}; there are {', '.join(VENUES)} and all")
    return [name for name in VENUES if "all" in lower or name in lower]


def _read_secrets(node: Any, folder: Path, where: str) -> None:
    """Replaces every `secret_file` by the `secret` that it holds."""
    if isinstance(node, list):
        for i, each in enumerate(node):
            _read_secrets(each, folder, f"{where}[{i}]")
    if not isinstance(node, dict):
        return
    for key, value in node.items():
        _read_secrets(value, folder, f"{where}.{key}".lstrip("."))
    if "secret" in node:
        raise ValueError(f"{where}.secret: secrets do not stand in this file; name a secret_file")
    if "secret_file" in node:
        try:
            node["secret"] = (folder / str(node.pop("secret_file"))).read_text().strip()
        except OSError as e:
            raise ValueError(f"{where}.secret_file: {e.strerror}: {e.filename}") from None
        if not node["secret"]:
            raise ValueError(f"{where}.secret_file: the file is empty")
