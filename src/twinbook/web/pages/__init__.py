"""The pages, one module each. `ROUTERS` is the list of them that the application serves."""

from twinbook.web.pages import (
    account,
    audit,
    contacts,
    drift,
    errors,
    health,
    live,
    mapping,
    overview,
    people,
    record,
    review,
    settings,
    signing_in,
    single_sign_on,
    start,
)

ROUTERS = (
    start.router,
    signing_in.router,
    single_sign_on.router,
    live.router,
    health.router,
    overview.router,
    contacts.router,
    record.router,
    review.router,
    errors.router,
    drift.router,
    people.router,
    account.router,
    audit.router,
    settings.router,
    mapping.router,
)
