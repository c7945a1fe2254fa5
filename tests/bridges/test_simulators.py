"""The simulators' settings file, and starting them by name."""

import re
from decimal import Decimal
from pathlib import Path

import pytest
from pydantic import ValidationError

from bridges import simulators

DEMO = Path(__file__).parents[2] / "config" / "demo" / "simulators.toml"


def written(folder: Path, change=lambda text: text, secret: str = "x" * 40) -> Path:
    """The demo's file, changed, in a folder of its own; on ports that are free."""
    path = folder / "simulators.toml"
    text = re.sub(r"(?m)^(control_port|port) = \d+", r"\1 = 0", DEMO.read_text())
    path.write_text(change(text))
    for each in DEMO.parent.glob("*.secret"):
        (folder / each.name).write_text(secret)
    return path


def test_the_demo_is_as_the_interfaces_say():
    """Ports, account, books with at least 20 levels, amounts exact, a secret long enough for HS256 and not shown."""
    settings = simulators.load(DEMO).apifiny
    assert settings.control_port == 9102
    assert [(each.port, each.venues) for each in settings.endpoints] == [(9101, ("BINANCE", "COINBASEPRO", "GBBO"))]
    (account,) = settings.accounts
    assert (account.account_id, account.key_id) == ("STA-00000001", "demo-key")
    assert len(account.secret.get_secret_value()) >= 32
    assert account.secret.get_secret_value() not in repr(settings)
    best = {
        (venue, each.symbol): (each.seed.bid, each.seed.ask)
        for each in settings.instruments
        for venue in each.venues
        if each.seed is not None and each.seed.levels >= 20
    }
    btc, eth = (Decimal(64990), Decimal(65010)), (Decimal(3499), Decimal(3501))
    assert best == {
        ("BINANCE", "BTCUSDT"): btc,
        ("BINANCE", "ETHUSDT"): eth,
        ("GBBO", "BTCUSDT"): btc,
        ("GBBO", "ETHUSDT"): eth,
        ("COINBASEPRO", "BTCUSD"): btc,
        ("COINBASEPRO", "ETHUSD"): eth,
    }
    assert {str(each.tick_size) for each in settings.instruments} == {"0.01"}


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("control_port", "contrl_port", "contrl_port"),
        ("tick_size = 0.01", "tick_size = 0", "tick_size"),
        ("levels = 40", "levels = 0", "levels"),
        ("bid = 64990", "bid = 65990", "crossed"),
        ('"BINANCE", "COINBASEPRO"', '"BINANCE", "BINANCE"', "exactly one endpoint"),
        ('secret_file = "apifiny.secret"', 'secret = "in the open"', "secret_file"),
        ('secret_file = "apifiny.secret"', 'secret_file = "gone"', "accounts[0].secret_file"),
        ("[apifiny]", "[apifiny]\nx = ", ""),
    ],
)
def test_a_fault_in_the_file_is_a_value_error_naming_the_key(tmp_path, old, new, words):
    """Nothing is guessed and nothing unknown is passed over."""
    path = written(tmp_path, lambda text: text.replace(old, new))
    with pytest.raises(ValueError) as caught:  # noqa: PT011
        simulators.load(path)
    assert words in str(caught.value)
    assert "in the open" not in str(caught.value)


def test_a_secret_is_the_text_of_its_file_without_the_line_end(tmp_path):
    """As an editor leaves it."""
    settings = simulators.load(written(tmp_path, secret="s" * 40 + "\n"))
    assert settings.apifiny.accounts[0].secret.get_secret_value() == "s" * 40


def test_settings_do_not_change(tmp_path):
    """Frozen all the way."""
    settings = simulators.load(written(tmp_path))
    with pytest.raises(ValidationError):
        settings.apifiny.control_port = 1


def test_names_are_case_insensitive_and_all_is_everyone():
    """Each once, in the order of VENUES."""
    assert simulators.chosen(["APIFINY", "apifiny"]) == ["apifiny"]
    assert simulators.chosen(["All"]) == list(simulators.VENUES)
    with pytest.raises(ValueError, match="nowhere"):
        simulators.chosen(["nowhere", "apifiny"])
    with pytest.raises(ValueError, match="no simulator"):
        simulators.chosen([])


async def test_serve_starts_by_name_and_the_stack_ends_them(tmp_path):
    """Twice in a row: nothing is left of the first."""
    settings = simulators.load(written(tmp_path))
    for _ in range(2):
        stack = await simulators.serve(["Apifiny"], settings)
        await stack.aclose()
