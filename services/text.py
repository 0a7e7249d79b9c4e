"""How is text compared that people type and write each in their own way?"""

from __future__ import annotations

import re
import unicodedata

_ACCENTS = re.compile("[\u0300-\u036f]")
_STROKED = str.maketrans({"ø": "o", "ł": "l", "đ": "d", "ð": "d", "ħ": "h", "ı": "i", "æ": "ae", "œ": "oe"})


def folded(text: str) -> str:
    """The text without case, accents and strokes: `Müller` and `MULLER` are both `muller`, `ß` is `ss`.

    Only the accents of European scripts go; marks that make another letter (が, ड़) stay.
    """
    apart = _ACCENTS.sub("", unicodedata.normalize("NFKD", text.casefold()))
    return unicodedata.normalize("NFC", apart.translate(_STROKED))
