"""How is a request repeated until Stripe has said what became of it?"""

from __future__ import annotations

import logging
import time

from services.desk.command import Step, Work
from services.errors import TrialdeskError, Unavailable
from services.stripe_api.client import Answer
from services.stripe_api.failures import (
    KeyRejected,
    OutcomeUnknown,
    RateLimited,
    RequestRejected,
    RightMissing,
    StripeUnavailable,
)

PAUSES = (0.5, 2.0, 5.0)  # seconds before each repeat, beside the SDK's own two at once
_log = logging.getLogger(__name__)


def call(step: Step, work: Work, *, repeated: bool) -> Answer:
    """The request, repeated with the same key while its outcome is open.

    Once an attempt may have arrived (`repeated`: before this call), only Stripe's own answer for this key
    ends the doubt; that one got no answer is not forgotten over later server errors. A DELETE has no key:
    before each repeat its effect is looked up, and a refusal is no refusal where the effect is there.
    Raises OutcomeUnknown, or what Stripe decided.
    """
    doubt = OutcomeUnknown() if repeated else None
    last: Unavailable = doubt or StripeUnavailable()
    for pause in (*PAUSES, None):
        if doubt and not step.keyed and (found := look(step, work, doubt)):
            return found
        try:
            return step.call(work)
        except OutcomeUnknown as unknown:
            doubt = last = OutcomeUnknown(
                unknown.status if doubt is None or doubt.status else None, request_id=unknown.request_id
            )
        except (RateLimited, StripeUnavailable) as unavailable:
            last = doubt or unavailable
        except (KeyRejected, RightMissing):
            if doubt:
                raise doubt from None
            raise
        except RequestRejected:
            if not step.keyed and (found := look(step, work, doubt or OutcomeUnknown())):
                return found
            raise
        if pause is not None:
            time.sleep(pause)
    raise last


def look(step: Step, work: Work, doubt: OutcomeUnknown) -> Answer | None:
    """The effect of a request that may have arrived; where it cannot be read the doubt stays: raises it."""
    try:
        return step.effect(work)
    except TrialdeskError as error:
        _log.warning("The effect of %s (%s) could not be read: %s", work.token, step.name, error)
        raise doubt from None
