"""How the API says no: a status and a `Problem`."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

from router.admin.contract import Problem

__all__ = ["Refusal", "near", "unknown"]


class Refusal(Exception):
    """An answer that is not 2xx."""

    def __init__(self, status: int, error: str, *, needed: str = "", candidates: Iterable[str] = (), retry_after_s: float = 0) -> None:
        super().__init__(error)
        self.status = status
        self.problem = Problem(error=error, needed=needed, candidates=list(candidates))
        self.retry_after_s = retry_after_s


def near(name: str, known: Iterable[str]) -> list[str]:
    """What was perhaps meant, the likeliest first, whatever the case; all of a short list where nothing is like it."""
    names = sorted(known)
    by_lower = {each.lower(): each for each in names}
    found = [by_lower[each] for each in difflib.get_close_matches(name[:200].lower(), by_lower, n=5, cutoff=0.5)]
    return found or (names if len(names) <= 10 else [])


def unknown(field: str, value: str, what: str, known: Iterable[str]) -> Refusal:
    """400: there is no such thing."""
    return Refusal(400, f"{field}: there is no {what} {value[:200]}", candidates=near(value, known))
