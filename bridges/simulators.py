"""All venues' simulators: their settings from one TOML file, and which of them to start."""

import tomllib
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any, Protocol

from pydantic import BaseModel, ConfigDict

from bridges import memory
from bridges.apifiny.sim_settings import ApifinySettings
from bridges.apifiny.simulator import ApifinySimulator
from bridges.cryptocom.sim_settings import CryptocomSettings
from bridges.cryptocom.simulator import CryptocomSimulator
from bridges.memory import Memory
from bridges.moonbase.sim_settings import MoonbaseSettings
from bridges.moonbase.simulator import MoonbaseSimulator
from bridges.phemex.sim_settings import PhemexSettings
from bridges.phemex.simulator import PhemexSimulator
from bridges.primebit.sim_settings import PrimebitSettings
from bridges.primebit.simulator import PrimebitSimulator


class SimulatorSettings(BaseModel):
    """The file, one table a venue. Amounts are Decimal from the file's text; an unknown key is a fault."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    apifiny: ApifinySettings
    phemex: PhemexSettings
    primebit: PrimebitSettings
    moonbase: MoonbaseSettings
    cryptocom: CryptocomSettings


class Simulator(Protocol):
    """One venue. `recall` takes what `memory` gave in an earlier run, before `start`; it may raise anything."""

    async def start(self) -> None: ...
    async def close(self) -> None: ...
    def memory(self) -> Memory: ...
    def recall(self, memory: Memory) -> None: ...


# One line a venue: how it is made. The key is its table in the file and its name on the command line.
VENUES: dict[str, Callable[[SimulatorSettings], Simulator]] = {
    "apifiny": lambda settings: ApifinySimulator(settings.apifiny),
    "phemex": lambda settings: PhemexSimulator(settings.phemex),
    "primebit": lambda settings: PrimebitSimulator(settings.primebit),
    "moonbase": lambda settings: MoonbaseSimulator(settings.moonbase),
    "cryptocom": lambda settings: CryptocomSimulator(settings.cryptocom),
}
# The settings that a venue's memory depends on, where it has them; others may change between two runs.
_INSTRUMENTS_AND_ACCOUNTS = {"instruments", "contracts", "accounts", "users", "balances"}


def load(path: Path) -> SimulatorSettings:
    """Reads the file and the secrets it names (`secret_file`, relative to its folder).

    Errors: OSError (no file), tomllib.TOMLDecodeError (a ValueError), pydantic.ValidationError (a ValueError, with the
    key) or ValueError (a secret that stands in the file, or is missing).
    """
    with path.open("rb") as file:
        tree = tomllib.load(file, parse_float=Decimal)
    _read_secrets(tree, path.parent, "")
    return SimulatorSettings.model_validate(tree)


async def serve(
    names: Sequence[str], settings: SimulatorSettings, state: Path | None = None, say: Callable[[str], None] = lambda _line: None
) -> AsyncExitStack:
    """Starts the simulators named ("all" is every one, case does not matter); closing the stack ends them.

    In the folder `state`, if one is given, each keeps its memory from one run to the next; `say` hears of one that cannot.
    ValueError for an unknown name, OSError for a port that is taken or a folder that cannot be; nothing runs then.
    """
    wanted = chosen(names)
    if state is not None:
        state.mkdir(parents=True, exist_ok=True)
    async with AsyncExitStack() as stack:
        for name in wanted:
            await stack.enter_async_context(running(name, partial(VENUES[name], settings), getattr(settings, name), state, say))
        return stack.pop_all()


@asynccontextmanager
async def running(
    name: str, make: Callable[[], Simulator], settings: BaseModel, state: Path | None, say: Callable[[str], None]
) -> AsyncIterator[Simulator]:
    """One venue, started and at the end closed; its memory is read before and written after."""
    # Secrets are asterisks in this text, and the file has but a digest of it.
    configured = settings.model_dump_json(include=_INSTRUMENTS_AND_ACCOUNTS)
    file = None if state is None else state / f"{name}.state"
    simulator, flaw = (make(), "") if file is None else _recalled(make, file, configured)
    if flaw:
        say(f"{name} starts empty: {flaw}")
    await simulator.start()
    try:
        if file is not None:
            memory.set_aside(file)
        yield simulator
    finally:
        await simulator.close()
        if file is not None:
            try:
                memory.save(file, configured, simulator.memory())
            except OSError as no:
                say(f"{name} will start empty: {no}")


def _recalled(make: Callable[[], Simulator], file: Path, configured: str) -> tuple[Simulator, str]:
    """The venue, and why it remembers nothing, "" where it does or never has."""
    simulator = make()
    try:
        remembered = memory.load(file, configured)
        if remembered is not None:
            simulator.recall(remembered)
    except memory.Unusable as no:
        return make(), str(no)
    except Exception as no:  # noqa: BLE001 - a memory that does not fit can break anything, but not the start
        return make(), f"{file} does not fit: {no!r:.100}"
    return simulator, ""


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
