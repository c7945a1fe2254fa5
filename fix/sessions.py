"""QuickFIX configuration files: read, checked, and handed to QuickFIX with paths that hold. No QuickFIX in here.

A file is QuickFIX's own format: `[DEFAULT]`, then one `[SESSION]` each. Data dictionaries are found relative to the file;
where a file names no place for its stores, they go into the router's state folder. Nothing else is added or changed."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

__all__ = ["SessionFile", "SessionFileError"]

_DICTIONARIES: Final = ("DataDictionary", "AppDataDictionary", "TransportDataDictionary")
_SECRET_LIKE: Final = ("Password", "RawData", "SecretKey")


class SessionFileError(Exception):
    """The file is not a QuickFIX configuration; the message names the line."""


@dataclass(frozen=True)
class SessionFile:
    """One file: its defaults and its sessions, keys as they stand there."""

    path: Path
    default: dict[str, str]
    sessions: tuple[dict[str, str], ...] = field(default=())

    @classmethod
    def read(cls, path: Path) -> SessionFile:
        """Read a file. Raises `SessionFileError`, `OSError`."""
        sections: list[tuple[str, dict[str, str]]] = []
        for number, raw in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
            line = raw.strip()
            if not line or line.startswith("#"):
                continue
            if line.startswith("[") and line.endswith("]"):
                sections.append((line[1:-1].strip().upper(), {}))
                continue
            key, equals, value = line.partition("=")
            if not equals or not sections:
                raise SessionFileError(f"{path}, line {number}: neither [DEFAULT], [SESSION] nor key=value: {line[:60]}")
            sections[-1][1][key.strip()] = value.strip()
        unknown = [name for name, _ in sections if name not in ("DEFAULT", "SESSION")]
        if unknown:
            raise SessionFileError(f"{path}: unknown section [{unknown[0]}]")
        default: dict[str, str] = {}
        for name, section in sections:
            if name == "DEFAULT":
                default |= section
        return cls(path, default, tuple(section for name, section in sections if name == "SESSION"))

    def value(self, session: dict[str, str], key: str) -> str | None:
        """A session's setting, its own or the default."""
        return session.get(key, self.default.get(key))

    def key(self, session: dict[str, str]) -> str:
        """The name of a session as QuickFIX prints it: `FIX.4.2:ROUTER->OMS42`, with `:QUALIFIER` behind where it has one."""
        begin, sender, target = (self.value(session, name) or "?" for name in ("BeginString", "SenderCompID", "TargetCompID"))
        qualifier = self.value(session, "SessionQualifier")
        return f"{begin}:{sender}->{target}" + (f":{qualifier}" if qualifier else "")

    def keys(self) -> list[str]:
        """The names of all sessions, in the file's order."""
        return [self.key(session) for session in self.sessions]

    def dictionaries(self) -> dict[str, tuple[Path, ...]]:
        """By session: its data dictionary, or for FIXT the transport's and the application's."""
        return {
            self.key(session): tuple(
                (self.path.parent / value).resolve()
                for key in ("DataDictionary", "TransportDataDictionary", "AppDataDictionary")
                if (value := self.value(session, key)) is not None
            )
            for session in self.sessions
        }

    def faults(self, kind: str) -> list[str]:
        """What is wrong with the file, a line each; `kind` is "acceptor" or "initiator"."""
        faults = []
        seen: set[str] = set()
        for session in self.sessions:
            name = self.key(session)
            faults += [
                f"{self.path}: session {name}: {key} is missing"
                for key in ("BeginString", "SenderCompID", "TargetCompID", "HeartBtInt" if kind == "initiator" else "StartTime")
                if self.value(session, key) is None
            ]
            if (self.value(session, "ConnectionType") or kind) != kind:
                faults.append(f"{self.path}: session {name}: ConnectionType must be {kind}")
            if name in seen:
                faults.append(f"{self.path}: two sessions on one CompID pair: {name}")
            seen.add(name)
            faults += self._dictionary_faults(session, name)
        if not self.sessions:
            faults.append(f"{self.path}: no [SESSION] in it")
        everything = [self.default, *self.sessions]
        faults += [f"{self.path}: {key} must not stand here; secrets come from the environment or a file"
                   for section in everything for key in section if key in _SECRET_LIKE]  # fmt: skip
        return faults

    def _dictionary_faults(self, session: dict[str, str], name: str) -> list[str]:
        if self.value(session, "UseDataDictionary") != "Y":
            return [f"{self.path}: session {name}: UseDataDictionary must be Y"]
        needed = ("AppDataDictionary", "TransportDataDictionary") if name.startswith("FIXT") else ("DataDictionary",)
        faults = []
        for key in needed:
            value = self.value(session, key)
            if value is None:
                faults.append(f"{self.path}: session {name}: {key} is missing")
            elif not (self.path.parent / value).is_file():
                faults.append(f"{self.path}: session {name}: {key}: no such file: {value}")
        return faults

    def resolved(self, state: Path, **more: str) -> str:
        """The text for QuickFIX: dictionaries by absolute path, stores under `state` where the file names none; `more`: for all
        sessions."""
        lines = []
        default = {"FileStorePath": str(state / "store"), **self.default, **more}
        for name, section in (("DEFAULT", default), *(("SESSION", session) for session in self.sessions)):
            lines.append(f"[{name}]")
            for key, value in section.items():
                path = (self.path.parent / value).resolve() if key in _DICTIONARIES else value
                lines.append(f"{key}={path}")
        return "\n".join(lines) + "\n"
