"""Trying a first sync out: what it would do to every record, and whom it would pair."""
