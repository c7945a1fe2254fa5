"""Whether the account can be traded on: read the markets, ask for the account, watch the answers. Pure.

1. Up: `/v1/symbols` has been read and the signed `/v1/account` answered (there is no login to wait for).
2. Down: `_LOST_AT_MOST` requests in a row brought nothing usable (lost, 5xx, not JSON), or a 401. The account is then asked for every
   `_PROBE`, and an answer brings the link up again.
3. Shut out: a 403, or a text that speaks of a ban. Nothing more is asked until `begin`: the shell waits, then calls it.
4. A link that is idle is probed too, so that a dead venue is noticed before the next order.
5. A symbol that is traded from now on and is not in the list of markets (the venue may have got it since) has the list read anew; the
   link stays as it is meanwhile.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any, Final

from bridges.cryptocom import calls
from bridges.cryptocom.reading import Malformed, Reply, Verdict, printable, whole
from bridges.wire import Note, Out, Request
from router.model import LinkDown, LinkUp
from router.rules import Instrument
from router.words import EXACT

__all__ = ["Link"]

_SECOND: Final = 1_000_000_000
_PROBE: Final = 2 * _SECOND
_IDLE: Final = 10 * _SECOND
_LOST_AT_MOST: Final = 3
_DECIMALS_AT_MOST: Final = 30
_UNAUTHORIZED: Final = 401
_FORBIDDEN: Final = 403


class Link:
    """The state of one account's link. Times in ns UTC."""

    def __init__(self, account: str, instruments: Sequence[Instrument]) -> None:
        self._account = account
        self._instruments = list(instruments)
        self.up = False
        self.shut = False
        self.precisions: dict[str, tuple[int, int]] = {}
        """Decimals of price and of amount by the venue's symbol; empty until read."""
        self._why = ""
        self._failures = 0
        self._heard = 0
        self._probe_due = 0
        self._probing = False
        self._relist: int | None = None
        """When the markets are to be read anew."""

    def learn(self, instruments: Sequence[Instrument], now: int) -> list[Out]:
        """All that is traded from now on; what is not among it any more is kept, for its orders. What is new or has changed is judged."""
        named = {each.venue_symbol for each in instruments}
        gone = [each for each in self._instruments if each.venue_symbol not in named]
        changed = [each for each in instruments if each not in self._instruments]
        self._instruments = [*instruments, *gone]
        if any(each.venue_symbol not in self.precisions for each in changed):
            self._relist = now
        known = [each for each in changed if each.venue_symbol in self.precisions]
        return [note for each in known if (note := self._judge(each))]

    def begin(self, now: int) -> list[Out]:
        """Start, or start again."""
        self.up = self.shut = self._probing = False
        self._relist = None
        self._why = ""
        self._failures = 0
        self.precisions = {}
        return [self._probe(now)]

    def tick(self, wanted: bool, now: int) -> list[Out]:
        """A probe, where one is due. `wanted`: what it tells is, while the link is up."""
        due = self._heard + _IDLE if self.up and not self._failures else self._probe_due
        ready = not self.shut and not self._probing and (now >= due or (self.up and (wanted or self._relisting(now))))
        return [self._probe(now)] if ready else []

    def answered(self, reply: Reply, now: int) -> list[Out]:
        """What any answer says about the link."""
        if reply.status == _FORBIDDEN or "banned" in reply.text.lower():
            self.shut = True
            return self._down(f"banned: {reply.text}")
        if reply.status == _UNAUTHORIZED:
            return self._down(f"not authorized: {reply.text}")
        if reply.verdict is Verdict.UNKNOWN:
            return self.failed(reply.text)
        self._failures = 0
        self._heard = now
        return []

    def failed(self, why: str) -> list[Out]:
        """A request brought nothing."""
        self._failures += 1
        return self._down(f"{_LOST_AT_MOST} requests in a row failed: {why}") if self._failures >= _LOST_AT_MOST else []

    def lost_probe(self, now: int) -> None:
        """A probe was lost; the next one goes in its time."""
        self._again(now)

    def symbols(self, reply: Reply, now: int) -> list[Out]:
        """The markets (document, "List all available market symbols")."""
        self._again(now)
        if reply.verdict is not Verdict.YES or self.shut:
            return []
        try:
            self.precisions = _precisions(reply.data)
        except Malformed as wrong:
            return [Note(f"the list of markets makes no sense: {wrong}", "error")]
        self._relist = None
        notes = [note for instrument in self._instruments if (note := self._judge(instrument))]
        return [*notes, self._probe(now)]

    def logged_in(self, reply: Reply, now: int) -> list[Out]:
        """The account (document, "List all account balance of user"). That it answers is what was asked; what it has: `holdings.py`."""
        self._again(now)
        return [] if reply.verdict is not Verdict.YES or self.shut else self._rise()

    def too_fine(self, symbol: str, price: Decimal | None, qty: Decimal | None) -> str:
        """Why the venue would not take these decimals as they are, or ""."""
        precision = self.precisions.get(symbol)
        if precision is None:
            return f"Crypto.com lists no market {symbol}" if self.precisions else ""
        for name, value, most in (("price", price, precision[0]), ("quantity", qty, precision[1])):
            if value is not None and EXACT.remainder(value, _step(most)):
                return f"the {name} {value:f} has more than the {most} decimals that Crypto.com keeps for {symbol}"
        return ""

    def _rise(self) -> list[Out]:
        if self.up:
            return []
        self.up = True
        self._why = ""
        return [LinkUp(self._account)]

    def _down(self, why: str) -> list[Out]:
        if not self.up and why == self._why:
            return []
        self.up = False
        self._why = why
        return [LinkDown(self._account, why)]

    def _probe(self, now: int) -> Request:
        self._probing = True
        self._probe_due = now + _PROBE
        if self.up and self._relisting(now):
            self._relist = now + _IDLE  # where this one fails; the account is asked for in between
            return calls.read_symbols()
        return calls.login() if self.precisions else calls.read_symbols()

    def _relisting(self, now: int) -> bool:
        return self._relist is not None and now >= self._relist

    def _again(self, now: int) -> None:
        self._probing = False
        self._probe_due = now + _PROBE

    def _judge(self, instrument: Instrument) -> Note | None:
        symbol = instrument.venue_symbol
        precision = self.precisions.get(symbol)
        if precision is None:
            return Note(f"Crypto.com lists no market {symbol} ({instrument.symbol}); its orders are not sent", "error")
        for name, ours, decimals in (("tick", instrument.tick, precision[0]), ("lot", instrument.lot, precision[1])):
            if EXACT.remainder(ours, _step(decimals)):
                return Note(f"{symbol}: Crypto.com keeps {decimals} decimals, the configured {name} {ours:f} has more", "error")
        return None


def _step(decimals: int) -> Decimal:
    return Decimal(1).scaleb(-decimals)


def _precisions(data: Any) -> dict[str, tuple[int, int]]:
    found: dict[str, tuple[int, int]] = {}
    for row in data if isinstance(data, list) else []:
        if not isinstance(row, dict) or not isinstance(row.get("symbol"), str):
            raise Malformed("a row without a symbol")
        price, qty = whole(row.get("price_precision")), whole(row.get("amount_precision"))
        if max(price, qty) > _DECIMALS_AT_MOST:
            raise Malformed(f"{max(price, qty)} decimals of {printable(row['symbol'])}")
        found[row["symbol"]] = price, qty
    if not found:
        raise Malformed("no markets")
    return found
