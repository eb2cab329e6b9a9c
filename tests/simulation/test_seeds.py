"""Seeds in each run of the tests. A failure names the command that plays the seed again, with its trace.

`make simulate SEEDS=50000` runs more of them. What was run, and what befell the engine, is printed in the end.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter

import pytest
from tests.simulation.simulate import simulate

SEEDS, AT_ONCE = 2000, 25
TWICE = 12


@pytest.mark.parametrize("first", range(0, SEEDS, AT_ONCE))
def test_the_invariants_hold_whatever_happens(first: int, record_property: pytest.RecordProperty) -> None:
    faults: Counter[str] = Counter()
    for seed in range(first, first + AT_ONCE):
        result = simulate(seed)
        assert not result.problems, "\n  ".join([f"make simulate SEED={seed}", *result.problems])
        faults += result.faults
    record_property("seeds", AT_ONCE)
    record_property("faults", dict(faults))


def test_a_seed_gives_the_same_trace_in_every_process() -> None:
    """Also where sets and dictionaries are ordered otherwise."""
    digests = [_digests(hash_seed) for hash_seed in ("1", "2")]
    assert digests[0] == digests[1]
    assert len(digests[0].splitlines()) == TWICE


def _digests(hash_seed: str) -> str:
    command = [sys.executable, "-m", "tests.simulation.simulate", "--digests", "--seeds", str(TWICE)]
    environment = {**os.environ, "PYTHONHASHSEED": hash_seed, "PYTHONPATH": "."}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True, timeout=250)
    return done.stdout
