"""`init`: write a commented settings file, empty to be filled in, or complete for a running sandbox."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import click

from twinbook.cli.exits import Exit, Problem
from twinbook.cli.terminal import say
from twinbook.settings import json_schema, render_commented
from twinbook.settings.sandbox import from_sandbox

TIMEOUT = 30.0


@click.command()
@click.option(
    "--sandbox", metavar="URL", help="Fill it in for a running `twinbook sandbox`, by either base URL."
)
@click.option("--force", is_flag=True, help="Replace a file that is there.")
@click.option("--schema", is_flag=True, help="Print the JSON schema of the file instead, for editors.")
@click.pass_context
def init(ctx: click.Context, sandbox: str | None, force: bool, schema: bool) -> None:
    """Write a settings file in which every setting stands with its default and its reason.

    It goes where --config says (twinbook.toml). Exit code 2 when a file is there already.
    """
    if schema:
        click.echo(json_schema())
        return
    path: Path = ctx.find_root().obj["config"]
    if path.exists() and not force:
        raise Problem(f"{path} is there already. Give --force to replace it.", Exit.USAGE)
    path.parent.mkdir(parents=True, exist_ok=True)
    if sandbox is None:
        path.write_text(render_commented({}), encoding="utf-8")
        say(f"Wrote {path}. Fill in the lines without a value, then run `twinbook doctor`.")
        return
    written = from_sandbox(asyncio.run(_describe(sandbox)), path.parent, name=path.name)
    say(f"Wrote {', '.join(str(item) for item in written)}. Next: `twinbook doctor`, then `twinbook run`.")


async def _describe(url: str) -> dict[str, Any]:
    import aiohttp

    address = url.rstrip("/").removesuffix("/_sandbox") + "/_sandbox/describe"
    try:
        async with (
            # The certificate of a sandbox signs itself, and is what this answer tells.
            aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=False)) as session,
            session.get(address, timeout=aiohttp.ClientTimeout(total=TIMEOUT)) as answer,
        ):
            described = await answer.json(content_type=None)
    except (aiohttp.ClientError, TimeoutError, ValueError) as error:
        raise Problem(
            f"There is no sandbox at {url} ({type(error).__name__}). Start one with `twinbook sandbox`.",
            Exit.SYSTEM,
        ) from None
    if not isinstance(described, dict):
        raise Problem(f"{address} did not answer as a sandbox does.", Exit.SYSTEM)
    return described
