"""The NetSuite account as Twinbook sees it: login, record service, SuiteQL, and the adapter to the domain.

`NetSuiteSide` (module `side`) is what other parts use. The package knows neither Salesforce nor the store.
"""
