"""The Salesforce org: how Twinbook logs in, reads, writes and listens.

auth      tokens                    rest   one call at a time, with paging and limits
soql      queries as text           errors every code of the vendor, as one of two kinds
schema    what this org has         rows   records out of query results
side      `SalesforcePort` for an org
"""
