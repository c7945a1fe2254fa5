"""The router without Phemex's request budget: `python -m tests.bench.unbudgeted ROUTER-ARGUMENTS`.

200 requests a minute are the venue's rule, and the router's code keeps it: there is no setting for it, on purpose. A benchmark would see
nothing but that. All else is the router as it comes."""

from __future__ import annotations

import sys
from typing import Any, Final

from bridges.phemex.protocol import PhemexProtocol
from bridges.wire import Budget
from router.__main__ import main

__all__: list[str] = []

# So short, because the budget keeps what it has counted: a minute of unlimited orders would be a long list to look through.
_LIFTED: Final = (Budget("default", requests=1_000_000, seconds=0.001, reserve=0),)


def _lift() -> None:
    begin = PhemexProtocol.__init__

    def lifted(self: PhemexProtocol, *arguments: Any, **named: Any) -> None:
        begin(self, *arguments, **named)
        self.budgets = _LIFTED

    PhemexProtocol.__init__ = lifted  # type: ignore[method-assign]


if __name__ == "__main__":
    _lift()
    main(sys.argv[1:])
