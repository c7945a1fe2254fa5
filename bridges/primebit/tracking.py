"""Every order of the account, as the order channel tells of it; its events, in order, each when it is ripe. Pure.

The rules:

1. `volume` of an order object is what is left. CumQty is the whole order's volume less that; it never falls, so what is told twice or late
   changes nothing. After a modify of ours the whole order's volume is what was asked; after anybody else's, CumQty plus what is left.
2. A fill waits for its price (`fills.py`), and what is told of the order after it waits behind it.
3. An order is ours when its comment is an id of ours, when the answer to its create named it, or when the router asks about it. The others
   are counted, since they move the position too, and never told but in one `Note` each.
4. An order first seen in mid-life is counted from there, until the router's question tells how much was ordered.
5. A cancel event's volume of 0 tells nothing: an order with nothing left could not be canceled. CumQty is then not stated.
6. An order that a snapshot no longer lists has ended. What was executed of it is what the position moved by and nothing else explains;
   where another order may have had a part in that, it is not known, and never said to be 0.
7. A stop price that is gone was reached. Any other change of terms that we did not ask for is somebody else's.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Final

import msgspec

from bridges.primebit.answers import reject_exec_id
from bridges.primebit.fills import Fill, Pricing
from bridges.primebit.orders import Row, is_minted
from bridges.primebit.payload import printable
from bridges.primebit.tracked import Change, Tracked
from bridges.wire import Note, Out
from router.model import Accepted, Ask, Canceled, CancelRejected, Filled, Place, Rejected, Replaced, Stated, VenueEvent
from router.words import EXACT, ZERO, CxlRejReason, OrdStatus, Side

__all__ = ["Orders"]

_SECOND: Final = 1_000_000_000
_ENDED_AT_MOST: Final = 10_000
_QUEUED_AT_MOST: Final = 500
_STRANGERS_AT_MOST: Final = 1_000
"""Open orders that are nobody's here; beyond them the oldest is forgotten, as if the stream had not told of it."""
_NEVER: Final = 1 << 63
_AVG_PX_STEP: Final = Decimal("1e-12")
UNCHANGED_AFTER: Final = 10 * _SECOND
"""ns after which a modify without an answer, of an order that stands unchanged, did not arrive."""
STRANGER_AFTER: Final = 2 * _SECOND
_FORGET_AFTER: Final = 600 * _SECOND
"""ns after which a create that nobody has told of will not be told of."""


class Orders:
    """The orders of one account. What is to be told comes out of `flush`."""

    def __init__(self, account: str, symbols: Iterable[str], pricing: Pricing) -> None:
        self._account = account
        self.pricing = pricing
        self.by_id: dict[str, Tracked] = {}
        self.by_owner: dict[str, Tracked] = {}
        self.open: dict[str, Tracked] = {}
        self.creating: dict[str, Place] = {}
        """Creates whose order at the venue is not known yet, by our id."""
        self._ended: deque[str] = deque()
        self._queued: dict[str, Tracked] = {}
        self._notes: list[Out] = []
        self._strangers = 0
        """Counted since `_limit` last looked; some may have ended."""
        self.quiet: dict[str, int] = dict.fromkeys(symbols, _NEVER)
        """Since when, ns, every change of a symbol's position is explained by orders that were seen."""

    def learn(self, symbols: Iterable[str], now: int) -> None:
        """Traded from now on. Orders and positions of every symbol are told, so what happens from here on is seen, or shows."""
        for symbol in symbols:
            self.quiet.setdefault(symbol, now)

    # --- names ------------------------------------------------------------------------------------------------------------

    def own(self, each: Tracked, owner: str) -> None:
        """It is ours, under this id."""
        place = self.creating.pop(owner, None)
        if not each.owner:
            each.owner = owner
            self.by_owner[owner] = each
        if place is None or place.order_qty is None or each.sure:
            return
        # Ours, of this life, and its first words were missed: what was executed before them is a fill like any other.
        each.total, each.sure, each.whole = place.order_qty, True, True
        if each.shown is not None:
            self.progress(each, each.shown, each.seen, True)

    def adopt(self, each: Tracked, command: Ask) -> None:
        """The router asks about it, so it is the router's, and its whole quantity is told."""
        self.own(each, command.venue_cl_ord_id)
        if each.sure or command.order_qty is None:
            return
        self._rebase(each, command.order_qty)
        if each.queue:
            # What was executed before these is said before them: an execution alone would hide it from the router.
            before = EXACT.subtract(each.cum, sum((fill.qty for fill in each.queue if isinstance(fill, Fill)), ZERO))
            each.queue.appendleft(Stated(account=self._account, status=OrdStatus.NEW, cum_qty=before, venue_order_id=each.order_id))

    def _rebase(self, each: Tracked, total: Decimal) -> None:
        """An order first seen in mid-life: what was executed before is known by quantity alone."""
        shift = EXACT.subtract(total, each.total)
        if shift < 0:
            self._notes.append(Note(f"PrimeBit shows more left of order {each.order_id} than was ordered", "error"))
            shift = ZERO
        each.total, each.cum, each.sure = EXACT.add(each.total, shift), EXACT.add(each.cum, shift), True
        for fill in each.queue:
            if isinstance(fill, Fill):
                fill.cum = EXACT.add(fill.cum, shift)

    def see(self, row: Row, now: int, born: bool = False) -> Tracked:
        """The order of a row, known or new. `born`: the row shows all of it, for it has only just come."""
        each = self.by_id.get(row.order_id)
        if each is None:
            each = Tracked(
                row.order_id, row.symbol, row.side, row.limit, row.stop, row.fill_type, row.contract_size, row.left, born, now, whole=born
            )
            self.by_id[row.order_id] = self.open[row.order_id] = each
            self._limit(row.comment)
        elif born and not each.sure and row.left >= each.total:
            # Its first word comes late. What the later ones showed less is what was executed.
            each.total, each.sure, each.whole = row.left, True, True
            if each.shown is not None:
                self.progress(each, each.shown, now, True)
        if not each.owner and (row.comment in self.creating or is_minted(row.comment)):
            self.own(each, row.comment)
        return each

    def _limit(self, comment: str) -> None:
        """So many open orders, and no more, of which none is ours."""
        self._strangers += comment not in self.creating and not is_minted(comment)
        if self._strangers <= _STRANGERS_AT_MOST:
            return
        strangers = [each.order_id for each in self.open.values() if not each.owner]
        for order_id in strangers[: max(len(strangers) - _STRANGERS_AT_MOST // 2, 0)]:
            del self.open[order_id], self.by_id[order_id]
            self._queued.pop(order_id, None)
        self._strangers = min(len(strangers), _STRANGERS_AT_MOST // 2)

    # --- the order channel ------------------------------------------------------------------------------------------------

    def event(self, kind: str, row: Row, stamp: int, now: int) -> None:
        """One event ("Order channel"). `stamp`: message_timestamp_ms."""
        each = self.see(row, now, kind in ("new_request", "new"))
        if each.ended is not None and kind not in ("fill", "partial_fill"):
            return
        match kind:
            case "new_request":
                pass
            case "new":
                self.accept(each)
            case "fill" | "partial_fill":
                self.accept(each)
                self.progress(each, row.left, now, True)
            case "modify":
                self._modified(each, row, stamp, now)
            case "cancel":
                self._canceled(each, row.left, now)
            case "reject":
                self._rejected(each)
            case "modify_reject" | "cancel_reject":
                self._refused(each, kind)
            case _:
                self._notes.append(Note(f"PrimeBit told of order {each.order_id} what is not known: {printable(kind)[:40]}"))

    def accept(self, each: Tracked) -> None:
        """It is live, or was."""
        if not each.accepted:
            each.accepted = True
            text = "held by PrimeBit until its stop price is reached" if each.stop is not None else ""
            self._queue(each, Accepted(account=self._account, exec_id=f"new-{each.order_id}", venue_order_id=each.order_id, text=text))

    def progress(self, each: Tracked, left: Decimal, now: int, live: bool) -> None:
        """So much is left now (rule 1)."""
        each.shown = left
        cum = EXACT.subtract(each.total, left)
        if cum > each.cum:
            self._fill(each, EXACT.subtract(cum, each.cum), cum, now, live)
        if not left:
            self._end(each, OrdStatus.FILLED)

    def _fill(self, each: Tracked, qty: Decimal, cum: Decimal, now: int, live: bool) -> None:
        fill = Fill(each.order_id, each.symbol, each.side, qty, cum, each.limit, now, live, cum >= each.total)
        each.cum = cum
        self._queue(each, fill)
        self.pricing.add(fill)

    def _modified(self, each: Tracked, row: Row, stamp: int, now: int) -> None:
        change, each.changes = each.replacing, each.changes + 1
        ours = change is not None and change.command.price == row.limit and change.command.stop_px == row.stop
        before = (each.total, each.limit, each.stop)
        each.limit, each.stop = row.limit, row.stop
        if change is not None and ours:
            each.replacing, each.total = None, change.command.order_qty
            exec_id = f"replaced-{each.order_id}-{stamp}"
            self._queue(each, Replaced(account=self._account, exec_id=exec_id, venue_order_id=each.order_id))
            self.progress(each, row.left, now, True)
            return
        each.total = EXACT.add(each.cum, row.left)
        if before != (each.total, each.limit, each.stop):
            self._notes.append(Note(f"PrimeBit: order {each.order_id} was changed by somebody else: {row.left:f} left", "error"))

    def _canceled(self, each: Tracked, left: Decimal, now: int) -> None:
        self.accept(each)
        if left:
            self.progress(each, left, now, True)
        self._gone(each, "", vague=not left)

    def _gone(self, each: Tracked, text: str, vague: bool = False) -> None:
        self._queue(each, Canceled(account=self._account, exec_id=f"canceled-{each.order_id}", venue_order_id=each.order_id, text=text))
        each.vague = vague
        self._end(each, OrdStatus.CANCELED)

    def _rejected(self, each: Tracked) -> None:
        text = "rejected by PrimeBit, which gave no reason"
        if each.accepted:
            # Its create was answered with yes: all that is left to say is that it has ended.
            self._gone(each, text)
            return
        exec_id = reject_exec_id(each.owner or each.order_id)
        self._queue(each, Rejected(account=self._account, exec_id=exec_id, venue_order_id=each.order_id, text=text))
        self._end(each, OrdStatus.REJECTED)

    def _refused(self, each: Tracked, kind: str) -> None:
        if kind == "cancel_reject" and each.echoes:
            each.echoes -= 1
            return
        waited = (each.replacing if kind == "modify_reject" else each.canceling) is not None
        if kind == "modify_reject":
            each.replacing = None
        else:
            each.canceling = None
        if waited:
            text = f"{kind.replace('_', ' ')}, without a reason"
            self._queue(each, CancelRejected(account=self._account, venue_order_id=each.order_id, text=text))

    # --- whole pictures: snapshots and answers ----------------------------------------------------------------------------

    def sync(self, each: Tracked, row: Row, now: int) -> bool:
        """This row is how the order stands. False where it cannot be read so: a modify is under way, and either reading of it fits."""
        if each.replacing is not None and not self._judge_change(each, each.replacing, row, now):
            return False
        if each.replacing is None and (row.limit != each.limit or row.stop not in (None, each.stop)):
            self._modified(each, row, now // 1_000_000, now)
        if each.sure:
            self.accept(each)
        each.accepted = True  # of another life, it is known to the router, or the router asks about it
        self.progress(each, row.left, now, False)
        each.synced, each.gap = now, False
        return True

    def _judge_change(self, each: Tracked, change: Change, row: Row, now: int) -> bool:
        """Whether a modify whose event was not heard was done: by the prices, else by what is left."""
        command = change.command
        before, after = EXACT.subtract(each.total, each.cum), EXACT.subtract(command.order_qty, each.cum)
        done: bool | None = None
        if (command.price, command.stop_px) != (each.limit, each.stop):
            done = (row.limit, row.stop) == (command.price, command.stop_px)
        elif change.confirmed or row.left > before:
            done = True
        elif row.left > after or before == row.left != after:
            done = False
        elif row.left == after:
            done = True
        if done is None:
            self._notes.append(Note(f"PrimeBit: whether order {each.order_id} was modified cannot be told: {row.left:f} left", "error"))
            return False
        if done:
            self._modified(each, row, now // 1_000_000, now)
        elif now - change.sent > UNCHANGED_AFTER:
            each.replacing = None
            text = "the modify was not answered, and the order stands unchanged"
            self._queue(each, CancelRejected(account=self._account, reason=CxlRejReason.OTHER, venue_order_id=each.order_id, text=text))
        return True

    def settle(self, rows: Sequence[Row], asked: int, clean: bool, baseline: bool, now: int) -> list[Tracked]:
        """A snapshot of orders, asked for at `asked`, with the positions after it (rule 6); `baseline`: positions were known before;
        `clean`: nothing happened between the two. Returns those of ours that have ended in a way that cannot be told."""
        listed = {row.order_id for row in rows}
        missing = [each for each in self.open.values() if each.order_id not in listed and each.seen < asked]
        for each in missing:
            self._conclude(each, [other for other in missing if other.symbol == each.symbol], clean and baseline, now)
        symbols = {each.symbol for each in self.by_id.values()} | set(self.quiet)
        for symbol in symbols:
            if not baseline or self.pricing.unexplained(symbol) or not clean:
                self.quiet[symbol] = now
            if clean:
                self.pricing.forgive(symbol)
        for each in [each for each in missing if each.ended is None and not each.owner]:
            each.vague = True
            self._end(each, OrdStatus.CANCELED)
        return [each for each in missing if each.ended is None]

    def _conclude(self, each: Tracked, rivals: Iterable[Tracked], usable: bool, now: int) -> None:
        alone = all(other is each for other in rivals) and not any(place.symbol == each.symbol for place in self.creating.values())
        if not usable or not alone or not each.sure or each.replacing is not None:
            return
        moved = self.pricing.unexplained(each.symbol)
        executed = moved if each.side is Side.BUY else -moved
        if not 0 <= executed <= each.left:
            return
        self.progress(each, EXACT.subtract(each.left, executed), now, False)
        if each.ended is None:
            self._gone(each, "ended while out of reach; what was executed of it is worked out from the position")

    def lost(self) -> None:
        """The router hears that the link went."""
        for each in self.open.values():
            each.gap = True

    # --- answers to questions ---------------------------------------------------------------------------------------------

    def state(self, each: Tracked) -> None:
        """Say where an order of ours stands, behind all that is still to be told of it."""
        each.gap = False
        if each.vague:
            text = "PrimeBit no longer lists the order, and does not tell what was executed of it"
            event: VenueEvent = Canceled(
                account=self._account, exec_id=f"canceled-{each.order_id}", venue_order_id=each.order_id, text=text
            )
        else:
            status = each.ended or OrdStatus.NEW
            event = Stated(account=self._account, status=status, cum_qty=each.cum, venue_order_id=each.order_id)
        self._queue(each, event)

    def give_up(self, each: Tracked) -> None:
        """It has ended, and what was executed of it will never be known."""
        each.vague = True
        self._end(each, OrdStatus.CANCELED)

    # --- what is to be told -----------------------------------------------------------------------------------------------

    def flush(self) -> list[Out]:
        """What is ripe."""
        outs, self._notes = self._notes, []
        for each in list(self._queued.values()):
            if not each.owner or not each.sure:
                continue
            while each.queue and not (isinstance(each.queue[0], Fill) and each.queue[0].px is None):
                outs.append(self._said(each, each.queue.popleft()))
            if not each.queue:
                del self._queued[each.order_id]
        return outs

    def strangers(self, now: int) -> None:
        """Tell once of each order that nobody here has placed (rule 3), after the time in which an answer may yet claim it."""
        for place in [place for place in self.creating.values() if now - place.time > _FORGET_AFTER]:
            del self.creating[place.venue_cl_ord_id]
        for each in self.open.values():
            if not each.owner and not each.noted and not self.creating and now - each.seen > STRANGER_AFTER:
                each.noted = True
                what = f"{each.side} {each.left:f} {each.symbol}"
                self._notes.append(Note(f"PrimeBit: order {each.order_id} ({what}) is not ours; it is left alone"))

    def _said(self, each: Tracked, what: Fill | VenueEvent) -> VenueEvent:
        if isinstance(what, Fill):
            return self._filled(each, what)
        if isinstance(what, Canceled) and not each.vague:
            return msgspec.structs.replace(what, venue_cl_ord_id=each.owner, cum_qty=each.cum)
        if isinstance(what, Stated) and each.whole and each.cum:
            px = EXACT.divide(each.notional, each.cum).quantize(_AVG_PX_STEP, context=EXACT).normalize(EXACT)
            return msgspec.structs.replace(what, venue_cl_ord_id=each.owner, avg_px=px)
        return msgspec.structs.replace(what, venue_cl_ord_id=each.owner)

    def _filled(self, each: Tracked, fill: Fill) -> Filled:
        assert fill.px is not None
        each.notional = EXACT.fma(fill.qty, fill.px, each.notional)
        return Filled(
            account=self._account, exec_id=f"{each.order_id}-{fill.cum.normalize(EXACT):f}", last_qty=fill.qty, last_px=fill.px,
            complete=fill.complete, venue_cl_ord_id=each.owner, venue_order_id=each.order_id, symbol=each.symbol, side=each.side,
            order_qty=each.total, cum_qty=fill.cum, text=fill.text,
        )  # fmt: skip

    def _queue(self, each: Tracked, what: Fill | VenueEvent) -> None:
        each.queue.append(what)
        self._queued[each.order_id] = each
        if not each.owner and len(each.queue) > _QUEUED_AT_MOST:
            each.queue.popleft()

    def _end(self, each: Tracked, status: OrdStatus) -> None:
        if each.ended is not None:
            return
        each.ended, each.replacing, each.canceling = status, None, None
        self.open.pop(each.order_id, None)
        self._ended.append(each.order_id)
        if len(self._ended) > _ENDED_AT_MOST:
            old = self.by_id.pop(self._ended.popleft())
            self.by_owner.pop(old.owner, None)
            self._queued.pop(old.order_id, None)
