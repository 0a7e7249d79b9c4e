"""What will a customer do, and when? A list of steps, drawn when the subscription starts.

Each step is (seconds after the start, name, params); the names are those of `intents`. A step that makes no
sense any more when its time comes (the subscription has ended, the customer is gone) is left out then.
"""

from typing import Any

from services.sandbox.history.chance import Chance
from services.sandbox.history.terms import Terms, chance_to_pay

Step = tuple[int, str, dict[str, Any]]

HOUR, DAY = 3600, 86_400
MONTH, YEAR = 30 * DAY, 365 * DAY
LONGEST = 30 * MONTH

_FEEDBACK = {
    "too_expensive": (0.26, ("We are cutting costs this quarter.", "Too much for a team of our size.")),
    "missing_features": (0.2, ("We need single sign-on.", "No export to our ERP, *sadly*.", "No API for X")),
    "unused": (0.2, ("We hardly opened it.", None)),
    "switched_service": (0.14, ("Moved to another tool.", None)),
    "low_quality": (0.05, ("Reports were slow for us.", None)),
    "too_complex": (0.06, ("Nobody had time to learn it.", None)),
    "customer_service": (0.03, ("Waited four days for an answer.", None)),
    "other": (0.06, ("Company was acquired 🎉", "<b>Budget</b> freeze", None)),
}
_DECLINES = {
    "insufficient_funds": 0.44,
    "generic_decline": 0.18,
    "do_not_honor": 0.12,
    "expired_card": 0.12,
    "lost_card": 0.03,
    "stolen_card": 0.02,
    "processing_error": 0.04,
    "authentication_required": 0.05,
}
_FIXES = {"retry": 0.34, "new card": 0.3, "new card later": 0.08, "none": 0.28}
_TROUBLE_A_MONTH, _TROUBLE_AT_RENEWAL = 0.05, 0.09
_LEAVING_A_MONTH = {"month": 0.027, "year": 0.018}


def steps(draws: Chance, made: Terms, source: str) -> list[Step]:
    """All that somebody on these terms will do after the start of the subscription."""
    trial = made["trial_days"] * DAY
    if not trial:
        return _paying(draws, made, 0)
    pays = draws.happens(chance_to_pay(made, source))
    if made["card"]:
        found = _card_trial(draws, trial, pays)
    else:
        found, trial = _trial(draws, trial, pays)
    if pays:
        return found + _paying(draws, made, trial)
    return found + _afterwards(draws, made, trial)


def trouble(draws: Chance) -> dict[str, Any]:
    """A card that will be declined, and what ends it: `fix` and how long `after` the first failure."""
    fix = draws.weighted(_FIXES)
    after = draws.span(1, 5, DAY) if fix == "retry" else draws.span(0.2, 9, DAY)
    return {"code": draws.weighted(_DECLINES), "fix": fix, "after": after}


def reason(draws: Chance) -> dict[str, Any]:
    """What somebody who cancels says."""
    feedback = draws.weighted({name: weight for name, (weight, _) in _FEEDBACK.items()})
    comment = draws.choice(_FEEDBACK[feedback][1]) if draws.happens(0.6) else None
    return {"feedback": feedback, "comment": comment} if draws.happens(0.85) else {}


def _trial(draws: Chance, trial: int, pays: bool) -> tuple[list[Step], int]:
    """The steps of a trial without a card, and when the trial ends after all."""
    found: list[Step] = []
    if draws.happens(0.09):
        days = draws.choice((7, 7, 14))
        found.append((trial - draws.span(2, 48, HOUR), "extend_trial", {"days": days}))
        trial += days * DAY
    if not pays:
        leaves = draws.random()
        if leaves < 0.22:
            gives_up = {"at_end": leaves < 0.14, **reason(draws)}
            found.append((int(trial * draws.uniform(0.3, 0.97)), "cancel", gives_up))
        return found, trial
    when = draws.weighted({"early": 0.34, "late": 0.56, "after": 0.1})
    if when == "after":
        found.append((trial + draws.span(2, 60, HOUR), "come_back", {}))
    elif when == "late":
        found.append((trial - draws.span(1, 40, HOUR), "add_card", {}))
    else:
        moment = int(trial * draws.uniform(0.08, 0.8))
        found.append((moment, "add_card", {}))
        if draws.happens(0.3):
            found.append((moment + HOUR, "end_trial", {}))
    return found, trial


def _card_trial(draws: Chance, trial: int, pays: bool) -> list[Step]:
    moment = int(trial * draws.uniform(0.15, 0.97))
    if pays:
        return [(moment, "end_trial", {})] if draws.happens(0.12) else []
    if draws.happens(0.82):
        return [(moment, "cancel", {"at_end": draws.happens(0.85), **reason(draws)})]
    return [(moment, "card_fails", {**trouble(draws), "fix": "none"})]


def _paying(draws: Chance, made: Terms, start: int) -> list[Step]:
    """The life of somebody who pays from `start` on, until they leave."""
    months = draws.expovariate(_LEAVING_A_MONTH[made["interval"]])
    end = start + min(int(months * MONTH), LONGEST)
    found = _changes(draws, made, start, end) + _accidents(draws, made, start, end)
    if made["send_invoice"]:
        found.append((start + draws.span(4, 24, DAY), "settle", {}))
    if end - start < LONGEST:
        found += _leaving(draws, made, end)
    return found


def _changes(draws: Chance, made: Terms, start: int, end: int) -> list[Step]:
    """Seats, plans, one-off charges: what a healthy customer does."""
    found: list[Step] = []
    if made["plan"] != "starter":
        for moment in draws.moments(0.07, start + DAY, end, MONTH):
            more = draws.randint(1, 4) if draws.happens(0.72) else -draws.randint(1, 2)
            found.append((moment, "change_seats", {"by": more}))
    rates = {"upgrade": 0.014, "downgrade": 0.006, "go_yearly": 0.005, "add_charge": 0.012}
    for name, rate in {**rates, "pause_collection": 0.004, "credit": 0.005}.items():
        found += [(moment, name, {}) for moment in draws.moments(rate, start + DAY, end, MONTH)]
    return found


def _accidents(draws: Chance, made: Terms, start: int, end: int) -> list[Step]:
    """Declined cards, refunds, disputes."""
    if made["interval"] == "month":
        moments = list(draws.moments(_TROUBLE_A_MONTH, start + DAY, end, MONTH))
    else:
        moments = [start + YEAR - 5 * DAY] if draws.happens(_TROUBLE_AT_RENEWAL) else []
    found: list[Step] = [(moment, "card_fails", trouble(draws)) for moment in moments if moment < end]
    found += [(moment, "refund", {}) for moment in draws.moments(0.009, start + 2 * DAY, end, MONTH)]
    found += [(moment, "dispute", {}) for moment in draws.moments(0.004, start + 5 * DAY, end, MONTH)]
    return found


def _leaving(draws: Chance, made: Terms, moment: int) -> list[Step]:
    found: list[Step] = [(moment, "cancel", {"at_end": draws.happens(0.78), **reason(draws)})]
    if draws.happens(0.13):
        found.append((moment + draws.span(0.1, 6, DAY), "undo_cancel", {}))
        found.append((moment + draws.span(90, 200, DAY), "cancel", {"at_end": True, **reason(draws)}))
    return found + _afterwards(draws, made, moment)


def _afterwards(draws: Chance, made: Terms, moment: int) -> list[Step]:
    """Some who left come back, a few want to be forgotten."""
    if draws.happens(0.09):
        months = draws.uniform(1.2, 6)
        again = [(at, name, params) for at, name, params in _accidents(draws, made, 0, 8 * MONTH)]
        return [(moment + int(months * MONTH), "come_back", {"steps": again})]
    if draws.happens(0.02):
        return [(moment + draws.span(35, 120, DAY), "delete", {})]
    return []
