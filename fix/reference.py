"""Questions about instruments, destinations and positions as FIX 4.2, 4.4 and 5.0SP2 have them, and the answers. Pure.

Where a version has no tag for a word, a tag of ours stands in (`tags.py`); the shipped dictionaries list it. For a client with a stock
dictionary these words go into Text(58) instead: an unknown tag in a repeating group would end the group.
The order of tags is the dictionaries': the first of a group's is its delimiter, and strict parsers want the others in place."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from fix import tags as t
from fix.refusals import Refused, needed
from fix.text import plain, printable, timestamp
from router.inquiries import (
    Answer,
    Inquiry,
    PositionReport,
    PositionsRequest,
    Result,
    SecurityDefinition,
    SecurityDefinitionRequest,
    SecurityList,
    SecurityListRequest,
    Subscription,
    Tradable,
    TradingStatus,
    TradingStatusReport,
    TradingStatusRequest,
)
from router.words import NONE

__all__ = ["ALL_ACCOUNTS", "REQUESTS", "ReferenceDialect"]

REQUESTS: Final = frozenset(
    {t.SECURITY_LIST_REQUEST, t.SECURITY_DEFINITION_REQUEST, t.TRADING_SESSION_STATUS_REQUEST, t.REQUEST_FOR_POSITIONS}
)
ALL_ACCOUNTS: Final = "*"
"""Account(1) of RequestForPositions, where FIX 4.4 requires one."""
_SUBSCRIPTIONS: Final = t.reading(t.SUBSCRIPTIONS)
_Layout = tuple[tuple[str, str], ...]
"""Tags and the words that they carry, in the dictionary's order."""
_OWN_NOTIONAL: Final[_Layout] = ((t.OWN_MIN_NOTIONAL, "MinNotional"), (t.OWN_MAX_NOTIONAL, "MaxNotional"))
_OWN: Final[_Layout] = (
    (t.OWN_MIN_PRICE_INCREMENT, "MinPriceIncrement"), (t.OWN_MAX_TRADE_VOL, "MaxTradeVol"), (t.OWN_SECURITY_STATUS, "SecurityStatus"),
    (t.OWN_LOW_LIMIT_PRICE, "LowLimitPrice"), (t.OWN_HIGH_LIMIT_PRICE, "HighLimitPrice"), *_OWN_NOTIONAL,
)  # fmt: skip
_INSTRUMENT: Final[_Layout] = (
    (t.SYMBOL, "Symbol"), (t.CONTRACT_MULTIPLIER, "ContractMultiplier"), (t.SECURITY_EXCHANGE, "SecurityExchange"),
    (t.CURRENCY, "Currency"),
)  # fmt: skip
_INSTRUMENT_50: Final[_Layout] = (
    (t.SYMBOL, "Symbol"), (t.SECURITY_STATUS, "SecurityStatus"), (t.CONTRACT_MULTIPLIER, "ContractMultiplier"),
    (t.MIN_PRICE_INCREMENT, "MinPriceIncrement"), (t.SECURITY_EXCHANGE, "SecurityExchange"),
)  # fmt: skip
_LOTS: Final[_Layout] = ((t.ROUND_LOT, "RoundLot"), (t.MIN_TRADE_VOL, "MinTradeVol"))
_RULES_50: Final[_Layout] = (
    (t.LOW_LIMIT_PRICE, "LowLimitPrice"), (t.HIGH_LIMIT_PRICE, "HighLimitPrice"), (t.MIN_TRADE_VOL, "MinTradeVol"),
    (t.MAX_TRADE_VOL, "MaxTradeVol"), (t.ROUND_LOT, "RoundLot"),
)  # fmt: skip
_CURRENCY: Final[_Layout] = ((t.CURRENCY, "Currency"),)
_TEXT: Final[_Layout] = ((t.TEXT, "Text"),)


class ReferenceDialect:
    """One version's way of saying it, for one client session."""

    def __init__(self, begin_string: str, session: str, own_tags: bool) -> None:
        """`own_tags`: False where the client's dictionary does not list ours."""
        self._session = session
        self._is_42, self._is_50 = begin_string == "FIX.4.2", begin_string == "FIXT.1.1"
        self._own_tags = own_tags
        if self._is_42:
            self._own: _Layout = ((t.OWN_ROUND_LOT, "RoundLot"), (t.OWN_MIN_TRADE_VOL, "MinTradeVol"), *_OWN)
        else:
            self._own = _OWN_NOTIONAL if self._is_50 else _OWN

    # --- in -------------------------------------------------------------------------------------------------------------

    def decode(self, found: Mapping[str, str]) -> Inquiry:
        """One of `REQUESTS` as a question. Raises `MissingField`, `Refused`."""
        match found[t.MSG_TYPE]:
            case t.SECURITY_LIST_REQUEST:
                return self._security_list_request(found)
            case t.SECURITY_DEFINITION_REQUEST:
                return self._security_definition_request(found)
            case t.TRADING_SESSION_STATUS_REQUEST:
                return self._trading_status_request(found)
            case _:
                return self._positions_request(found)

    def _security_list_request(self, found: Mapping[str, str]) -> SecurityListRequest:
        if self._is_42:
            raise Refused("FIX 4.2 has no SecurityListRequest: send a SecurityDefinitionRequest(c) with SecurityRequestType(321) 3")
        request_id, asked = needed(found, t.SECURITY_REQ_ID), needed(found, t.SECURITY_LIST_REQUEST_TYPE)
        return SecurityListRequest(
            session=self._session,
            request_id=request_id,
            offered=asked in (t.LIST_SYMBOL, t.LIST_ALL) and not _subscribes(found),
            symbol=needed(found, t.SYMBOL) if asked == t.LIST_SYMBOL else None,
            destination=found.get(t.SECURITY_EXCHANGE),
        )

    def _security_definition_request(self, found: Mapping[str, str]) -> SecurityDefinitionRequest:
        request_id, asked = needed(found, t.SECURITY_REQ_ID), needed(found, t.SECURITY_REQUEST_TYPE)
        return SecurityDefinitionRequest(
            session=self._session,
            request_id=request_id,
            listing=asked == t.DEFINITIONS_OF_ALL,
            symbol=needed(found, t.SYMBOL) if asked == t.DEFINITION_OF_ONE else found.get(t.SYMBOL),
            destination=found.get(t.SECURITY_EXCHANGE),
            wrong=self._no_definition(asked) or _subscribes(found),
        )

    def _no_definition(self, asked: str) -> str:
        if asked == t.DEFINITIONS_OF_ALL and not (self._is_42 or self._is_50):
            return "FIX 4.4 has SecurityListRequest(x) for lists: SecurityRequestType(321) 3 is not offered"
        offered = (t.DEFINITION_OF_ONE, t.DEFINITIONS_OF_ALL)
        return "" if asked in offered else f"SecurityRequestType(321) {asked} is not offered"

    def _trading_status_request(self, found: Mapping[str, str]) -> TradingStatusRequest:
        request_id, asked = needed(found, t.TRAD_SES_REQ_ID), needed(found, t.SUBSCRIPTION_REQUEST_TYPE)
        subscription = _SUBSCRIPTIONS.get(asked)
        if subscription is None:
            raise Refused(f"SubscriptionRequestType(263) {asked} is not 0, 1 or 2")
        destination = found.get(t.TRADING_SESSION_ID)
        return TradingStatusRequest(session=self._session, request_id=request_id, destination=destination, subscription=subscription)

    def _positions_request(self, found: Mapping[str, str]) -> PositionsRequest:
        if self._is_42:
            raise Refused("FIX 4.2 has no RequestForPositions: add up the executions, or use FIX 4.4")
        request_id, asked = needed(found, t.POS_REQ_ID), needed(found, t.POS_REQ_TYPE)
        account = found.get(t.ACCOUNT, ALL_ACCOUNTS)
        return PositionsRequest(
            session=self._session,
            request_id=request_id,
            account=None if account == ALL_ACCOUNTS else "" if account == NONE else account,
            account_type=found.get(t.ACCOUNT_TYPE, ""),
            symbol=found.get(t.SYMBOL),
            destination=found.get(t.SECURITY_EXCHANGE),
            wrong=_subscribes(found) if asked == t.POSITIONS else f"PosReqType(724) {asked} is not offered: 0",
        )

    # --- out ------------------------------------------------------------------------------------------------------------

    def encode(self, message: Answer) -> tuple[str, list[str]]:
        """An answer as message type and fields."""
        match message:
            case SecurityList():
                return t.SECURITY_LIST, self._security_list(message)
            case SecurityDefinition():
                return t.SECURITY_DEFINITION, self._security_definition(message)
            case TradingStatusReport():
                return self._trading_status(message)
            case PositionReport():
                return t.POSITION_REPORT, self._position(message)

    def _security_list(self, message: SecurityList) -> list[str]:
        fields = [
            f"{t.SECURITY_REQ_ID}={message.request_id}",
            f"{t.SECURITY_RESPONSE_ID}={message.response_id}",
            f"{t.SECURITY_REQUEST_RESULT}={t.SECURITY_REQUEST_RESULTS[message.result]}",
            f"{t.TOT_NO_RELATED_SYM}={message.total}",
            f"{t.LAST_FRAGMENT}={'Y' if message.last else 'N'}",
        ]
        if message.tradables:
            fields.append(f"{t.NO_RELATED_SYM}={len(message.tradables)}")
        for each in message.tradables:
            words = self._words(each)
            if self._is_50:
                fields += _laid_out(words, _INSTRUMENT_50 + _RULES_50 + _CURRENCY + _TEXT)
            else:
                fields += _laid_out(words, _INSTRUMENT + _LOTS + _TEXT)
            fields += _laid_out(words, self._own) if self._own_tags else []
        return fields

    def _security_definition(self, message: SecurityDefinition) -> list[str]:
        fields = [
            f"{t.SECURITY_REQ_ID}={message.request_id}",
            f"{t.SECURITY_RESPONSE_ID}={message.response_id}",
            f"{t.SECURITY_RESPONSE_TYPE}={_response_type(message)}",
        ]
        if self._is_42:
            fields.append(f"{t.TOTAL_NUM_SECURITIES}={message.total}")
        if message.tradable is None:
            return fields + _text(message.text)
        words = self._words(message.tradable, message.text)
        if self._is_50:
            rules = _laid_out(words, _RULES_50)
            market = [f"{t.NO_MARKET_SEGMENTS}=1", f"{t.MARKET_ID}={message.tradable.destination}"]
            fields += _laid_out(words, _INSTRUMENT_50 + _CURRENCY + _TEXT) + market + rules
        else:
            fields += _laid_out(words, _INSTRUMENT + _TEXT + (() if self._is_42 else _LOTS))
        return fields + (_laid_out(words, self._own) if self._own_tags else [])

    def _words(self, tradable: Tradable, *texts: str) -> dict[str, str]:
        """What is known of an instrument, by FIX's names."""
        instrument = tradable.instrument
        amounts = {
            "ContractMultiplier": instrument.contract_size, "MinPriceIncrement": instrument.tick, "RoundLot": instrument.lot,
            "MinTradeVol": instrument.min_qty, "MaxTradeVol": instrument.max_qty, "LowLimitPrice": instrument.min_px,
            "HighLimitPrice": instrument.max_px, "MinNotional": instrument.min_notional, "MaxNotional": instrument.max_notional,
        }  # fmt: skip
        words = {name: plain(value) for name, value in amounts.items() if value is not None}
        words |= {"Symbol": instrument.symbol, "SecurityExchange": tradable.destination, "Currency": instrument.quote}
        words["SecurityStatus"] = t.SECURITY_ACTIVE if instrument.enabled else t.SECURITY_INACTIVE
        inverse = f"a unit of quantity is {plain(instrument.contract_size)} {instrument.quote}" if instrument.inverse else ""
        left_out = [] if self._own_tags else [f"{name} {words[name]}" for _, name in self._own if name in words]
        words["Text"] = printable("; ".join(each for each in (*texts, inverse, *left_out) if each))
        return words

    def _trading_status(self, message: TradingStatusReport) -> tuple[str, list[str]]:
        unknown = message.status is TradingStatus.UNKNOWN
        if unknown and self._is_42:
            # FIX 4.2 has no TradSesStatus for it.
            names = (t.BUSINESS_REJECT_REF_MSG_TYPE, t.TRADING_SESSION_STATUS_REQUEST), (t.BUSINESS_REJECT_REF_ID, message.request_id)
            fields = [f"{tag}={value}" for tag, value in (*names, (t.BUSINESS_REJECT_REASON, "0"))]
            return t.BUSINESS_MESSAGE_REJECT, fields + _text(message.text)
        fields = [f"{t.TRAD_SES_REQ_ID}={message.request_id}", f"{t.TRADING_SESSION_ID}={message.destination or NONE}"]
        if message.unsolicited:
            fields.append(f"{t.UNSOLICITED_INDICATOR}=Y")
        fields.append(f"{t.TRAD_SES_STATUS}={t.TRAD_SES_STATUSES[message.status]}")
        if unknown:
            fields.append(f"{t.TRAD_SES_STATUS_REJ_REASON}={t.TRAD_SES_REJECTED_OTHER}")
        return t.TRADING_SESSION_STATUS, fields + _text(message.text)

    def _position(self, message: PositionReport) -> list[str]:
        fields = [
            f"{t.POS_MAINT_RPT_ID}={message.report_id}",
            f"{t.POS_REQ_ID}={message.request_id}",
            f"{t.POS_REQ_TYPE}={t.POSITIONS}",
            f"{t.TOTAL_NUM_POS_REPORTS}={message.total}",
            f"{t.POS_REQ_RESULT}={t.POS_REQ_RESULTS[message.result]}",
            f"{t.CLEARING_BUSINESS_DATE}={timestamp(message.time)[:8]}",
            f"{t.ACCOUNT}={message.account or NONE}",
            f"{t.ACCOUNT_TYPE}={message.account_type or t.ACCOUNT_OF_CUSTOMER}",
        ]
        named = ((t.SYMBOL, message.symbol), (t.SECURITY_EXCHANGE, message.destination), (t.CURRENCY, message.currency))
        fields += [f"{tag}={value}" for tag, value in named if value]
        fields += [f"{t.SETTL_PRICE}={plain(message.avg_px)}", f"{t.SETTL_PRICE_TYPE}={t.SETTL_PRICE_THEORETICAL}"]
        if not self._is_50:
            fields.append(f"{t.PRIOR_SETTL_PRICE}=0")
        fields += [f"{t.NO_POSITIONS}=1", f"{t.POS_TYPE}={t.TOTAL_QUANTITY if message.held else t.TRANSACTION_QUANTITY}"]
        fields += [f"{t.LONG_QTY}={plain(message.bought)}", f"{t.SHORT_QTY}={plain(message.sold)}"]
        return fields + _text(message.text)


def _response_type(message: SecurityDefinition) -> str:
    if message.result is Result.YES:
        return t.DEFINED_IN_LIST if message.listing else t.DEFINED
    return t.NOT_DEFINED if message.result is Result.NOTHING else t.DEFINITION_REFUSED


def _laid_out(words: Mapping[str, str], layout: _Layout) -> list[str]:
    return [f"{tag}={words[word]}" for tag, word in layout if words.get(word)]


def _text(text: str) -> list[str]:
    shown = printable(text)
    return [f"{t.TEXT}={shown}"] if shown else []


def _subscribes(found: Mapping[str, str]) -> str:
    """Why a request for updates cannot be taken; "" for one that asks for none."""
    asked = found.get(t.SUBSCRIPTION_REQUEST_TYPE, t.SUBSCRIPTIONS[Subscription.SNAPSHOT])
    return "" if asked == t.SUBSCRIPTIONS[Subscription.SNAPSHOT] else f"SubscriptionRequestType(263) {asked} is not offered: 0"
