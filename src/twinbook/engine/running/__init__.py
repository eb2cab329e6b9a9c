"""The engine at work: what watches, lists, claims and keeps time."""
