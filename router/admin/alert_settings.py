"""`[alerts]`, `[health]`, `[metrics]`: when somebody is to be woken, when the router calls itself ready, what it measures.

Seconds unless a key says otherwise; 0 switches a rule off.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Literal

from pydantic import Field

from router.secret_source import SecretSource
from router.strict import Strict

__all__ = ["AlertSettings", "Day", "HealthSettings", "HoursSettings", "MetricsSettings", "WebhookSettings"]

Day = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
Name = Annotated[str, Field(min_length=1)]
Seconds = Annotated[Decimal, Field(ge=0, allow_inf_nan=False)]


class HoursSettings(Strict):
    """`[[alerts.hours]]`: when these sessions should be logged on; times UTC. `closes` at or before `opens` is of the next day."""

    sessions: Annotated[tuple[Name, ...], Field(min_length=1)]
    days: Annotated[tuple[Day, ...], Field(min_length=1)] = ("mon", "tue", "wed", "thu", "fri")
    """Days on which the hours begin."""
    opens: Annotated[str, Field(pattern=r"^([01]\d|2[0-3]):[0-5]\d$")] = "00:00"
    closes: Annotated[str, Field(pattern=r"^(([01]\d|2[0-3]):[0-5]\d|24:00)$")] = "24:00"


class WebhookSettings(Strict):
    """`[alerts.webhook]`: where alerts are posted as JSON."""

    url: Annotated[str, Field(pattern="^https?://")] | SecretSource
    """Where the address itself is a secret, as chat services' are, name its source."""
    header: Annotated[str, Field(pattern=r"^[A-Za-z0-9-]+$")] = "Authorization"
    secret: SecretSource | None = None
    """The header's whole value."""
    router: Name = "fixrouter"
    """What this router is called in the messages."""
    answer_within_s: Annotated[Decimal, Field(gt=0)] = Decimal(5)
    give_up_after_s: Annotated[Decimal, Field(gt=0)] = Decimal(3600)
    """A message that could not be delivered for so long is dropped."""


class AlertSettings(Strict):
    """`[alerts]`"""

    pending_s: Seconds = Decimal(10)
    """An order or a request that its venue has not answered for so long."""
    unknown_s: Seconds = Decimal(30)
    """An order whose state at its venue is not known for so long."""
    destination_down_s: Seconds = Decimal(30)
    reconciling_s: Seconds = Decimal(30)
    clock_skew_s: Seconds = Decimal(2)
    """Between a venue's clock and ours, either way."""
    budget_percent: Annotated[Decimal, Field(ge=0, le=100)] = Decimal(90)
    """Of a venue's request budget."""
    reject_storm: Annotated[int, Field(ge=0)] = 20
    """So many rejects of one session ..."""
    reject_storm_s: Annotated[Decimal, Field(gt=0, le=3600)] = Decimal(10)
    """... in so many seconds."""
    session_down_s: Seconds = Decimal(60)
    """A session of `hours` that is not logged on in them for so long."""
    loop_lag_s: Seconds = Decimal("0.5")
    """How late an event loop comes to its work."""
    memory_mib: Annotated[int, Field(ge=0)] = 2048
    core_s: Annotated[Decimal, Field(gt=0)] = Decimal(300)
    """How long an alert of the core, which only happens and does not last, is shown as active."""
    clear_after_s: Seconds = Decimal(5)
    """What is over must be over for so long before it counts as over: what flutters is one alert."""
    hours: tuple[HoursSettings, ...] = ()
    webhook: WebhookSettings | None = None


class HealthSettings(Strict):
    """`[health]`: what /healthz and /readyz ask for."""

    required_destinations: tuple[Name, ...] | None = None
    """Those that must be connected for the router to be ready; without the key: at least one; `[]`: none."""
    required_sessions: tuple[Name, ...] = ()
    """FIX sessions that must be logged on."""
    stalled_s: Annotated[Decimal, Field(gt=0)] = Decimal(10)
    """A thread that has not moved for so long is taken for dead."""


class MetricsSettings(Strict):
    """`[metrics]`"""

    stages: bool = False
    """Measure what decoding, journal, core, sending and reporting take of each order. Costs about 2 µs an input."""
