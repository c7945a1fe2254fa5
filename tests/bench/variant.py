"""The router with a part taken out, to see what the part costs: `python -m tests.bench.variant PART,... ROUTER-ARGUMENTS`.

The router has no switches for these on purpose: what is taken out here is what makes it a router. Parts: `rawlog` (QuickFIX is given no
log at all), `log` (nothing is put into the structured log's queue), `journal` (nothing is encoded or written)."""

from __future__ import annotations

import sys
from typing import Any, Final

import quickfix

from router.__main__ import main
from router.journal import JournalWriter
from router.logs import Narrator
from tests.bench import inplace

__all__ = ["PARTS"]


def _without_rawlog() -> None:
    """Replaces what the router makes its engines by, so that the log factory it passes is dropped."""
    make_acceptor, make_initiator = quickfix.SocketAcceptor, quickfix.SocketInitiator
    quickfix.SocketAcceptor = lambda application, stores, settings, _logs: make_acceptor(application, stores, settings)
    quickfix.SocketInitiator = lambda application, stores, settings, _logs: make_initiator(application, stores, settings)


def _without_log() -> None:
    def observe(self: Narrator, event: Any, effects: Any) -> None:
        """Nothing."""

    Narrator.observe = observe  # type: ignore[method-assign]


def _without_journal() -> None:
    def append(self: JournalWriter, event: Any, now: int) -> None:
        """Nothing."""

    JournalWriter.append = append  # type: ignore[method-assign]


PARTS: Final = {"rawlog": _without_rawlog, "log": _without_log, "journal": _without_journal, "timed": inplace.install}


if __name__ == "__main__":
    for part in sys.argv[1].split(","):
        PARTS[part]()
    main(sys.argv[2:])
