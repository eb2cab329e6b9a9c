"""Contacts: from keys to plans to writes."""
