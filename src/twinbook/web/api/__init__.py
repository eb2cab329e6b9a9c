"""The API under /api/v1, one module for each resource. `ROUTERS` is the list of them that the application serves."""

from twinbook.web.api import (
    audit,
    backfills,
    contacts,
    correcting,
    errors,
    install,
    matching,
    notifications,
    overview,
    people,
    record,
    review,
    settings,
    sweeps,
    tokens,
)

ROUTERS = (
    overview.router,
    contacts.router,
    record.router,
    review.router,
    correcting.router,
    errors.router,
    settings.router,
    install.router,
    matching.router,
    backfills.router,
    sweeps.router,
    notifications.router,
    audit.router,
    tokens.router,
    people.router,
)
