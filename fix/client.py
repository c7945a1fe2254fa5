"""The client dialects, FIX 4.2, 4.4 and 5.0SP2: text to commands, reports to text. Pure.

What QuickFIX's dictionary has refused (missing tags, bad formats: Reject(3)) never comes here. What comes here and cannot be
taken is decoded as far as it can be and carries its refusal, so that the answer is an ExecutionReport or a cancel reject like
any other, is journaled, and takes the ClOrdID. Only a message that names no order at all raises `MissingField`."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Final

from fix import tags as t
from fix.reference import REQUESTS, ReferenceDialect
from fix.refusals import MissingField, Refused, UnsupportedMessage, needed
from fix.text import Malformed, number, plain, printable, timestamp, timestamp_ns
from router.inquiries import Inquiry
from router.model import (
    CancelOrder,
    CancelReject,
    ExecutionReport,
    MassCancel,
    MassCancelReport,
    MassStatus,
    NewOrder,
    Refusal,
    ReplaceOrder,
    Report,
    StatusRequest,
)
from router.words import ZERO, ExecType, OrdRejReason, OrdStatus, Side, TimeInForce

__all__ = ["PARTIES", "ClientDialect", "MissingField", "Refused", "Request", "UnsupportedMessage", "grouped"]

Request = NewOrder | CancelOrder | ReplaceOrder | StatusRequest | MassCancel | MassStatus | Inquiry

_SIDES = t.reading(t.SIDES)
_ORD_TYPES = t.reading(t.ORD_TYPES)
_TIMES_IN_FORCE = t.reading(t.TIMES_IN_FORCE)
PARTIES: Final = "parties"
"""Where the rim puts a message's Parties block, which has tags more than once, beside its fields."""
_CL_ORD_ID_AT_MOST: Final = 64
_MEANING_CHANGED_BY: Final = {
    t.MIN_QTY: "MinQty",
    t.MAX_FLOOR: "MaxFloor",
    t.MAX_SHOW: "MaxShow",
    t.DISPLAY_QTY: "DisplayQty",
}
"""Tags that make it another order; ignoring them would execute something that was not asked for."""


class ClientDialect:
    """One version's way of saying it, for one client session."""

    def __init__(self, begin_string: str, session: str, report_destination: bool = True) -> None:
        """`begin_string`: FIX.4.2, FIX.4.4 or FIXT.1.1. `report_destination`: False where the client has a stock dictionary, which has
        no ExDestination(100) in ExecutionReport, nor our own tags in answers about instruments."""
        self.session = session
        self._is_42 = begin_string == "FIX.4.2"
        self.marks_copies = not self._is_42
        """Whether this version has CopyMsgIndicator(797)."""
        self._is_50 = begin_string == "FIXT.1.1"
        self._report_destination = report_destination
        self._ord_rej_reasons = t.ORD_REJ_REASONS_42 if self._is_42 else t.ORD_REJ_REASONS_44
        self._cxl_rej_reasons = t.CXL_REJ_REASONS_42 if self._is_42 else t.CXL_REJ_REASONS_44
        # Lengths, checksums, CompIDs, numbers and times are QuickFIX's to fill in.
        self._execution_report = f"8={begin_string}{t.SOH}9=0{t.SOH}35=8{t.SOH}"
        self._mass_cancel_report = f"8={begin_string}{t.SOH}9=0{t.SOH}35=r{t.SOH}"
        self._business_reject = f"8={begin_string}{t.SOH}9=0{t.SOH}35=j{t.SOH}"
        self._order_cancel_reject = f"8={begin_string}{t.SOH}9=0{t.SOH}35=9{t.SOH}"
        self._begin_string = begin_string
        self._reference = ReferenceDialect(begin_string, session, own_tags=report_destination)

    # --- in -------------------------------------------------------------------------------------------------------------

    def decode(self, found: Mapping[str, str]) -> Request:
        """A message's fields as a command. Raises `MissingField`, `Refused`, `UnsupportedMessage`."""
        _must_be_text(found)
        match found[t.MSG_TYPE]:
            case t.NEW_ORDER_SINGLE:
                return self._new_order(found)
            case t.ORDER_CANCEL_REQUEST:
                return CancelOrder(
                    session=self.session,
                    cl_ord_id=needed(found, t.CL_ORD_ID),
                    orig_cl_ord_id=_orig_cl_ord_id(found),
                    order_id=found.get(t.ORDER_ID),
                    possibly_known=_possibly_known(found),
                )
            case t.ORDER_CANCEL_REPLACE_REQUEST:
                return self._replace_order(found)
            case t.ORDER_MASS_CANCEL_REQUEST | t.ORDER_MASS_STATUS_REQUEST:
                return self._mass(found)
            case t.ORDER_STATUS_REQUEST:
                if t.CL_ORD_ID not in found and t.ORDER_ID not in found:
                    raise MissingField(t.CL_ORD_ID)
                return StatusRequest(
                    session=self.session,
                    cl_ord_id=found.get(t.CL_ORD_ID),
                    order_id=found.get(t.ORDER_ID),
                    symbol=found.get(t.SYMBOL, ""),
                    side=_SIDES.get(found.get(t.SIDE, ""), Side.UNDISCLOSED),
                    ord_status_req_id=found.get(t.ORD_STATUS_REQ_ID),
                )
            case inquiry if inquiry in REQUESTS:
                return self._reference.decode(found)
            case _:
                raise UnsupportedMessage(found[t.MSG_TYPE])

    def _replace_order(self, found: Mapping[str, str]) -> ReplaceOrder:
        wrong: list[Refusal] = []
        cl_ord_id = _cl_ord_id(found, wrong)
        order_qty, cash, price, stop_px = _amounts(found, wrong)
        _, time_in_force = _time_in_force(found, wrong)
        ord_type = _ORD_TYPES.get(needed(found, t.ORD_TYPE))
        if ord_type is None:
            wrong.append(_unsupported(f"OrdType(40) {found[t.ORD_TYPE]} is not offered"))
        wrong += [_unsupported(f"{name}({tag}) is not offered") for tag, name in _MEANING_CHANGED_BY.items() if tag in found]
        return ReplaceOrder(
            session=self.session,
            cl_ord_id=cl_ord_id,
            orig_cl_ord_id=_orig_cl_ord_id(found),
            order_id=found.get(t.ORDER_ID),
            symbol=found.get(t.SYMBOL, ""),
            side=_SIDES.get(needed(found, t.SIDE), Side.UNDISCLOSED),
            ord_type=ord_type,
            time_in_force=time_in_force,
            order_qty=order_qty,
            cash_order_qty=cash,
            price=price,
            stop_px=stop_px,
            account=found.get(t.ACCOUNT),
            transact_time=found.get(t.TRANSACT_TIME, ""),
            possibly_known=_possibly_known(found),
            echo=_echo(found),
            parties=found.get(PARTIES, ""),
            refusal=wrong[0] if wrong else None,
        )

    def _mass(self, found: Mapping[str, str]) -> MassCancel | MassStatus:
        cancels = found[t.MSG_TYPE] == t.ORDER_MASS_CANCEL_REQUEST
        if self._is_42:
            instead = "an OrderCancelRequest(F)" if cancels else "an OrderStatusRequest(H)"
            raise Refused(f"FIX 4.2 has no mass requests: send {instead} for each order, or use FIX 4.4")
        asked = needed(found, t.MASS_CANCEL_REQUEST_TYPE if cancels else t.MASS_STATUS_REQ_TYPE)
        scope, symbol, side = t.MASS_SCOPES.get(asked), found.get(t.SYMBOL), _SIDES.get(found.get(t.SIDE, ""))
        if cancels:
            cl_ord_id = needed(found, t.CL_ORD_ID)
            return MassCancel(session=self.session, cl_ord_id=cl_ord_id, scope=scope, asked=asked, symbol=symbol, side=side)
        request_id = needed(found, t.MASS_STATUS_REQ_ID)
        return MassStatus(session=self.session, mass_status_req_id=request_id, scope=scope, asked=asked, symbol=symbol, side=side)

    def _new_order(self, found: Mapping[str, str]) -> NewOrder:
        wrong: list[Refusal] = []
        cl_ord_id = _cl_ord_id(found, wrong)
        post_only, time_in_force = _time_in_force(found, wrong)
        possibly_known = _possibly_known(found)
        order_qty, cash, price, stop_px = _amounts(found, wrong)
        expire_time, expire_date = _expiry(found, wrong)
        side = _SIDES.get(needed(found, t.SIDE))
        if side is None:
            wrong.append(_unsupported(f"Side(54) {found[t.SIDE]} is not offered: 1 or 2"))
        ord_type = _ORD_TYPES.get(needed(found, t.ORD_TYPE))
        if ord_type is None:
            wrong.append(_unsupported(f"OrdType(40) {found[t.ORD_TYPE]} is not offered"))
        wrong += [_unsupported(f"{name}({tag}) is not offered") for tag, name in _MEANING_CHANGED_BY.items() if tag in found]
        return NewOrder(
            session=self.session,
            cl_ord_id=cl_ord_id,
            symbol=needed(found, t.SYMBOL),
            side=side or Side.UNDISCLOSED,
            ord_type=ord_type,
            time_in_force=time_in_force,
            order_qty=order_qty,
            cash_order_qty=cash,
            price=price,
            stop_px=stop_px,
            expire_time=expire_time,
            expire_date=expire_date,
            post_only=post_only,
            reduce_only=t.REDUCE_ONLY_EXEC_INST in found.get(t.EXEC_INST, "").split(),
            account=found.get(t.ACCOUNT),
            destination=found.get(t.EX_DESTINATION) or found.get(t.SECURITY_EXCHANGE),
            security_type=found.get(t.SECURITY_TYPE, ""),
            transact_time=found.get(t.TRANSACT_TIME, ""),
            sent=_first_sent(found, wrong) if possibly_known else None,
            possibly_known=possibly_known,
            echo=_echo(found),
            parties=found.get(PARTIES, ""),
            refusal=wrong[0] if wrong else None,
        )

    # --- out ------------------------------------------------------------------------------------------------------------

    def refuse(self, found: Mapping[str, str], text: str) -> str:
        """BusinessMessageReject(j) of a message: 380=3, unsupported message type, is the nearest reason that all versions have."""
        fields = [f"45={found[t.MSG_SEQ_NUM]}", f"372={printable(found[t.MSG_TYPE]) or '?'}", "380=3", f"58={printable(text)}"]
        return f"{self._business_reject}{t.SOH.join(fields)}{t.SOH}10=000{t.SOH}"

    def encode(self, message: Report, possibly_resent: bool = False) -> str:
        """A report as the text of a message. Raises `ValueError` for a value that FIX cannot carry."""
        resent = ["97=Y"] if possibly_resent else []
        match message:
            case ExecutionReport():
                body, start = self._report(message), self._execution_report
            case CancelReject():
                body, start = self._reject(message), self._order_cancel_reject
            case MassCancelReport():
                body, start = self._mass_canceled(message), self._mass_cancel_report
            case _:
                msg_type, body = self._reference.encode(message)
                start = f"8={self._begin_string}{t.SOH}9=0{t.SOH}35={msg_type}{t.SOH}"
        text = t.SOH.join(resent + body)
        if text.count(t.SOH) != len(resent) + len(body) - 1 or f"={t.SOH}" in text or text.endswith("="):
            raise ValueError(f"a value of {message} would become another field or none")
        return f"{start}{text}{t.SOH}10=000{t.SOH}"

    def _report(self, message: ExecutionReport) -> list[str]:
        """The fields, in one go: this is most of what an order costs on its way back."""
        status = t.ORD_STATUSES[message.ord_status]
        if self._is_42 and message.replaced and message.ord_status is OrdStatus.NEW:
            status = t.REPLACED_42
        fields = [
            f"37={message.order_id}", f"11={message.cl_ord_id}", f"17={message.exec_id}", f"150={self._exec_type(message, status)}",
            f"39={status}", f"54={t.SIDES[message.side]}", f"151={plain(message.leaves_qty)}", f"14={plain(message.cum_qty)}",
            f"6={plain(message.avg_px)}", f"32={plain(message.last_qty)}", f"31={plain(message.last_px)}",
            f"60={timestamp(message.time, message.time_digits)}",
        ]  # fmt: skip
        if self._is_42:
            fields.append(f"20={t.EXEC_TRANS_TYPES.get(message.exec_type, '0')}")
        if message.symbol:
            fields.append(f"55={message.symbol}")
        if message.order_qty is not None:
            fields.append(f"38={plain(message.order_qty)}")
        if message.price is not None:
            fields.append(f"44={plain(message.price)}")
        if message.ord_type is not None:
            fields.append(f"40={t.ORD_TYPES[message.ord_type]}")
        if message.time_in_force is not None:
            fields.append(f"59={t.TIMES_IN_FORCE[message.time_in_force]}")
        if message.orig_cl_ord_id:
            fields.append(f"41={message.orig_cl_ord_id}")
        if message.venue_order_id:
            fields.append(f"198={message.venue_order_id}")
        if message.account:
            fields.append(f"1={message.account}")
        if message.destination and self._report_destination:
            fields.append(f"100={message.destination}")
        if message.text and (text := printable(message.text)):
            fields.append(f"58={text}")
        if message.echo:
            fields += [f"{tag}={value}" for tag, value in message.echo.items()]
        if message.parties:
            fields += message.parties.split(t.SOH)
        return fields + self._seldom(message)

    def _seldom(self, message: ExecutionReport) -> list[str]:
        """What few reports carry."""
        fields = []
        if message.exec_ref_id is not None:
            fields.append(f"{t.EXEC_REF_ID}={message.exec_ref_id}")
        if message.cash_order_qty is not None:
            fields.append(f"{t.CASH_ORDER_QTY}={plain(message.cash_order_qty)}")
        if message.stop_px is not None:
            fields.append(f"{t.STOP_PX}={plain(message.stop_px)}")
        if message.post_only or message.reduce_only:
            instructions = [t.POST_ONLY_EXEC_INST] * message.post_only + [t.REDUCE_ONLY_EXEC_INST] * message.reduce_only
            fields.append(f"{t.EXEC_INST}={' '.join(instructions)}")
        if message.fee is not None:
            fields += [f"{t.COMMISSION}={plain(message.fee)}", f"{t.COMM_TYPE}={t.COMM_TYPE_ABSOLUTE}"]
            if message.fee_currency and not self._is_42:
                fields.append(f"{t.COMM_CURRENCY}={message.fee_currency}")
        if message.expire_time is not None:
            fields.append(f"{t.EXPIRE_TIME}={timestamp(message.expire_time)}")
        if message.expire_date:
            fields.append(f"{t.EXPIRE_DATE}={message.expire_date}")
        if message.mass_status_req_id is not None:
            fields += [
                f"{t.MASS_STATUS_REQ_ID}={message.mass_status_req_id}", f"{t.TOT_NUM_REPORTS}={message.tot_num_reports}",
                f"{t.LAST_RPT_REQUESTED}={'Y' if message.last_rpt_requested else 'N'}",
            ]  # fmt: skip
        if message.ord_rej_reason is not None:
            fields.append(f"{t.ORD_REJ_REASON}={self._ord_rej_reasons[message.ord_rej_reason]}")
        if message.ord_status_req_id and not self._is_42:
            fields.append(f"{t.ORD_STATUS_REQ_ID}={message.ord_status_req_id}")
        return fields

    def _exec_type(self, message: ExecutionReport, status: str) -> str:
        if self._is_42 and message.exec_type in t.EXEC_TRANS_TYPES:
            return status
        if not self._is_42 or message.exec_type is not ExecType.TRADE:
            return t.EXEC_TYPES[message.exec_type]
        whole = message.ord_status is OrdStatus.FILLED or (message.leaves_qty == ZERO and message.cum_qty == message.order_qty)
        return t.ORD_STATUSES[OrdStatus.FILLED if whole else OrdStatus.PARTIALLY_FILLED]

    def _mass_canceled(self, message: MassCancelReport) -> list[str]:
        fields = [
            f"{t.CL_ORD_ID}={message.cl_ord_id}",
            f"{t.ORDER_ID}={message.report_id}",
            f"{t.MASS_CANCEL_REQUEST_TYPE}={message.asked}",
            f"{t.MASS_CANCEL_RESPONSE}={message.asked if message.accepted else '0'}",
            f"{t.TOTAL_AFFECTED_ORDERS}={message.affected}",
            f"{t.TRANSACT_TIME}={timestamp(message.time)}",
        ]
        if not message.accepted:
            fields.append(f"{t.MASS_CANCEL_REJECT_REASON}=99")
        if self._is_50:
            fields.append(f"{t.MASS_ACTION_REPORT_ID}={message.report_id}")
        if message.symbol:
            fields.append(f"{t.SYMBOL}={message.symbol}")
        if message.side is not None:
            fields.append(f"{t.SIDE}={t.SIDES[message.side]}")
        if message.text and (text := printable(message.text)):
            fields.append(f"{t.TEXT}={text}")
        return fields

    def _reject(self, message: CancelReject) -> list[str]:
        fields = [
            f"{t.ORDER_ID}={message.order_id}",
            f"{t.CL_ORD_ID}={message.cl_ord_id}",
            f"{t.ORIG_CL_ORD_ID}={message.orig_cl_ord_id}",
            f"{t.ORD_STATUS}={t.ORD_STATUSES[message.ord_status]}",
            f"{t.CXL_REJ_RESPONSE_TO}={t.CXL_REJ_RESPONSES[message.response_to]}",
            f"{t.CXL_REJ_REASON}={self._cxl_rej_reasons[message.reason]}",
            f"{t.TRANSACT_TIME}={timestamp(message.time, message.time_digits)}",
        ]
        if message.account:
            fields.append(f"{t.ACCOUNT}={message.account}")
        if message.text and (text := printable(message.text)):
            fields.append(f"{t.TEXT}={text}")
        return fields + [f"{tag}={value}" for tag, value in message.echo.items()]


def grouped(text: str) -> bool:
    """Whether a message that goes out has a repeating group, which only a dictionary keeps together."""
    msg_type = text.split(t.SOH, 3)[2].removeprefix("35=")
    return f"{t.SOH}{t.GROUPS.get(msg_type, '')}=" in text


def _must_be_text(found: Mapping[str, str]) -> None:
    """Bytes that are no UTF-8 come as lone surrogates: neither the journal nor an answer could hold them. Raises `Refused`."""
    for tag, value in found.items():
        if not (value.isascii() and tag.isascii()):
            try:
                tag.encode(), value.encode()
            except UnicodeEncodeError:
                raise Refused(f"tag {printable(tag)} is not UTF-8 text") from None


def _cl_ord_id(found: Mapping[str, str], wrong: list[Refusal]) -> str:
    cl_ord_id = needed(found, t.CL_ORD_ID)
    if len(cl_ord_id) > _CL_ORD_ID_AT_MOST:
        wrong.append(Refusal(OrdRejReason.OTHER, f"ClOrdID(11) is longer than {_CL_ORD_ID_AT_MOST} characters"))
    return cl_ord_id


def _amounts(found: Mapping[str, str], wrong: list[Refusal]) -> tuple[Decimal | None, Decimal | None, Decimal | None, Decimal | None]:
    """OrderQty, CashOrderQty, Price, StopPx."""

    def exact(tag: str, name: str) -> Decimal | None:
        try:
            return number(found, tag, name)
        except Malformed as malformed:
            wrong.append(Refusal(OrdRejReason.OTHER, str(malformed)))
            return None

    return exact(t.ORDER_QTY, "OrderQty"), exact(t.CASH_ORDER_QTY, "CashOrderQty"), exact(t.PRICE, "Price"), exact(t.STOP_PX, "StopPx")


def _expiry(found: Mapping[str, str], wrong: list[Refusal]) -> tuple[int | None, str]:
    """ExpireTime(126), which goes before ExpireDate(432), and that; only a good-till-date order may carry them."""
    if found.get(t.TIME_IN_FORCE) != t.TIMES_IN_FORCE[TimeInForce.GTD]:
        wrong += [
            _unsupported(f"{name}({tag}) is for TimeInForce(59) 6, GoodTillDate, only")
            for tag, name in ((t.EXPIRE_TIME, "ExpireTime"), (t.EXPIRE_DATE, "ExpireDate"))
            if tag in found
        ]
        return None, ""
    try:
        if t.EXPIRE_TIME in found:
            return timestamp_ns(found[t.EXPIRE_TIME], "ExpireTime(126)"), found.get(t.EXPIRE_DATE, "")
        if t.EXPIRE_DATE in found:
            datetime.strptime(found[t.EXPIRE_DATE], "%Y%m%d")
    except ValueError as malformed:
        wrong.append(Refusal(OrdRejReason.OTHER, f"ExpireTime(126) or ExpireDate(432) is not a time: {malformed}"))
        return None, ""
    return None, found.get(t.EXPIRE_DATE, "")


def _echo(found: Mapping[str, str]) -> dict[str, str]:
    return {tag: value for tag, value in found.items() if (len(tag) == 4 and "5000" <= tag <= "9999") or tag == t.CL_ORD_LINK_ID}


def _unsupported(text: str) -> Refusal:
    return Refusal(OrdRejReason.UNSUPPORTED, text)


def _orig_cl_ord_id(found: Mapping[str, str]) -> str | None:
    """FIX 4.2 and 4.4 require tag 41; a client that only knows the OrderID writes NONE there."""
    value = found.get(t.ORIG_CL_ORD_ID)
    return None if value == "NONE" and t.ORDER_ID in found else value


def _possibly_known(found: Mapping[str, str]) -> bool:
    return found.get(t.POSS_DUP_FLAG) == "Y" or found.get(t.POSS_RESEND) == "Y"


def _first_sent(found: Mapping[str, str], wrong: list[Refusal]) -> int | None:
    """The oldest time that a repetition gives for its first sending: QuickFIX renews 52 at a resend, not 122 and 60."""
    times = []
    for tag in (t.ORIG_SENDING_TIME, t.TRANSACT_TIME, t.SENDING_TIME):
        if tag in found:
            try:
                times.append(timestamp_ns(found[tag], f"tag {tag}"))
            except Malformed as malformed:
                wrong.append(Refusal(OrdRejReason.STALE_ORDER, f"{malformed}: the age of a repeated order cannot be told"))
    return min(times, default=None)


def _time_in_force(found: Mapping[str, str], wrong: list[Refusal]) -> tuple[bool, TimeInForce | None]:
    """Post-only or not, and TimeInForce; post-only comes as ExecInst(18)=6 or as TimeInForce(59)=7."""
    instructions = found.get(t.EXEC_INST, "").split()
    offered = (t.POST_ONLY_EXEC_INST, t.REDUCE_ONLY_EXEC_INST)
    wrong += [_unsupported(f"ExecInst(18) {each} is not offered: {' '.join(offered)}") for each in instructions if each not in offered]
    post_only = t.POST_ONLY_EXEC_INST in instructions
    code = found.get(t.TIME_IN_FORCE)
    if code == t.POST_ONLY_TIME_IN_FORCE:
        return True, TimeInForce.GTC
    time_in_force = None if code is None else _TIMES_IN_FORCE.get(code)
    if code is not None and time_in_force is None:
        wrong.append(_unsupported(f"TimeInForce(59) {code} is not offered"))
    return post_only, time_in_force
