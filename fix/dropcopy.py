"""Drop copy: a session that hears what others are told, and says nothing itself. Pure.

A copy is the report as it went to the client, with the client's CompID in OnBehalfOfCompID(115) and, where the version has it,
CopyMsgIndicator(797)=Y. It has the copy session's own sequence numbers; QuickFIX keeps it until the session has had it, however long that
takes. Answers to questions are not copied: nothing happened.
"""

from __future__ import annotations

from dataclasses import dataclass

from fix import tags as t
from fix.client import ClientDialect
from router.inquiries import Answer
from router.model import CancelReject, ExecutionReport, MassCancelReport, Report
from router.words import ExecType

__all__ = ["DropCopy"]


@dataclass(frozen=True)
class DropCopy:
    """One such session. Empty: all of them; where several are given, a report must fit each."""

    session: str
    dialect: ClientDialect
    sessions: frozenset[str] = frozenset()
    accounts: frozenset[str] = frozenset()
    destinations: frozenset[str] = frozenset()

    def text(self, message: Report, possibly_resent: bool) -> str | None:
        """The copy; None where this session is not to have it."""
        if isinstance(message, Answer) or not self._wants(message):
            return None
        client = message.session.partition("->")[2].partition(":")[0]
        text = self.dialect.encode(message, possibly_resent)
        head, kind, rest = text.partition(f"{t.SOH}{t.MSG_TYPE}=")
        msg_type, _, body = rest.partition(t.SOH)
        copied = f"797=Y{t.SOH}" if isinstance(message, ExecutionReport) and self.dialect.marks_copies else ""
        return f"{head}{kind}{msg_type}{t.SOH}115={client}{t.SOH}{body.removesuffix(f'10=000{t.SOH}')}{copied}10=000{t.SOH}"

    def _wants(self, message: ExecutionReport | CancelReject | MassCancelReport) -> bool:
        if isinstance(message, ExecutionReport) and message.exec_type is ExecType.ORDER_STATUS:
            return False
        if self.sessions and message.session not in self.sessions:
            return False
        if isinstance(message, MassCancelReport):
            return not self.accounts and not self.destinations
        return (not self.accounts or message.account in self.accounts) and (
            not self.destinations or message.destination in self.destinations
        )
