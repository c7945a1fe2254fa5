"""TLS at the front door, and out of the tunnels. The certificates are made here."""

from __future__ import annotations

import asyncio
import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import trustme

from fix.gate import Gate, GateSettings
from fix.tls import TlsClient, TlsServer
from fix.tunnel import Tunnel, TunnelSettings
from tests.fix.door import PATIENCE_S, Notes, Peer, Router, door, logon


@dataclass
class Papers:
    """A CA and its files."""

    folder: Path
    authority: trustme.CA

    def issue(self, *names: str, file: str = "server") -> TlsServer:
        """Write a certificate for these names; over the one before, where it has the same file name."""
        made = self.authority.issue_cert(*names)
        certificate, key = self.folder / f"{file}.pem", self.folder / f"{file}.key"
        certificate.write_bytes(b"".join(each.bytes() for each in made.cert_chain_pems))
        key.write_bytes(made.private_key_pem.bytes())
        return TlsServer(certificate, key)

    @property
    def ca(self) -> Path:
        path = self.folder / "ca.pem"
        path.write_bytes(self.authority.cert_pem.bytes())
        return path

    def trusting(self) -> ssl.SSLContext:
        return ssl.create_default_context(cafile=self.ca)


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def papers(tmp_path: Path, authority: trustme.CA) -> Papers:
    return Papers(tmp_path, authority)


def serial(peer: Peer) -> str:
    return str(peer.writer.get_extra_info("peercert")["serialNumber"])


async def test_a_session_over_tls(papers: Papers) -> None:
    """Verified by the client, both ways, in pieces larger than a TLS record."""
    async with door(tls=papers.issue("localhost")) as here:
        client, router = await here.session(logon(), ssl=papers.trusting(), server_hostname="localhost")
        assert client.writer.get_extra_info("ssl_object").version() in ("TLSv1.2", "TLSv1.3")
        router.say(b"a" * 200_000)
        await client.hears(b"a" * 200_000)
        client.say(b"b" * 200_000)
        await router.hears(b"b" * 200_000)
        router.hang_up()
        assert await client.heard_to_the_end() == b""


async def test_a_handshake_that_is_never_finished(papers: Papers) -> None:
    """Silent, half, or plain FIX: closed, and a session comes in meanwhile."""
    async with door(tls=papers.issue("localhost"), handshake_within_s=0.3) as here:
        silent, half, plain = [await here.client() for _ in range(3)]
        half.say(b"\x16\x03\x01\x02\x00\x01\x00\x01")
        plain.say(logon())
        await here.session(logon(), ssl=papers.trusting(), server_hostname="localhost")
        await here.refused("TLS handshake failed")
        await here.refused("too slow: no TLS handshake within 0.3 s")
        for each in (silent, half, plain):
            await each.heard_to_the_end()
        assert here.router.count == 1


async def test_half_a_logon_over_tls(papers: Papers) -> None:
    """Has its time, too."""
    async with door(tls=papers.issue("localhost"), logon_within_s=0.2) as here:
        client = await here.client(ssl=papers.trusting(), server_hostname="localhost")
        client.say(logon()[:30])
        await here.refused("no logon within")
        assert await client.heard_to_the_end() == b""


async def test_silent_handshakes_give_way(papers: Papers) -> None:
    """A full gate takes the newest: those in their handshake are the first to go."""
    async with door(tls=papers.issue("localhost"), max_connections=5) as here:
        for _ in range(50):
            await here.client()
        await here.session(logon(), ssl=papers.trusting(), server_hostname="localhost")


async def test_old_tls_is_refused(papers: Papers) -> None:
    """At least 1.2."""
    server = papers.issue("localhost").context()
    assert server.minimum_version is ssl.TLSVersion.TLSv1_2
    assert TlsClient(ca=papers.ca).context().minimum_version is ssl.TLSVersion.TLSv1_2


async def test_a_client_that_never_reads_is_cut_over_tls(papers: Papers) -> None:
    """As without."""
    async with door(tls=papers.issue("localhost"), slow_reader_bytes=300_000) as here:
        _, router = await here.session(logon(), ssl=papers.trusting(), server_hostname="localhost", limit=1)
        await router.says_until_cut()
        line = await here.notes.of("client disconnected")
        assert "does not read" in line["why"]


async def test_a_client_without_a_certificate_is_refused_where_one_is_demanded(papers: Papers, tmp_path: Path) -> None:
    """None, or one of another CA; with ours it comes in, and its name is logged."""
    ours, mine = papers.issue("localhost"), papers.issue("oms.example", file="mine")
    (tmp_path / "other").mkdir()
    theirs = Papers(tmp_path / "other", trustme.CA()).issue("oms.example")
    async with door(tls=TlsServer(ours.certificate, ours.key, client_ca=papers.ca)) as here:
        for paper in (None, theirs):
            context = papers.trusting()
            if paper is not None:
                context.load_cert_chain(paper.certificate, paper.key)
            try:
                client = await here.client(ssl=context, server_hostname="localhost")
                client.say(logon())
                assert await client.heard_to_the_end() == b""
            except ssl.SSLError:
                pass  # it depends on the version of TLS when the client learns
        assert here.router.count == 0
        context = papers.trusting()
        context.load_cert_chain(mine.certificate, mine.key)
        await here.session(logon(), ssl=context, server_hostname="localhost")
        await here.notes.of("client connected", session="FIX.4.2:ROUTER->OMS42")


async def test_a_certificate_is_reloaded_under_running_sessions(papers: Papers) -> None:
    """New connections see the new one, the old ones go on; files that cannot be used change nothing."""
    how: dict[str, Any] = {"ssl": papers.trusting(), "server_hostname": "localhost"}
    server = papers.issue("localhost")
    async with door(tls=server) as here:
        client, router = await here.session(logon(), **how)
        papers.issue("localhost")
        here.gate.reload()
        other, _ = await here.session(logon("OMS44", begin="FIX.4.4"), **how)
        assert serial(client) != serial(other)
        server.key.write_text("nonsense")
        with pytest.raises(ssl.SSLError):
            here.gate.reload()
        third = await here.client(**how)
        assert serial(third) == serial(other)
        client.say(b"still there")
        await router.hears(b"still there")


def test_an_encrypted_key_does_not_ask_the_terminal(papers: Papers) -> None:
    """It is refused with a word on what to do."""
    from cryptography.hazmat.primitives import serialization

    server = papers.issue("localhost")
    key = serialization.load_pem_private_key(server.key.read_bytes(), None)
    form, best = serialization.PrivateFormat.TraditionalOpenSSL, serialization.BestAvailableEncryption(b"x")
    server.key.write_bytes(key.private_bytes(serialization.Encoding.PEM, form, best))
    with pytest.raises(ValueError, match="encrypted"):
        Gate(GateSettings("127.0.0.1", 0, "127.0.0.1", 1, tls=server), Notes.__call__)  # type: ignore[arg-type]


# --- outgoing -------------------------------------------------------------------------------------------------------------


class Outgoing:
    """A venue over TLS, and a tunnel to it."""

    def __init__(self, server: TlsServer, client: TlsClient, **more: Any) -> None:
        self.venue, self.notes, self._server, self._client, self._more = Router(), Notes(), server, client, more
        self.peers: list[Peer] = []

    async def __aenter__(self) -> Outgoing:
        self.listener = await asyncio.start_server(self.venue._taken, "127.0.0.1", 0, ssl=self._server.context())
        port = self.listener.sockets[0].getsockname()[1]
        settings = {"linger_s": 0.2, "venue_host": "127.0.0.1", "venue_port": port} | self._more
        self.tunnel = Tunnel(TunnelSettings("VENUE", 0, tls=self._client, **settings), self.notes)
        await self.tunnel.open()
        return self

    async def initiator(self) -> Peer:
        self.peers.append(Peer(*await asyncio.open_connection("127.0.0.1", self.tunnel.port)))
        return self.peers[-1]

    async def __aexit__(self, *_: object) -> None:
        async with asyncio.timeout(PATIENCE_S):
            await self.tunnel.close()
        self.listener.close()
        while not self.venue.connections.empty():
            self.peers.append(self.venue.connections.get_nowait())
        for peer in self.peers:
            peer.vanish()
        await asyncio.gather(*(peer.writer.wait_closed() for peer in self.peers), return_exceptions=True)
        await self.listener.wait_closed()


async def test_a_tunnel_carries_both_ways(papers: Papers) -> None:
    """Plain on loopback, verified TLS to the venue, and either end's close is the other's."""
    async with Outgoing(papers.issue("venue.example"), TlsClient(papers.ca, "venue.example")) as out:
        for ender in (0, 1):
            near = await out.initiator()
            near.say(b"logon with a token")
            far = await out.venue.next()
            out.peers.append(far)
            await far.hears(b"logon with a token")
            far.say(b"x" * 300_000)
            await near.hears(b"x" * 300_000)
            (near, far)[ender].hang_up()
            assert await (far, near)[ender].heard_to_the_end() == b""
        await out.notes.of("tunnel closed", connection=2, why="the venue closed", to_venue=18, from_venue=300_000)


@pytest.mark.parametrize("wrong", ["name", "authority", "expired"])
async def test_a_venue_that_cannot_prove_itself_hears_nothing(papers: Papers, wrong: str) -> None:
    """Another name, or another CA: the initiator is closed before a byte of its logon leaves."""
    server = papers.issue("other.example" if wrong == "name" else "venue.example")
    if wrong == "expired":
        from datetime import UTC, datetime

        made = papers.authority.issue_cert("venue.example", not_after=datetime(2021, 1, 1, tzinfo=UTC))
        server.certificate.write_bytes(made.cert_chain_pems[0].bytes())
        server.key.write_bytes(made.private_key_pem.bytes())
    ca = papers.folder / "another.pem"
    ca.write_bytes(trustme.CA().cert_pem.bytes())
    async with Outgoing(server, TlsClient(ca if wrong == "authority" else papers.ca, "venue.example")) as out:
        near = await out.initiator()
        near.say(b"logon with a token")
        assert await near.heard_to_the_end() == b""
        line = await out.notes.of("venue not reached over TLS", tunnel="VENUE", level="error")
        assert "certificate verify failed" in line["why"]
        assert out.venue.count == 0


async def test_a_venue_that_is_down_is_told_once(papers: Papers) -> None:
    """The initiator tries for ever; the log has the first, and the rest for who wants to see them."""
    async with Outgoing(papers.issue("venue.example"), TlsClient(papers.ca, "venue.example"), venue_port=1) as out:
        for _ in range(3):
            assert await (await out.initiator()).heard_to_the_end() == b""
        assert [line["level"] for line in out.notes.all] == ["error", "debug", "debug"]


async def test_a_venue_that_never_finishes_its_handshake(papers: Papers) -> None:
    """Is given up after a while, and nothing is left behind."""
    silent = Router()
    server = await asyncio.start_server(silent._taken, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with Outgoing(papers.issue("v.example"), TlsClient(papers.ca, "v.example"), venue_port=port, connect_within_s=0.2) as out:
        assert await (await out.initiator()).heard_to_the_end() == b""
        await out.notes.of("venue not reached over TLS")
        out.peers.append(await silent.next())
    server.close()
    await server.wait_closed()


async def test_a_venue_that_does_not_read_is_cut(papers: Papers) -> None:
    """Orders must not grow old in a buffer."""
    async with Outgoing(papers.issue("v.example"), TlsClient(papers.ca, "v.example"), owed_bytes=200_000) as out:
        near = await out.initiator()
        far = await out.venue.next()
        out.peers.append(far)
        far.stop_reading()
        await near.says_until_cut()
        await out.notes.of("tunnel closed", why="the venue does not read: cut with 200000 bytes owed")
