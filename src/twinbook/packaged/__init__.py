"""Where the packages for Salesforce and NetSuite are on this machine.

In a checkout they stand in `packages/`; a wheel carries them inside this package, so that whoever installed Twinbook
can deploy them, and the demo finds them.
"""

from __future__ import annotations

from pathlib import Path

_INSTALLED = Path(__file__).parent
_CHECKOUT = Path(__file__).parents[3] / "packages"


def folder(name: str) -> Path:
    """The folder of the package for a system (`salesforce`, `netsuite`). Raises `FileNotFoundError` if it is lost."""
    for place in (_INSTALLED, _CHECKOUT):
        if (place / name).is_dir():
            return place / name
    raise FileNotFoundError(
        f"the package for {name} is missing from this installation; install Twinbook again"
    )
