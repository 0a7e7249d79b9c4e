"""Who must be there today, however small the account is?

A few dozen people whose stories are written down rather than drawn: trials that end tonight and tomorrow,
cards that fail and recover, disputes that wait for an answer, names that break careless pages. The first ones
matter most: an account of ten customers has the first ten. Times are relative to the start of today (UTC).
"""

from typing import Any

from services.sandbox.billing.periods import DAY, HOUR, add_months
from services.sandbox.history.lifeline import Step

Role = dict[str, Any]

_TERMS: dict[str, Any] = {
    "plan": "team",
    "interval": "month",
    "seats": 5,
    "trial_days": 14,
    "without_card": "cancel",
    "card": False,
}
_PAYS: dict[str, Any] = {"trial_days": 0, "card": True}
_LONG_NAME = "The Honourable Society of " + "Very Long Names and Even Longer Subtitles, " * 5 + "Limited"
_FAILS: dict[str, Any] = {"code": "insufficient_funds", "fix": "none", "after": 0}


def roles(today: int) -> list[tuple[int, Role]]:
    """When each of them signs up, and the params of their `sign_up` intent, without the number."""
    return [
        *_trials_running(today),
        *_payments_failing(today),
        *_trials_over(today),
        *_subscribers(today),
        *_money_back(today),
        *_people(today),
    ]


def _role(
    start: int,
    *later: Step,
    name: str | None = None,
    email: str | None = None,
    country: str = "US",
    times: int = 1,
    **terms: Any,
) -> tuple[int, Role]:
    person = {key: value for key, value in (("name", name), ("email", email)) if value}
    whole = {**_TERMS, **terms}
    return start, {"country": country, "person": person, "terms": whole, "steps": later, "times": times}


def _renewing(renewal: int, months: int, *later: Step, **rest: Any) -> tuple[int, Role]:
    """Somebody who pays every month, `months` before a renewal; the steps are counted from that renewal."""
    start = add_months(renewal, -months)
    moved = [(renewal - start + after, what, params) for after, what, params in later]
    return _role(start, *moved, **{**_PAYS, **rest})


def _failing(renewal: int, name: str | None = None, **trouble: Any) -> tuple[int, Role]:
    """Somebody whose card is declined at a renewal."""
    country = trouble.pop("country", "US")
    return _renewing(renewal, 4, (-2 * DAY, "card_fails", {**_FAILS, **trouble}), name=name, country=country)


def _trials_running(today: int) -> list[tuple[int, Role]]:
    day = today - 14 * DAY
    return [
        _role(day + 20 * HOUR, name="**Bold** [Click me](https://phish.example) Industries"),
        _role(day + DAY + 15 * HOUR, without_card="pause", name="<script>alert('hello')</script>"),
        _role(day + 3 * DAY + 10 * HOUR, name="=SUM(A1:A9)", country="DE"),
        _role(today - 7 * DAY + 23 * HOUR, trial_days=7, card=True, name="محمد الأحمد", country="IL"),
        _role(today - 22 * DAY + 9 * HOUR, trial_days=30, seats=12, plan="business", country="JP"),
        _role(day + DAY, (12 * DAY, "extend_trial", {"days": 14}), name="🚀 Rocket 🐙 Labs"),
        _role(today - 3 * HOUR, plan="starter", seats=1, without_card="create_invoice"),
        _role(
            today - 5 * DAY,
            (4 * DAY, "cancel", {"at_end": True, "feedback": "too_expensive", "comment": "Too much for us."}),
            card=True,
        ),
        _role(day + 2 * DAY + 8 * HOUR, (9 * DAY, "add_card", {}), country="FR"),
    ]


def _payments_failing(today: int) -> list[tuple[int, Role]]:
    return [
        _failing(today - DAY, name=_LONG_NAME),
        _failing(today - 4 * DAY, code="expired_card", country="DE"),
        _failing(today - 2 * DAY, code="do_not_honor", country="JP"),
        _failing(today - 9 * DAY, code="lost_card", name="Robert'); DROP TABLE customers;--"),
        _failing(today - 6 * HOUR, code="authentication_required", country="FR"),
        _failing(today - 20 * DAY, fix="retry", after=2 * DAY),
        _failing(today - 25 * DAY, fix="new card", after=30 * HOUR, code="expired_card"),
        _failing(today - 45 * DAY),
        _failing(add_months(today, -14), code="stolen_card"),
    ]


def _trials_over(today: int) -> list[tuple[int, Role]]:
    return [
        _role(today - 25 * DAY, (3 * DAY, "add_card", {}), (3 * DAY + HOUR, "end_trial", {})),
        _role(today - 40 * DAY, (13 * DAY, "add_card", {}), country="DE"),
        _role(today - 20 * DAY),
        _role(today - 18 * DAY, without_card="pause", country="GB"),
        _role(today - 60 * DAY, (16 * DAY, "come_back", {}), without_card="pause"),
        _role(today - 16 * DAY, without_card="create_invoice"),
        _role(today - 30 * DAY, (6 * DAY, "cancel", {"feedback": "missing_features", "comment": "No SSO"})),
        _role(today - 17 * DAY, (10 * DAY, "card_fails", _FAILS), card=True, country="ES"),
    ]


def _subscribers(today: int) -> list[tuple[int, Role]]:
    renewal = today + 11 * DAY
    leaving = {"at_end": True, "feedback": "switched_service", "comment": "Moved to another tool."}
    return [
        _renewing(renewal, 5, (-12 * DAY, "cancel", leaving)),
        _renewing(renewal, 9, (-75 * DAY, "cancel", {"feedback": "unused"}), (-20 * DAY, "come_back", {})),
        _renewing(renewal, 3, (-15 * DAY, "pause_collection", {"behavior": "keep_as_draft"})),
        _renewing(renewal, 6, (-13 * DAY, "pause_collection", {"behavior": "void"}), country="NL"),
        _renewing(renewal, 7, (-30 * DAY, "upgrade", {}), (-14 * DAY, "change_seats", {"by": 3})),
        _renewing(renewal, 8, (-40 * DAY, "downgrade", {}), plan="business", seats=20),
        _renewing(renewal, 15, (-100 * DAY, "change_seats", {"by": -2}), country="DE"),
        _renewing(renewal, 4, (-50 * DAY, "go_yearly", {})),
        _renewing(renewal, 13, interval="year", plan="business", seats=10, country="JP"),
        _renewing(renewal, 2, coupon="PARTNER100"),
        _renewing(renewal, 2, promotion_code="FRIENDS10", plan="starter", seats=1),
        _renewing(renewal, 5, coupon="LAUNCH25", country="IT"),
        _renewing(renewal, 1, coupon="TENOFF"),
        _renewing(renewal, 3, plan="business", seats=12, support=True),
        _renewing(today - 10 * DAY, 2, plan="business", seats=25, send_invoice=True),
        _renewing(today - 36 * DAY, 3, plan="business", seats=30, send_invoice=True, country="DE"),
        _renewing(renewal, 6, (-200 * DAY, "cancel", leaving), (-16 * DAY, "delete", {})),
        _role(today - HOUR, **_PAYS, bad_card="requires_action"),
        _role(today + 20 * HOUR, **_PAYS, bad_card="requires_action"),
        _role(today - 3 * DAY, **_PAYS, bad_card="insufficient_funds"),
    ]


def _money_back(today: int) -> list[tuple[int, Role]]:
    renewal = today - 8 * DAY
    return [
        _renewing(renewal, 3, (2 * DAY, "dispute", {"outcome": "open"})),
        _renewing(renewal, 6, (5 * DAY, "dispute", {"outcome": "open"}), plan="business", seats=9),
        _renewing(today - 20 * DAY, 4, (10 * DAY, "dispute", {"outcome": "open"}), country="JP"),
        _renewing(today - 25 * DAY, 8, (12 * DAY + HOUR, "dispute", {"outcome": "open"}), plan="starter"),
        _renewing(renewal, 9, (-70 * DAY, "dispute", {"outcome": "won"}), country="DE"),
        _renewing(renewal, 9, (-80 * DAY, "dispute", {"outcome": "lost"})),
        _renewing(renewal, 4, (3 * DAY, "refund", {"share": 1})),
        _renewing(renewal, 5, (4 * DAY, "refund", {"share": 0.5}), country="JP"),
        _renewing(renewal, 5, (6 * DAY, "add_charge", {"now": False})),
        _renewing(renewal, 5, (-6 * DAY, "add_charge", {"now": True}), country="FR"),
        _renewing(renewal, 7, (5 * DAY, "credit", {})),
    ]


def _people(today: int) -> list[tuple[int, Role]]:
    shared = "accounts@lindenhof-falkenau.example"
    return [
        _renewing(today - 9 * DAY, 5, email=shared, country="DE", name="Lindenhof Falkenau GmbH"),
        _role(today - 6 * DAY, email=shared, country="DE", name="Lindenhof Falkenau (Test)"),
        _renewing(today - 12 * DAY, 4, times=2, name="Twice O'Subscribed"),
        _role(today - 90 * DAY, (13 * DAY, "add_card", {}), name="עמותת אור לילדים", country="IL"),
        _role(today - 8 * DAY, name='@mention\t+1234 "quoted" & <b>tagged</b>'),
    ]
