"""What stands between QuickFIX and our code in every callback."""

from __future__ import annotations

import traceback
from collections.abc import Callable
from typing import Any, Final

import quickfix

__all__ = ["Noted", "guarded"]

Noted = Callable[..., None]
"""A structured log call: an event's name, its level, and its fields."""

_MEANT: Final = (
    quickfix.FieldNotFound, quickfix.UnsupportedMessageType, quickfix.IncorrectTagValue, quickfix.RejectLogon, quickfix.DoNotSend,
)  # fmt: skip


Callback = Callable[[Any, Any], None]


def guarded(note: Noted, callback: Callback, message: Any, session_id: Any, failed: Callback | None = None) -> None:
    """Run the body of a callback. QuickFIX's own exceptions go through; any other would end its thread for good, the process
    living on without FIX: it is logged instead, with where it came from, and `failed` is called."""
    try:
        callback(message, session_id)
    except _MEANT:
        raise
    except Exception as wrong:  # noqa: BLE001 - the reason is above
        where = traceback.format_exc(limit=-3).replace("\n", " | ")
        note("error in a FIX callback", level="error", session=session_id.toString(), why=repr(wrong), where=where)
        if failed is not None:
            guarded(note, failed, message, session_id)
