"""A run by hand, guided by coverage: `python -m tests.fuzz.guided TARGET --seconds N [--corpus FOLDER]`.

Needs the extra `fuzz` (atheris). The suite plays a few hundred tapes; this plays as many as there is time for, and keeps those that reach
new code. It ends at the first fault, with the tape in a file `crash-…`; `--tape FILE` plays that one again, and needs no atheris."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path
from random import Random
from tempfile import mkdtemp
from typing import Any

TARGETS = ("phemex", "primebit", "moonbase", "cryptocom", "apifiny", "apifiny-witness", "client", "fix-venue", "door", "journal")


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz.guided", description=__doc__)
    parser.add_argument("target", choices=TARGETS)
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--corpus", type=Path, help="tapes that reached something new, kept from run to run")
    parser.add_argument("--tape", type=Path, help="play this one and nothing else")
    wanted = parser.parse_args()
    if wanted.tape is not None:
        found(wanted.target)(wanted.tape.read_bytes())
        return
    try:
        import atheris
    except ImportError:
        sys.exit("atheris is not installed: pip install -e '.[fuzz]'")
    with atheris.instrument_imports(include=["bridges", "fix", "router"]):
        target = found(wanted.target)
    corpus = wanted.corpus or Path(mkdtemp(prefix="fuzz-"))
    corpus.mkdir(parents=True, exist_ok=True)
    for number in range(20):  # to begin with; short tapes reach little
        (corpus / f"seed-{number}").write_bytes(Random(number).randbytes(300))
    options = [
        f"-max_total_time={wanted.seconds}",
        "-max_len=2000",
        "-len_control=0",
        "-timeout=30",
        "-rss_limit_mb=2000",
        f"-artifact_prefix={corpus}/",
    ]
    atheris.Setup([sys.argv[0], *options, str(corpus)], target)
    atheris.Fuzz()


def found(name: str) -> Callable[[bytes], Any]:
    """What plays a tape against a target."""
    if name == "journal":
        from tests.fuzz.test_journal import read_damaged

        return read_damaged
    if name in ("client", "fix-venue", "door"):
        from tests.fuzz import test_fix

        return {"client": test_fix.client_plays, "fix-venue": test_fix.venue_speaks, "door": test_fix.door_reads}[name]
    from tests.fuzz.venues import by_name
    from tests.fuzz.world import play

    def target(tape: bytes) -> None:
        play(by_name(name), tape)

    return target


if __name__ == "__main__":
    main()
