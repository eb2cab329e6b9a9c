"""The command line. Commands are imported only when they are called, so that `--help` answers at once."""

from __future__ import annotations

from twinbook.cli.group import main

__all__ = ["main"]
