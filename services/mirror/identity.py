"""Whose account is this, and is this database its own?"""

from __future__ import annotations

import time
from dataclasses import dataclass

from sqlmodel import Session

from models import Workspace
from services import clock
from services.config import Mode, Settings
from services.errors import ConfigurationError, InvalidInput, WrongAccount
from services.mirror import cursors
from services.mirror.shapes.reading import Object, dig, either
from services.stripe_api import client, errands
from services.stripe_api.client import Answer
from services.stripe_api.failures import RightMissing

_JITTER = 2  # seconds: `Date` is whole seconds, and an answer takes a while


@dataclass(frozen=True, slots=True)
class Identity:
    """An account (`acct_...`), what people call it, and its mode."""

    account: str
    name: str
    mode: Mode

    def __str__(self) -> str:
        return f"the {self.mode} account {self.account}"


@errands.on(errands.START)
def ask(settings: Settings) -> Identity:
    """Asks the connected account who it is; follows its clock where it is the sandbox's.

    A restricted key may not be allowed to: then STRIPE_ACCOUNT_ID says it. Raises ConfigurationError where
    that is missing or differs, KeyRejected, StripeUnavailable.
    """
    try:
        answer = client.account().read("/v1/account")
    except RightMissing as refused:
        return Identity(_stated(settings, refused), "", settings.mode)
    follow_clock(settings.mode, answer.date)
    found = Identity(answer.object["id"], _name(answer), settings.mode)
    if settings.stripe_account_id and settings.stripe_account_id != found.account:
        raise ConfigurationError(
            f"STRIPE_ACCOUNT_ID is {settings.stripe_account_id}, but the key belongs to {found.account}.",
            remedy="Correct STRIPE_ACCOUNT_ID, or unset it.",
        )
    return found


def claim(session: Session, identity: Identity) -> Workspace:
    """The database's workspace; made where the database is new. Raises WrongAccount where it is another's."""
    held = session.get(Workspace, 1)
    if held is None:
        held = Workspace(
            account=identity.account,
            account_name=identity.name,
            mode=identity.mode,
            clock_offset=clock.offset(),
        )
        session.add(held)
        return held
    if (held.account, held.mode) != (identity.account, identity.mode):
        raise WrongAccount(held=f"the {held.mode} account {held.account}", given=str(identity))
    cursors.reopen_denied(session)
    held.account_name = identity.name or held.account_name
    held.clock_offset = clock.offset()
    return held


def name(session: Session) -> str:
    """What people call this database's account, with its id; "" before it is claimed."""
    held = session.get(Workspace, 1)
    if held is None:
        return ""
    has_name = held.account_name not in ("", held.account)
    return f"{held.account_name} ({held.account})" if has_name else held.account


def follow_clock(mode: str, date: int) -> None:
    """Follows the sandbox's clock, as an answer's `Date` (s) tells it; a real account's clock is ours."""
    if mode != "sandbox" or not date:
        return
    offset = date - int(time.time())
    if abs(offset - clock.offset()) > _JITTER:
        clock.follow(offset)


def require_ours(source: Object, mode: Mode) -> None:
    """Raises InvalidInput for an event or object of the other mode, or of an account connected to ours."""
    if "livemode" in source and bool(source["livemode"]) != (mode == "live"):
        raise InvalidInput(
            f"This desk runs in {mode} mode, and this is from the other.",
            remedy="Each mode needs a desk of its own; webhook endpoints of the other must not send here.",
        )
    if source.get("object") == "event" and source.get("account"):
        raise InvalidInput(
            f"The event belongs to the connected account {source['account']}.",
            remedy="Have the webhook endpoint listen to your own account only, in Stripe's dashboard.",
        )


def _stated(settings: Settings, refused: RightMissing) -> str:
    if settings.stripe_account_id:
        return settings.stripe_account_id
    raise ConfigurationError(
        f"The Stripe key may not say which account it belongs to. {refused.message}",
        remedy="Set STRIPE_ACCOUNT_ID to the account's id (acct_...), as Stripe's dashboard shows it, or "
        "give the key this right there, under API keys.",
    )


def _name(answer: Answer) -> str:
    source = answer.object
    return str(
        either(
            dig(source, "settings", "dashboard", "display_name"),
            dig(source, "business_profile", "name"),
            source.get("email"),
        )
        or source["id"]
    )
