"""services.text: what is the same to somebody who types."""

from __future__ import annotations

import pytest

from services.text import folded, isolated, with_usable_links


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
        ("\u2068محمد\u2069", "محمد"),
        ("soft\u00adware\u200b \ufeffCo", "software co"),
    ],
)
def test_case_accents_and_strokes_make_no_difference(written: str, typed: str) -> None:
    assert folded(written) == folded(typed) == folded(folded(written))


@pytest.mark.parametrize("text", ["が", "한국", "\u0921\u093c", "100%_x\\"])
def test_what_is_another_letter_stays_one(text: str) -> None:
    assert folded(text) == text


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("see https://x.example/\u200ba\u00ad?b=\ufeff1 now", "see https://x.example/a?b=1 now"),
        ("ht\u200btps://x.example", "https://x.example"),
        ("ana\u200b@x.\u2060example,\nwww.\u200bx.example", "ana@x.example,\nwww.x.example"),
        ("x.example/a\u200d", "x.example/a"),
    ],
)
def test_addresses_lose_what_is_not_seen(typed: str, kept: str) -> None:
    assert with_usable_links(typed) == kept


@pytest.mark.parametrize(
    "text",
    [
        "می\u200cخواهم", "👩\u200d💻 at work", "\u2068محمد\u2069 1.5", "",
        "https://fa.wikipedia.org/wiki/نیم\u200cفاصله", "https://www.ශ්\u200dරී.com",
        "(https://x.example)،می\u200cخواهم",
    ],
)  # fmt: skip
def test_other_words_keep_what_is_not_seen(text: str) -> None:
    assert with_usable_links(text) == text


@pytest.mark.parametrize("text", ["محمد", "Bo שלום", "\u202eBo"])
def test_text_that_turns_others_around_is_set_apart(text: str) -> None:
    assert isolated(text) == f"\u2068{text}\u2069"


@pytest.mark.parametrize("text", ["", "Müller & Co. 12 €", "東京"])
def test_other_text_is_left_as_it_is(text: str) -> None:
    assert isolated(text) == text
