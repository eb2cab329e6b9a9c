"""Accounts and their customers: the gate."""
