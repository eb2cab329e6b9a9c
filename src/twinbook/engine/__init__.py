"""The shell around the planner: takes in changes, works off dirty keys in lanes, carries out plans, records outcomes.

It knows the two systems only through `twinbook.domain.ports`.
"""
