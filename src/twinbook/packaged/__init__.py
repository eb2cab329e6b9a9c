"""Where the packages for Salesforce and NetSuite are on this machine.

In a checkout they stand in `packages/`; a wheel carries them inside this package, so that whoever installed Twinbook
can deploy them, and the demo finds them.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from pathlib import Path

_INSTALLED = Path(__file__).parent
_CHECKOUT = Path(__file__).parents[3] / "packages"
# What developers of the packages need, and nobody who deploys them.
_LEFT_OUT = frozenset(
    {"node_modules", "__tests__", "package.json", "package-lock.json", "jest.config.js", "check.mjs"}
)


def folder(name: str) -> Path:
    """The folder of the package for a system (`salesforce`, `netsuite`). Raises `FileNotFoundError` if it is lost."""
    for place in (_INSTALLED, _CHECKOUT):
        if (place / name).is_dir():
            return place / name
    raise FileNotFoundError(
        f"the package for {name} is missing from this installation; install Twinbook again"
    )


def archive(name: str) -> bytes:
    """What there is to deploy of the package for a system, as a zip file. Raises `FileNotFoundError` if it is lost."""
    root, made = folder(name), io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archived:
        for path in _deployed(root):
            # A fixed time: the same package is the same file.
            place = zipfile.ZipInfo(
                f"twinbook-{name}/{path.relative_to(root).as_posix()}", (2026, 1, 1, 0, 0, 0)
            )
            archived.writestr(place, path.read_bytes(), zipfile.ZIP_DEFLATED)
    return made.getvalue()


def _deployed(root: Path) -> Iterator[Path]:
    for path in sorted(root.rglob("*")):
        parts = path.relative_to(root).parts
        if path.is_file() and not any(part in _LEFT_OUT or part.startswith(".") for part in parts):
            yield path
