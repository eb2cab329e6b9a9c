"""`demo`: the whole of Twinbook on a laptop, against an emulated Salesforce org and NetSuite account."""

from __future__ import annotations

import asyncio

import click

from twinbook.cli.exits import Exit


@click.command()
@click.option("--once", is_flag=True, help="Play the scenario by itself, check every result, and end.")
@click.option("--accounts", default=200, show_default=True, help="Size of the data set.")
@click.option("--contacts", default=2000, show_default=True, help="Size of the data set.")
@click.option(
    "--latency-ms", default=0, show_default=True, help="Let both systems take this long for a call."
)
@click.pass_context
def demo(ctx: click.Context, once: bool, accounts: int, contacts: int, latency_ms: int) -> None:
    """Watch contacts travel between an emulated Salesforce org and an emulated NetSuite account.

    The dashboard is served too, with a link that lets you in.
    Everything runs on this machine and ends with Ctrl-C; nothing is kept.
    """
    from twinbook.cli.demo.play import play_by_hand, play_once

    play = play_once if once else play_by_hand
    try:
        good = asyncio.run(play(accounts=accounts, contacts=contacts, latency_ms=latency_ms))
    except KeyboardInterrupt:
        good = True
    if not good:
        ctx.exit(int(Exit.FOUND))
