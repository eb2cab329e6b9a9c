"""The pages, one module each. `ROUTERS` is the list of them that the application serves."""

from twinbook.web.pages import contacts, live, signing_in, start

ROUTERS = (start.router, signing_in.router, live.router, contacts.router)
