"""Several workers over one PostgreSQL database: who works, who leads, who may call NetSuite, and what time it is.

The store says what is to be done, and its leases keep it right whatever happens here; this package only says who does
it when. All of it may be lost at any moment.
"""
