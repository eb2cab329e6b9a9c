"""Showing what the ids in both systems say, for `rebuild` and `adopt`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from twinbook.cli.terminal import say
from twinbook.domain.pairing import Finding, Verdict
from twinbook.domain.records import Entity

SHOWN = 200
"""Findings that are listed on the screen; `--json` lists all."""


@dataclass(slots=True)
class FindingList:
    """Counts of everything, and the findings that a person should see: those that are not simply consistent."""

    counts: Counter[tuple[Entity, Verdict]] = field(default_factory=Counter)
    known: int = 0
    odd: list[Finding] = field(default_factory=list)

    def add(self, batch: Iterable[Finding]) -> None:
        for finding in batch:
            self.counts[finding.entity, finding.verdict] += 1
            self.known += finding.known
            if finding.verdict is not Verdict.CONSISTENT:
                self.odd.append(finding)

    @property
    def contradictions(self) -> int:
        return sum(number for (_, verdict), number in self.counts.items() if verdict is Verdict.CONTRADICTORY)

    def show(self) -> None:
        for finding in self.odd[:SHOWN]:
            pair = f"{finding.salesforce_id or '-'} / {finding.netsuite_id or '-'}"
            say(
                f"{finding.verdict.value:<14}{finding.entity.value:<8} {pair:<32} {finding.label}: {finding.why}"
            )
        if len(self.odd) > SHOWN:
            say(f"… and {len(self.odd) - SHOWN} more (--json lists all)")
        for (entity, verdict), number in sorted(self.counts.items()):
            say(f"{number:>8}  {entity.value}s {verdict.value}")
        say(f"{self.known:>8}  of these are in the link table already")

    def as_json(self) -> dict[str, object]:
        return {
            "counts": [
                {"entity": entity, "verdict": verdict, "number": number}
                for (entity, verdict), number in sorted(self.counts.items())
            ],
            "known": self.known,
            "findings": [
                {
                    "entity": item.entity,
                    "verdict": item.verdict,
                    "salesforce_id": item.salesforce_id,
                    "netsuite_id": item.netsuite_id,
                    "label": item.label,
                    "why": item.why,
                    "known": item.known,
                }
                for item in self.odd
            ],
        }
