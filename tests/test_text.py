"""services.text: what is the same to somebody who types."""

from __future__ import annotations

import pytest

from services.text import folded


@pytest.mark.parametrize(
    ("written", "typed"),
    [
        ("Müller", "muller"),
        ("Mu\u0308ller", "MÜLLER"),
        ("José", "jose"),
        ("Łódź Ørsted Æsir", "lodz orsted aesir"),
        ("Straße", "STRASSE"),
        ("İstanbul ılık", "istanbul ilik"),
        ("ﬁnance Ｃｏ", "finance co"),
        ("Ёлка", "елка"),
    ],
)
def test_case_accents_and_strokes_make_no_difference(written: str, typed: str) -> None:
    assert folded(written) == folded(typed) == folded(folded(written))


@pytest.mark.parametrize("text", ["が", "한국", "\u0921\u093c", "100%_x\\"])
def test_what_is_another_letter_stays_one(text: str) -> None:
    assert folded(text) == text
