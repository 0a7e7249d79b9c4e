"""What is told of a number?"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Definition:
    """One number: `short` is the help beside it; `part` and `whole` are numerator and denominator of a rate.

    `more` is what else one needs to know to agree with it.
    """

    key: str
    section: str
    title: str
    short: str
    part: str = ""
    whole: str = ""
    more: str = ""
