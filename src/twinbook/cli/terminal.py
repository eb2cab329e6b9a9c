"""What commands print. Texts come from records that anybody may have filled in, so nothing in them reaches a terminal
as a command: control characters, which move the cursor, retitle the window or fill the clipboard, and marks that turn
the direction of writing around, are shown as what they are.

`--json` answers are for programs and are left as they are; JSON writes control characters as escapes anyway.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from rich.console import Console

# C0 and C1 controls but for tab and line feed, line and paragraph separators, direction marks, lone surrogates.
_UNSAFE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")


def visible(text: str) -> str:
    """The text as it is safe to show: `\\x1b`, `\\u202e` and their like are spelled out."""
    return _UNSAFE.sub(lambda found: _spelled(found.group()), text)


def say(
    text: str = "", *, bold: bool = False, fg: str | None = None, nl: bool = True, err: bool = False
) -> None:
    """Print a line, or with `nl=False` the beginning of one."""
    click.secho(visible(text), bold=bold or None, fg=fg, nl=nl, err=err)


def console() -> Console:
    """For tables, whose cells are texts and not markup. Give it cells that are `visible`."""
    from rich.console import Console

    return Console(markup=False, emoji=False, highlight=False)


def _spelled(character: str) -> str:
    code = ord(character)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"
