"""Is the process alive, and may it be given orders? Pure; the answers of /healthz and /readyz."""

from __future__ import annotations

from router.admin.alert_settings import HealthSettings
from router.admin.facts import Facts

__all__ = ["dead", "missing"]

_SECOND = 1_000_000_000


def dead(settings: HealthSettings, facts: Facts | None, now: int) -> list[str]:
    """What does not move any more, a line each; empty: all is alive. `facts`: the last that were gathered."""
    if facts is None:
        return ["nothing was gathered about the router yet"]
    limit = float(settings.stalled_s)
    dead = []
    if now - facts.now > limit * _SECOND:
        dead.append(f"nothing was gathered about the router for {(now - facts.now) // _SECOND} s")
    if facts.now - facts.ticked > limit * _SECOND:
        dead.append(f"the core's ticking thread has not gone round for {(facts.now - facts.ticked) // _SECOND} s")
    dead += [f"the event loop of {name} is {lag:.0f} s late" for name, lag in facts.loop_lags.items() if lag > limit]
    return dead


def missing(settings: HealthSettings, facts: Facts | None) -> list[str]:
    """What is missing before orders can be taken, a line each; empty: the router is ready. It serves this only after its recovery."""
    if facts is None:
        return ["nothing was gathered about the router yet"]
    missing = []
    if facts.journal.failing:
        missing.append(f"the journal cannot be written: {facts.journal.failing}")
    logged_on = {each.name for each in facts.sessions if each.logged_on}
    missing += [f"session {name} is not logged on" for name in settings.required_sessions if name not in logged_on]
    return missing + _destinations(settings, facts)


def _destinations(settings: HealthSettings, facts: Facts) -> list[str]:
    up = {each.name: each for each in facts.destinations if each.up}
    required = settings.required_destinations
    if required is None:
        return [] if up or not facts.destinations else ["no destination is connected"]
    whys = {each.name: each.why for each in facts.destinations}
    return [f"destination {name} is not connected" + (f": {whys[name]}" if whys.get(name) else "") for name in required if name not in up]
