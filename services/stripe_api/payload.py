"""How does JSON of Stripe's become values that every database can hold?

PostgreSQL's text has no NUL character, and no database's UTF-8 has half of a surrogate pair; JSON can say
both. They become U+FFFD, the sign for a character that cannot be shown.
"""

from __future__ import annotations

import json
import re
from typing import Any

_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
_SUSPECT = re.compile(
    rb"\\u(?:0000"
    rb"|[dD][89abAB]..(?!\\u[dD][c-fC-F])"  # a first half without its second
    rb"|(?<!\\u[dD][89abAB]..\\u)[dD][c-fC-F]..)"  # a second half without its first
    rb"|\xed[\xa0-\xbf]"
)
_SIGNS = (b"\\u0000", b"\\ud", b"\\uD", b"\xed")  # of what it finds; to look for them costs nothing


def parse(body: bytes | str) -> Any:
    """The value of a JSON text, its texts storable. Raises ValueError where it is none."""
    raw = body.encode(errors="surrogatepass") if isinstance(body, str) else body
    value = json.loads(raw.decode(errors="surrogatepass"))  # of bytes it would take UTF-16, too
    return storable(value) if _may_be_unstorable(raw) else value


def storable(value: Any) -> Any:
    """The same value with U+FFFD for each character that no database holds."""
    if isinstance(value, str):
        return _UNSTORABLE.sub("\ufffd", value)
    if isinstance(value, dict):
        return {storable(name): storable(one) for name, one in value.items()}
    if isinstance(value, list):
        return [storable(one) for one in value]
    return value


def _may_be_unstorable(raw: bytes) -> bool:
    if not any(sign in raw for sign in _SIGNS):
        return False
    plain = raw.replace(rb"\\", b"--")  # two backslashes say one, and what follows them is text
    return _SUSPECT.search(plain) is not None
