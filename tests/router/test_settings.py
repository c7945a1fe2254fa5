"""The configuration: read strictly, all faults at once, each with file and key."""

from __future__ import annotations

import os
import re
import shutil
from decimal import Decimal
from pathlib import Path

import pytest

from bridges import venues
from fix.check import faults
from fix.rim import capabilities
from router.secret_source import SecretSource
from router.settings import Fault, load
from tests.system import ROOT


@pytest.fixture
def demo(tmp_path: Path) -> Path:
    """A copy of the demo's configuration to spoil."""
    shutil.copytree(ROOT / "config", tmp_path / "config")
    return tmp_path / "config" / "demo"


def spoil(demo: Path, name: str, pattern: str, text: str) -> None:
    before = (demo / name).read_text()
    after = re.sub(pattern, text, before, count=1)
    assert after != before
    (demo / name).write_text(after)


def lines(demo: Path) -> list[str]:
    path = demo / "router.toml"
    try:
        return faults(load(path), path, venues.VENUES) + venues.faults(load(path), path)
    except Fault as fault:
        return fault.lines


def test_the_demo_is_right(demo: Path) -> None:
    """And read exactly: no float anywhere."""
    assert lines(demo) == []
    settings = load(demo / "router.toml")
    configured = settings.frozen({**capabilities(settings), **venues.capabilities(settings)})
    tick = configured.destinations[0].instruments[0].tick
    assert (tick, str(tick)) == (Decimal("0.01"), "0.01")


OMS42 = r'(session = "FIX.4.2:ROUTER->OMS42"\n)'
NO_CERTIFICATE = 'tls = { certificate = "no.pem", key = "no.key" }'


@pytest.mark.parametrize(
    ("name", "pattern", "text", "said"),
    [
        ("router.toml", r"answer_timeout_s = 5", "answer_timeout = 5", "router.answer_timeout: unknown key"),
        ("router.toml", r"answer_timeout_s = 5", "answer_timeout_s = -1", "router.answer_timeout_s: Input should be greater than 0"),
        ("router.toml", r'level = "info"', 'level = "loud"', "log.level"),
        ("router.toml", r'key_id = "demo-key"', 'key_id = "demo-key"\nsecret_key = "x"', "accounts[0].secret_key: unknown key"),
        ("router.toml", r'secret = \{ file = "apifiny.secret" \}', "secret = {}", "accounts[0].secret: name one of env and file"),
        ("router.toml", r'secret = \{ file = "apifiny.secret" \}', 'secret = { env = "NOT_SET_HERE" }', "NOT_SET_HERE is not set"),
        ("router.toml", r'secret = \{ file = "apifiny.secret" \}', 'secret = { file = "nowhere" }', "nowhere: No such file"),
        ("router.toml", r'account = "apifiny"', 'account = "nobody"', "there is no account nobody"),
        ("router.toml", r'destination = "BINANCE"', 'destination = "NASDAQ"', "routes[2]: destination: there is no destination NASDAQ"),
        ("router.toml", r'session = "FIX.4.2:ROUTER->OMS42"', 'session = "FIX.4.2:ROUTER->OMS43"', "FIX.4.2:ROUTER->OMS43 is not in"),
        ("router.toml", r'clients = "clients.cfg"', 'clients = "nothing.cfg"', "nothing.cfg: No such file"),
        ("router.toml", r'venue = "apifiny"', 'venue = "nasdaq"', "accounts[0].venue: there is no venue nasdaq"),
        ("router.toml", r'rest_url = "http://127.0.0.1:9201" .*', "", "accounts[1].rest_url: missing, phemex is reached over REST"),
        ("router.toml", r'rest_url = "http:', 'rest_url = "ftp:', "accounts[1].rest_url"),
        ("router.toml", r'account = "phemex"', 'account = "phemex"\nsession = "x"', "session: account phemex has none"),
        ("router.toml", r'(?m)^venue_accounts = \["apifiny"\]', 'venue_accounts = ["nobody"]', "venue_accounts: nobody is no account"),
        (
            "router.toml",
            r'(?m)^venue_accounts = \["apifiny"\]',
            'venue_accounts = ["phemex"]\naccounts = ["phemex"]',
            "venue_accounts: phemex is one of its own accounts too",
        ),
        ("router.toml", r'venue_symbol = "ETHUSD", tick = 0.05', 'venue_symbol = "LTCUSD", tick = 0.05', "has no known contract size"),
        ("router.toml", r"tick = 0.01", "tick = 0", "tick: Input should be greater than 0"),
        ("router.toml", r'symbol = "BTC/USDT"', 'symbol = "BTCUSDT"', "must be BASE/QUOTE"),
        ("router.toml", r"\[router\]", "[router", "router.toml: "),
        ("clients.cfg", r"TargetCompID=OMS42B", "TargetCompID=OMS42", "two sessions on one CompID pair: FIX.4.2:ROUTER->OMS42"),
        ("clients.cfg", r"DataDictionary=../dictionaries/FIX42.xml", "DataDictionary=none.xml", "DataDictionary: no such file: none.xml"),
        ("clients.cfg", r"\[SESSION\]\nBeginString=FIX.4.4", "[SESION]\nBeginString=FIX.4.4", "unknown section [SESION]"),
        ("clients.cfg", r"SocketAcceptPort=19876", "SocketAcceptPort", "neither [DEFAULT], [SESSION] nor key=value"),
        ("clients.cfg", r"SocketAcceptPort=19876", "SocketAcceptPort=9876", "front_door.port: 9876 is SocketAcceptPort"),
        (
            "router.toml",
            r"port = 9876",
            'port = 9876\ntls = { certificate = "no.pem", key = "no.key" }',
            "front_door.tls.certificate: no such file",
        ),
        ("router.toml", OMS42, r'\1username = "u"' + "\n", "username and password_hash go together"),
        (
            "router.toml",
            r'(session = "FIX.4.2:ROUTER->OMS42"\n)',
            r'\1username = "u"\npassword_hash = "secret"' + "\n",
            "not an argon2 hash",
        ),
        ("router.toml", OMS42, r'\1day_ends_utc = "25:00"' + "\n", "day_ends_utc"),
        ("router.toml", OMS42, r'\1rules = [{ set = { "49" = "X" } }]' + "\n", "clients[0].rules[0]"),
        (
            "router.toml",
            r'(session = "FIX.4.4:ROUTER->DROP"\n)',
            r'\1sessions = ["nobody"]' + "\n",
            "drop_copies[0]: sessions: there is no client nobody",
        ),
        ("router.toml", r'rest_url = "http://127.0.0.1:9102/ac/v2/GBBO"\n', "", "rest_url and stream_url go together"),
        ("clients.cfg", r"UseDataDictionary=Y", "UseDataDictionary=N", "UseDataDictionary must be Y"),
        ("apifiny.cfg", r"SenderCompID=STA-00000001", "SenderCompID=STA-00000002", "no account uses it"),
        ("apifiny.cfg", r"\[SESSION\]", "[SESSION]\nPassword=x", "Password must not stand here"),
        ("apifiny.cfg", r"ConnectionType=initiator", "ConnectionType=acceptor", "ConnectionType must be initiator"),
    ],
)
def test_each_fault_is_found_and_named(demo: Path, name: str, pattern: str, text: str, said: str) -> None:
    """File and key, in words an operator can act on."""
    spoil(demo, name, pattern, text)
    found = lines(demo)
    assert [line for line in found if said in line and str(demo) in line], found


def test_all_faults_come_at_once(demo: Path) -> None:
    """Nobody wants to be told them one by one."""
    spoil(demo, "router.toml", r"answer_timeout_s = 5", "answer = 5")
    spoil(demo, "router.toml", r'level = "info"', 'level = "loud"')
    assert len(lines(demo)) == 2


def test_secrets_come_from_environment_or_file_and_never_show(tmp_path: Path, request: pytest.FixtureRequest) -> None:
    """Printing the settings or a secret prints stars."""
    (tmp_path / "s").write_text("hunter2\n")
    os.environ["A_SECRET_OF_THE_TEST"] = "hunter3"
    request.addfinalizer(lambda: os.environ.pop("A_SECRET_OF_THE_TEST"))
    for source, value in ((SecretSource(file=Path("s")), "hunter2"), (SecretSource(env="A_SECRET_OF_THE_TEST"), "hunter3")):
        secret = source.read(tmp_path)
        assert secret.get_secret_value() == value
        assert value not in f"{secret!r} {secret} {source!r}"
    (tmp_path / "s").write_text("")
    with pytest.raises(Fault, match="it is empty"):
        SecretSource(file=Path("s")).read(tmp_path)
