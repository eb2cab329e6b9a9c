"""Field bitmaps of a change event header: which positions of the schema changed (salesforce.md 3.4)."""

from collections.abc import Iterable, Mapping


def bitmap(positions: Iterable[int]) -> str:
    """Big-endian, upper-case hex in whole bytes, as short as it can be; bit i stands for position i."""
    value = sum(1 << position for position in set(positions))
    size = max(1, (value.bit_length() + 7) // 8)
    return f"0x{value.to_bytes(size, 'big').hex().upper()}"


def bitmaps(top_level: Iterable[int], parts: Mapping[int, Iterable[int]]) -> list[str]:
    """The list of a header: the top-level bitmap if it has a bit, then one for each compound field by position."""
    plain = set(top_level)
    listed = [bitmap(plain)] if plain else []
    return listed + [f"{position}-{bitmap(parts[position])}" for position in sorted(parts)]
