"""Objects read by id are whole, and say when they were so."""

from __future__ import annotations

from services import clock
from services.mirror import complete
from tests.support.sandbox import Sandbox


def test_an_object_that_is_gone_is_gone_as_of_the_answers_time(sandbox: Sandbox) -> None:
    now = sandbox.advance(days=3)
    answer = complete.read("subscription", "sub_gone")
    assert answer.object == {"id": "sub_gone", "object": "subscription", "deleted": True}
    assert now - 5 <= answer.as_of <= sandbox.now()
    assert clock.now() < now - 5  # the answer's time is the account's, not ours
