"""Whether Apifiny can be reached: its REST side, its order stream, the account's state. Pure.

The rules:

1. The link is up when the order stream is open, REST has answered a signed question, and the account may do what we are for; to trade,
   also the symbols are loaded, for an order that cannot be checked should not leave.
2. REST is out after two requests in a row without an answer that can be read, or with a 5xx; then, and after 10 s without an answer, it
   is asked for the account's state, at most every 2 s.
3. Every 15 minutes the lists of symbols and venues are asked for again; one that failed, after 5 s.
"""

from __future__ import annotations

from typing import Final

from bridges.apifiny.reference import OPENED, RESTRICTED
from router.model import LinkDown, LinkUp

__all__ = ["Link"]

_SECOND: Final = 1_000_000_000
LISTS_EVERY: Final = 900 * _SECOND
LISTS_AGAIN: Final = 5 * _SECOND
QUIET: Final = 10 * _SECOND
PROBE_AGAIN: Final = 2 * _SECOND
FAILURES: Final = 2


class Link:
    """One link; `trading` as `ApifinyProtocol`'s."""

    def __init__(self, name: str, trading: bool) -> None:
        self._name = name
        self._trading = trading
        self.up = False
        self._stream = False
        self._failures = FAILURES
        self._status = ""
        self._listed = False
        self._lists_due = 0
        self._probe_due = 0
        self._probing = False

    def stream(self, is_open: bool, why: str = "") -> list[LinkUp | LinkDown]:
        """The order stream came, or went."""
        self._stream = is_open
        return self.judge(why or "the order stream is closed")

    def answered(self, now: int, signed: bool) -> list[LinkUp | LinkDown]:
        """REST answered so that it could be read."""
        if signed and self._status:
            self._failures = 0
            self._probe_due = now + QUIET
        return self.judge("")

    def failed(self, now: int, why: str) -> list[LinkUp | LinkDown]:
        """REST did not answer, or not so that it could be read."""
        self._failures += 1
        self._probe_due = min(self._probe_due, now + PROBE_AGAIN)
        return self.judge(f"REST does not answer: {why}")

    def state(self, status: str, now: int) -> list[LinkUp | LinkDown]:
        """The account's state was told."""
        self._status = status
        self._failures = 0
        self._probe_due = now + QUIET
        return self.judge(f"the account is {status}")

    def listed(self) -> list[LinkUp | LinkDown]:
        """The symbols are loaded."""
        self._listed = True
        return self.judge("")

    def shut_out(self, text: str) -> list[LinkUp | LinkDown]:
        """Our address is blocked; the shell waits, and then begins anew."""
        self.up, self._failures, self._status, self._probing = False, FAILURES, "", False
        return [LinkDown(self._name, text)]

    def restart(self) -> None:
        """The bridge begins, or begins anew."""
        self._failures, self._lists_due, self._probe_due, self._probing = FAILURES, 0, 0, False

    def lists_due(self, now: int) -> bool:
        """Whether the lists are to be asked for now; then they are under way."""
        if now < self._lists_due:
            return False
        self._lists_due = now + LISTS_EVERY
        return True

    def lists_failed(self, now: int) -> None:
        """A list could not be had."""
        self._lists_due = min(self._lists_due, now + LISTS_AGAIN)

    def relist(self, now: int) -> None:
        """The lists are wanted now."""
        self._lists_due = min(self._lists_due, now)

    def probe_due(self, now: int) -> bool:
        """Whether the account's state is to be asked for now; then it is under way."""
        if self._probing or now < self._probe_due:
            return False
        self._probing = True
        return True

    def probed(self, now: int) -> None:
        """The question about the account's state is over, whatever came of it."""
        self._probing = False
        self._probe_due = max(self._probe_due, now + PROBE_AGAIN)

    @property
    def _allowed(self) -> bool:
        return self._status == OPENED or (self._status == RESTRICTED and not self._trading)

    def judge(self, why: str) -> list[LinkUp | LinkDown]:
        """What has become of the link."""
        good = self._stream and self._allowed and self._failures < FAILURES and (self._listed or not self._trading)
        if good is self.up:
            return []
        self.up = good
        return [LinkUp(self._name)] if good else [LinkDown(self._name, why)]
