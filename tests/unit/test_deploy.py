"""The files in deploy/ are well-formed for their tools, and name only what this version has.

No container engine or cluster is needed; none was at hand, so what these files lead to was never run as containers.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

from twinbook.cli.group import COMMANDS
from twinbook.settings import Settings
from twinbook.settings.options import find

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
BIN = Path(sys.executable).parent
FILES = sorted(path for path in DEPLOY.rglob("*") if path.is_file())
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
COMPOSE: dict[str, Any] = yaml.safe_load((DEPLOY / "compose.yaml").read_text(encoding="utf-8"))
MANIFESTS: list[dict[str, Any]] = [
    item
    for path in sorted((DEPLOY / "kubernetes").glob("*.yaml"))
    for item in yaml.safe_load_all(path.read_text(encoding="utf-8"))
]
CONTAINERS = [
    container
    for item in MANIFESTS
    if item["kind"] == "Deployment"
    for container in item["spec"]["template"]["spec"]["containers"]
]


def checked(*command: str) -> None:
    done = subprocess.run(
        [BIN / command[0], *command[1:]], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_compose_file_follows_its_schema() -> None:
    checked("check-jsonschema", "--builtin-schema", "vendor.compose-spec", "deploy/compose.yaml")


def test_the_kubernetes_manifests_follow_the_schemas_of_kubernetes() -> None:
    checked("kubernetes-validate", "--strict", *map(str, (DEPLOY / "kubernetes").glob("*.yaml")))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_variables_that_are_set_are_settings(path: Path) -> None:
    named = set(re.findall(r"\bTWINBOOK_(\w+__\w+)\b", path.read_text(encoding="utf-8")))
    unknown = [name for name in named if find(Settings, tuple(name.lower().split("__"))) is None]
    assert unknown == []


def test_only_commands_that_exist_are_run() -> None:
    containerfile = (DEPLOY / "Containerfile").read_text(encoding="utf-8")
    unit = (DEPLOY / "twinbook.service").read_text(encoding="utf-8")
    run = [
        *re.findall(r'^CMD \["(\w+)"', containerfile, re.MULTILINE),
        *re.findall(r"^ExecStart=\S+/twinbook (\w+)", unit, re.MULTILINE),
        *(service["command"][0] for name, service in COMPOSE["services"].items() if name != "database"),
        *(container["args"][0] for container in CONTAINERS),
    ]
    assert set(run) == {"run", "worker"}
    assert set(run) <= set(COMMANDS)


def test_the_images_are_those_of_this_version() -> None:
    version = PROJECT["project"]["version"]
    assert {container["image"] for container in CONTAINERS} == {f"twinbook:{version}"}


def test_the_container_is_built_of_all_that_the_wheel_needs() -> None:
    containerfile = (DEPLOY / "Containerfile").read_text(encoding="utf-8")
    copied = [
        name
        for line in re.findall(r"^COPY (?!--)(.+)$", containerfile, re.MULTILINE)
        for name in line.split()[:-1]
    ]
    wheel = PROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]
    needed = {name.split("/")[0] for name in (*wheel["packages"], *wheel["force-include"])}
    needed |= {PROJECT["project"]["readme"], "pyproject.toml", "requirements.lock"}
    needed |= set(PROJECT["project"]["license-files"])
    assert needed <= set(copied)
    assert [name for name in copied if not (ROOT / name).exists()] == []


def test_every_selector_finds_its_pods() -> None:
    pods = [
        item["spec"]["template"]["metadata"]["labels"] for item in MANIFESTS if item["kind"] == "Deployment"
    ]
    selectors = [
        selector.get("matchLabels", selector)
        for item in MANIFESTS
        if (selector := item["spec"].get("selector"))
    ]
    assert len(selectors) == len(MANIFESTS)
    for selector in selectors:
        assert any(selector.items() <= labels.items() for labels in pods), selector


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd is not installed here")
def test_the_unit_is_one_to_systemd(tmp_path: Path) -> None:
    unit = tmp_path / "twinbook.service"
    text = (DEPLOY / "twinbook.service").read_text(encoding="utf-8")
    unit.write_text(text.replace("/opt/twinbook/bin/twinbook", "/bin/true"), encoding="utf-8")
    done = subprocess.run(["systemd-analyze", "verify", unit], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
