"""Can the tables be trusted, and if not, what is wrong? Each thing that is, in a sentence with what to do."""

from __future__ import annotations

from dataclasses import dataclass

from sqlmodel import Session

from models import Reconciliation
from services import clock, config
from services.metrics.counting import waiting
from services.mirror import budget, comparisons, cursors, health, inbox, poll, progress, underivable
from services.mirror.budget import Budget
from services.mirror.health import Deliveries, Feed, Inbox
from services.mirror.progress import Progress

_LOOKS_MISSED = 3  # looks in a row that brought nothing: then the data is old
_SLACK = 60  # seconds that a look itself may take
_NIGHTS_MISSED = 2 * clock.DAY
_NAMED = 3  # customers
_WAITS_TOO_LONG = 300  # seconds from the inbox to the tables, which should be two


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong. `grave`: rows are missing or old because of it; else somebody should look."""

    message: str
    remedy: str = ""
    grave: bool = True


def problems(session: Session, paid: int | None = None) -> list[Problem]:
    """All that is wrong now, the gravest first; nothing where nothing is known to be wrong.

    `paid` as in `budget.read`.
    """
    found, came = progress.read(session), health.deliveries(session)
    said = [
        *_pull(found),
        *_age(found),
        *_feed(health.feed(session), found, came),
        *_refused(came),
        *_inbox(health.inbox(session)),
        *_unread(*inbox.unread(session)),
        *_derived(underivable.told(session)),
        *_counted(waiting.failed(session)),
        *_compared(comparisons.last_ended(session), found),
        *_reads(budget.read(session, paid)),
    ]
    return sorted(said, key=lambda one: not one.grave)


def _pull(found: Progress) -> list[Problem]:
    said = [
        Problem(f"{_words(one.resource).capitalize()} could not be read: {one.error}")
        for one in found.resources
        if one.state == "failed"
    ]
    said += [
        Problem(f"The key may not read {_words(one.resource)}. {one.error}")
        for one in found.resources
        if one.state == "denied"
    ]
    if not found.complete and not said:
        under_way = [one for one in found.resources if one.state not in cursors.SETTLED]
        left = (
            f"{len(under_way)} of {len(found.resources)} resources" if under_way else "the customers' facts"
        )
        said.append(
            Problem(
                f"The account has not been pulled to its end yet: {left} are left.", "It goes on by itself."
            )
        )
    return said


def _age(found: Progress) -> list[Problem]:
    if found.last_error and all(found.last_error != one.error for one in found.resources):
        return [Problem(found.last_error)]
    return []


def _feed(feed: Feed, found: Progress, came: Deliveries) -> list[Problem]:
    every = poll.pace(config.settings(), came).seconds
    behind = clock.now() - feed.read_to if feed.read_to else 0
    if behind > poll.KEPT_BY_STRIPE:
        return [
            Problem(
                f"The events of the last {behind // clock.DAY} days have not been read, and Stripe keeps "
                "them for 30 days only.",
                "The account is listed anew at the next look that succeeds.",
            )
        ]
    if found.pulled_at and behind > _LOOKS_MISSED * every + _SLACK:
        return [Problem("The events are not being read.", "What happened since the last look is not shown.")]
    return []


def _refused(came: Deliveries) -> list[Problem]:
    if came.refused is None:
        return []
    number = came.refused.number
    many = (
        f"{number:,} deliveries of events were refused, the last one for"
        if number > 1
        else ("A delivery of an event was refused for")
    )
    return [Problem(f"{many} this reason: {came.refused.why}", grave=False)]


def _inbox(found: Inbox) -> list[Problem]:
    said = []
    if found.failed:
        said.append(
            Problem(
                f"{found.failed:,} objects or events could not be stored and lie aside."
                if found.failed > 1
                else "One object or event could not be stored and lies aside.",
                "See why below; try again, or ignore what does not matter.",
            )
        )
    if found.oldest is not None and clock.now() - found.oldest > _WAITS_TOO_LONG:
        said.append(
            Problem(
                f"{found.pending:,} payloads wait in the inbox, the oldest for "
                f"{(clock.now() - found.oldest) // 60} minutes.",
                "They are applied as soon as the account and the database let us.",
            )
        )
    return said


def _unread(count: int, reasons: list[str]) -> list[Problem]:
    if not count:
        return []
    many = f"{count:,} events wait for objects" if count > 1 else "One event waits for an object"
    return [
        Problem(
            f"{many} that Stripe fails with: {' '.join(dict.fromkeys(reasons))}",
            "All others are applied. It is tried again by itself, less and less often; if it stays so, ask "
            "Stripe's support about the object.",
        )
    ]


def _derived(failed: list[tuple[str, str]]) -> list[Problem]:
    if not failed:
        return []
    are = "are" if len(failed) > 1 else "is"
    return [
        Problem(
            f"The rates and facts of {_customers(failed)} {are} out of date, as they cannot be derived. "
            f"{_reasons(failed)}",
            "It is tried again with the first look after ten minutes, and when something of theirs changes.",
        )
    ]


def _customers(failed: list[tuple[str, str]]) -> str:
    return f"{len(failed):,} customers" if len(failed) > 1 else "one customer"


def _reasons(failed: list[tuple[str, str]]) -> str:
    return "; ".join(f"{customer}: {why}" for customer, why in failed[:_NAMED])


def _counted(failed: list[tuple[str, str]]) -> list[Problem]:
    if not failed:
        return []
    return [
        Problem(
            "The numbers of Conversion, Revenue and Recovery are without what is new of "
            f"{_customers(failed)}. {_reasons(failed)}",
            "It is tried again within the hour, and when something of theirs changes.",
        )
    ]


def _compared(last: Reconciliation | None, found: Progress) -> list[Problem]:
    if said := comparisons.trouble(last):
        return [Problem(said, grave=last is not None and last.state == "incomplete")]
    since = max((one for one in (last.started_at if last else None, found.pulled_at) if one), default=None)
    if config.settings().reconcile_time is None or since is None or clock.now() - since < _NIGHTS_MISSED:
        return []
    days = (clock.now() - since) // clock.DAY
    return [Problem(f"The tables have not been compared with the account for {days} days.", grave=False)]


def _reads(found: Budget) -> list[Problem]:
    if not found.is_short:
        return []
    return [
        Problem(
            f"{found.share:.0%} of the reads that Stripe allows this month are used up "
            f"({found.used:,} of {found.allowance:,}).",
            "Set up webhooks and raise POLL_INTERVAL.",
            grave=False,
        )
    ]


def _words(resource: str) -> str:
    return resource.replace("_", " ")
