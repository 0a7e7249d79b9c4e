"""When may a number be shown again without computing it anew?

An answer stands for as long as the data has the same version. When the data has changed, a quick answer is
computed again at once; a slow one is shown once more, at most a minute old, while it is computed beside.
One computation at a time for each question, however many people ask.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from typing import Any, TypeVar, cast

from sqlmodel import Session

from services import database

QUICK = 0.2  # seconds that a person may wait at every change
OLDEST = 60.0  # seconds
_MOST = 200
T = TypeVar("T")
Answer = Callable[[Session], T]


@dataclass(slots=True)
class _Question:
    """What is kept for one question; `at` and `cost` in seconds of the machine's own clock."""

    answer: Any = None
    version: Hashable = None
    at: float = float("-inf")
    cost: float = 0.0
    lock: threading.Lock = field(default_factory=threading.Lock)


_here = threading.local()
_questions: OrderedDict[Hashable, _Question] = OrderedDict()
_guard = threading.Lock()


def ask(question: Hashable, version: Hashable, answer: Answer[T]) -> T:
    """The answer to a question about the data at `version`; `answer` must be a function of the data alone.

    The answer is shared: nobody may change it.
    """
    kept = _find(question)
    if kept.version == version:
        return cast("T", kept.answer)
    slow = kept.cost > QUICK and time.monotonic() - kept.at < OLDEST
    if slow:
        if kept.lock.acquire(blocking=False):
            threading.Thread(target=_beside, args=(kept, version, answer), daemon=True).start()
        _here.gave_old = True
        return cast("T", kept.answer)
    with kept.lock:
        if kept.version != version:
            _compute(kept, version, answer)
    return cast("T", kept.answer)


def gave_old() -> bool:
    """Whether this thread got an old answer since it last asked this: then it should come again soon."""
    given = getattr(_here, "gave_old", False)
    _here.gave_old = False
    return given


def forget() -> None:
    """Drops all answers."""
    with _guard:
        _questions.clear()


def _find(question: Hashable) -> _Question:
    with _guard:
        kept = _questions.setdefault(question, _Question())
        _questions.move_to_end(question)
        while len(_questions) > _MOST:
            _questions.popitem(last=False)
        return kept


def _beside(kept: _Question, version: Hashable, answer: Answer[Any]) -> None:
    try:
        _compute(kept, version, answer)
    finally:
        kept.lock.release()


def _compute(kept: _Question, version: Hashable, answer: Answer[Any]) -> None:
    begun = time.monotonic()
    with database.session() as session:
        found = answer(session)
    kept.answer, kept.version = found, version
    kept.at = time.monotonic()
    kept.cost = kept.at - begun
