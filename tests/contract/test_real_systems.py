"""The switch for real systems, tried on a sandbox that plays one: it holds other people's records, which stay as they
are, and nothing of the run stays."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path
from typing import Any

import pytest
from tests.contract.real_systems import CONFIRMATION, SWITCH, real_org

from twinbook.settings.sandbox import from_sandbox
from twinbook_sandbox.launch import Sandbox, SandboxOptions

HERE = Path(__file__).parent
SOME = "real and (TestReadingAccounts or TestCreating)"


async def suite(directory: Path, **environ: str) -> tuple[int, str]:
    """Run some of the contract suite against the systems of a settings file; exit code and output."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-k", SOME),
        *(str(HERE / name) for name in ("test_salesforce_side.py", "test_netsuite_side.py")),
        cwd=HERE.parents[1],
        env={**os.environ, SWITCH: str(directory / "twinbook.toml"), **environ},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    out, _ = await asyncio.wait_for(process.communicate(), 120)
    return process.returncode or 0, out.decode()


def everything(sandbox: Sandbox) -> list[list[dict[str, Any]]]:
    org, account = sandbox.salesforce, sandbox.netsuite
    found = [org.list(name, {}, 1000, 0) for name in ("Account", "Contact", "Opportunity")]
    return [*found, *(account.list(name, {}, 1000, 0) for name in ("contact", "customer"))]


async def test_a_run_leaves_the_systems_as_they_were(tmp_path: Path) -> None:
    async with Sandbox(SandboxOptions(accounts=5, contacts=20)) as sandbox:
        from_sandbox(sandbox.describe(), tmp_path)
        before = everything(sandbox)
        code, told = await suite(tmp_path, **{CONFIRMATION: "production"})
        assert code == 0, told
        assert " passed" in told
        assert everything(sandbox) == before


async def test_production_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The sandbox's org is no Salesforce sandbox, so it counts as production."""
    async with Sandbox(SandboxOptions(accounts=1, contacts=1)) as sandbox:
        from_sandbox(sandbox.describe(), tmp_path)
        monkeypatch.setenv(SWITCH, str(tmp_path / "twinbook.toml"))
        before = everything(sandbox)
        with pytest.raises(pytest.exit.Exception, match=f"{CONFIRMATION}=production"):
            async with real_org():
                raise AssertionError("it was let in")
        assert everything(sandbox) == before
