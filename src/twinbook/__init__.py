"""Twinbook: keeps Salesforce contacts and NetSuite contacts in step, in real time, and says why."""
