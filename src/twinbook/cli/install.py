"""`install`: from nothing to a connection that `doctor` accepts, and new keys before the old ones end."""

from __future__ import annotations

import asyncio
import os
import secrets
from datetime import UTC, datetime
from pathlib import Path

import click

from twinbook.cli.context import json_option, print_json
from twinbook.cli.exits import Exit, Problem
from twinbook.cli.terminal import say
from twinbook.install import Draft, Guide, State, Step, System, examine, guide_of
from twinbook.install.keys import ensure_key
from twinbook.install.rotation import CannotRotateError, rotate

MARKS = {State.DONE: ("✓", "green"), State.TO_DO: ("○", None), State.BROKEN: ("✗", "red")}

force_option = click.option("--force", is_flag=True, help="Make a new key although there is one.")
rotate_option = click.option(
    "--rotate", is_flag=True, help="Replace the key: make the next one, try it out, switch to it."
)


@click.group()
def install() -> None:
    """Set up one of the systems, step by step: what can be done is done, the rest is told and checked.

    Run it again after each step, or whenever you like: it says what is done and what is next. Exit code 1 while
    something is left to do.
    """


@install.command()
@click.option("--login-url", help="My Domain address of the org.")
@click.option("--username", help="User name of the integration user.")
@click.option("--client-id", help="Consumer key of the external client app.")
@force_option
@rotate_option
@json_option
@click.pass_context
def salesforce(ctx: click.Context, /, force: bool, rotate: bool, as_json: bool, **values: str | None) -> None:
    """The Salesforce org: key, package, user, app, permissions, change events."""
    _install(ctx, _draft(ctx), System.SALESFORCE, values, force=force, rotating=rotate, as_json=as_json)


@install.command()
@click.option("--account-id", help="Account id of NetSuite.")
@click.option("--client-id", help="Client id of the integration record.")
@click.option("--certificate-id", help="Certificate id shown by the M2M setup.")
@click.option(
    "--ping", is_flag=True, help="Make a secret with which scripts in NetSuite may tell of changes."
)
@force_option
@rotate_option
@json_option
@click.pass_context
def netsuite(
    ctx: click.Context, /, ping: bool, force: bool, rotate: bool, as_json: bool, **values: str | None
) -> None:
    """The NetSuite account: key, features, role, integration record, certificate."""
    draft = _draft(ctx)
    if ping:
        draft.enter_ping_secret(secrets.token_urlsafe(32))
    _install(ctx, draft, System.NETSUITE, values, force=force, rotating=rotate, as_json=as_json)


def _install(
    ctx: click.Context,
    draft: Draft,
    system: System,
    values: dict[str, str | None],
    *,
    force: bool,
    rotating: bool,
    as_json: bool,
) -> None:
    given = {key: value for key, value in values.items() if value is not None}
    now = datetime.now(UTC)
    try:
        if rotating:
            guide = asyncio.run(rotate(draft, system, certificate_id=given.get("certificate_id"), now=now))
        else:
            draft.enter(system, given)
            key = ensure_key(draft, system, now=now, replace=force)
            guide = asyncio.run(_guide(draft, system, key, now))
    except (CannotRotateError, OSError, ValueError) as error:
        raise Problem(str(error), Exit.USAGE) from None
    draft.file.save()
    _show(guide, draft, as_json=as_json)
    if guide.next is not None:
        ctx.exit(int(Exit.FOUND))


async def _guide(draft: Draft, system: System, key: Step, now: datetime) -> Guide:
    settings = draft.settings(system)
    checks = [check async for check in examine(settings, system, now=now)] if settings else []
    return guide_of(draft, system, key, checks)


def _draft(ctx: click.Context) -> Draft:
    root = ctx.find_root().obj
    path: Path = root["config"]
    try:
        return Draft.open(path, root["connection"], os.environ)
    except ValueError as error:
        raise Problem(f"With --connection, {error}.", Exit.USAGE) from None


def _show(guide: Guide, draft: Draft, *, as_json: bool) -> None:
    if as_json:
        print_json({"guide": guide, "next": guide.next.code if guide.next else None})
        return
    say(f"{guide.system.label}, connection {guide.connection}, in {draft.file.path}", bold=True)
    for number, step in enumerate(guide.steps, start=1):
        mark, colour = MARKS[step.state]
        mark = "→" if step == guide.next and step.state is State.TO_DO else mark
        say(f"{mark} {number} {step.title:<48}", fg=colour, nl=False)
        say(step.detail)
        for line in (*step.instructions, *step.commands):
            say(f"      {line}")
        if step.asks is not None and step.state is not State.DONE:
            option = step.asks.key.replace("_", "-")
            say(f"      Enter it: twinbook install {guide.system} --{option} {step.asks.example}")
    if guide.next is None:
        say("All done. Next: twinbook doctor")
    else:
        say(f"Next: {guide.next.title}. Then run this again.")
