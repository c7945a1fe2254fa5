"""`fixrouter token`: a token for an operator."""

from __future__ import annotations

import time
from pathlib import Path

import click

from router.admin.auth import Tokens, kept_secret
from router.admin.contract import Role
from router.settings import Fault, load
from router.terminal import config_option, leave

__all__ = ["SECRET_FILE", "TOKEN_FILE", "token"]

SECRET_FILE = "admin.secret"  # noqa: S105 - the file's name
TOKEN_FILE = "admin.token"  # noqa: S105
_DAY_S = 86_400


@click.command()
@click.argument("name")
@click.option("--role", type=click.Choice([each.value for each in Role]), default=Role.VIEW.value, show_default=True,
              help="view sees, trade acts on orders, admin on the router.")  # fmt: skip
@click.option("--days", type=click.IntRange(1, 366), default=30, show_default=True, help="How long it is good for.")
@config_option
def token(name: str, role: str, days: int, path: Path) -> None:
    """Print a token for the operator NAME; the admin API and its clients ask for it."""
    try:
        secret = kept_secret(load(path).router.state / SECRET_FILE)
        click.echo(Tokens(secret).make(name, Role(role), days * _DAY_S, int(time.time())))
    except Fault as fault:
        leave(2, *fault.lines)
    except (OSError, ValueError) as wrong:
        leave(2, str(wrong))
