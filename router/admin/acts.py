"""Acts, from the request to the record: role, arguments, plan, doing, and a line in the journal about it, done or refused."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

from router.acts import Commanded
from router.admin.arguments import Given, Known, take
from router.admin.auth import Operator, allowed
from router.admin.contract import ACTS, ActDone, ActSpec
from router.admin.plan import Desk, Plan
from router.admin.plans import PLANS
from router.admin.problems import Refusal, near
from router.admin.views import stamp

__all__ = ["Acting"]

_SPECS: Final = {each.name: each for each in ACTS}
_LONGEST: Final = 2000
"""Of an outcome in the journal."""


class Acting:
    """Does what operators say, one act at a time, on a thread of its own: the core's lock may have to be waited for."""

    def __init__(self, desk: Desk, told: Callable[[ActDone], None]) -> None:
        """`told` hears of every act that was done or refused."""
        self._desk = desk
        self._told = told
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="admin-act")

    def close(self) -> None:
        """Let what is under way end, and take nothing more."""
        self._thread.shutdown(wait=False, cancel_futures=True)

    async def act(self, operator: Operator, name: str, body: Mapping[str, Any], preview: bool) -> ActDone:
        """Do an act, or say what it would do. Raises `Refusal` where it is not an act of this operator at all."""
        spec = _SPECS.get(name)
        if spec is None:
            raise Refusal(404, f"there is no act {name[:200]}", candidates=near(name, _SPECS))
        if not allowed(operator, spec.role):
            raise Refusal(403, f"{name} needs the role {spec.role}; {operator.name} has {operator.role}", needed=spec.role.value)
        given = take(spec, body, self._known(), preview)
        try:
            plan = await PLANS[name](self._desk, given, operator.name)
        except Refusal as refusal:
            if not preview:
                await self._off_loop(self._record, operator, spec, given, False, refusal.problem.error)
            raise
        if preview:
            return self._done(operator, spec, given, plan.do is not None, plan.text, plan, preview=True)
        ok, text = await self._off_loop(self._carry_out, operator, spec, given, plan)
        done = self._done(operator, spec, given, ok, text, plan)
        self._told(done)
        return done

    async def _off_loop(self, do: Callable[..., Any], *what: Any) -> Any:
        try:
            return await asyncio.get_running_loop().run_in_executor(self._thread, do, *what)
        except RuntimeError as closed:
            raise Refusal(503, f"the router is stopping: {closed}") from None

    # --- on the thread ----------------------------------------------------------------------------------------------------

    def _carry_out(self, operator: Operator, spec: ActSpec, given: Given, plan: Plan) -> tuple[bool, str]:
        if plan.do is None:
            self._record(operator, spec, given, False, plan.text)
            return False, plan.text
        if plan.ends:
            self._record(operator, spec, given, True, plan.text)
            return plan.do()
        ok, text = self._do(plan.do)
        self._record(operator, spec, given, ok, text)
        return ok, text

    def _do(self, do: Callable[[], tuple[bool, str]]) -> tuple[bool, str]:
        try:
            return do()
        except OSError as failed:
            raise Refusal(503, f"the journal cannot be written: {failed}") from None
        except KeyError as missing:
            return False, f"there is no {missing.args[0] if missing.args else 'such name'} in this router now"
        except ValueError as wrong:
            return False, str(wrong)

    def _record(self, operator: Operator, spec: ActSpec, given: Given, ok: bool, outcome: str) -> None:
        command = given.command(spec.name)
        self._desk.wiring.note("operator", level="info" if ok else "warning", by=operator.name, role=operator.role.value, command=command,
                               why=given.why, ok=ok, outcome=outcome)  # fmt: skip
        record = Commanded(by=operator.name, role=operator.role.value, command=command, why=given.why, ok=ok, outcome=outcome[:_LONGEST])
        try:
            self._desk.core.step(record)
        except OSError as failed:
            self._desk.wiring.note(
                "operator's act is not in the journal", level="error", by=operator.name, command=command, why=str(failed)
            )

    # --- small things -----------------------------------------------------------------------------------------------------

    def _known(self) -> Known:
        states = self._desk.sessions.states()
        with self._desk.core.reading():
            configured = self._desk.core.engine.state.policy.configured
        symbols = [
            s for each in configured.destinations for instrument in each.instruments for s in (instrument.symbol, instrument.venue_symbol)
        ]
        names = [each.session for each in configured.clients] + [each.name for each in states]
        return Known(
            sessions={each: each for each in names},
            destinations={each.name.upper(): each.name for each in configured.destinations},
            symbols={each: each for each in symbols},
        )

    def _done(self, operator: Operator, spec: ActSpec, given: Given, ok: bool, text: str, plan: Plan, preview: bool = False) -> ActDone:
        return ActDone(
            act=spec.name, ok=ok, text=text, by=operator.name, why=given.why, time=stamp(self._desk.wiring.clock()), preview=preview,
            details=plan.details,
        )  # fmt: skip
