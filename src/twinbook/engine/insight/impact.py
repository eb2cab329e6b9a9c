"""What a change of the settings would do: every account and contact planned under both, and those that differ.

Nothing is written. Two connections are held against each other, because other settings may read other fields.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator
from dataclasses import dataclass

from twinbook.domain.plan import AccountPlan, ContactPlan
from twinbook.domain.records import Key, Side
from twinbook.engine.connection import Connection
from twinbook.engine.insight.preview import Foreseen, Preview, Seen

Plan = ContactPlan | AccountPlan

# Records that one side may be ahead of the other before the pair is given up: a record that was made or deleted while
# both were read stands in one of the two lists only.
MOST_UNPAIRED = 2000


@dataclass(frozen=True, slots=True)
class Compared:
    """One record under both settings. `email` is that of a contact."""

    key: Key
    name: str
    email: str | None
    before: Plan
    after: Plan

    @property
    def outcome_differs(self) -> bool:
        return (self.before.outcome, self.before.reason) != (self.after.outcome, self.after.reason)

    @property
    def values_differ(self) -> bool:
        """Whether other values would be written."""
        return _values(self.before) != _values(self.after)

    @property
    def differs(self) -> bool:
        return self.outcome_differs or self.values_differ


async def compare(before: Connection, after: Connection) -> AsyncGenerator[Compared]:
    """All accounts, then all contacts. Raises what the ports raise."""
    old, new = Preview(before), Preview(after)
    async for compared in _side_by_side(old.accounts(), new.accounts()):
        yield compared
    async for compared in compare_contacts(before, after):
        yield compared


async def compare_contacts(before: Connection, after: Connection) -> AsyncGenerator[Compared]:
    """All contacts of Salesforce, then those of NetSuite alone where one of the two settings leads to Salesforce."""
    old, new = Preview(before), Preview(after)
    lists: list[tuple[AsyncIterator[Seen], AsyncIterator[Seen]]] = [(old.contacts(), new.contacts())]
    if any(each.contacts.direction.reaches(Side.SALESFORCE) for each in (before, after)):
        lists.append((old.newcomers(), new.newcomers()))
    for one, other in lists:
        async for compared in _side_by_side(one, other):
            yield compared


async def _side_by_side(one: AsyncIterator[Seen], other: AsyncIterator[Seen]) -> AsyncIterator[Compared]:
    """The records that are in both lists, which have the same order but for records that came or went meanwhile."""
    ahead: tuple[dict[Key, Seen], dict[Key, Seen]] = ({}, {})
    streams, open_ = (one, other), [True, True]
    while any(open_):
        for number, stream in enumerate(streams):
            item = await anext(stream, None) if open_[number] else None
            if item is None:
                open_[number] = False
                continue
            partner = ahead[1 - number].pop(item.key, None)
            if partner is None:
                ahead[number][item.key] = item
                if len(ahead[number]) > MOST_UNPAIRED:
                    ahead[number].pop(next(iter(ahead[number])))
                continue
            first, second = (item, partner) if number == 0 else (partner, item)
            email = item.email if isinstance(item, Foreseen) else None
            yield Compared(item.key, item.name, email, first.plan, second.plan)


def _values(plan: Plan) -> tuple[object, ...]:
    return dict(plan.netsuite_changes), dict(plan.salesforce_changes), plan.counterpart_id
