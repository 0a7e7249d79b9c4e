"""Who may read the card links that stand in messages? Whoever has one can change the customer's card."""

from __future__ import annotations

import re
from typing import Final

from services.errors import InvalidInput
from services.staff.roles import Permission, Person

# Sessions of Stripe's portal, also under a domain of the account's own, and of the sandbox's, with or without
# a scheme, and percent-encoded in another address. The page where customers sign in (CUSTOMER_PORTAL_URL) is
# none: it asks who they are. Each word is looked at from its start only: long ones would take a long time.
_SLASH, _BREAK = "(?:/|%(?:25)*2F)", r"\s()<>\[\]\"'"
_CARD_LINK: Final = re.compile(
    rf"(?<![^{_BREAK}])[^{_BREAK}.:]*[.:][^{_BREAK}]*?{_SLASH}(?:session|hosted{_SLASH}portal){_SLASH}\S+",
    re.IGNORECASE,
)
HIDDEN: Final = "[card link: shown to those who may make one]"


def for_reader(text: str, person: Person) -> str:
    """The text as this person may read it: without card links where they may not make one."""
    return text if person.may(Permission.CARD_LINK) else _CARD_LINK.sub(HIDDEN, text)


def keep_out(subject: str) -> str:
    """The subject, which lists show to everybody. Raises InvalidInput where a card link stands in it."""
    if _CARD_LINK.search(subject):
        raise InvalidInput(
            "A card link stands in the subject, which everybody can read here.",
            field="subject",
            remedy="Put it into the message instead.",
        )
    return subject
