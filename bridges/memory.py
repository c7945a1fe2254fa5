"""A simulated venue's memory between two runs of its process: one file a venue, written at an orderly end.

The file: a line of text (what it is, version, digest of the configuration, digest of the rest), then a pickle. Why a
pickle will do: orders, reports and books refer to each other, some in circles, which nothing as small writes down; and
only the simulators, a test tool, read the file, which they wrote themselves and which its user alone can write (0600).
What can be read from it is limited to this project's classes and the few they are made of. The digest of the rest finds
damage, not forgery.

Settings never get in: whatever holds secrets is one of pydantic's, and those are refused (TypeError).
"""

import hashlib
import io
import os
import pickle
from contextlib import suppress
from pathlib import Path
from typing import Any

from pydantic import BaseModel, SecretBytes, SecretStr

# What a venue remembers, by names of its own: `memory()` gives it and `recall()` takes it.
Memory = dict[Any, Any]

# To be raised whenever what is kept, or a class in it, changes its shape.
VERSION = 2
_TITLE = "fixrouter-simulator-memory"
_LIBRARY = {
    ("collections", "OrderedDict"),
    ("collections", "deque"),
    ("decimal", "Decimal"),
    ("sortedcontainers.sorteddict", "SortedDict"),
}


class Unusable(Exception):
    """There is a file, and nothing can be had from it; the text says why."""


def save(path: Path, configured: str, memory: Memory) -> None:
    """Writes the whole file or, with OSError, none of it. `configured`: the settings that `memory` depends on."""
    text = io.BytesIO()
    _Writer(text, protocol=5).dump(memory)
    body = text.getvalue()
    new = path.with_suffix(".new")
    with open(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        os.fchmod(file.fileno(), 0o600)  # whatever an older one had
        file.write(f"{_TITLE} {VERSION} {_digest(configured.encode())} {_digest(body)}\n".encode() + body)
        file.flush()
        os.fsync(file.fileno())
    new.replace(path)


def load(path: Path, configured: str) -> Memory | None:
    """What was saved, None where nothing ever was; Unusable."""
    try:
        head, _, body = path.read_bytes().partition(b"\n")
    except FileNotFoundError:
        return None
    except OSError as no:
        raise Unusable(f"{path} cannot be read: {no.strerror}") from None
    match head.decode("latin-1").split(" "):
        case [title, version, config, digest] if title == _TITLE:
            pass
        case _:
            raise Unusable(f"{path} is no memory of a simulator")
    if version != str(VERSION):
        raise Unusable(f"{path} is of another version: {version[:20]}, not {VERSION}")
    if digest != _digest(body):
        raise Unusable(f"{path} is damaged")
    if config != _digest(configured.encode()):
        raise Unusable(f"{path} was kept under other instruments or accounts than are configured now")
    try:
        memory: Memory = _Reader(io.BytesIO(body)).load()
    except Exception as no:  # noqa: BLE001 - "any other exception may be raised", says pickle
        raise Unusable(f"{path} cannot be understood: {no!r:.100}") from None
    return memory


def set_aside(path: Path) -> None:
    """Renames a file that has been read: if this run ends in disorder, the next must not take it for the latest."""
    with suppress(OSError):
        if path.is_file():
            path.replace(path.with_suffix(".old"))


class _Writer(pickle.Pickler):
    def reducer_override(self, obj: object) -> Any:
        if isinstance(obj, BaseModel | SecretStr | SecretBytes):
            raise TypeError(f"{type(obj).__name__}: settings do not belong in a memory")
        return NotImplemented


class _Reader(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        if (module, name) in _LIBRARY or (module.startswith("bridges.") and "." not in name):
            found = super().find_class(module, name)
            if isinstance(found, type):
                return found
        raise pickle.UnpicklingError(f"{module}.{name} does not belong in a memory")


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
