"""The API under /api/v1, one module for each resource. `ROUTERS` is the list of them that the application serves."""

from twinbook.web.api import (
    backfills,
    contacts,
    correcting,
    errors,
    install,
    matching,
    notifications,
    overview,
    record,
    review,
    settings,
    sweeps,
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
)
