"""TLS both ways: what we accept from clients, what we demand of venues. Python's modern defaults, at least TLS 1.2."""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

__all__ = ["TlsClient", "TlsServer"]


def _no_passphrase() -> NoReturn:
    # Without this OpenSSL asks for it on the terminal, and the router waits there.
    raise ValueError("the private key is encrypted; give one that is not, readable by the router alone")


@dataclass(frozen=True, slots=True)
class TlsServer:
    """Our certificate for clients, PEM, intermediate certificates behind it; with `client_ca`, clients must show one of that CA."""

    certificate: Path
    key: Path
    client_ca: Path | None = None

    def context(self) -> ssl.SSLContext:
        """Read the files. Raises `OSError` (`ssl.SSLError` is one), `ValueError` for what cannot be used."""
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.options |= ssl.OP_NO_RENEGOTIATION
        context.load_cert_chain(self.certificate, self.key, _no_passphrase)
        if self.client_ca is not None:
            context.load_verify_locations(self.client_ca)
            context.verify_mode = ssl.CERT_REQUIRED
        return context


@dataclass(frozen=True, slots=True)
class TlsClient:
    """How we know a venue: its certificate must be of `ca` (the system's where None) and for `server_name` (its host where None)."""

    ca: Path | None = None
    server_name: str | None = None
    certificate: Path | None = None
    key: Path | None = None

    def context(self) -> ssl.SSLContext:
        """Read the files. Raises `OSError` (`ssl.SSLError` is one), `ValueError` for what cannot be used."""
        context = ssl.create_default_context(ssl.Purpose.SERVER_AUTH, cafile=self.ca)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        if self.certificate is not None:
            context.load_cert_chain(self.certificate, self.key, _no_passphrase)
        return context
