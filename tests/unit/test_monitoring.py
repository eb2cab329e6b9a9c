"""The dashboard for Grafana and the alert rules for Prometheus use only numbers that /metrics tells."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.dashboard.connected import ada_in_conflict, desk

from twinbook.domain.reasons import OutcomeKind
from twinbook.web.access.roles import Role

ROOT = Path(__file__).parents[2]
MONITORING = ROOT / "deploy" / "monitoring"
RULES: list[dict[str, Any]] = [
    rule
    for group in yaml.safe_load((MONITORING / "alerts.yaml").read_text(encoding="utf-8"))["groups"]
    for rule in group["rules"]
]
PANELS: list[dict[str, Any]] = json.loads((MONITORING / "grafana.json").read_text(encoding="utf-8"))["panels"]
EXPRESSIONS = [
    *(rule["expr"] for rule in RULES),
    *(target["expr"] for panel in PANELS for target in panel["targets"]),
]
SELECTOR = re.compile(r"(twinbook_\w+)(?:\{([^}]*)\})?")


async def test_every_number_and_label_that_is_used_is_told(tmp_path: Path) -> None:
    async with desk(tmp_path) as d:
        await ada_in_conflict(d.w)
        page = (await d.browser(Role.VIEWER).get("/metrics")).text
    told: dict[str, set[str]] = {}
    for name, labels in re.findall(r"^(twinbook_\w+)\{([^}]*)\} ", page, re.MULTILINE):
        told.setdefault(name, set()).update(re.findall(r"(\w+)=", labels))
    used = [found for expression in EXPRESSIONS for found in SELECTOR.findall(expression)]
    # Streams move in a running process only; the world in memory has none.
    told |= {"twinbook_stream_quiet_seconds": {"connection", "stream"}}
    assert sorted({name for name, _ in used} - told.keys()) == []
    unknown = [(name, set(re.findall(r"(\w+)=", labels)) - told[name]) for name, labels in used if labels]
    assert [each for each in unknown if each[1]] == []
    assert told.keys() - {name for name, _ in used} == set(), "every number is shown somewhere"


def test_outcomes_that_are_asked_for_exist() -> None:
    named = {
        outcome
        for expression in EXPRESSIONS
        for values in re.findall(r'outcome=~?"([^"]+)"', expression)
        for outcome in values.split("|")
    }
    assert named
    assert named <= set(OutcomeKind)


def test_streams_are_told_under_the_name_that_is_used() -> None:
    queries = (ROOT / "src/twinbook/web/queries/metrics.py").read_text(encoding="utf-8")
    assert '"stream_quiet_seconds"' in queries


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule["alert"])
def test_every_alert_says_what_happened_and_the_runbook_what_to_do(rule: dict[str, Any]) -> None:
    assert rule["annotations"]["summary"].endswith(".")
    assert rule["labels"]["severity"] in ("page", "ticket")
    runbook = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
    section = re.search(rf"^### {rule['alert']}\n+(.+?)(?=^#|\Z)", runbook, re.MULTILINE | re.DOTALL)
    assert section is not None, f"docs/operations.md has no section {rule['alert']}"
    assert "twinbook " in section[1] or "/" in section[1], "it names what to run or where to look"


def test_the_runbook_knows_no_other_alert() -> None:
    runbook = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
    assert set(re.findall(r"^### (Twinbook\w+)$", runbook, re.MULTILINE)) == {rule["alert"] for rule in RULES}
