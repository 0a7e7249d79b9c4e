"""Who signs up? Names, companies and addresses that fit a country, as the parameters of a new customer."""

import unicodedata
from typing import Any

from services.sandbox.history.chance import Chance, chance
from services.sandbox.history.places import COUNTRIES, City, Country

SOURCES = {"google": 0.34, "content": 0.2, "ads": 0.17, "referral": 0.13, "partner": 0.09, "linkedin": 0.07}
_SECTORS = ("Labs", "Studio", "Works", "Partners", "Software", "Logistics", "Health", "Analytics")
_SHARES_EMAIL = 0.03
_SHARES_DOMAIN = 0.06

Identity = dict[str, Any]


def identity(seed: int, number: int, country: str | None = None) -> Identity:
    """The parameters of `customers.create` for the customer with this number; the same for a seed.

    Where no `country` is asked for, a few share the email of an earlier customer, and a few others the
    company of one.
    """
    draws, code = _origin(seed, number)
    if country or number < 20:
        return _person(draws, country or code, number)
    other = draws.random()
    if other < _SHARES_EMAIL:
        twin = _earlier(seed, number - draws.randint(3, 15))
        return {**twin, "metadata": {**twin["metadata"], "external_id": f"acct-{10_000 + number}"}}
    if other < _SHARES_EMAIL + _SHARES_DOMAIN:
        return _colleague(draws, _earlier(seed, number - draws.randint(3, 15)), number)
    return _with_gaps(draws, _person(draws, code, number))


def currency_of(person: Identity) -> str:
    """What somebody with this address pays in; dollars where nothing else is known."""
    country = COUNTRIES.get((person.get("address") or {}).get("country") or "")
    return country.currency if country else "usd"


def _earlier(seed: int, number: int) -> Identity:
    """The customer with this number as drawn first: with an email and a company of their own."""
    return _person(*_origin(seed, number), number)


def _origin(seed: int, number: int) -> tuple[Chance, str]:
    draws = chance(seed, "person", number)
    return draws, draws.weighted({code: country.weight for code, country in COUNTRIES.items()})


def _person(draws: Chance, code: str, number: int) -> Identity:
    country = COUNTRIES[code]
    first, family = draws.choice(country.first), draws.choice(country.family)
    company = _company(draws, country, code)
    city = draws.choice(country.cities)
    metadata = {
        "external_id": f"acct-{10_000 + number}",
        "source": draws.weighted(SOURCES),
        "company": company,
        "timezone": city.timezone,
    }
    if draws.happens(0.06):
        del metadata["source"]
    person = {
        "name": f"{family} {first}" if code == "JP" else f"{first} {family}",
        "email": _email(first, family, company, number),
        "address": _address(draws, country, city, code),
        "preferred_locales": [country.locale],
        "metadata": metadata,
    }
    if draws.happens(0.72):
        person["phone"] = _digits(draws, country.phone)
    if draws.happens(0.1):
        person["description"] = f"{company}, {draws.randint(2, 400)} people"
    return person


def _colleague(draws: Chance, other: Identity, number: int) -> Identity:
    """Somebody who works for the other one's company in the same place."""
    person = _person(draws, other["address"]["country"], number)
    local, domain = person["email"].split("@")[0], other["email"].split("@")[1]
    metadata = {**person["metadata"], **{name: other["metadata"][name] for name in ("company", "timezone")}}
    return {**person, "address": other["address"], "email": f"{local}@{domain}", "metadata": metadata}


def _with_gaps(draws: Chance, person: Identity) -> Identity:
    """The person as the account knows them: of some there is no name, no email or no address."""
    missing = draws.weighted({"name": 0.02, "email": 0.01, "address": 0.03, "": 0.94})
    if missing == "address" and currency_of(person) != "usd":
        return person
    return {name: value for name, value in person.items() if name != missing}


def _company(draws: Chance, country: Country, code: str) -> str:
    one, other = draws.sample(country.company, 2)
    if code == "JP":
        return f"{one}{other}株式会社"
    return f"{one} {other} {draws.choice(_SECTORS)}" if draws.happens(0.6) else f"{one} {other}"


def _email(first: str, family: str, company: str, number: int) -> str:
    person = ".".join(part for part in (_plain(first), _plain(family)) if part) or f"info{number}"
    return f"{person}@{_plain(company) or f'company-{number}'}.example"


def _plain(text: str) -> str:
    """The text in the letters that addresses are made of; empty when it has none of them."""
    letters = unicodedata.normalize("NFKD", text.replace("ß", "ss")).encode("ascii", "ignore").decode()
    kept = "".join(letter if letter.isalnum() else "-" for letter in letters.lower().replace("'", ""))
    return kept.strip("-")


def _address(draws: Chance, country: Country, city: City, code: str) -> dict[str, Any]:
    street = country.street.format(number=draws.randint(1, 240), name=draws.choice(country.family))
    return {
        "line1": street,
        "city": city.name,
        "state": city.state,
        "postal_code": _digits(draws, city.postal),
        "country": code,
    }


def _digits(draws: Chance, pattern: str) -> str:
    return "".join(str(draws.randrange(10)) if sign == "#" else sign for sign in pattern)
