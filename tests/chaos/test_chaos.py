"""The chaos harness in short: a sound router passes, and each planted bug is caught. The long run is `make chaos`."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.chaos.child import PLANTS, POINTS
from tests.chaos.run import Outcome, Plan, run

AT_APIFINY = ("BINANCE", "COINBASEPRO")


async def played(tmp_path: Path, **plan: object) -> Outcome:
    """A run of a few seconds."""
    outcome = await run(Plan(seed=7, quiet_s=1.0, **plan), tmp_path)  # type: ignore[arg-type]
    print("\n".join([*outcome.verdict.lines(), str(outcome.tally)]))  # to look at when a test fails
    return outcome


async def test_killed_at_every_point_in_a_storm_nothing_is_lost_and_nothing_is_twice(tmp_path: Path) -> None:
    """Venues' faults, bad lines, and a death at each named point, all of which are reached; then three ledgers agree."""
    points = [f"{name}:{1 if name in ('started', 'answered') else 3}" for name in POINTS]
    outcome = await played(tmp_path, kills=len(points), points=points, pace=5.0, storms=("faults", "lines", "people"))
    assert outcome.verdict.faults == {}
    assert outcome.verdict.counts["orders sent by the client"] > 20
    # A point that nothing passes any more would kill nobody, and prove nothing.
    assert (set(outcome.tally.kills), outcome.tally.missed) == (set(POINTS), {})


LOST_ANSWERS: dict[str, object] = {
    "kills": 1, "points": ["performed:60"], "destinations": ("CRYPTOCOM",), "pace": 5.0,
    "venues_faults": [("cryptocom", "http_500", "new")],
}  # fmt: skip
"""The venue acts on three orders, and says 500."""
CAUGHT: dict[str, tuple[dict[str, object], set[str]]] = {
    # What a bug does to the ledgers: where it is provoked, and what they must say.
    "late-journal": (
        {"kills": 2, "points": ["order-sent:1"], "pace": 3.0, "destinations": AT_APIFINY},
        {"duplicate create", "lost order", "told gone, yet at the venue"},
    ),
    "create-again": (LOST_ANSWERS, {"duplicate create"}),
    "silence-is-no": (LOST_ANSWERS, {"told gone, yet at the venue"}),
    "no-repeat": ({"kills": 2, "points": ["fill-journaled:1"], "pace": 3.0, "destinations": AT_APIFINY}, {"report missing"}),
    "random-exec-ids": (
        {"kills": 1, "points": ["fill-journaled:2"], "pace": 3.0, "destinations": AT_APIFINY},
        {"report unknown to the journal", "report missing"},
    ),
}


@pytest.mark.parametrize("plant", CAUGHT)
async def test_a_planted_bug_is_caught(tmp_path: Path, plant: str) -> None:
    """The router is wrong on purpose, and the verdict says so, by its right name."""
    plan, kinds = CAUGHT[plant]
    outcome = await played(tmp_path, plant=plant, storms=("people",), orderly_end=False, **plan)
    assert kinds & set(outcome.verdict.faults), outcome.verdict.lines()


def test_every_plant_has_its_test() -> None:
    """None is left untried."""
    assert set(CAUGHT) == set(PLANTS)
