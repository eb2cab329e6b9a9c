"""What people do about errors, about one or about many: all of it in one transaction, with a line in the audit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from twinbook.domain.records import Key
from twinbook.engine.care import controls
from twinbook.engine.care.editing import Edit, Editing
from twinbook.store import audit, incidents
from twinbook.store import people as stored_people
from twinbook.store.audit import Act
from twinbook.store.database import Tx
from twinbook.web.access.principal import Principal
from twinbook.web.asking import must
from twinbook.web.dashboard import Dashboard
from twinbook.web.problems import Fault, Problem
from twinbook.web.queries.errors import MOST

LONGEST_TAG = 40
LONGEST_NOTE = 2000


class What(StrEnum):
    """What can be done about an error. A success closes it whatever was done."""

    RETRY = "retry"
    RESOLVE = "resolve"
    ASSIGN = "assign"
    TAG = "tag"
    UNTAG = "untag"
    NOTE = "note"


@dataclass(frozen=True, slots=True)
class Deed:
    """Something done about some incidents. `text` is the login (empty: nobody), the tag, or the note."""

    what: What
    numbers: tuple[int, ...]
    text: str = ""


async def check(dashboard: Dashboard, deed: Deed) -> None:
    """Raises `Problem` for a deed that cannot be done, whomever it is about."""
    faults = []
    text = deed.text.strip()
    if not deed.numbers:
        faults.append(Fault("key", "Tick the errors that it is about."))
    if len(deed.numbers) > MOST:
        faults.append(Fault("key", f"At most {MOST} errors at once."))
    if deed.what in (What.TAG, What.UNTAG) and not 0 < len(text) <= LONGEST_TAG:
        faults.append(Fault("text", f"A tag has 1 to {LONGEST_TAG} characters."))
    if deed.what is What.NOTE and not 0 < len(text) <= LONGEST_NOTE:
        faults.append(Fault("text", f"A note has 1 to {LONGEST_NOTE} characters."))
    if deed.what is What.ASSIGN and text and not await dashboard.read(lambda tx: _is_somebody(tx, text)):
        faults.append(Fault("text", "Nobody has this login. Leave it empty to assign it to nobody."))
    if faults:
        raise Problem(422, "The request has faults", "Correct what is named.", faults=faults)


async def carry_out(dashboard: Dashboard, who: Principal, connection: str, deed: Deed) -> int:
    """Do it about those that are still open; their number."""
    await check(dashboard, deed)
    now, text = dashboard.now(), deed.text.strip()

    def work(tx: Tx) -> int:
        found = incidents.open_with(tx, deed.numbers)
        ids = [item.id for item in found]
        match deed.what:
            case What.RETRY:
                controls.retry(tx, found, now=now)
            case What.RESOLVE:
                incidents.close(tx, [item.key for item in found], by=who.login, now=now)
            case What.ASSIGN:
                incidents.assign(tx, ids, text or None)
            case What.TAG:
                incidents.tag(tx, found, text)
            case What.UNTAG:
                incidents.untag(tx, found, text)
            case What.NOTE:
                incidents.note(tx, ids, text, by=who.login, now=now)
        detail = {"errors": len(found), "first": ids[:1]}
        audit.note(tx, Act(who.login, f"errors.{deed.what}", "", connection, detail), now=now)
        return len(found)

    done = await dashboard.write(work, connection)
    dashboard.ring(connection)
    return done


async def edit(dashboard: Dashboard, who: Principal, connection: str, key: Key, given: Edit) -> Sequence[str]:
    """Correct the record and have it tried again; what is wrong, empty when it is written."""
    flaws = await must(dashboard, connection, lambda live: Editing(live).edit(key, given, by=who.login))
    if not flaws:
        now, about = dashboard.now(), f"{key.entity} {key.id}"
        detail = {"fields": sorted(given.changed)}
        act = Act(who.login, "record.edited", about, connection, detail)
        await dashboard.write(lambda tx: audit.note(tx, act, now=now), connection)
    return flaws


def _is_somebody(tx: Tx, login: str) -> bool:
    return stored_people.by_login(tx, login) is not None
