"""The command that starts the sandbox; `twinbook sandbox` and `python -m twinbook_sandbox`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from twinbook_sandbox.launch import SandboxOptions

PORT = click.IntRange(0, 65535)
SIZE = click.IntRange(0, 1_000_000)


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option(
    "--salesforce-port",
    type=PORT,
    default=8701,
    show_default=True,
    help="Port of the Salesforce org; 0: any.",
)
@click.option(
    "--pubsub-port", type=PORT, default=8702, show_default=True, help="Port of its Pub/Sub API; 0: any."
)
@click.option(
    "--netsuite-port",
    type=PORT,
    default=8703,
    show_default=True,
    help="Port of the NetSuite account; 0: any.",
)
@click.option("--seed", type=int, default=1, show_default=True, help="The same seed gives the same data.")
@click.option(
    "--accounts", type=SIZE, default=200, show_default=True, help="Accounts of the data set; 0: no data."
)
@click.option("--contacts", type=SIZE, default=2000, show_default=True, help="Contacts of the data set.")
@click.option(
    "--state",
    type=click.Path(file_okay=False, path_type=Path),
    help="Directory that keeps data and credentials over restarts. Without it all is in memory.",
)
@click.option(
    "--netsuite-project",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Folder of an SDF project to deploy in the NetSuite account: its fields, RESTlets and user events.",
)
@click.option("--tls", is_flag=True, help="https and gRPC over TLS, with a self-signed certificate.")
@click.option(
    "--latency-ms",
    type=click.FloatRange(0, 600_000),
    default=0.0,
    show_default=True,
    help="Time that each call of the two HTTP APIs takes.",
)
@click.option(
    "--json", "as_json", is_flag=True, help="At readiness print one line of JSON, and nothing else."
)
def sandbox(as_json: bool, **options: Any) -> None:
    """Run an emulated Salesforce org and NetSuite account on this machine.

    They speak the real protocols and hold invented people. Stop them with Ctrl+C.
    """
    import asyncio

    from twinbook_sandbox.launch import SandboxOptions

    if options["contacts"] and not options["accounts"]:
        options["contacts"] = 0
    try:
        asyncio.run(_serve(SandboxOptions(**options), as_json))
    except OSError as error:
        reason = (
            f"The sandbox cannot listen: {error}. Free the port, or choose others (0 lets the system choose)."
        )
        raise click.ClickException(reason) from error


async def _serve(options: SandboxOptions, as_json: bool) -> None:
    from twinbook_sandbox.core.server import until_signal
    from twinbook_sandbox.launch import Sandbox

    async with Sandbox(options) as running:
        if as_json:
            _print_json(running.describe())
        else:
            _print_text(running.describe())
        await until_signal()


def _print_json(description: dict[str, Any]) -> None:
    import orjson

    sys.stdout.write(orjson.dumps(description).decode() + "\n")
    sys.stdout.flush()


def _print_text(description: dict[str, Any]) -> None:
    from rich.console import Console
    from rich.table import Table

    salesforce, netsuite = description["salesforce"], description["netsuite"]
    table = Table(show_header=False, box=None, padding=(0, 2))
    table.add_row("Salesforce records", salesforce["pages_url"])
    table.add_row("NetSuite records", netsuite["pages_url"])
    table.add_row("Salesforce API", salesforce["base_url"])
    table.add_row(
        "Pub/Sub API", f"{description['pubsub']['endpoint']}{' (TLS)' if description['tls'] else ''}"
    )
    table.add_row("NetSuite API", netsuite["base_url"])
    table.add_row("Control planes", f"{salesforce['control_url']}  {netsuite['control_url']}")
    if description["certificate"]:
        table.add_row("Certificate", description["certificate"])
    console = Console()
    console.print("[bold]The sandbox is ready.[/bold] Stop it with Ctrl+C.\n")
    console.print(table)
    console.print(f"\nCredentials: {salesforce['control_url']}/describe")
