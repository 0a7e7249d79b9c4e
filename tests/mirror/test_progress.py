"""How much has come in and is not in the tables yet?"""

from __future__ import annotations

from types import ModuleType

from services.mirror import poll, progress
from tests.support.sandbox import Sandbox


def test_what_came_in_and_is_not_applied_yet_is_counted(pulled: ModuleType, sandbox: Sandbox) -> None:
    poll.once()
    sandbox.advance(days=1)
    received, _ = poll.fetch()
    with pulled.session() as session:
        waiting = progress.read(session).waiting
    assert 0 < received == waiting
    poll.once()
    with pulled.session() as session:
        assert progress.read(session).waiting == 0
