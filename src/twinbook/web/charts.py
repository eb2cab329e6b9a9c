"""The geometry of charts: numbers in, places in a drawing out. Templates draw SVG of it, the style sheet colours it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

WIDTH = 720.0
HEIGHT = 140.0
GAP = 3.0


@dataclass(frozen=True, slots=True)
class Block:
    """A rectangle of the drawing; `series` says what it counts."""

    x: float
    y: float
    width: float
    height: float
    series: str
    number: int


@dataclass(frozen=True, slots=True)
class Bars:
    """Stacked bars side by side. `top` is the number at the upper edge."""

    width: float
    height: float
    top: int
    columns: tuple[tuple[Block, ...], ...]


def stacked(columns: Sequence[Mapping[str, int]], order: Sequence[str]) -> Bars:
    """Bars of these numbers, each stacked in the given order from below; series that are not named come last."""
    top = nice(max((sum(column.values()) for column in columns), default=0))
    step = WIDTH / max(1, len(columns))
    drawn = tuple(
        tuple(_stack(column, order, x=index * step + GAP / 2, width=step - GAP, top=top))
        for index, column in enumerate(columns)
    )
    return Bars(WIDTH, HEIGHT, top, drawn)


def nice(number: int) -> int:
    """The next larger of 1, 2, 5, 10, 20, 50 …: an upper edge that reads well."""
    size = 1
    while True:
        for step in (1, 2, 5):
            if number <= step * size:
                return step * size
        size *= 10


def _stack(
    column: Mapping[str, int], order: Sequence[str], *, x: float, width: float, top: int
) -> list[Block]:
    named = [*order, *(series for series in column if series not in order)]
    blocks: list[Block] = []
    below = HEIGHT
    for series in named:
        number = column.get(series, 0)
        if number:
            height = number / top * HEIGHT
            below -= height
            blocks.append(
                Block(round(x, 1), round(below, 1), round(width, 1), round(height, 1), series, number)
            )
    return blocks
