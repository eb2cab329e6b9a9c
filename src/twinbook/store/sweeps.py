"""Sweeps: what one knows beyond its run. Which links it has met is kept as one bit a link, so that a million of them
take 125 kB, whatever the order in which the two systems list their contacts.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from twinbook.domain.records import Entity, Side
from twinbook.store import runs
from twinbook.store.database import Tx
from twinbook.store.runs import ENDED, Run, RunKind
from twinbook.store.schema import run, sweep

_MET = {Side.SALESFORCE: sweep.c.met_in_salesforce, Side.NETSUITE: sweep.c.met_in_netsuite}
_LISTED = {Side.SALESFORCE: sweep.c.salesforce_listed, Side.NETSUITE: sweep.c.netsuite_listed}


@dataclass(frozen=True, slots=True)
class Sweep:
    """One sweep. `thorough`: values are compared whatever the versions say. `repairs`: what differs is put right.
    `compared` contacts were read in full. `stopped_why` is set where a safety valve found that something is amiss."""

    run: Run
    thorough: bool
    repairs: bool
    salesforce_listed: int
    netsuite_listed: int
    compared: int
    stopped_why: str | None

    def listed(self, side: Side) -> int:
        return self.salesforce_listed if side is Side.SALESFORCE else self.netsuite_listed


class Met:
    """A set of numbers of links."""

    def __init__(self, bits: bytes = b"") -> None:
        self._bits = bytearray(bits)

    def add(self, number: int) -> None:
        place = number >> 3
        if place >= len(self._bits):
            self._bits.extend(bytes(place + 1 - len(self._bits)))
        self._bits[place] |= 1 << (number & 7)

    def __contains__(self, number: int) -> bool:
        place = number >> 3
        return place < len(self._bits) and bool(self._bits[place] >> (number & 7) & 1)

    def __bytes__(self) -> bytes:
        return bytes(self._bits)


def start(tx: Tx, *, thorough: bool, repairs: bool, by: str, now: float) -> int:
    """Begin a sweep of the contacts, or return the one that is under way, which stays as it was begun."""
    run_id = runs.start(tx, RunKind.SWEEP, Entity.CONTACT, by=by, now=now)
    if tx.execute(sa.select(sweep.c.run_id).where(sweep.c.run_id == run_id)).scalar() is None:
        tx.execute(
            sa.insert(sweep).values(
                run_id=run_id,
                thorough=thorough,
                repairs=repairs,
                met_in_salesforce=b"",
                met_in_netsuite=b"",
                salesforce_listed=0,
                netsuite_listed=0,
                compared=0,
            )
        )
    return run_id


def met(tx: Tx, run_id: int, side: Side) -> Met:
    return Met(tx.execute(sa.select(_MET[side]).where(sweep.c.run_id == run_id)).scalar_one())


def note(tx: Tx, run_id: int, side: Side, links_met: Met, *, listed: int) -> None:
    """Store what one more page of a side has shown."""
    values = {_MET[side].name: bytes(links_met), _LISTED[side].name: _LISTED[side] + listed}
    tx.execute(sa.update(sweep).where(sweep.c.run_id == run_id).values(values))


def count_compared(tx: Tx, run_id: int, number: int) -> None:
    tx.execute(sa.update(sweep).where(sweep.c.run_id == run_id).values(compared=sweep.c.compared + number))


def stop(tx: Tx, run_id: int, why: str) -> None:
    tx.execute(sa.update(sweep).where(sweep.c.run_id == run_id).values(stopped_why=why))


def by_id(tx: Tx, run_id: int) -> Sweep | None:
    return next(iter(_select(tx, run.c.id == run_id, limit=1)), None)


def unfinished(tx: Tx) -> list[Sweep]:
    return _select(tx, run.c.state.not_in(ENDED), limit=10)


def latest(tx: Tx, *, limit: int = 10) -> list[Sweep]:
    """The last sweeps, newest first."""
    return _select(tx, limit=limit)


def last_thorough(tx: Tx) -> float | None:
    """When the last thorough sweep began."""
    began = sa.select(sa.func.max(run.c.started_at)).join(sweep, sweep.c.run_id == run.c.id)
    return tx.execute(began.where(run.c.scope == tx.scope, sweep.c.thorough)).scalar()


def _select(tx: Tx, *where: sa.ColumnElement[bool], limit: int) -> list[Sweep]:
    columns = [column for column in sweep.c if column not in _MET.values()]
    rows = tx.execute(
        sa.select(run, *columns)
        .join(sweep, sweep.c.run_id == run.c.id)
        .where(run.c.scope == tx.scope, *where)
        .order_by(run.c.id.desc())
        .limit(limit)
    )
    return [_sweep(row) for row in rows]


def _sweep(row: sa.Row[Any]) -> Sweep:
    return Sweep(
        runs.run_of(row),
        row.thorough,
        row.repairs,
        row.salesforce_listed,
        row.netsuite_listed,
        row.compared,
        row.stopped_why,
    )
