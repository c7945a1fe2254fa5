"""What all settings have in common: nothing unknown is taken, nothing changes; and the kinds of values that many use."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

__all__ = ["Name", "Positive", "Strict", "TimeOfDay", "time_of_day"]

Positive = Annotated[Decimal, Field(gt=0)]
Name = Annotated[str, Field(min_length=1)]
TimeOfDay = Annotated[str, Field(pattern=r"^([01]\d|2[0-3]):[0-5]\d$")]
"""UTC."""


class Strict(BaseModel):
    """A table of the file."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def time_of_day(text: str) -> int:
    """ "HH:MM" as ns after midnight."""
    hours, minutes = text.split(":")
    return (int(hours) * 60 + int(minutes)) * 60_000_000_000
