"""An emulated Salesforce org and NetSuite account that speak the real wire protocols.

A package of its own: it knows nothing of Twinbook, so that what is tested against it is tested against the
protocols and not against a shared idea of them.
"""
