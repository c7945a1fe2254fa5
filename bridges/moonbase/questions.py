"""Questions of the router about orders, answered from what the channels told. Pure. The rules are 4 to 6 of `orders.py`."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from bridges.moonbase.joins import Purpose
from bridges.moonbase.phoenix import Standing
from bridges.moonbase.tracking import Tracked
from bridges.moonbase.view import View, looks_like
from bridges.wire import Note, Out
from router.model import Ask, Found, Place

__all__ = ["Questions"]


class Questions:
    """Those that wait for an answer."""

    def __init__(
        self,
        views: Mapping[str, View],
        creating: Mapping[str, Place],
        lost: Mapping[str, Place],
        tracked: Mapping[str, Tracked],
        named: Callable[[Ask], Tracked | None],
    ) -> None:
        """`creating`: places on their way; `lost`: those without an answer; `named`: the order that a question names, taken up by it."""
        self._views = views
        self._creating = creating
        self._lost = lost
        self._tracked = tracked
        self._named = named
        self._waiting: dict[str, Ask] = {}
        self._out_of_sight: set[str] = set()

    def put(self, ask: Ask) -> None:
        """A question; one that waits already is replaced."""
        self._waiting[ask.order_id] = ask

    def forget(self) -> None:
        """The connection is gone; the router asks again."""
        self._waiting.clear()
        self._out_of_sight.clear()

    def answers(self, now: int) -> list[Out]:
        """Answer what can be answered; want a join for what needs one."""
        outs: list[Out] = []
        for order_id, ask in list(self._waiting.items()):
            answer = self._answer(ask, now)
            if answer is not None:
                del self._waiting[order_id]
                outs += answer
        return outs

    def _answer(self, ask: Ask, now: int) -> list[Out] | None:
        view = self._views[ask.symbol]
        if not view.joined:
            if view.channel.standing is Standing.OUT:
                view.channel.wanted = Purpose.CONNECT
            return None
        if ask.order_id in self._creating:
            return None  # its own reply will tell
        order = self._named(ask)
        return self._about_nameless(view, ask, now) if order is None else self._about(view, order, ask, now)

    def _about(self, view: View, order: Tracked, ask: Ask, now: int) -> list[Out] | None:
        row = view.rows.get(order.venue_order_id)
        if not view.trusted or (row is None and view.channel.asked <= ask.placed):
            view.channel.wanted = Purpose.RESOLVE
            return None
        if row is not None:
            told = order.take(row, now, False) if order.known else []
            return [*told, order.stated(row)]
        if self._stale(view, ask, now):
            return None
        return [Found(order_id=ask.order_id, as_of=view.channel.asked)] if view.covers(ask.placed) else self._beyond(ask)

    def _about_nameless(self, view: View, ask: Ask, now: int) -> list[Out] | None:
        look = looks_like(ask)
        if any(looks_like(each) == look for each in self._creating.values()):
            return None
        if not view.trusted:
            view.channel.wanted = Purpose.RESOLVE
            return None
        sent = self._lost.get(ask.order_id)
        rows = view.alike(look, sent.stop_px if sent is not None else None, ask.placed, now)
        candidates = tuple(sorted((row.order_id for row in rows if row.order_id not in self._tracked), key=int))
        if not candidates and self._stale(view, ask, now):
            return None
        if candidates or view.covers(ask.placed):
            return [Found(order_id=ask.order_id, candidates=candidates, as_of=view.channel.asked)]
        if view.channel.asked > ask.placed:
            return self._beyond(ask)
        view.channel.wanted = Purpose.RESOLVE
        return None

    def _stale(self, view: View, ask: Ask, now: int) -> bool:
        """Whether a "not there" would rest on a snapshot that is too old for it, and a new one can be had: then it is wanted."""
        if view.channel.asked >= ask.believe or now < ask.believe:
            return False
        view.channel.wanted = Purpose.RESOLVE
        return True

    def _beyond(self, ask: Ask) -> list[Out]:
        """The list does not reach back far enough for a no: an operator must look. The router says that its questions stay open."""
        if ask.order_id in self._out_of_sight:
            return []
        self._out_of_sight.add(ask.order_id)
        return [Note(f"Moonbase does not show order {ask.venue_order_id or ask.order_id}, but its list does not reach back to it", "error")]
