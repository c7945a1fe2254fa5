"""All links to venues as operators see them, over FIX or not. Satisfies `rims.Links`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from typing import Any, Protocol

from router.admin.rims import BudgetState, Sessions

__all__ = ["BridgeDesk", "EveryLink"]


class BridgeDesk(Protocol):
    """What a REST and WebSocket bridge offers operators."""

    @property
    def topics(self) -> Mapping[str, str]: ...

    def budgets(self) -> Sequence[tuple[Any, int, float]]:
        """Each budget with its `group`, `requests`, `seconds` and `reserve`; how much of it is used; for how many seconds it is closed."""
        ...

    def enable(self, on: bool) -> None: ...

    def reconnect(self) -> None: ...

    def inquire(self, topic: str, arguments: Mapping[str, str]) -> Future[Any]: ...

    @property
    def changes(self) -> Mapping[str, str]: ...

    def change(self, what: str, arguments: Mapping[str, str]) -> Future[Any]: ...


class EveryLink:
    """A link is a FIX session with a venue, or a bridge."""

    def __init__(self, sessions: Sessions, fix_links: Sequence[str], bridges: Mapping[str, BridgeDesk]) -> None:
        self._sessions = sessions
        self._fix_links = tuple(fix_links)
        self._bridges = bridges

    def names(self) -> Sequence[str]:
        """All links."""
        return (*self._fix_links, *self._bridges)

    def budgets(self) -> list[BudgetState]:
        """Each group of each bridge. Bridges of one account share theirs, which is told under each."""
        return [
            BudgetState(
                link=name, group=budget.group, requests=budget.requests, seconds=float(budget.seconds), used=used, reserve=budget.reserve,
                closed_for_s=shut,
            )
            for name, bridge in self._bridges.items()
            for budget, used, shut in bridge.budgets()
        ]  # fmt: skip

    def enable(self, link: str, on: bool) -> None:
        """Connect, or disconnect and stay so. Raises `KeyError`."""
        if link in self._fix_links:
            self._sessions.enable(link, on)
        else:
            self._bridges[link].enable(on)

    def reconnect(self, link: str) -> None:
        """Disconnect, and connect again. Raises `KeyError`."""
        if link in self._fix_links:
            self._sessions.logout(link, "an operator has it connect anew")
        else:
            self._bridges[link].reconnect()

    def topics(self, link: str) -> Mapping[str, str]:
        """What can be inquired about; nothing of a FIX session. Raises `KeyError`."""
        return {} if link in self._fix_links else self._bridges[link].topics

    def inquire(self, link: str, topic: str, arguments: Mapping[str, str]) -> Future[Any]:
        """Ask the venue. Raises `KeyError`, `Unsendable`."""
        return self._bridges[link].inquire(topic, arguments)

    def changes(self, link: str) -> Mapping[str, str]:
        """What can be changed beside orders; nothing over a FIX session. Raises `KeyError`."""
        return {} if link in self._fix_links else self._bridges[link].changes

    def change(self, link: str, what: str, arguments: Mapping[str, str]) -> Future[Any]:
        """Have the venue change it. Raises `KeyError`, `Unsendable`."""
        return self._bridges[link].change(what, arguments)
