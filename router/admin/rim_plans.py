"""What acts about links, sessions and the router itself would do (`plans`)."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

from router.acts import Switch, Switched
from router.admin.arguments import Given
from router.admin.plan import Desk, Did, Plan, counted, lines
from router.admin.problems import Refusal
from router.admin.tally import gently
from router.ports import Unsendable

__all__ = ["RIM_PLANS"]

ANSWER_S = 5.0
_MARGIN: Final = "assign-margin"


# --- links and sessions -------------------------------------------------------------------------------------------------


async def _venue(desk: Desk, given: Given, by: str) -> Plan:
    destination, do = desk.destination(given.text("destination")), given.text("do")
    link = destination.link
    with desk.core.reading():
        shared = [each.name for each in desk.core.engine.state.policy.configured.destinations if each.link == link]
    orders = [each async for each in gently(desk.book.live()) if each.link == link and not each.done]
    details = [
        f"link {link}, of {', '.join(shared)}",
        f"{counted(len(orders))} there stay open at the venue; fills are heard of when it is back",
    ]
    if destination.witness:
        details.append(f"its witness {destination.witness} stays as it is")

    def act() -> Did:
        if do == "reconnect":
            desk.links.reconnect(link)
            return True, f"{link} is reconnecting"
        # First the record: what is off must stay off if we die in between.
        done = desk.step(Switched(by=by, why=given.why, what=Switch.LINK, name=link, on=do == "enable"))()
        desk.links.enable(link, do == "enable")
        return done

    return Plan(f"would {do} the link of {destination.name}", act, details)


async def _assign_margin(desk: Desk, given: Given, by: str) -> Plan:  # noqa: ARG001 - a plan's signature
    destination, symbol, margin = desk.destination(given.text("destination")), given.text("symbol"), given.text("margin")
    link = destination.link
    if _MARGIN not in desk.links.changes(link):
        raise Refusal(400, f"destination: {destination.name} has no margin to be assigned")
    with desk.core.reading():
        found = desk.core.engine.state.policy.find(destination.name, symbol)
        told = desk.core.engine.state.held.get(link)
        stood = told.positions.get(found[1].venue_symbol) if told is not None and found is not None else None
    if found is None:
        raise Refusal(400, f"symbol: {destination.name} does not trade {symbol}")
    position = "not told" if stood is None else f"{stood.qty.normalize():f}"

    def act() -> Did:
        try:
            answer = desk.links.change(link, _MARGIN, {"symbol": found[1].venue_symbol, "margin": margin}).result(ANSWER_S)
        except TimeoutError:
            return False, f"{destination.name} did not answer within {ANSWER_S:g} s: whether it was done is not known; positions tells"
        except Unsendable as why:
            return False, str(why)
        return (False, answer.error) if answer.error else (True, f"{destination.name} assigned {margin} to {found[1].symbol}")

    return Plan(f"would have {destination.name} assign {margin} to the position in {found[1].symbol}", act, [f"the position: {position}"])


async def _session(desk: Desk, given: Given, by: str) -> Plan:
    name, do = given.text("session"), given.text("do")
    state = next((each for each in desk.sessions.states() if each.name == name), None)
    next_in, next_out = given.whole("next_in", 1), given.whole("next_out", 1)
    if (next_in is None and next_out is None) == (do == "seqnum"):
        raise Refusal(400, "next_in, next_out: seqnum takes one of them or both, and nothing else does")
    if state is not None and state.kind == "venue" and do in ("enable", "disable"):
        raise Refusal(400, f"session: {name} is a venue's: venue DESTINATION {do}")

    def act() -> Did:
        if do == "logout":
            desk.sessions.logout(name, f"logged out by the operator: {given.why}")
            return True, f"{name} is logged out"
        if do == "reset":
            desk.sessions.reset(name)
            return True, f"{name} begins anew at 1 in both directions"
        if do == "seqnum":
            desk.sessions.set_next(name, next_in, next_out)
            return True, f"{name}: {_numbers(next_in, next_out)}"
        return switch()

    def switch() -> Did:
        done = desk.step(Switched(by=by, why=given.why, what=Switch.SESSION, name=name, on=do == "enable"))()
        desk.sessions.enable(name, do == "enable")
        return done

    details = [] if state is None else [
        f"{'logged on' if state.logged_on else 'logged out'}, {'enabled' if state.enabled else 'switched off'}; next number in"
        f" {state.next_in}, out {state.next_out}"
    ]  # fmt: skip
    details += {
        "reset": ["stored messages go away: what its client has not fetched yet is not sent again"],
        "disable": ["it stays out through restarts; its orders stay open (cancel-all ends them)"],
        "seqnum": [_numbers(next_in, next_out)],
    }.get(do, [])
    return Plan(f"would {do} session {name}", act, details)


def _numbers(next_in: int | None, next_out: int | None) -> str:
    said = [f"next MsgSeqNum {way} {each}" for way, each in (("in", next_in), ("out", next_out)) if each is not None]
    return ", ".join(said)


async def _resend(desk: Desk, given: Given, by: str) -> Plan:  # noqa: ARG001 - a plan's signature
    name, begin, end = given.text("session"), given.whole("begin", 1), given.whole("end", 0)
    assert begin is not None
    assert end is not None
    if end and end < begin:
        raise Refusal(400, f"end: {end} is before {begin}; 0 is the last")
    reach = f"{begin} to {end or 'the last'}"

    def act() -> Did:
        count = desk.sessions.resend(name, begin, end)
        return True, f"{count} message{'s' * (count != 1)} of {name} were sent again, marked PossResend(97)=Y"

    return Plan(f"would send the stored messages {reach} of {name} again, marked PossResend(97)=Y", act)


# --- the router ---------------------------------------------------------------------------------------------------------


async def _reload(desk: Desk, given: Given, by: str) -> Plan:  # noqa: ARG001 - a plan's signature
    fine, text, details = await asyncio.to_thread(desk.wiring.reload, True)
    if not fine:
        return Plan(text, details=details)
    return Plan(text, lambda: desk.wiring.reload(False)[:2], details)


async def _stop(desk: Desk, given: Given, by: str) -> Plan:  # noqa: ARG001 - a plan's signature
    orders = [each async for each in gently(desk.book.live()) if not each.done]
    cancel = "cancel_all" in given.flags
    count = counted(len(orders))
    text = f"would cancel {count}, then stop the router" if cancel else f"would stop the router, and leave {count} at the venues"

    def act() -> Did:
        desk.wiring.stop(cancel)
        return True, "the router is stopping"

    return Plan(text, act, lines(desk, orders), ends=True)


RIM_PLANS: Final[dict[str, Callable[[Desk, Given, str], Awaitable[Plan]]]] = {
    "venue": _venue,
    "session": _session,
    "assign-margin": _assign_margin,
    "resend": _resend,
    "reload": _reload,
    "stop": _stop,
}
