"""How is text compared, and put into a line, that people type and write each in their own way?"""

from __future__ import annotations

import re
import unicodedata

_TURNS = frozenset({"R", "AL", "AN", "RLE", "RLO", "RLI", "LRE", "LRO", "LRI", "FSI"})  # classes of UAX 9
_RUN = re.compile(r"\S+")
_IN_ADDRESSES = re.compile(r"://|\w@\w|[a-z0-9]\.[a-z]{2}", re.IGNORECASE | re.ASCII)
_JOINER = re.compile("[\u200c\u200d]")
_JOINED = re.compile(f"(?<=[^\\x00-\\x7f])({_JOINER.pattern})(?=[^\\x00-\\x7f])")
_ACCENTS = re.compile("[\u0300-\u036f]")
_STROKED = str.maketrans({"ø": "o", "ł": "l", "đ": "d", "ð": "d", "ħ": "h", "ı": "i", "æ": "ae", "œ": "oe"})


def folded(text: str) -> str:
    """The text without case, accents and strokes: `Müller` and `MULLER` are both `muller`, `ß` is `ss`.

    Only the accents of European scripts go; marks that make another letter (が, ड़) stay. Signs that are not
    seen go too.
    """
    apart = _ACCENTS.sub("", unicodedata.normalize("NFKD", seen(text).casefold()))
    return unicodedata.normalize("NFC", apart.translate(_STROKED))


def seen(text: str) -> str:
    """The text without signs that are not seen: such as `isolated` adds, and zero-width spaces."""
    return text if text.isascii() else "".join(sign for sign in text if unicodedata.category(sign) != "Cf")


def with_usable_links(text: str) -> str:
    """The text whose web and email addresses hold no signs that are not seen: copied from elsewhere they lead
    nowhere. In other words such signs have a meaning, and between letters of some scripts (Persian, emoji) in
    addresses, too."""
    return text if text.isascii() else _RUN.sub(lambda run: _usable(run[0]), text)


def _usable(run: str) -> str:
    if not _IN_ADDRESSES.search(seen(run)):
        return run
    return "".join(part if _JOINER.fullmatch(part) else seen(part) for part in _JOINED.split(run))


def isolated(text: str) -> str:
    """The text for a line that goes on after it: Arabic or Hebrew turns nothing around that stands beside it.

    Signs that are not seen (U+2068, U+2069) stand around it; text without such letters is left as it is.
    """
    turns = any(unicodedata.bidirectional(sign) in _TURNS for sign in text)
    return f"\u2068{text}\u2069" if turns else text


def phone_key(phone: str) -> str:
    """A phone number as it is compared: its digits from the last to the first, since its beginning is written
    in several ways (`+31 20`, `0031 20`, `020`; `+31 (0)20` has a zero that nobody dials)."""
    return "".join(re.findall("[0-9]", phone.replace("(0)", "")))[::-1]
