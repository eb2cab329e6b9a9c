"""`backup` and `restore`: a copy of the SQLite store, made while Twinbook works, and put back."""

from __future__ import annotations

from pathlib import Path

import click

from twinbook.cli.context import json_option, load_settings, print_json
from twinbook.cli.exits import Exit, Problem
from twinbook.cli.terminal import say
from twinbook.store import backup as copies
from twinbook.store.backup import UnusableBackupError

_file = click.argument("file", type=click.Path(path_type=Path, dir_okay=False))


@click.command()
@_file
@json_option
@click.pass_context
def backup(ctx: click.Context, file: Path, as_json: bool) -> None:
    """Copy the store into FILE, also while `twinbook run` works. The copy holds personal data, as the store does."""
    path = _store_path(ctx)
    if not path.exists():
        raise Problem(f"There is no store {path} yet.", Exit.USAGE)
    try:
        size = copies.backup(path, file)
    except FileExistsError:
        raise Problem(f"{file} exists. Name a new file.", Exit.USAGE) from None
    except OSError as problem:
        raise Problem(f"{file} cannot be written: {problem.strerror}.", Exit.USAGE) from None
    if as_json:
        print_json({"file": file, "bytes": size})
    else:
        say(f"{file}: {size / 1_000_000:,.1f} MB. It is whole: every page was checked.")


@click.command()
@_file
@json_option
@click.pass_context
def restore(ctx: click.Context, file: Path, as_json: bool) -> None:
    """Put a backup in the place of the store. Stop Twinbook first. The former store is kept beside it.

    What happened since the backup is not lost: run `twinbook backfill`, or wait for the next sweep.
    """
    path = _store_path(ctx)
    try:
        former = copies.restore(file, path)
    except UnusableBackupError as error:
        raise Problem(f"Nothing was changed: {error}.", Exit.USAGE) from None
    if as_json:
        print_json({"store": path, "former": former})
        return
    kept = f" The former one is {former}." if former else ""
    say(f"{path} is the backup now.{kept} Run `twinbook backfill` to look at what happened since.")


def _store_path(ctx: click.Context) -> Path:
    settings = load_settings(ctx)
    if settings.store.url is not None:
        raise Problem(
            "The store is a PostgreSQL database: use pg_dump and pg_restore, as docs/operations.md shows.",
            Exit.USAGE,
        )
    return settings.store.path
