"""Certification: a client's team runs its own OMS through cases against the demo, and hears what its side did wrong. Pure.

What comes in is the session's raw log (`rawlog.py`) line by line and the time; what goes out are notices for whoever shows them. The
cases are data, in `certify_cases.py`; what a step waits for is in `certify_steps.py`,
what holds in every case in `certify_rules.py`.

Assumptions, where neither fix/README.md nor FIX says how to judge:

1. A case ends at its first faulty message, with every fault of that message; the next case begins at once.
2. Nothing of a case came in time: SKIP. The client's side began and stopped: FAIL. The router did not do its part: SKIP, with why.
3. A resend (PossDupFlag(43)=Y) is not an answer to what a case asks, except where the case is about resends.
4. Cancels of orders of earlier cases, and status requests, are the client's to send at any time.
5. Alive is who sends a Heartbeat in time or answers a TestRequest by its TestReqID(112).
6. TransactTime(60) is "now, in UTC" if it is within 120 s of SendingTime(52): a local time is off by more.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from fix.certify_cases import CASES
from fix.certify_facts import Facts, Heard, Scene, heard
from fix.certify_rules import standing
from fix.certify_steps import Act, Case, Done, Failed, Outcome, Step, Unfit

__all__ = ["CASES", "Course", "Notice", "UnknownCase", "Verdict", "log_stem"]

_VERSIONS: Final = {"FIX.4.2": "4.2", "FIX.4.4": "4.4", "FIXT.1.1": "5.0SP2"}
_FAULT: Final = "/_sim/fault"


class UnknownCase(ValueError):
    """A case that is not there, or not for this version."""


@dataclass(frozen=True, slots=True)
class Notice:
    """Something to show. `kind`: case, ask, wait, act, verdict. `act`: what a simulator's control is to be told, path and body."""

    kind: str
    text: str
    act: tuple[str, dict[str, object]] | None = None


@dataclass(frozen=True, slots=True)
class Verdict:
    """How a case ended. `outcome`: PASS, FAIL, SKIP; `faults`: each with tag, value and clause, or why it was skipped."""

    name: str
    title: str
    outcome: str
    faults: tuple[str, ...] = ()


class Course:
    """One session's way through the cases. `remember` what the log held before, `begin`, then `hear` and `tick` until `over`."""

    def __init__(self, session: str, names: Sequence[str] = (), heartbeat_s: int = 30, wait_s: int = 300) -> None:
        """`session` as the router names it; `names`: these cases only; `heartbeat_s`: HeartBtInt(108) as agreed; `wait_s`: how long a
        client's message is waited for. Raises `UnknownCase`."""
        version = _VERSIONS.get(session.partition(":")[0], "")
        offered = {case.name: case for case in CASES if version in case.versions}
        for name in names:
            if name not in offered:
                raise UnknownCase(f"there is no case {name} for FIX {version or session}: {', '.join(offered)}")
        self._todo = [offered[name] for name in dict.fromkeys(names)] if names else list(offered.values())
        self._facts = Facts(version, heartbeat_s, wait_s)
        self._case: Case | None = None
        self._scene = Scene(self._facts, 0)
        self._steps: list[Step] = []
        self.verdicts: list[Verdict] = []

    @property
    def over(self) -> bool:
        """Every case has its verdict."""
        return self._case is None and not self._todo

    @property
    def passed(self) -> bool:
        """Every case was passed; one that was skipped was not."""
        return self.over and bool(self.verdicts) and all(verdict.outcome == "PASS" for verdict in self.verdicts)

    # --- in ---

    def remember(self, line: str) -> None:
        """A line that was there before: sequence numbers and ClOrdIDs in use."""
        message = heard(line)
        if message is not None:
            self._facts.note(message)

    def begin(self, now: int) -> list[Notice]:
        """The first case. `now`: ns UTC."""
        return self._next_case(now)

    def hear(self, line: str) -> list[Notice]:
        """A line that came."""
        message = heard(line)
        if message is None:
            return []
        notices = self._judge(message)
        self._facts.note(message)
        return notices

    def tick(self, now: int) -> list[Notice]:
        """Time passes: who is waited for in vain, who kept quiet long enough. `now`: ns UTC."""
        if self._case is None:
            return []
        return self._go_on(self._steps[0].tick(self._scene, now), now)

    def skip(self, now: int, why: str = "skipped") -> list[Notice]:
        """Leave the present case."""
        return [] if self._case is None else self._end("SKIP", (why,), now)

    # --- on the way ---

    def _judge(self, message: Heard) -> list[Notice]:
        if self._case is None:
            return []
        faults = standing(message, self._scene)
        outcome = self._steps[0].hear(message, self._scene)
        if isinstance(outcome, Failed):
            faults += outcome.faults
        if faults:
            return self._end("FAIL", tuple(str(fault) for fault in dict.fromkeys(faults)), message.time)
        return self._go_on(outcome, message.time)

    def _go_on(self, outcome: Outcome, now: int) -> list[Notice]:
        if isinstance(outcome, Failed):
            return self._end("FAIL", tuple(str(fault) for fault in outcome.faults), now)
        if isinstance(outcome, Unfit):
            return self._end("SKIP", (outcome.why,), now)
        if outcome is None:
            return []
        self._steps.pop(0)
        return self._enter(now)

    def _enter(self, now: int) -> list[Notice]:
        """Show the next step; what a simulator is to do needs no waiting."""
        assert self._case is not None
        notices: list[Notice] = []
        self._scene.since = now
        while self._steps:
            step = self._steps[0]
            if isinstance(step, Act):
                notices.append(Notice("act", step.say, (step.path, dict(step.body))))
            else:
                notices.append(Notice(step.kind, step.say))
                if not isinstance(step.enter(self._scene), Done):
                    return notices
            self._steps.pop(0)
        return notices + self._end("PASS", (), now)

    def _next_case(self, now: int) -> list[Notice]:
        if not self._todo:
            self._case = None
            return []
        self._case = case = self._todo.pop(0)
        self._scene = Scene(self._facts, now)
        self._steps = list(case.steps)
        return [Notice("case", f"{case.name}: {case.title}\n{case.instruction}"), *self._enter(now)]

    def _end(self, outcome: str, faults: tuple[str, ...], now: int) -> list[Notice]:
        assert self._case is not None
        verdict = Verdict(self._case.name, self._case.title, outcome, faults)
        self.verdicts.append(verdict)
        told = "\n".join((f"{verdict.name}: {outcome}", *(f"  {fault}" for fault in faults)))
        left = "" if outcome == "PASS" else "\n  Cancel what this case has left open, before the next."
        if left and any(isinstance(step, Act) and step.path == _FAULT for step in self._case.steps):
            left += "\n  The venue may still lose one message: what you send first may take some seconds longer."
        return [Notice("verdict", told + left), *self._next_case(now)]


def log_stem(session: str) -> str:
    """The name of a session's log files without `.messages.log`, `.event.log`: as `rawlog.py` makes it."""
    kept = "".join(each if each.isascii() and (each.isalnum() or each == ".") else " " for each in session)
    return "-".join(kept.split())
