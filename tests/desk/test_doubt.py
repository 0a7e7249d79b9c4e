"""A request that may have arrived stays in doubt until Stripe itself says what became of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from services.desk import repeats
from services.desk.command import Step, Work
from services.errors import TrialdeskError
from services.stripe_api.client import Answer
from services.stripe_api.failures import (
    CardDeclined,
    KeyRejected,
    OutcomeUnknown,
    RateLimited,
    RequestRejected,
    RightMissing,
    StripeUnavailable,
)

DONE = Answer({"id": "sub_1"}, 1, "req_1")
DECLINED = CardDeclined(code="card_declined", decline_code=None, advice_code=None, request_id="req_2")
REJECTED = RequestRejected("no", code="", param=None, request_id="req_3")
SAY_NOTHING = (StripeUnavailable(), RateLimited(None), KeyRejected(), RightMissing("", "", request_id=""))


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(repeats, "PAUSES", (0.0,))
    yield


def answers(*given: Answer | TrialdeskError | None) -> Callable[[Work], Answer | None]:
    """One answer after the other, the last one for ever."""
    left = list(given)

    def answer(_: Work) -> Answer | None:
        said = left.pop(0) if len(left) > 1 else left[0]
        if isinstance(said, TrialdeskError):
            raise said
        return said

    return answer


def call(
    *said: Answer | TrialdeskError, repeated: bool = True, keyed: bool = True, effect: object = None
) -> Answer:
    """What the runner makes of a step that gets these answers, and of its effect."""
    step = Step("update", "subscription", answers(*said), answers(effect), keyed)  # type: ignore[arg-type]
    work = Work("token", "token:update", "cus_1", "sub_1", {})
    return repeats.call(step, work, repeated=repeated)


@pytest.mark.parametrize("silence", SAY_NOTHING, ids=lambda error: type(error).__name__)
def test_what_says_nothing_about_an_earlier_attempt_leaves_it_in_doubt(silence: TrialdeskError) -> None:
    with pytest.raises(OutcomeUnknown):
        call(silence)
    with pytest.raises(OutcomeUnknown):
        call(OutcomeUnknown(), silence, repeated=False)
    with pytest.raises(type(silence)):
        call(silence, repeated=False)


def test_server_errors_do_not_make_an_attempt_without_an_answer_forgotten() -> None:
    for first, repeated, status in (
        (OutcomeUnknown(), False, None),
        (OutcomeUnknown(503), True, None),
        (OutcomeUnknown(503), False, 500),
    ):
        with pytest.raises(OutcomeUnknown) as doubt:
            call(first, OutcomeUnknown(500, request_id="req_9"), repeated=repeated)
        assert (doubt.value.status, doubt.value.request_id) == (status, "req_9")


@pytest.mark.parametrize("final", [DECLINED, REJECTED])
def test_stripes_own_answer_for_the_key_is_final(final: TrialdeskError) -> None:
    with pytest.raises(type(final)):
        call(StripeUnavailable(), final)
    assert call(StripeUnavailable(), DONE) is DONE


def test_a_repeated_delete_whose_effect_cannot_be_read_stays_in_doubt() -> None:
    with pytest.raises(OutcomeUnknown):
        call(DONE, keyed=False, effect=StripeUnavailable())
    with pytest.raises(OutcomeUnknown):
        call(OutcomeUnknown(), keyed=False, repeated=False, effect=StripeUnavailable())
    with pytest.raises(OutcomeUnknown):
        call(REJECTED, keyed=False, repeated=False, effect=KeyRejected())
    assert call(REJECTED, keyed=False, effect=DONE) is DONE
