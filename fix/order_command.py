"""`fixrouter order`: a small FIX client as a command. Exit codes: 0 done, 1 the router said no, 2 wrong use, 3 it cannot be reached."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path
from typing import Any, Final, NoReturn

import click

from fix import tags as t
from fix.oms import Oms, Ticket
from fix.sessions import SessionFile
from router.settings import Fault, load
from router.terminal import amount, config_option, leave
from router.words import Side, TimeInForce

__all__ = ["order"]

_TIMES: Final = {"gtc": TimeInForce.GTC, "ioc": TimeInForce.IOC, "fok": TimeInForce.FOK, "day": TimeInForce.DAY}


@click.command()
@click.argument("side", type=click.Choice(["buy", "sell"], case_sensitive=False))
@click.argument("qty")
@click.argument("symbol")
@click.option("--price", help="Limit price; without it, a market order.")
@click.option("--to", "destination", help="Destination, e.g. BINANCE; without it, the routes decide.")
@click.option("--tif", type=click.Choice(sorted(_TIMES), case_sensitive=False), help="Time in force.")
@click.option("--post-only", is_flag=True, help="Only ever add liquidity.")
@click.option("--cash", is_flag=True, help="QTY is an amount of quote currency, for a market buy.")
@click.option("--cancel-after", type=float, metavar="S", help="Send a cancel after so many seconds.")
@click.option("--session", default="FIX.4.2:ROUTER->OMS42B", show_default=True, help="The client session to use.")
@click.option("--host", default="127.0.0.1", show_default=True)
@config_option
def order(
    side: str, qty: str, symbol: str, price: str | None, destination: str | None, tif: str | None, post_only: bool, cash: bool,
    cancel_after: float | None, session: str, host: str, path: Path,
) -> None:  # fmt: skip
    """A small FIX client: send one order to the running router and print its reports until it is done."""
    try:
        settings = load(path)
    except Fault as fault:
        leave(2, *fault.lines)
    ticket = Ticket(
        Side(side.lower()), amount("QTY", qty), symbol, None if price is None else amount("--price", price), destination,
        None if tif is None else _TIMES[tif.lower()], post_only, cash,
    )  # fmt: skip
    try:
        clients = SessionFile.read(path.parent / settings.fix.clients)
        port = settings.front_door.port if settings.front_door is not None else int(clients.default.get("SocketAcceptPort", 0))
        oms = Oms(session, clients, host, port, settings.router.state / "order-client")
    except KeyError:
        leave(2, f"there is no session {session} in {settings.fix.clients}: {', '.join(clients.keys())}")
    if not oms.log_on(within_s=6):
        leave(3, f"cannot reach the router as {session}: {oms.refused or 'no answer'}")
    _exit_with(oms, _follow(oms, oms.order(ticket), ticket, cancel_after))


def _follow(oms: Oms, cl_ord_id: str, ticket: Ticket, cancel_after: float | None) -> int:
    """Print what comes until the order is done. Returns the exit code."""
    cancel_at = None if cancel_after is None else time.monotonic() + cancel_after
    may_rest = ticket.price is not None and ticket.time_in_force not in (TimeInForce.IOC, TimeInForce.FOK)
    try:
        while True:
            message = oms.next(3600 if cancel_at is None else cancel_at - time.monotonic())
            if message is None:
                if cancel_at is not None:
                    oms.cancel(cl_ord_id, ticket)
                    cancel_at = None
                continue
            about_us = cl_ord_id in (message.get(t.CL_ORD_ID), message.get(t.ORIG_CL_ORD_ID)) or message[t.MSG_TYPE] in "3j"
            if not about_us:
                continue
            click.echo(_told(message))
            status = message.get(t.ORD_STATUS, "8")
            if status in ("2", "4", "C", "3"):
                return 0
            if status == "8":
                return 1
            if may_rest and status == "0" and cancel_at is None:
                may_rest = False
                click.echo("(resting; Ctrl-C leaves it there)")
    except KeyboardInterrupt:
        click.echo(f"\nleft open: ClOrdID {cl_ord_id}")
        return 0


def _told(message: Any) -> str:
    """A report in one line."""
    if message[t.MSG_TYPE] in "3j":
        return f"refused: {message.get(t.TEXT, '')} (tag {message.get('371', '-')})"
    statuses = {code: str(word) for word, code in t.ORD_STATUSES.items()}
    if message[t.MSG_TYPE] == "9":
        return f"cancel refused: {message.get(t.TEXT, '')}; the order is {statuses.get(message.get(t.ORD_STATUS, ''), '?')}"
    fill = f"  {message[t.LAST_SHARES]} @ {message[t.LAST_PX]}" if message.get(t.LAST_SHARES, "0") != "0" else ""
    text = f"  {message[t.TEXT]}" if t.TEXT in message else ""
    done = f"cum {message[t.CUM_QTY]}  leaves {message[t.LEAVES_QTY]}  avg {message[t.AVG_PX]}"
    return f"{statuses.get(message[t.ORD_STATUS], '?'):17}{done}{fill}  order {message[t.ORDER_ID]}{text}"


def _exit_with(oms: Oms, code: int) -> NoReturn:
    oms.log_out()
    sys.stdout.flush()
    os._exit(code)
