"""Colours are told apart with every kind of colour blindness, in light and dark; words stand apart."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pages.components import charts_marks, palette

# Viénot, Brettel and Mollon (1999), in linear RGB
_SIGHT = {
    "full": ((1, 0, 0), (0, 1, 0), (0, 0, 1)),
    "protan": ((0.11238, 0.88762, 0), (0.11238, 0.88762, 0), (0.00401, -0.00401, 1)),
    "deutan": ((0.29275, 0.70725, 0), (0.29275, 0.70725, 0), (-0.02234, 0.02234, 1)),
}


@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
@pytest.mark.parametrize("sight", _SIGHT)
@pytest.mark.parametrize("stacked", [palette.STATE_COLOURS, palette.MOVE_COLOURS], ids=["trials", "MRR"])
def test_neighbours_in_a_stack_are_told_apart(stacked: Any, sight: str, theme: int) -> None:
    seen = {name: _seen(colours[theme], _SIGHT[sight]) for name, colours in stacked.items()}
    for one, two in itertools.combinations(seen, 2):
        distance = sum((a - b) ** 2 for a, b in zip(seen[one], seen[two], strict=True)) ** 0.5
        assert distance > 0.1, (one, two)


@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
@pytest.mark.parametrize("sight", _SIGHT)
def test_lines_and_groups_are_told_apart(sight: str, theme: int) -> None:
    seen = [_seen(colours[theme], _SIGHT[sight]) for colours in palette.SERIES]
    for one, two in itertools.combinations(seen, 2):
        assert sum((a - b) ** 2 for a, b in zip(one, two, strict=True)) ** 0.5 > 0.1


@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
def test_lines_stand_out_from_the_page_in_the_order_of_their_lightness(theme: int) -> None:
    page = ("#ffffff", "#12151c")[theme]
    contrasts = [_contrast(colours[theme], page) for colours in palette.SERIES]
    assert contrasts == sorted(contrasts, reverse=True)
    assert min(contrasts) > 3


@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
def test_more_is_always_further_from_the_pages_colour(theme: int) -> None:
    page = ("#ffffff", "#12151c")[theme]
    contrasts = [_contrast(colour, page) for colour in palette.SCALE[theme]]
    assert contrasts == sorted(contrasts)


@given(st.lists(st.tuples(st.floats(0, 12), st.integers(1, 26)), min_size=1, max_size=4))
def test_names_of_annotations_stand_apart_even_on_a_phone(names: list[tuple[float, int]]) -> None:
    names.sort()
    placed = zip(names, charts_marks._rows(names, 12), strict=True)
    for ((one, long), row), ((two, longer), other) in itertools.combinations(placed, 2):
        apart = (two - one) * charts_marks._NARROWEST / 12
        assert row != other or apart >= (long + longer) * charts_marks._LETTER / 2 - 1e-6


def _contrast(one: str, two: str) -> float:
    """As the web's accessibility guidelines define it, from 1 to 21."""
    weights = (0.2126, 0.7152, 0.0722)
    lights = sorted(
        sum(weight * part**2.2 for weight, part in zip(weights, _seen(colour, _SIGHT["full"]), strict=True))
        for colour in (one, two)
    )
    return (lights[1] + 0.05) / (lights[0] + 0.05)


def _seen(colour: str, matrix: Any) -> list[float]:
    """A colour as an eye sees it, in sRGB between 0 and 1."""
    rgb = [(int(colour[i : i + 2], 16) / 255) ** 2.2 for i in (1, 3, 5)]
    mixed = [sum(weight * part for weight, part in zip(row, rgb, strict=True)) for row in matrix]
    return [max(0.0, part) ** (1 / 2.2) for part in mixed]
