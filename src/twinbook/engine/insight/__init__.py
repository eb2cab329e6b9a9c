"""Saying what is, and what would be, without writing."""
