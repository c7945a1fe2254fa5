"""The venue's FIX API: requests to the exchange, what happened to reports, and the faults in between.

Pure: sessions are `Outlet`s that somebody passes in, and what is to happen later waits in `due` until `tick`.

Readings where the document is silent (of tags: `sim_fixtext`; of sessions: `sim_session`; of trading: `sim_exchange`):
 1. Reports of an order go to its account's session at the endpoint that serves its venue. Where none is logged on, the
    report is lost to FIX; a status request tells the latest one.
 2. OrderStatusRequest is answered by the order's latest ExecutionReport again, with its ExecID. An order in
    PENDING_SUBMIT has had none, so it is not answered; an unknown order gets 150=8, 37=NONE and a fresh ExecID.
 3. Message types that FIX 4.2 has and this venue does not take get BusinessMessageReject(j) with 380=3; any other
    Reject(3) with 373=11.
 4. 20 requests a second are REST's limit ("Rate Limits"); FIX has one only where the settings say so. Over it, an order
    is rejected and a cancel refused with 0x02002A, and a status request gets a BusinessMessageReject(j) with 380=0, for
    a report with 150=8 would say that the order is not there. The faults `rate_limit` and `reject` answer alike.
 5. Fault `delay` leaves a new order in PENDING_SUBMIT, and acts on a cancel at once and answers late. `drop_reply`
    loses the New, the cancel's report or the status alone: fills of the same moment leave. With `match` `stream` these
    two delay or lose the next report that answers no request.
 6. Fault `reorder_events` holds one report back until after the next one.
 7. Orders that came over REST are not reported by FIX, except to a FIX request for that very order (cancel, status).
 8. A fault meets the first request or report that fits it, whichever way it comes or goes; of what happened to one order
    the FIX report leaves before the `/order` stream's. `http_500` and `http_503` wait for REST.
"""

import heapq
from collections.abc import Callable, Collection
from functools import partial
from typing import Protocol

from bridges.apifiny import sim_errors as errors
from bridges.apifiny import sim_fixtext as fixtext
from bridges.apifiny.sim_errors import Refused
from bridges.apifiny.sim_exchange import Exchange
from bridges.apifiny.sim_fixtext import Malformed
from bridges.apifiny.sim_fixwire import SOH, Message
from bridges.apifiny.sim_orders import Execution, NewOrder, Order, Status, What
from bridges.apifiny.sim_rate import PerSecond
from bridges.apifiny.sim_tally import OK, Tally
from bridges.faults import Fault, Faults

_REQUEST_FAULTS = frozenset({"drop_reply", "drop_request", "delay", "rate_limit", "reject"})
_EVENT_FAULTS = frozenset({"drop_reply", "delay"})
_KINDS = {"D": "new", "F": "cancel", "H": "query"}
# FIX 4.2's application messages (volume 3 to 5), but for the three above.
_FIX42 = frozenset("6789BCEGJKLMNPQRSTVWXYZabcdefghijklm")
# Without a "8=": QuickFIX would take that for a beginning, swallow what comes after it, and the report would be lost.
GARBAGE = b"\x00\xffthis is not FIX\x01\x01\r\n"


class Outlet(Protocol):
    """Where messages go: a session that is logged on. Both do nothing once it is over."""

    @property
    def account_id(self) -> str: ...
    @property
    def venues(self) -> Collection[str]: ...
    def send(self, msg_type: str, body: str) -> None: ...
    def send_raw(self, data: bytes) -> None: ...
    def reject(self, message: Message, reason: int, tag: int, text: str) -> None: ...


class FixApi:
    """`find_outlet(account_id, venue)` gives the session that reports of that account and venue go to, if any."""

    def __init__(
        self,
        exchange: Exchange,
        faults: Faults,
        tally: Tally,
        find_outlet: Callable[[str, str], Outlet | None],
        reject_text: bool = False,
        requests_per_second: int = 0,
    ) -> None:
        self._exchange = exchange
        self._faults = faults
        self._tally = tally
        self._find_outlet = find_outlet
        self._reject_text = reject_text
        self._rate = PerSecond(requests_per_second)
        self._later: list[tuple[int, int, Callable[[int], None]]] = []
        self._postponed = 0
        self._held: list[tuple[Outlet, str]] = []

    # In

    def handle(self, outlet: Outlet, message: Message, now_ms: int) -> None:
        """One application message of a session."""
        kind = _KINDS.get(message.msg_type)
        if kind is None:
            self._unsupported(outlet, message)
            return
        self._tally.by_kind[kind] += 1
        try:
            if kind == "new":
                self._new(outlet, fixtext.new_order(message), now_ms)
            elif kind == "cancel":
                self._cancel(outlet, fixtext.cancel_request(message), now_ms)
            else:
                self._status(outlet, message, fixtext.status_request(message), now_ms)
        except Malformed as fault:
            self._tally.by_code["35=3"] += 1
            outlet.reject(message, fault.reason, fault.tag, fault.text)

    def report(self, executions: Collection[Execution]) -> None:
        """Things that happened of themselves: a counterparty traded, the venue cancelled."""
        for execution in executions:
            self._emit(self._outlet_of(execution.order), execution, None)

    def reset(self) -> None:
        """Forgets whatever was to leave later."""
        self._later.clear()
        self._held.clear()

    @property
    def due_ms(self) -> int | None:
        """When `tick` has something to do next."""
        return self._later[0][0] if self._later else None

    def tick(self, now_ms: int) -> None:
        while self._later and self._later[0][0] <= now_ms:
            heapq.heappop(self._later)[2](now_ms)

    # Requests

    def _new(self, outlet: Outlet, new: NewOrder, now_ms: int) -> None:
        fault = self._request_fault(outlet, "new", now_ms)
        if fault is not None and fault.kind == "drop_request":
            return
        code = self._refusal(fault, errors.NEW_ORDER_FAILURE)
        if code is None:
            order = self._exchange.place(new, outlet.account_id, outlet.venues, now_ms)
        else:
            order = self._exchange.refuse(new, code, now_ms)
        if fault is not None and fault.kind == "delay":
            self._postpone(fault, now_ms, partial(self._answer_new, outlet, order, fault))
        else:
            self._answer_new(outlet, order, fault, now_ms)

    def _answer_new(self, outlet: Outlet, order: Order, fault: Fault | None, now_ms: int) -> None:
        if order.status is Status.PENDING_SUBMIT:
            executions = self._exchange.confirm(order, now_ms)
        else:
            assert order.latest is not None
            executions = [order.latest]
        self._tally.by_code[executions[0].code or OK] += 1
        for i, execution in enumerate(executions):
            if i == 0 and fault is not None and fault.kind == "drop_reply":
                continue
            rejected = execution.what is What.REJECTED
            self._emit(outlet if rejected else self._outlet_of(execution.order), execution, "new" if i == 0 else None)

    def _cancel(self, outlet: Outlet, asked: tuple[str, str, str], now_ms: int) -> None:
        account_id, venue, order_id = asked
        fault = self._request_fault(outlet, "cancel", now_ms)
        if fault is not None and fault.kind == "drop_request":
            return
        answer: Callable[[int], None]
        order = self._exchange.find(account_id, venue, order_id) if account_id == outlet.account_id else None
        try:
            code = self._refusal(fault, errors.CANCEL_ERROR)
            if code is not None:
                raise Refused(code)
            if venue not in outlet.venues:
                raise Refused(errors.WRONG_ENDPOINT, venue)
            if account_id != outlet.account_id:
                raise Refused(errors.UNKNOWN_ORDER)
            execution = self._exchange.cancel(account_id, venue, order_id, now_ms)
        except Refused as no:
            self._tally.by_code[no.code] += 1
            body = fixtext.cancel_reject(order, order_id, no)
            answer = lambda _now_ms: outlet.send("9", body)  # noqa: E731
        else:
            self._tally.by_code[OK] += 1
            by_rest = execution.order.asked.by_rest
            answer = lambda _now_ms: self._emit(outlet if by_rest else self._outlet_of(execution.order), execution, "cancel")  # noqa: E731
        self._answer(fault, answer, now_ms)

    def _status(self, outlet: Outlet, message: Message, asked: tuple[str, str, str], now_ms: int) -> None:
        account_id, venue, order_id = asked
        fault = self._request_fault(outlet, "query", now_ms)
        if fault is not None and fault.kind == "drop_request":
            return
        code = self._refusal(fault, errors.SERVER_ERROR)
        if code is not None:
            self._tally.by_code[code] += 1
            self._business_reject(outlet, message, 0, errors.explain(code))
            return
        known = account_id == outlet.account_id and venue in outlet.venues
        order = self._exchange.find(account_id, venue, order_id) if known else None
        self._tally.by_code[errors.UNKNOWN_ORDER if order is None else OK] += 1
        if order is None:
            body = fixtext.unknown_order_report(self._exchange.mint_exec_id(), now_ms)
            self._answer(fault, lambda _now_ms: outlet.send("8", body), now_ms)
        elif order.latest is not None:
            latest = order.latest
            self._answer(fault, lambda _now_ms: self._emit(outlet, latest, "query"), now_ms)

    def _unsupported(self, outlet: Outlet, message: Message) -> None:
        if message.msg_type in _FIX42:
            if message.msg_type != "j":  # answering a refusal with a refusal could go on for ever
                self._business_reject(outlet, message, 3, "unsupported message type")
        else:
            outlet.reject(message, 11, 0, "invalid MsgType")

    def _business_reject(self, outlet: Outlet, message: Message, reason: int, text: str) -> None:
        ref_id = f"379={message.fields[11]}{SOH}" if 11 in message.fields else ""
        outlet.send(
            "j",
            f"45={message.fields.get(34, 0)}{SOH}372={message.msg_type}{SOH}{ref_id}380={reason}{SOH}58={text}{SOH}",
        )

    # Faults and limits

    def _request_fault(self, outlet: Outlet, kind: str, now_ms: int) -> Fault | None:
        """The fault that meets this request; breaking the rate limit is one that the client made itself."""
        if not self._rate.take(outlet.account_id, now_ms):
            return Fault("rate_limit")
        return self._faults.take_request(kind, _REQUEST_FAULTS) if self._faults else None

    def _refusal(self, fault: Fault | None, server_fault: str) -> str | None:
        if fault is not None and fault.kind == "rate_limit":
            return errors.TOO_OFTEN
        if fault is not None and fault.kind == "reject":
            return server_fault
        return None

    def _answer(self, fault: Fault | None, answer: Callable[[int], None], now_ms: int) -> None:
        if fault is not None and fault.kind == "drop_reply":
            return
        if fault is not None and fault.kind == "delay":
            self._postpone(fault, now_ms, answer)
        else:
            answer(now_ms)

    def _postpone(self, fault: Fault, now_ms: int, action: Callable[[int], None]) -> None:
        self._postponed += 1
        heapq.heappush(self._later, (now_ms + round(fault.delay_s * 1000), self._postponed, action))

    # Out

    def _outlet_of(self, order: Order) -> Outlet | None:
        return None if order.asked.by_rest else self._find_outlet(order.asked.account_id, order.asked.venue)

    def _emit(self, outlet: Outlet | None, execution: Execution, answer_to: str | None) -> None:
        """An ExecutionReport leaves; `answer_to` is the kind of request that it directly answers, if any."""
        if outlet is None:
            return
        body = fixtext.execution_report(execution, self._reject_text)
        if not self._faults and not self._held:
            outlet.send("8", body)
            return
        if answer_to is None:
            fault = self._faults.take_request("stream", _EVENT_FAULTS)
            if fault is not None and fault.kind == "drop_reply":
                return
            if fault is not None:
                self._postpone(fault, execution.at_ms, lambda _now_ms: outlet.send("8", body))
                return
        fault = self._faults.take_stream(answer_to)
        if fault is not None and fault.kind == "reorder_events":
            self._held.append((outlet, body))
            return
        if fault is not None and fault.kind == "garbage":
            outlet.send_raw(GARBAGE)
            outlet.send("8", fixtext.nonsense_report(execution))
        outlet.send("8", body)
        if fault is not None and fault.kind == "duplicate_event":
            outlet.send("8", body)
        held, self._held = self._held, []
        for earlier, earlier_body in held:
            earlier.send("8", earlier_body)
