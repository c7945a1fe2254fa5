"""An order's life in words: what the history has of it, as moments of the contract. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any, Final, Literal

import msgspec

from router.admin.contract import FillRow, Moment, OrderRow
from router.admin.rows import fill_row
from router.admin.views import stamp
from router.model import ExecutionReport
from router.words import ExecType

__all__ = ["Happened", "fills_of", "moment", "row_of_summary"]

Who = Literal["client", "venue", "router", "operator"]
Happened = tuple[int, int, str, str, Iterable[tuple[str, str]]]
"""Of the history: sequence, time, kind and JSON of an input; kind and JSON of each effect."""

_CLIENT: Final = frozenset(
    {
        "NewOrder",
        "CancelOrder",
        "ReplaceOrder",
        "StatusRequest",
        "MassCancel",
        "MassStatus",
        "ClientUp",
        "ClientDown",
        "SecurityListRequest",
        "SecurityDefinitionRequest",
        "TradingStatusRequest",
        "PositionsRequest",
    }
)
_VENUE: Final = frozenset(
    {
        "Accepted",
        "Filled",
        "Canceled",
        "Replaced",
        "Rejected",
        "CancelRejected",
        "Stated",
        "Found",
        "LinkUp",
        "LinkDown",
        "Priced",
        "Held",
        "Listed",
    }
)
_FILLS: Final = frozenset({ExecType.TRADE, ExecType.TRADE_CORRECT, ExecType.TRADE_CANCEL})
_SAID: Final[dict[str, str]] = {
    "NewOrder": "asks to {side} {order_qty}{cash_order_qty} {symbol}{ @ price}{ stop stop_px}{ for account}{ at destination}",
    "CancelOrder": "asks to cancel ({cl_ord_id})",
    "ReplaceOrder": "asks to replace ({cl_ord_id}):{ qty order_qty}{ @ price}{ stop stop_px}",
    "StatusRequest": "asks how it stands",
    "MassCancel": "asks to cancel all that fits ({cl_ord_id})",
    "MassStatus": "asks how all stand",
    "ClientUp": "logs on",
    "ClientDown": "is gone",
    "SecurityListRequest": "asks what can be traded",
    "SecurityDefinitionRequest": "asks about an instrument",
    "TradingStatusRequest": "asks which destinations are open",
    "PositionsRequest": "asks for its positions",
    "Priced": "tells prices ({link})",
    "Barred": "says whether the account may trade ({link}){: why}",
    "Held": "tells what the account holds ({link})",
    "Listed": "tells its instruments ({link})",
    "Accepted": "accepts it{ as venue_order_id}{: text}",
    "Filled": "executes {last_qty} @ {last_px}{, fee fee}{ fee_currency} ({exec_id}){: text}",
    "Canceled": "ends it: {how|canceled}{: text}",
    "Replaced": "replaces it",
    "Rejected": "rejects it{: reason}{: text}",
    "CancelRejected": "will not cancel or replace it{: reason}{: text}",
    "Stated": "says how it stands: {status}, {cum_qty} executed{ @ avg_px}{: text}",
    "Found": "was searched for it: {candidates|nothing like it}",
    "LinkUp": "is connected ({link})",
    "LinkDown": "is not connected ({link}){: text}",
    "NotSent": "a command did not leave: {text}",
    "Unanswered": "no answer: {text}",
    "Tick": "a deadline has passed",
    "Started": "started ({version})",
    "Configured": "another configuration is in use",
    "Halt": "{by} halts {scope} {name}: {why}",
    "Resume": "{by} resumes {scope} {name}: {why}",
    "CancelOrders": "{by} cancels: {why}",
    "Resolve": "{by} decides that it is {venue_order_id|never placed}: {why}",
    "MarkDone": "{by} marks it as {how|canceled}: {why}",
    "Reconcile": "{by} has {destination} asked{: why}",
    "Switched": "{by} switches {what} {name} on or off: {why}",
    "Stopping": "stops: {why}",
    "Forget": "forgets what was over long ago",
    "CorrectTrade": "{by} corrects {exec_id} to {last_qty} @ {last_px}: {text}",
    "BustTrade": "{by} takes {exec_id} back: {text}",
}


def moment(happened: Happened) -> Moment:
    """One input, and what followed."""
    sequence, time, kind, body, effects = happened
    fields = json.loads(body)
    who: Who = "client" if kind in _CLIENT else "venue" if kind in _VENUE else "operator" if "by" in fields else "router"
    return Moment(
        sequence=sequence, time=stamp(time), kind=kind, who=who, summary=_worded(_SAID.get(kind, kind), fields),
        effects=[_effect(name, json.loads(text)) for name, text in effects],
    )  # fmt: skip


def fills_of(moments: Iterable[Happened], order_id: str) -> list[FillRow]:
    """What was executed, corrected and taken back, the newest first."""
    reports = [
        msgspec.json.decode(text, type=ExecutionReport) for *_, effects in moments for name, text in effects if name == "ExecutionReport"
    ]
    return [fill_row(each) for each in reversed(reports) if each.exec_type in _FILLS and each.order_id == order_id]


def row_of_summary(summary: Mapping[str, Any]) -> OrderRow:
    """An order that the router itself has forgotten, as the history has it."""
    names = OrderRow.model_fields
    known = {name: str(summary[name]) for name in names if summary.get(name) not in (None, "")}
    known |= {"created": stamp(summary["created"]), "updated": stamp(summary["updated"]), "status": summary["ord_status"]}
    empty = dict.fromkeys(names, "") | {"candidates": [], "done": True}
    return OrderRow.model_validate(empty | known)


def _worded(template: str, fields: Mapping[str, Any]) -> str:
    """Fill a template in: "{name}", "{name|else}", and "{before name}", which says nothing at all where there is nothing."""
    said = []
    for number, part in enumerate(template.replace("{", "\0{").replace("}", "\0").split("\0")):
        said.append(_field(part[1:], fields) if part.startswith("{") and number else part)
    return " ".join("".join(said).split())


def _field(part: str, fields: Mapping[str, Any]) -> str:
    name, _, otherwise = part.partition("|")
    before, _, name = name.rpartition(" ")
    value = fields.get(name)
    if value in (None, "", []):
        return otherwise
    text = ", ".join(str(each) for each in value) if isinstance(value, list) else str(value)
    return f"{before} {text}" if before else text


def _effect(kind: str, fields: Mapping[str, Any]) -> str:
    match kind:
        case "Send":
            return _command(fields["link"], fields["command"])
        case "ExecutionReport":
            said = _worded("report {exec_type}: {ord_status}, cum {cum_qty|0}, leaves {leaves_qty|0}", fields)
            fill = f", {fields['last_qty']} @ {fields['last_px']}" if fields.get("last_qty", "0") != "0" else ""
            return said + fill + (f": {fields['text']}" if fields.get("text") else "")
        case "CancelReject":
            return _worded("refuse: {reason}{: text}", fields)
        case "MassCancelReport":
            return _worded("report mass cancel of {affected} orders", fields)
        case "Alert":
            return f"alert: {fields['text']}"
        case "Outcome":
            return f"answer the operator: {fields['text']}"
    return kind


def _command(link: str, command: Mapping[str, Any]) -> str:
    """Commands are told apart by what only they have."""
    if "placed" in command:
        verb = "query"
    elif "post_only" in command:
        verb = "place"
    elif "order_qty" in command:
        verb = "replace"
    else:
        verb = "cancel"
    where = command.get("venue") or link
    return f"{verb} {'to' if verb == 'place' else 'at'} {where}: {command.get('venue_order_id') or command.get('venue_cl_ord_id')}"
