"""The durable memory: links, dirty keys, cursors, outcomes, journal, incidents and runs.

Each module holds the statements of one table as functions over a `Tx`, so that several of them make up one
transaction. `Store` opens the database and runs such transactions.
"""
