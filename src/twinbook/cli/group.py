"""The top of the command line: which commands there are, and what every one of them shares."""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Sequence
from pathlib import Path

import click

# Command → the module that holds it. The help of the top level comes from here, so that it needs no import.
COMMANDS = {
    "demo": (
        "twinbook.cli.demo",
        "Watch contacts travel between an emulated Salesforce org and NetSuite account.",
    ),
    "sandbox": ("twinbook_sandbox.command", "Start the emulated Salesforce org and NetSuite account."),
    "init": ("twinbook.cli.init", "Write a commented settings file."),
    "install": (
        "twinbook.cli.install",
        "Set up Salesforce or NetSuite step by step; replace keys before they end.",
    ),
    "settings": (
        "twinbook.cli.settings",
        "Compare the settings of two connections, and promote those of one.",
    ),
    "doctor": ("twinbook.cli.doctor", "Check logins, permissions, fields and limits, and say what to do."),
    "run": ("twinbook.cli.run", "Keep Salesforce and NetSuite in step until stopped."),
    "worker": ("twinbook.cli.worker", "Work beside other processes over one PostgreSQL database."),
    "web": ("twinbook.cli.web", "Serve the dashboard and the API alone."),
    "store": ("twinbook.cli.store", "Move the store to a PostgreSQL database, or back."),
    "status": ("twinbook.cli.status", "Show what is running, waiting and wrong."),
    "plan": ("twinbook.cli.plan", "Dry run: what would happen to every account and contact."),
    "match": ("twinbook.cli.match", "Before go-live: whom a first sync would pair, and deciding it."),
    "adopt": ("twinbook.cli.adopt", "Take over the links of another product."),
    "backfill": ("twinbook.cli.backfill", "Look at all contacts once, for a first sync; resumable."),
    "sweep": ("twinbook.cli.sweep", "Compare both systems from end to end, and put right what differs."),
    "drift": ("twinbook.cli.drift", "What sweeps found out of step, and having it put right."),
    "explain": ("twinbook.cli.explain", "Why a contact is, or is not, in NetSuite."),
    "push": ("twinbook.cli.control", "Look at one contact or account at once."),
    "pause": ("twinbook.cli.control", "Stop writing; changes are still taken in."),
    "resume": ("twinbook.cli.control", "Go on after a pause or a safety stop, and work off what waited."),
    "choose": ("twinbook.cli.choose", "List what waits for a person, and decide it."),
    "errors": ("twinbook.cli.errors", "List, show and retry what went wrong."),
    "backup": ("twinbook.cli.backup", "Copy the store into a file, also while it is worked on."),
    "restore": ("twinbook.cli.backup", "Put a backup in the place of the store."),
    "erase": ("twinbook.cli.erase", "Erase one person's data from the store."),
    "undo": ("twinbook.cli.undo", "Give back what Twinbook has overwritten."),
    "rebuild": ("twinbook.cli.rebuild", "Make the link table again from the ids in both systems."),
}


class LazyGroup(click.Group):
    """Finds a command's module when the command is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        if cmd_name not in COMMANDS:
            return None
        command = getattr(importlib.import_module(COMMANDS[cmd_name][0]), cmd_name)
        return command if isinstance(command, click.Command) else None

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in COMMANDS.items()])


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--config",
    "-c",
    type=click.Path(path_type=Path, dir_okay=False),
    default=Path("twinbook.toml"),
    show_default=True,
    envvar="TWINBOOK_CONFIG",
    help="The settings file.",
)
@click.option(
    "--connection", "-n", help="The connection to work on; needed only where the file names several."
)
@click.version_option(package_name="twinbook")
@click.pass_context
def twinbook(ctx: click.Context, config: Path, connection: str | None) -> None:
    """Keeps Salesforce contacts and NetSuite contacts in step, in real time, and says why."""
    ctx.obj = {"config": config, "connection": connection}
    # gRPC's core writes to stderr on its own; what went wrong is told by the commands.
    os.environ.setdefault("GRPC_VERBOSITY", "NONE")


def refuse_unreadable(words: Sequence[str]) -> None:
    """Raises `Problem` for a word whose bytes were no text in the terminal's encoding: no record can hold it."""
    for word in words:
        if not word.isascii() and any("\ud800" <= character <= "\udfff" for character in word):
            from twinbook.cli.exits import Exit, Problem

            raise Problem(
                f"{word} is no text in UTF-8. Type it anew, or copy it from the record.", Exit.USAGE
            )


def main() -> None:
    """The entry point. Whatever a user can cause ends in one message on stderr and a documented exit code."""
    try:
        refuse_unreadable(sys.argv[1:])
        twinbook()
    except Exception as error:
        from twinbook.cli.exits import explained, fault

        problem = explained(error) or fault(error)
        problem.show()
        raise SystemExit(problem.exit_code) from None
