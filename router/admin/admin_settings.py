"""`[admin]`: where operators reach the router, and how much they may ask of it."""

from __future__ import annotations

from ipaddress import ip_address
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, model_validator

__all__ = ["AdminSettings"]


class AdminSettings(BaseModel):
    """`[admin]`"""

    model_config = ConfigDict(extra="forbid", frozen=True)

    host: str = "127.0.0.1"
    """A loopback address: tokens are not sent over a network in clear. Operators elsewhere come by ssh, or by a proxy with TLS."""
    port: Annotated[int, Field(ge=0, lt=65536)] = 8080
    """0: any that is free."""
    socket: Path | None = None
    """A Unix socket in place of host and port; mode 0600."""
    hosts: tuple[str, ...] = ()
    """Names with port that browsers may know it by besides its own, e.g. that of a proxy: "router.desk.example:443"."""
    metrics_need_token: bool = False
    requests_per_second: Annotated[float, Field(gt=0)] = 50
    """Of one token."""
    burst: Annotated[int, Field(ge=1)] = 100
    streams: Annotated[int, Field(ge=1)] = 32
    """Event streams at a time."""
    connections: Annotated[int, Field(ge=1)] = 128

    @model_validator(mode="after")
    def _loopback(self) -> AdminSettings:
        if self.host != "localhost" and not ip_address(self.host).is_loopback:
            raise ValueError(f"host {self.host} is not a loopback address: put a proxy with TLS in front, and name it in hosts")
        return self

    def names(self, port: int) -> frozenset[str]:
        """What a browser may call it."""
        own = {f"{name}:{port}" for name in ("127.0.0.1", "localhost", "[::1]", self.host)}
        return frozenset(each.lower() for each in own | set(self.hosts))
