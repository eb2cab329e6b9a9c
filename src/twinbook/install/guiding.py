"""How far an installation is: the guide of either system, and the checks that its steps are read off."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from datetime import datetime

from twinbook.composition import open_sides
from twinbook.doctor import Check, Page
from twinbook.doctor.checks import broken
from twinbook.doctor.machine import examine_machine
from twinbook.doctor.netsuite import examine_netsuite
from twinbook.doctor.salesforce import examine_salesforce
from twinbook.domain.errors import SideError
from twinbook.install.draft import Draft
from twinbook.install.netsuite import netsuite_guide
from twinbook.install.salesforce import salesforce_guide
from twinbook.install.steps import Guide, Step, System
from twinbook.settings import ConnectionSettings

LOGIN = {System.SALESFORCE: Page.SALESFORCE_LOGIN, System.NETSUITE: Page.NETSUITE_LOGIN}


def guide_of(draft: Draft, system: System, key: Step, checks: Sequence[Check]) -> Guide:
    """The steps of this system, as far as these checks tell."""
    return (salesforce_guide if system is System.SALESFORCE else netsuite_guide)(draft, key, checks)


async def examine(settings: ConnectionSettings, system: System, *, now: datetime) -> AsyncGenerator[Check]:
    """The checks of the doctor for this system alone, each as soon as it is done. Nothing is written."""
    for check in examine_machine(settings, now):
        if check.page is LOGIN[system]:
            yield check
    side = examine_salesforce if system is System.SALESFORCE else examine_netsuite
    try:
        async with open_sides(settings) as sides:
            async for check in side(settings, sides):
                yield check
    except SideError as error:
        yield broken(LOGIN[system], f"{system}.key", f"{system.label} key", error)
