"""The pages, one module each. `ROUTERS` is the list of them that the application serves."""

from twinbook.web.pages import contacts, live, overview, signing_in, start

ROUTERS = (start.router, signing_in.router, live.router, overview.router, contacts.router)
