"""The page as tests hold it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass
class Desk:
    """A signed-in page, and what its browser complained of."""

    page: Any
    faults: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)

    def row(self, number: int) -> Any:
        """An order's row."""
        return self.page.locator(f"#orders-table tr[data-key='261121-{number:06d}']")

    def shown(self) -> list[str]:
        """The orders in the table, from the top."""
        texts: list[str] = self.page.locator("#orders-table button.open").all_inner_texts()
        return texts

    def live(self) -> None:
        """Wait until the router is heard."""
        self.page.locator("body[data-link=live]").wait_for()
