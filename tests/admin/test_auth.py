"""Who is asking: tokens, and the requests that are turned away before anything is looked at."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import gc
import json
import socket
import stat
import warnings
from pathlib import Path
from typing import Any

import jwt
import pytest
from click.testing import CliRunner

from router.admin.admin_settings import AdminSettings
from router.admin.auth import Buckets, Operator, Refused, Tokens, allowed, kept_secret, write_token
from router.admin.contract import Role
from router.admin.token_command import token as token_command
from tests.admin.stage import SECRET, Stage
from tests.router.desk import SECOND

NOW_S = 1_800_000_000


def segment(claims: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(claims).encode()).rstrip(b"=").decode()


class TestTokens:
    """By themselves."""

    def test_a_token_says_who_and_what_and_until_when(self) -> None:
        """What was put in comes out."""
        tokens = Tokens(SECRET)
        assert tokens.read(tokens.make("ann", Role.TRADE, 60, NOW_S), NOW_S) == Operator("ann", Role.TRADE, NOW_S + 60)
        assert tokens.of_header(f"bearer {tokens.make('ann', Role.VIEW, 60, NOW_S)}", NOW_S).role is Role.VIEW

    def test_it_ends_to_the_second(self) -> None:
        """At its `exp` it is void."""
        tokens = Tokens(SECRET)
        made = tokens.make("ann", Role.VIEW, 60, NOW_S)
        assert tokens.read(made, NOW_S + 59).name == "ann"
        with pytest.raises(Refused, match="expired"):
            tokens.read(made, NOW_S + 60)

    @pytest.mark.parametrize(
        "claims",
        [
            {"sub": "ann", "role": "admin"},
            {"sub": "ann", "exp": NOW_S + 60},
            {"role": "admin", "exp": NOW_S + 60},
            {"sub": "ann", "role": "root", "exp": NOW_S + 60},
            {"sub": "ann", "role": ["admin"], "exp": NOW_S + 60},
            {"sub": "", "role": "admin", "exp": NOW_S + 60},
            {"sub": "a\nb", "role": "admin", "exp": NOW_S + 60},
            {"sub": "ann", "role": "admin", "exp": True},
            {"sub": "ann", "role": "admin", "exp": 1e300},
        ],
    )
    def test_one_with_other_claims_is_none(self, claims: dict[str, Any]) -> None:
        """Well signed, and still not a token."""
        with pytest.raises(Refused):
            Tokens(SECRET).read(jwt.encode(claims, SECRET, algorithm="HS256"), NOW_S)

    @pytest.mark.parametrize("alg", ["none", "None", "HS512", "RS256"])
    def test_the_algorithm_is_ours_to_choose(self, alg: str) -> None:
        """A token that names another is refused, unsigned ones first of all."""
        claims = {"sub": "ann", "role": "admin", "exp": NOW_S + 60}
        unsigned = f"{segment({'alg': alg, 'typ': 'JWT'})}.{segment(claims)}."
        signed = Tokens(SECRET).make("ann", Role.ADMIN, 60, NOW_S).split(".")
        for forged in (unsigned, f"{segment({'alg': alg, 'typ': 'JWT'})}.{signed[1]}.{signed[2]}"):
            with pytest.raises(Refused):
                Tokens(SECRET).read(forged, NOW_S)

    def test_another_routers_token_is_none(self) -> None:
        """Signed with another secret."""
        with pytest.raises(Refused):
            Tokens(SECRET).read(Tokens(b"x" * 32).make("ann", Role.ADMIN, 60, NOW_S), NOW_S)

    @pytest.mark.parametrize("text", ["", "a", "a.b.c", "." * 5000, "ä.ö.ü", "\x00"])
    def test_nonsense_is_refused_and_breaks_nothing(self, text: str) -> None:
        """Whatever a header may carry."""
        with pytest.raises(Refused):
            Tokens(SECRET).read(text, NOW_S)

    def test_a_short_secret_is_refused_and_none_is_shown(self) -> None:
        """RFC 7518 asks for 32 bytes."""
        with pytest.raises(ValueError, match="at least 32"):
            Tokens(b"short")
        assert "secret" not in repr(Tokens(SECRET))

    def test_roles_include_those_before(self) -> None:
        """view, trade, admin."""
        can = {role: [needed for needed in Role if allowed(Operator("a", role, 0), needed)] for role in Role}
        assert can == {Role.VIEW: [Role.VIEW], Role.TRADE: [Role.VIEW, Role.TRADE], Role.ADMIN: list(Role)}

    def test_the_secret_is_made_once_and_kept_from_others(self, tmp_path: Path) -> None:
        """The next start finds it; a file that others may read is refused."""
        path = tmp_path / "var" / "admin.secret"
        secret = kept_secret(path)
        assert kept_secret(path) == secret
        assert (len(secret), stat.S_IMODE(path.stat().st_mode)) == (64, 0o600)
        path.chmod(0o640)
        with pytest.raises(ValueError, match="chmod 600"):
            kept_secret(path)

    def test_a_token_is_written_for_its_owner_only(self, tmp_path: Path) -> None:
        """Also over one of before."""
        path = tmp_path / "admin.token"
        for text in ("first", "second"):
            write_token(path, text)
        assert (path.read_text(), stat.S_IMODE(path.stat().st_mode)) == ("second\n", 0o600)
        assert list(tmp_path.iterdir()) == [path]

    def test_the_command_prints_a_token_of_this_router(self, tmp_path: Path) -> None:
        """For the name, role and days that are asked for."""
        state = tmp_path / "state"
        demo = Path("config/demo/router.toml").read_text().replace('state = "var"', f'state = "{state}"')
        path = tmp_path / "router.toml"
        path.write_text(demo)
        done = CliRunner().invoke(token_command, ["ann", "--role", "trade", "--days", "1", "--config", str(path)])
        assert done.exit_code == 0, done.output
        claims = jwt.decode(done.output.strip(), kept_secret(state / "admin.secret"), algorithms=["HS256"])
        assert (claims["sub"], claims["role"], claims["exp"] - claims["iat"]) == ("ann", "trade", 86_400)

    def test_a_bucket_is_full_at_first_and_fills_again(self) -> None:
        """Two at once, then one a second; each key for itself; forgotten keys begin anew."""
        buckets = Buckets(1, 2, keys_at_most=2)
        assert [buckets.take("a", 0), buckets.take("a", 0), buckets.take("a", 0.25), buckets.take("a", 1)] == [0, 0, 0.75, 0]
        assert [buckets.take("b", 1), buckets.take("c", 1), buckets.take("a", 1)] == [0, 0, 0]


class TestDoor:
    """At the server."""

    async def test_nobody_gets_in_without_a_token(self, tmp_path: Path) -> None:
        """401 for everything under /v1, counted, and not a word of the token in the log."""
        async with Stage(tmp_path) as stage:
            for headers in ({}, {"Authorization": "Bearer not.a.token"}, {"Authorization": "Basic YTpi"}):
                status, body = await stage.ask("GET", "/v1/status", None, headers=headers)
                assert (status, set(body)) == (401, {"error", "needed", "candidates"})
            assert stage.server.unauthorized == 3
            assert "not.a.token" not in str(stage.notes)
            assert [name for name, _ in stage.notes] == ["operator refused"] * 3

    async def test_an_expired_token_is_told_so(self, tmp_path: Path) -> None:
        """By our clock."""
        async with Stage(tmp_path) as stage:
            header = {"Authorization": f"Bearer {stage.token()}"}
            stage.now += 3600 * SECOND
            status, body = await stage.ask("GET", "/v1/status", None, headers=header)
            assert (status, "expired" in body["error"]) == (401, True)

    async def test_guessing_is_slowed_and_hurts_no_owner_of_a_token(self, tmp_path: Path) -> None:
        """429 with Retry-After after many wrong ones; a right one passes all the while."""
        async with Stage(tmp_path) as stage:
            wrong = [(await stage.ask("GET", "/v1/status", None))[0] for _ in range(25)]
            assert set(wrong[:20]) == {401}
            assert wrong[-1] == 429
            assert (await stage.ask("GET", "/v1/status"))[0] == 200

    async def test_a_role_that_is_too_small_is_told_which_is_needed(self, tmp_path: Path) -> None:
        """403; nothing was done and nothing journaled."""
        async with Stage(tmp_path) as stage:
            before = len(stage.inputs)
            status, body = await stage.act("halt", Role.VIEW, scope="all")
            assert (status, body["needed"]) == (403, "trade")
            status, body = await stage.act("reload", Role.TRADE)
            assert (status, body["needed"]) == (403, "admin")
            assert len(stage.inputs) == before

    @pytest.mark.parametrize("host", ["evil.example", "127.0.0.1", "127.0.0.1:1", ""])
    async def test_another_name_is_refused(self, tmp_path: Path, host: str) -> None:
        """A site that had its name pointed at 127.0.0.1 (DNS rebinding) gets nothing, not even the page or the metrics."""
        async with Stage(tmp_path) as stage:
            for path in ("/v1/status", "/metrics", "/", "/nowhere"):
                assert (await stage.ask("GET", path, headers={"Host": host}))[0] == 403

    async def test_names_that_were_agreed_are_taken(self, tmp_path: Path) -> None:
        """A proxy's, and localhost."""
        async with Stage(tmp_path, AdminSettings(port=0, hosts=("Desk.example:443",))) as stage:
            port = stage.url.rpartition(":")[2]
            for host in ("desk.example:443", f"localhost:{port}", f"LOCALHOST:{port}"):
                assert (await stage.ask("GET", "/v1/status", headers={"Host": host}))[0] == 200

    @pytest.mark.parametrize("header", [{"Origin": "http://evil.example"}, {"Origin": "null"}, {"Sec-Fetch-Site": "cross-site"}])
    async def test_a_page_of_another_site_can_do_nothing(self, tmp_path: Path, header: dict[str, str]) -> None:
        """Not read, not act, not listen; and no answer invites it by CORS."""
        async with Stage(tmp_path) as stage:
            assert (await stage.ask("GET", "/v1/status", headers=header))[0] == 403
            assert (await stage.ask("POST", "/v1/acts/halt", headers=header, json={"scope": "all", "why": "x"}))[0] == 403
            assert (await stage.ask("GET", "/v1/events", headers=header))[0] == 403
            async with stage.http.options(f"{stage.url}/v1/acts/halt", headers=header) as response:
                assert response.status == 403
                assert not [name for name in response.headers if name.lower().startswith("access-control")]

    async def test_our_own_page_may(self, tmp_path: Path) -> None:
        """Its Origin is ours."""
        async with Stage(tmp_path) as stage:
            assert (await stage.ask("GET", "/v1/status", headers={"Origin": stage.url, "Sec-Fetch-Site": "same-origin"}))[0] == 200

    async def test_one_token_cannot_ask_without_end(self, tmp_path: Path) -> None:
        """429 with Retry-After; another token is not touched by it."""
        async with Stage(tmp_path, AdminSettings(port=0, requests_per_second=0.001, burst=3)) as stage:
            header = {"Authorization": f"Bearer {stage.token(name='greedy')}"}
            answers = [await stage.ask("GET", "/v1/routes", None, headers=header) for _ in range(4)]
            assert [status for status, _ in answers] == [200, 200, 200, 429]
            async with stage.http.get(f"{stage.url}/v1/routes", headers=header) as response:
                assert int(response.headers["Retry-After"]) >= 1
            assert (await stage.ask("GET", "/v1/routes"))[0] == 200

    async def test_every_answer_has_its_headers(self, tmp_path: Path) -> None:
        """Good ones, bad ones, and those of the page, which may load what is its own."""
        async with Stage(tmp_path) as stage:
            for path in ("/v1/status", "/healthz", "/nowhere"):
                async with stage.http.get(stage.url + path) as response:
                    assert response.headers["Content-Security-Policy"].startswith("default-src 'none'; frame-ancestors 'none'")
                    assert response.headers["X-Content-Type-Options"] == "nosniff"
                    assert response.headers["Cache-Control"] == "no-store"
                    assert "python" not in response.headers["Server"].lower()

    async def test_metrics_may_be_shut(self, tmp_path: Path) -> None:
        """Where the setting says so, they need a token like the rest."""
        async with Stage(tmp_path, AdminSettings(port=0, metrics_need_token=True)) as stage:
            assert (await stage.ask("GET", "/metrics", None))[0] == 401
            async with stage.http.get(f"{stage.url}/metrics", headers={"Authorization": f"Bearer {stage.token(Role.VIEW)}"}) as response:
                assert (response.status, await response.text()) == (200, "fixrouter_orders 1\n")

    async def test_a_unix_socket_is_its_owners(self, tmp_path: Path) -> None:
        """Mode 0600; one that a dead router left is taken over, one that is in use is not."""
        path = tmp_path / "admin.sock"
        with socket.socket(socket.AF_UNIX) as left:
            left.bind(str(path))
        settings = AdminSettings(socket=path)
        async with Stage(tmp_path, settings):
            assert stat.S_IMODE(path.stat().st_mode) == 0o600
            reader, writer = await asyncio.open_unix_connection(str(path))
            writer.write(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            assert (await reader.read()).startswith(b"HTTP/1.1 200 OK")
            writer.close()
            await writer.wait_closed()
            (tmp_path / "other").mkdir()
            with pytest.raises(OSError, match="another router"):
                await Stage(tmp_path / "other", settings).__aenter__()

    async def test_who_comes_while_it_stops_is_closed_too(self, tmp_path: Path) -> None:
        """No connection outlives the server: asyncio would leave one open that it accepts as the server closes."""
        settings = AdminSettings(socket=tmp_path / "admin.sock")
        gc.collect()  # what others left is not looked for here
        with warnings.catch_warnings(record=True) as left:
            warnings.simplefilter("always")
            for attempt in range(20):
                (tmp_path / str(attempt)).mkdir()
                with contextlib.ExitStack() as strangers:
                    async with Stage(tmp_path / str(attempt), settings):
                        for _ in range(8):
                            strangers.enter_context(socket.socket(socket.AF_UNIX)).connect(str(settings.socket))
            gc.collect()
        assert [str(each.message) for each in left if issubclass(each.category, ResourceWarning)] == []

    def test_only_loopback_is_listened_on(self) -> None:
        """Tokens are not sent over a network in clear."""
        with pytest.raises(ValueError, match="not a loopback"):
            AdminSettings(host="0.0.0.0")
