"""How are the groups called that conversion is split by?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pages.components import formats
from services import config
from services.customers import names as codes
from services.customers.filters import country_label
from services.metrics.trials.conversion import Priced

DIMS = {
    "plan": "Plan",
    "price": "Price",
    "currency": "Currency",
    "country": "Country",
    "source": "Source",
    "trial_days": "Trial length",
    "card_at_start": "Card on file at the start",
    "extended": "Extended by staff",
    "called": "Called in the trial",
    "messaged": "Messaged in the trial",
}
NOT_GIVEN = "Not given"
_FLAGS = {
    "card_at_start": {"1": "Card at the start", "0": "No card at the start", "": "Cannot be told"},
    "extended": {"1": "Extended", "0": "Not extended"},
    "called": {"1": "Called", "0": "Not called"},
    "messaged": {"1": "Messaged", "0": "Not messaged"},
}
_DECIDED_LATER = frozenset(("extended", "called", "messaged"))
_NO_LOTS = (
    "Nobody drew lots who is in which group. The groups may differ in more than their name, so a difference "
    "is no proof of a cause."
)
_LATER = (
    " Staff choose whom they extend, call or write to, and a trial that runs longer leaves more time for it: "
    "read it with double care."
)


@dataclass(frozen=True, slots=True)
class Names:
    """What plans are called, by product id, and prices."""

    plans: Mapping[str, str]
    prices: Mapping[str, Priced]

    def of(self, dim: str, value: str) -> str:
        """How a value of a dimension is called."""
        if dim in _FLAGS:
            return _FLAGS[dim].get(value, value)
        if not value:
            return NOT_GIVEN
        match dim:
            case "plan":
                return self.plans.get(value, value)
            case "price":
                return self._price(value)
            case "currency":
                return value.upper()
            case "country":
                return country_label(value, config.settings().workspace_locale)
            case "trial_days":
                return formats.plural(int(value), "day")
        return value

    def _price(self, id: str) -> str:
        price = self.prices.get(id)
        if price is None:
            return id
        plan = price.nickname or self.plans.get(price.plan, price.plan)
        if price.unit_amount is None:
            return plan
        each = price.interval if price.every == 1 else f"{price.every} {price.interval}s"
        return f"{formats.money(price.unit_amount, price.currency)} / {each}, {plan}"


def why(state: str, code: str) -> str:
    """Why a trial brought nothing, in a few words: `Missed payment: insufficient funds`."""
    if not code:
        return _UNKNOWN.get(state, NOT_GIVEN)
    said = codes.FEEDBACK.get(code) or code.replace("_", " ").capitalize()
    return f"Payment: {said.lower()}" if state == "missed_payment" else said


_UNKNOWN = {
    "missed_payment": "Payment: not tried, or code not known",
    "cancelled_in_trial": "Canceled, reason not given",
    "expired": "Ended without a card",
}


def no_lots(dim: str) -> str:
    """That a comparison is not randomised, in sentences."""
    return _NO_LOTS + _LATER * (dim in _DECIDED_LATER)
