"""Phemex's error codes as FIX reasons. Pure data.

The project's document has no table of them; these are the venue's own later "Trading Error Codes" (10001 to 11115) and what its
gateway is known to say. A code that is not here is a no without a FIX reason of its own; code and text always go to the client.
"""

from __future__ import annotations

from typing import Final

from router.words import CxlRejReason, OrdRejReason

__all__ = ["CANCEL_REASONS", "KNOWN_THERE", "REJECT_REASONS"]

_R, _C = OrdRejReason, CxlRejReason

KNOWN_THERE: Final = frozenset({10001, 11033, 11085, 19999})
"""Duplicated order id, clOrdID or request: not a no, for our ids are used once. It says that this very order arrived before."""

REJECT_REASONS: Final[dict[int, OrdRejReason]] = {
    10500: _R.UNSUPPORTED,  # missing required parameter
    11001: _R.EXCEEDS_LIMIT,  # insufficient available balance
    11011: _R.UNSUPPORTED,  # cannot accept reduce only order
    11013: _R.UNSUPPORTED,
    11022: _R.UNKNOWN_ACCOUNT,  # account is banned
    11023: _R.EXCHANGE_CLOSED,  # account is in the process of liquidation
    11024: _R.EXCHANGE_CLOSED,
    11027: _R.UNKNOWN_SYMBOL,
    11031: _R.EXCEEDS_LIMIT,  # too many conditional orders
    11032: _R.EXCEEDS_LIMIT,  # too many active orders
    11034: _R.UNSUPPORTED,
    11035: _R.UNSUPPORTED,
    11036: _R.UNSUPPORTED,
    11037: _R.UNSUPPORTED,
    11038: _R.UNSUPPORTED,
    11039: _R.UNSUPPORTED,
    11043: _R.UNSUPPORTED,  # would be triggered at once
    11044: _R.UNSUPPORTED,
    11045: _R.EXCEEDS_LIMIT,
    11046: _R.EXCEEDS_LIMIT,
    11053: _R.EXCEEDS_LIMIT,
    11054: _R.EXCEEDS_LIMIT,
    11055: _R.EXCEEDS_LIMIT,
    11056: _R.INCORRECT_QUANTITY,
    11057: _R.UNSUPPORTED,  # reduce only without a position
    11058: _R.INCORRECT_QUANTITY,
    11069: _R.UNKNOWN_ACCOUNT,
    11070: _R.UNKNOWN_SYMBOL,
    11081: _R.EXCEEDS_LIMIT,  # risk limit
    11082: _R.EXCEEDS_LIMIT,
    30000: _R.UNSUPPORTED,  # "please double check input arguments"
}

CANCEL_REASONS: Final[dict[int, CxlRejReason]] = {
    10002: _C.UNKNOWN_ORDER,
    10003: _C.ALREADY_PENDING,
    10004: _C.ALREADY_PENDING,
    10005: _C.ALREADY_PENDING,
    11061: _C.ALREADY_PENDING,
    11062: _C.TOO_LATE,  # already canceled
    11063: _C.TOO_LATE,  # not able to be canceled under its current status
}
