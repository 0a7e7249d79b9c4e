"""What did somebody type into the search box? Each word is recognised by its form, and may be several.

`4242` is a card ending, an amount and a part of a name at once; a customer matches when every word
matches in at least one of its forms.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from babel.numbers import list_currencies

from services import money
from services.errors import InvalidInput
from services.text import phone_key, seen

LONGEST: Final = 200
MOST_WORDS: Final = 8
ID_PREFIXES: Final = (
    "cus sub si in ii inpay pi ch py re pyr dp du pm card cn evt prod price".split()
)  # how Stripe's ids begin; services/customers/whose says whose each one is
_SHARED_CURRENCIES: Final = frozenset("XAF XCD XCG XOF XPF".split())
CURRENCIES: Final = frozenset(  # of the codes with X all others are metals, funds and tests
    code.lower() for code in list_currencies() if code[0] != "X" or code in _SHARED_CURRENCIES
)
_ID = re.compile(rf"(?:{'|'.join(ID_PREFIXES)})_[A-Za-z0-9_]*")
_NUMBERED = re.compile(r"(?=.*\d)[A-Za-z0-9]+(?:-[A-Za-z0-9]*)*")
_PHONE = r"\+[\d ()./-]*\d|\(?0[\d ()/-]*\d|\(?\d{3}\)?[ -]\d{3}[ -]\d{4}"
_BRANDS = "visa|mastercard|amex|american express|discover|diners|jcb|unionpay|eftpos au|cartes bancaires|card"
_CARD = rf"(?:(?:{_BRANDS})\s+)?[·•*]{{2,}}\s*(?P<last4>\d{{4}})"  # as the desk writes it: `Visa ·· 4242`
_WORD = re.compile(rf"(?<!\S)(?:(?P<phone>{_PHONE})|{_CARD})(?!\S)|\S+", re.ASCII | re.IGNORECASE)
_FEWEST_DIGITS = 7  # of a phone number
_LARGEST_STORED = 2**63 - 1
_SYMBOLS = {"$": None, "€": "eur", "£": "gbp", "¥": "jpy", "₹": "inr", "₩": "krw"}
_OF_EACH_EXPONENT = {0: "jpy", 2: "usd", 3: "kwd"}


@dataclass(frozen=True, slots=True)
class Amount:
    """What was typed, in minor units by the decimals that a currency has; `currency` None for any."""

    by_exponent: dict[int, int]
    currency: str | None = None


@dataclass(frozen=True, slots=True)
class Term:
    """One word, and the forms it may have. `text` always also counts as a part of a name or an email.

    A card as the desk writes it and a phone number with spaces are one word; `phone` is its `text.phone_key`.
    """

    text: str
    id: str = ""
    domain: str = ""
    last4: str = ""
    phone: str = ""
    invoice_number: str = ""
    amount: Amount | None = None


def terms(text: str, *, locale: str = "en_US") -> tuple[Term, ...]:
    """The words of a search; empty for an empty one. Raises InvalidInput when it is too long."""
    words = [word for match in _WORD.finditer(seen(text)) for word in _one_or_several(match)]
    if len(text) > LONGEST or len(words) > MOST_WORDS:
        raise InvalidInput(
            f"The search is longer than {MOST_WORDS} words or {LONGEST} characters.",
            field="q",
            remedy="Search for fewer words.",
        )
    return tuple(
        Term(text=number, amount=_amount(number, currency, locale)) if currency else _term(number, locale)
        for number, currency in _with_currency(words, locale)
    )


def _one_or_several(match: re.Match[str]) -> list[str]:
    """What the box takes for one word; the groups of too few digits for a phone number are several."""
    word = match[0]
    if match["last4"]:
        return [f"··{match['last4']}"]
    return [word] if match["phone"] and _phone(word) else word.split()


def _with_currency(words: list[str], locale: str) -> list[tuple[str, str]]:
    """Joins `49.00 EUR` and `EUR 49.00` to one word with its currency; "" for all other words."""
    joined: list[tuple[str, str]] = []
    rest = list(words)
    while rest:
        word = rest.pop(0)
        if rest and word.lower() in CURRENCIES and _amount(rest[0], word.lower(), locale):
            joined.append((rest.pop(0), word.lower()))
        elif rest and rest[0].lower() in CURRENCIES and _amount(word, rest[0].lower(), locale):
            joined.append((word, rest.pop(0).lower()))
        else:
            joined.append((word, ""))
    return joined


def _term(word: str, locale: str) -> Term:
    if " " in word:
        return Term(text=word, phone=_phone(word))
    return Term(
        text=word,
        id=_id(word),
        domain=word[1:].lower() if word.startswith("@") else "",
        last4=word.removeprefix("··") if re.fullmatch(r"(··)?\d{4}", word, re.ASCII) else "",
        phone=_phone(word),
        invoice_number=_invoice_number(word),
        amount=_amount_with_symbol(word, locale),
    )


def _id(word: str) -> str:
    """An id, also out of a pasted address of Stripe's dashboard."""
    last = word.rstrip("/").rsplit("/", 1)[-1].partition("?")[0]
    return last if _ID.fullmatch(last) else ""


def _phone(word: str) -> str:
    """The key of a phone number, without the zeros that stand for a country or a long distance."""
    key = phone_key(word).rstrip("0") if re.fullmatch(r"[+\d ()./-]+", word, re.ASCII) else ""
    return key if len(key) >= _FEWEST_DIGITS else ""


def _invoice_number(word: str) -> str:
    long_enough = len(word) >= 6 or ("-" in word and len(word) >= 4)
    return word.upper() if long_enough and _NUMBERED.fullmatch(word) else ""


def _amount_with_symbol(word: str, locale: str) -> Amount | None:
    for symbol, currency in _SYMBOLS.items():
        if word.startswith(symbol) or word.endswith(symbol):
            return _amount(word.strip(symbol), currency, locale)
    return _amount(word, None, locale)


def _amount(text: str, currency: str | None, locale: str) -> Amount | None:
    """None unless the text is an amount of at least two digits, in the locale's or the plain writing."""
    if len(re.sub(r"\D", "", text)) < 2 or text[0] in "+-":
        return None
    currencies = {money.exponent(currency): currency} if currency else _OF_EACH_EXPONENT
    for writing in (locale, "en_US"):
        found = {
            exponent: minor
            for exponent, code in currencies.items()
            if (minor := _minor(text, code, writing)) is not None
        }
        if found:
            return Amount(found, currency)
    return None


def _minor(text: str, currency: str, locale: str) -> int | None:
    try:
        minor = money.read(text, currency, locale=locale)
    except InvalidInput:
        return None
    return minor if minor <= _LARGEST_STORED else None


def described(found: tuple[Term, ...]) -> str:
    """What the search looks for besides names and emails, in words; "" for plain words."""
    parts = [part for term in found for part in _forms(term)]
    return ", ".join(dict.fromkeys(parts))


def _forms(term: Term) -> list[str]:
    forms = [
        (term.id, f"the Stripe id {term.id}"),
        (term.domain, f"the domain {term.domain}"),
        (term.last4, f"a card ending in {term.last4}"),
        (term.phone, f"the phone number {term.text}"),
        (term.invoice_number, f"the invoice number {term.invoice_number}"),
        (term.amount, f"an amount of {term.text}"),
    ]
    return [words for form, words in forms if form]
