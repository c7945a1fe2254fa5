"""One connection's conversation: Phoenix's part of it, the limits, and the faults of requests. Pure.

Assumptions:
 1. Phoenix's own: `phx_join` and `phx_leave` are answered by `phx_reply` with {"status": "ok", "response"}, errors by the
    document's {"status": "error", "type", "details"} as the payload. After a leave comes `phx_close`; joining what is joined
    closes the older channel first. Heartbeats (topic `phoenix`) are answered with an empty response.
 2. "for join messages ref and join_ref will always be the same": otherwise `invalid_params`. A message to a topic that is not
    joined, or with a `join_ref` that is not that of its join, is answered by "unmatched topic".
 3. An event that the channel does not know breaks it, as a channel breaks without a clause for an event: `phx_error`, no
    reply, and the channel is no longer joined. What is no frame at all closes the connection with 1011.
 4. The venue drops a connection without any frame for `silence_s` (60, Phoenix's default timeout).
 5. Kinds of requests, for faults and counts: `place` is `new`, `cancel` is `cancel`, joins and everything else `query`.
    Heartbeats and leaves meet no fault and no limit; what exceeds a limit meets no fault.

Faults of requests: `drop_request` does nothing, `drop_reply` acts and does not answer (the pushes do come), `delay` acts and
answers late, whether or not the client is still there; `http_500` and `http_503` close the connection with 1011 and do not
act (with match `stream` they are the answer to the next upgrade instead: `simulator`); `rate_limit` gives `retry_after` of
`delay_s`, or 30; `reject` is `invalid_params`; `garbage` takes the place of the reply, and the request is done.
"""

from collections.abc import Iterable
from typing import Any, Protocol

from bridges.faults import Fault, Faults
from bridges.moonbase.sim_channels import Channel, Channels, Unknown
from bridges.moonbase.sim_errors import UNMATCHED, Refused, invalid, rate_limited
from bridges.moonbase.sim_feed import GARBAGE, Feed
from bridges.moonbase.sim_frames import Frame, Ref, Unreadable, read, write
from bridges.moonbase.sim_later import Later
from bridges.moonbase.sim_limits import Limits
from bridges.moonbase.sim_settings import User
from bridges.moonbase.sim_tally import Tally

SECOND_NS = 1_000_000_000
BROKEN = 1011
_FAULTS = ("drop_request", "drop_reply", "delay", "http_500", "http_503", "rate_limit", "reject", "garbage")
_KINDS = {"place": "new", "cancel": "cancel"}
_NO_REPLY = ("drop_reply", "garbage")


class Outlet(Protocol):
    def send(self, text: str) -> None: ...
    def hang_up(self) -> None: ...
    def close(self, code: int) -> None: ...


class Venue:
    """What all connections share."""

    def __init__(self, channels: Channels, feed: Feed, faults: Faults, later: Later, limits: Limits, tally: Tally, silence_s: int) -> None:
        self.channels, self.feed, self.faults, self.later = channels, feed, faults, later
        self.limits, self.tally, self.silence_ns = limits, tally, silence_s * SECOND_NS


class Session:
    """A `sim_feed.Subscriber`; `vsn` is one of `sim_frames.VERSIONS`."""

    def __init__(self, outlet: Outlet, user: User, venue: Venue, vsn: str, now_ns: int) -> None:
        self._outlet, self._venue, self._vsn = outlet, venue, vsn
        self._key, self.user_id = user.key, user.user_id
        self._heard_ns = now_ns
        self._joined: dict[str, tuple[Ref, Channel]] = {}

    # For the feed

    def channel(self, topic: str) -> Channel | None:
        return self._joined[topic][1] if topic in self._joined else None

    def joined(self, name: str) -> Iterable[Channel]:
        return [channel for _, channel in self._joined.values() if channel.name == name]

    def push(self, topic: str, event: str, data: list[Any]) -> None:
        self._write(Frame(topic, event, {"data": data}))

    def send(self, text: str) -> None:
        self._outlet.send(text)

    # For the line

    def tick(self, now_ns: int) -> None:
        if now_ns - self._heard_ns >= self._venue.silence_ns:
            self._outlet.hang_up()

    def receive(self, text: str, now_ns: int) -> None:
        """One text from the client."""
        self._heard_ns = now_ns
        try:
            frame = read(text, self._vsn)
        except Unreadable:
            self._outlet.close(BROKEN)
            return
        tally = self._venue.tally
        if (frame.topic, frame.event) == ("phoenix", "heartbeat"):
            tally.by_kind["heartbeat"] += 1
            self._ok(frame, {})
        elif frame.event == "phx_leave":
            tally.by_kind["leave"] += 1
            self._leave(frame)
        else:
            self._request(frame, now_ns)

    # Parts

    def _request(self, frame: Frame, now_ns: int) -> None:
        """Limits first, then faults, then the deed."""
        joins = frame.event == "phx_join"
        kind = _KINDS.get(frame.event, "query")
        self._venue.tally.by_kind["join" if joins else kind] += 1
        if not joins and not self._is_member(frame):
            self._error(frame, Refused(UNMATCHED))
            return
        wait_s = self._venue.limits.admit(self._key, "join" if joins else kind, now_ns)
        if wait_s:
            self._error(frame, rate_limited(wait_s))
            return
        fault = self._venue.faults.take_request(kind, _FAULTS)
        if fault is None:
            self._act(frame, kind, "", now_ns)
        else:
            self._spoil(frame, kind, fault, now_ns)

    def _spoil(self, frame: Frame, kind: str, fault: Fault, now_ns: int) -> None:
        if fault.kind == "delay":
            self._venue.later.put(now_ns + round(fault.delay_s * 1e9), lambda then_ns: self._act(frame, kind, "", then_ns))
        elif fault.kind == "rate_limit":
            self._error(frame, rate_limited(-int(-fault.delay_s // 1) or 30))
        elif fault.kind == "reject":
            self._error(frame, invalid("request", "rejected, as the simulator was told to"))
        elif fault.kind in _NO_REPLY:
            self._act(frame, kind, fault.kind, now_ns)
        else:
            self._venue.tally.by_status["none"] += 1
            if fault.kind != "drop_request":
                self._outlet.close(BROKEN)

    def _act(self, frame: Frame, kind: str, spoilt: str, now_ns: int) -> None:
        """Does it, answers, and tells everybody what came of it. `spoilt`: the fault that the reply meets."""
        then = None
        try:
            if frame.event == "phx_join":
                response = self._join(frame, now_ns)
            else:
                channel = self.channel(frame.topic)
                if channel is None:
                    raise Refused(UNMATCHED)
                done = self._venue.channels.call(self.user_id, channel, frame.event, frame.payload, now_ns)
                response, then = done.response, done.then
            self._reply(frame, {"status": "ok", "response": response}, spoilt)
        except Refused as no:
            self._error(frame, no, spoilt)
        except Unknown:
            self._break(frame)
        if then is not None:
            then(now_ns)
        self._venue.feed.publish(now_ns, kind)

    def _is_member(self, frame: Frame) -> bool:
        return frame.topic in self._joined and self._joined[frame.topic][0] == frame.join_ref is not None

    def _join(self, frame: Frame, now_ns: int) -> Any:
        """The snapshot. Refused."""
        if frame.ref is None or frame.ref != frame.join_ref:
            raise invalid("join_ref", "is not the ref of the join")
        if frame.topic in self._joined:
            self._close(frame.topic)
        channel, response = self._venue.channels.join(self.user_id, frame.topic, frame.payload, now_ns)
        self._joined[frame.topic] = (frame.ref, channel)
        return response

    def _leave(self, frame: Frame) -> None:
        if not self._is_member(frame):
            self._error(frame, Refused(UNMATCHED))
            return
        self._ok(frame, {})
        self._close(frame.topic)

    def _close(self, topic: str) -> None:
        join_ref, _ = self._joined.pop(topic)
        self._write(Frame(topic, "phx_close", {}, join_ref, join_ref))

    def _break(self, frame: Frame) -> None:
        self._venue.tally.by_status["none"] += 1
        join_ref, _ = self._joined.pop(frame.topic)
        self._write(Frame(frame.topic, "phx_error", {}, join_ref, join_ref))

    def _ok(self, frame: Frame, response: Any) -> None:
        self._reply(frame, {"status": "ok", "response": response})

    def _error(self, frame: Frame, no: Refused, spoilt: str = "") -> None:
        self._venue.tally.by_type[no.kind] += 1
        self._reply(frame, no.payload(), spoilt)

    def _reply(self, frame: Frame, payload: dict[str, Any], spoilt: str = "") -> None:
        self._venue.tally.by_status["none" if spoilt else payload["status"]] += 1
        if spoilt == "garbage":
            self.send(GARBAGE[0])
        elif not spoilt:
            self._write(Frame(frame.topic, "phx_reply", payload, frame.ref, frame.join_ref))

    def _write(self, frame: Frame) -> None:
        self.send(write(frame, self._vsn))
