"""One client on the WebSocket: what it says, what it follows, and the frames that wait for it. Pure.

From the document: the server's frames are binary, gzip over JSON, and the client's are text ("ws-api Demo (java)"); the
demo answers a frame with "ping" in it by the same text with "pong" for "ping". So: {"ping": n} wants {"pong": n}.

Assumptions:
 1. A ping every `ping_ms`, n being epoch milliseconds; whoever has not answered it within `pong_within_ms` is cut off.
    There is one ping at a time.
 2. A binary frame from the client is not understood: it is cut off. Text that is no request, an unknown channel, and
    `sub` or `req` where the overview does not have it, get `status` "error" with a `msg`; there is no `unsub`.
 3. A subscription shows what there is at once, and then each change: tickers, klines and trades at each trade (trades
    show none at first). Subscribing again replaces the subscription.
 4. The document has two order books on one channel with one request, "Incremental update" and "Full update":
    `depth_updates` says which this venue sends. Incremental: the whole book first and every `full_depth_ms`, else one
    frame a changed price, with the new quantity; 0 is a price that is gone, or no longer among those wanted.
 5. Nothing says that frames are numbered, and none is.
 6. Faults meet pushed frames only, never answers or pings: `duplicate_event` twice, `reorder_events` after the next one
    (or a second later), `garbage` bytes that are not gzip in its place; with `match` `stream`, `drop_reply` and
    `drop_request` lose it and `delay` sends it late, after what came in between.
"""

import gzip
import heapq
import json
from collections.abc import Collection
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from bridges.cryptocom import sim_channels as channels
from bridges.cryptocom.sim_channels import Channel
from bridges.cryptocom.sim_exchange import Exchange
from bridges.cryptocom.sim_market_api import Levels, depth, level_rows
from bridges.cryptocom.sim_settings import CryptocomSettings
from bridges.cryptocom.sim_tally import Tally
from bridges.cryptocom.sim_text import plain, to_json
from bridges.faults import STREAM_KINDS, Faults
from bridges.matching import ZERO, Side

GARBAGE = b"\x00\xffthis is not gzip"
HELD_MS = 1000
_FRAME_FAULTS = frozenset({"drop_reply", "drop_request", "delay"})


@dataclass(slots=True)
class Following:
    """A subscription. `last_trade` is the newest trade shown; the rest is the book as the client has it."""

    channel: Channel
    last_trade: int = 0
    asks: int = 0
    bids: int = 0
    shown: dict[str, dict[Decimal, Decimal]] = field(default_factory=dict)
    full_at_ms: int = 0


class Stream:
    """Feed it `receive`, `publish` after every change of the market, and `tick`; then send `take_output`."""

    def __init__(self, exchange: Exchange, settings: CryptocomSettings, faults: Faults, tally: Tally, now_ms: int) -> None:
        self._exchange, self._settings, self._faults, self._tally = exchange, settings, faults, tally
        self._following: dict[str, Following] = {}
        self._output: list[bytes] = []
        self._ping: int | None = None
        self._pinged_ms = now_ms
        self._held: tuple[int, bytes] | None = None
        self._later: list[tuple[int, int, bytes]] = []
        self._delayed = 0
        self.closed = False

    def take_output(self) -> list[bytes]:
        output, self._output = self._output, []
        return output

    @property
    def waiting(self) -> int:
        """How many frames wait to be sent."""
        return len(self._output)

    # In

    def receive(self, text: str | bytes, now_ms: int) -> None:
        self._tally.by_kind["stream"] += 1
        if isinstance(text, bytes):
            self.closed = True
            return
        try:
            message = json.loads(text)
        except (ValueError, RecursionError):
            message = None
        if not isinstance(message, dict):
            self._error(None, {}, "not a JSON object", now_ms)
        elif "pong" in message:
            if self._ping is not None and message["pong"] == self._ping and type(message["pong"]) is int:
                self._ping = None
        else:
            self._request(message, now_ms)

    def tick(self, now_ms: int) -> None:
        """Pings, patience, and what waits."""
        if self._ping is not None:
            self.closed |= now_ms >= self._pinged_ms + self._settings.pong_within_ms
        elif now_ms >= self._pinged_ms + self._settings.ping_ms:
            self._ping = self._pinged_ms = now_ms
            self._send({"ping": now_ms})
        while self._later and self._later[0][0] <= now_ms:
            self._output.append(heapq.heappop(self._later)[2])
        if self._held is not None and now_ms >= self._held[0]:
            self._output.append(self._held[1])
            self._held = None
        for following in self._following.values():
            if following.channel.kind == "depth" and now_ms >= following.full_at_ms:
                self._push_book(following, now_ms)

    def publish(self, symbols: Collection[str], now_ms: int) -> None:
        """These markets have changed."""
        for following in self._following.values():
            if following.channel.symbol in symbols:
                self._publish_one(following, now_ms)

    # Requests

    def _request(self, message: dict[str, Any], now_ms: int) -> None:
        params = message.get("params")
        params = params if isinstance(params, dict) else {}
        channel = channels.parse_channel(params.get("channel"), self._exchange.instruments)
        event = message.get("event")
        if channel is None:
            self._error(event, params, "unknown channel", now_ms)
            return
        try:
            if event == "sub" and channel.kind != "review":
                self._subscribe(channel, params, now_ms)
            elif event == "req" and channel.kind in ("review", "kline", "trade_ticker"):
                self._send(self._reply(channel, params, now_ms))
            else:
                self._error(event, params, "no such event on this channel", now_ms)
        except ValueError as fault:
            self._error(event, params, str(fault), now_ms)

    def _reply(self, channel: Channel, params: dict[str, Any], now_ms: int) -> dict[str, Any]:
        head: dict[str, Any] = {"event_rep": "rep", "channel": channel.name}
        if channel.kind == "review":
            return head | {"data": channels.review(self._exchange, now_ms)}
        head |= _cb_id(params)
        tape = self._exchange.tapes[channel.symbol]
        if channel.kind == "kline":
            rows = channels.kline_rows(tape, channel.minutes, params, now_ms)
            return head | {"since": params.get("since", ""), "ts": now_ms, "data": rows}
        top, rows = channels.requested_trades(tape, params)
        return head | {"ts": now_ms, "status": "ok", "top": top, "data": rows}

    def _subscribe(self, channel: Channel, params: dict[str, Any], now_ms: int) -> None:
        following = Following(channel)
        reply: dict[str, Any] = {"event_rep": "subed", "channel": channel.name} | _cb_id(params)
        if channel.kind == "depth":
            following.asks, following.bids = channels.book_sizes(params)
            reply |= {"asks": following.asks, "bids": following.bids}
        reply |= {"ts": now_ms, "status": "ok"}
        if channel.kind == "ticker":
            reply["lower_frame"] = "0"
        self._following[channel.name] = following
        self._send(reply)
        newest = self._exchange.tapes[channel.symbol].latest(1) if channel.symbol else []
        following.last_trade = newest[0].trade_id if newest else 0
        if channel.kind == "depth":
            self._push_book(following, now_ms)
        elif channel.kind != "trade_ticker":
            self._push(following, self._state(following, now_ms), now_ms)

    def _error(self, event: object, params: dict[str, Any], msg: str, now_ms: int) -> None:
        frame: dict[str, Any] = {"event_rep": "subed" if event == "sub" else "rep"}
        if isinstance(params.get("channel"), str):
            frame["channel"] = params["channel"]
        self._send(frame | _cb_id(params) | {"ts": now_ms, "status": "error", "msg": msg})

    # What is pushed

    def _publish_one(self, following: Following, now_ms: int) -> None:
        if following.channel.kind == "depth":
            if self._settings.depth_updates == "full":
                if self._book(following) != following.shown:
                    self._push_book(following, now_ms)
            else:
                self._push_changes(following, now_ms)
            return
        trades = self._exchange.tapes[following.channel.symbol].since(following.last_trade)
        if not trades:
            return
        following.last_trade = trades[0].trade_id
        if following.channel.kind == "trade_ticker":
            rows = channels.trade_rows(trades)
            self._push(following, {"id": rows[0]["id"], "ts": rows[0]["ts"], "data": rows}, now_ms)
        else:
            self._push(following, self._state(following, now_ms), now_ms)

    def _state(self, following: Following, now_ms: int) -> dict[str, Any]:
        tape = self._exchange.tapes[following.channel.symbol]
        if following.channel.kind == "ticker":
            return channels.ticker_tick(tape, now_ms)
        return channels.kline_tick(tape.candles(following.channel.minutes, now_ms, 1)[-1])

    def _book(self, following: Following) -> dict[str, dict[Decimal, Decimal]]:
        def side(which: Side, count: int) -> Levels:
            return depth(self._exchange, following.channel.symbol, which, following.channel.step, count)

        return {"asks": dict(side(Side.SELL, following.asks)), "buys": dict(side(Side.BUY, following.bids))}

    def _push_book(self, following: Following, now_ms: int) -> None:
        following.shown = self._book(following)
        following.full_at_ms = now_ms + self._settings.full_depth_ms
        rows = {side: level_rows(list(levels.items())) for side, levels in following.shown.items()}
        self._push(following, rows, now_ms)

    def _push_changes(self, following: Following, now_ms: int) -> None:
        book = self._book(following)
        for side, levels in book.items():
            shown = following.shown[side]
            for price in {**shown, **levels}:
                volume = levels.get(price, ZERO)
                if shown.get(price, ZERO) != volume:
                    self._push(following, {"side": side, "price": plain(price), "volume": plain(volume)}, now_ms)
        following.shown = book

    def _push(self, following: Following, tick: dict[str, Any], now_ms: int) -> None:
        frame = _gzipped({"channel": following.channel.name, "ts": now_ms, "tick": tick})
        lost = self._faults.take_request("stream", _FRAME_FAULTS)
        if lost is not None:
            if lost.kind == "delay":
                self._delayed += 1
                heapq.heappush(self._later, (now_ms + round(lost.delay_s * 1000), self._delayed, frame))
            return
        fault = self._faults.take_stream(None, STREAM_KINDS)
        kind = fault.kind if fault is not None else ""
        if kind == "reorder_events" and self._held is None:
            self._held = now_ms + HELD_MS, frame
            return
        self._output += {"duplicate_event": [frame, frame], "garbage": [GARBAGE]}.get(kind, [frame])
        if self._held is not None:
            self._output.append(self._held[1])
            self._held = None

    def _send(self, message: dict[str, Any]) -> None:
        self._output.append(_gzipped(message))


def _cb_id(params: dict[str, Any]) -> dict[str, Any]:
    cb_id = params.get("cb_id")
    return {"cb_id": cb_id} if isinstance(cb_id, str | int) else {}


def _gzipped(message: dict[str, Any]) -> bytes:
    return gzip.compress(to_json(message).encode(), compresslevel=1, mtime=0)
