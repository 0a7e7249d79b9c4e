"""The palette: states are told apart with every kind of colour blindness, in light and dark."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from pages.components import palette

# Viénot, Brettel and Mollon (1999), in linear RGB
_SIGHT = {
    "full": ((1, 0, 0), (0, 1, 0), (0, 0, 1)),
    "protan": ((0.11238, 0.88762, 0), (0.11238, 0.88762, 0), (0.00401, -0.00401, 1)),
    "deutan": ((0.29275, 0.70725, 0), (0.29275, 0.70725, 0), (-0.02234, 0.02234, 1)),
}


@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
@pytest.mark.parametrize("sight", _SIGHT)
def test_neighbours_in_a_stack_are_told_apart(sight: str, theme: int) -> None:
    seen = {state: _seen(colours[theme], _SIGHT[sight]) for state, colours in palette.STATE_COLOURS.items()}
    for one, two in itertools.combinations(seen, 2):
        distance = sum((a - b) ** 2 for a, b in zip(seen[one], seen[two], strict=True)) ** 0.5
        assert distance > 0.1, (one, two)


def _seen(colour: str, matrix: Any) -> list[float]:
    """A colour as an eye sees it, in sRGB between 0 and 1."""
    rgb = [(int(colour[i : i + 2], 16) / 255) ** 2.2 for i in (1, 3, 5)]
    mixed = [sum(weight * part for weight, part in zip(row, rgb, strict=True)) for row in matrix]
    return [max(0.0, part) ** (1 / 2.2) for part in mixed]
