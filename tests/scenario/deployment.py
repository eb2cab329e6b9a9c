"""Deploying packages/salesforce into the sandbox, as docs/install-salesforce.md says."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from twinbook_sandbox.client import SandboxClient

PACKAGE = Path(__file__).parents[2] / "packages" / "salesforce"
BASE = PACKAGE / "force-app"


def permission_set(name: str) -> str:
    """The file of one permission set."""
    [path] = PACKAGE.glob(f"**/permissionsets/{name}.permissionset-meta.xml")
    return path.read_text()


def channel_members(root: Path) -> list[str]:
    return [path.read_text() for path in root.glob("**/*.platformEventChannelMember-meta.xml")]


async def deploy(org: SandboxClient, *permission_sets: str, options: Sequence[str] = ()) -> None:
    """The change events of the package and of these options, and these sets for the integration user."""
    for entity in (await org.act("event_stats"))["enabled"]:
        await org.act("disable_entity", entity=entity)
    roots = (BASE, *(PACKAGE / "options" / name for name in options))
    members = [text for root in roots for text in channel_members(root)]
    await org.act("deploy_channel_members", metadata=members)
    await assign(org, *map(permission_set, permission_sets))


async def assign(org: SandboxClient, *texts: str) -> None:
    await org.act("assign_permission_sets", metadata=texts)
