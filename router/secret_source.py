"""Where secrets of the configuration are, and what is said when they, or anything else in it, cannot be used."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, SecretStr, model_validator

__all__ = ["Fault", "SecretSource"]


class Fault(Exception):
    """The configuration cannot be used; `lines` has one line for each thing that is wrong, with file and key."""

    def __init__(self, lines: list[str]) -> None:
        super().__init__("\n".join(lines))
        self.lines = lines


class SecretSource(BaseModel):
    """Where a secret is: an environment variable or a file. Never the secret itself."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    env: Annotated[str, Field(min_length=1)] | None = None
    file: Path | None = None

    @model_validator(mode="after")
    def _one(self) -> SecretSource:
        if (self.env is None) == (self.file is None):
            raise ValueError("name one of env and file")
        return self

    def read(self, folder: Path) -> SecretStr:
        """The secret. Raises `Fault` where it is missing or empty."""
        if self.env is not None:
            value = os.environ.get(self.env, "")
            if not value:
                raise Fault([f"the environment variable {self.env} is not set"])
            return SecretStr(value)
        assert self.file is not None
        path = folder / self.file
        try:
            value = path.read_text(encoding="utf-8").strip()
        except OSError as wrong:
            raise Fault([f"{path}: {wrong.strerror}"]) from None
        if not value:
            raise Fault([f"{path}: it is empty"])
        return SecretStr(value)
