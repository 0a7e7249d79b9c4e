"""Is this something that mail can go to?"""

from __future__ import annotations

import re
import unicodedata

_ADDRESS = re.compile(r"[^\s@<>()\[\],;:\\\"]{1,64}@(?=.{1,255}$)[^\s@<>()\[\],;:\\\"/]+\.[^\s@.]{2,}")


def is_address(address: str) -> bool:
    """Whether mail could go there: a bare address, without a name."""
    return bool(_ADDRESS.fullmatch(address)) and ".." not in address and not any(map(is_control, address))


def is_control(char: str) -> bool:
    """Whether the character could end a line or start a header of its own."""
    return unicodedata.category(char) in {"Cc", "Cs", "Zl", "Zp"}
