"""`settings`: two connections side by side, and carrying what was tried out in one over to the other."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from twinbook.cli.context import json_option, print_json
from twinbook.cli.exits import Exit, Problem
from twinbook.cli.terminal import say
from twinbook.settings.editing import SettingsFile
from twinbook.settings.promotion import CONNECTIONS, Difference, differences, promote
from twinbook.settings.rendering import literal


@click.group()
def settings() -> None:
    """Compare the settings of two connections, and promote those of one to the other."""


@settings.command()
@click.argument("source")
@click.argument("target")
@json_option
@click.pass_context
def diff(ctx: click.Context, source: str, target: str, as_json: bool) -> None:
    """How the settings of the connection TARGET differ from those of SOURCE.

    Addresses, logins, keys and secrets belong to each connection and are left out. Exit code 1 when there is a
    difference.
    """
    file = _open(ctx, source, target)
    found = differences(file, source, target)
    _show(found, target, as_json=as_json)
    if found:
        ctx.exit(int(Exit.FOUND))


@settings.command("promote")
@click.option("--from", "source", required=True, help="The connection whose settings are taken.")
@click.option("--to", "target", required=True, help="The connection that gets them.")
@click.option("--yes", is_flag=True, help="Write the file. Without it, only the difference is shown.")
@json_option
@click.pass_context
def promote_command(ctx: click.Context, source: str, target: str, yes: bool, as_json: bool) -> None:
    """Carry the settings of one connection over to another, in the settings file, and show each change.

    Addresses, logins, keys and secrets stay. The result is checked before anything is written; comments stay. Without
    --yes nothing is written, and the exit code is 1 when something would be.
    """
    file = _open(ctx, source, target)
    changed = promote(file, source, target)
    file.settings(os.environ)
    _show(changed, target, as_json=as_json)
    if not changed:
        return
    if not yes:
        if not as_json:
            say(f"Nothing was written. To write this to {file.path}, add --yes.")
        ctx.exit(int(Exit.FOUND))
    file.save()
    if not as_json:
        say(f"Wrote {file.path}. Next: twinbook -n {target} doctor, then restart twinbook run.")


def _open(ctx: click.Context, *connections: str) -> SettingsFile:
    path: Path = ctx.find_root().obj["config"]
    file = SettingsFile.open(path)
    known = list(file.settings(os.environ).connections)
    for name in connections:
        if name not in known:
            problem = f"There is no connection {name} in {path}. There are: {', '.join(known)}."
            raise Problem(problem, Exit.USAGE)
        if not isinstance(file.get((CONNECTIONS, name)), Mapping):
            raise Problem(f"The connection {name} is not in {path} but in the environment.", Exit.USAGE)
    return file


def _show(found: Sequence[Difference], target: str, *, as_json: bool) -> None:
    if as_json:
        print_json(
            [{"key": ".".join(item.place), "source": item.source, "target": item.target} for item in found]
        )
        return
    if not found:
        say("No difference.")
    for item in found:
        say(f"{target}.{'.'.join(item.place)}", bold=True)
        for mark, colour, value in (("-", "red", item.target), ("+", "green", item.source)):
            for line in _lines(value):
                say(f"  {mark} {line}", fg=colour)
        if item.names_internal_ids:
            say(
                "    names NetSuite records by internal id: check that they are the same ones in this account"
            )


def _lines(value: Any) -> list[str]:
    """A value as the file would say it; rows one a line."""
    if value is None:
        return ["(default)"]
    if isinstance(value, list) and value and all(isinstance(row, Mapping) for row in value):
        return [literal(row) for row in value]
    return [literal(value)]
