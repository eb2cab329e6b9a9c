"""Sweeps: comparing both systems from end to end, to find whatever no event has told."""
