"""How does a process of many threads give back the memory that it no longer needs?

glibc gives each thread an arena of its own. What one thread has freed no other takes, so a pull, whose
readers free pages of all sizes, took far more than the 17 MB that its objects held at any time. With one
arena it takes a third less, and no more time: Python runs one thread at a time anyway
(benchmarks/RESULTS.md).
"""

from __future__ import annotations

import ctypes

_ARENAS = -8  # M_ARENA_MAX in <malloc.h>


def share_one_arena() -> bool:
    """Has all threads of this process share one arena; call it before they start. False where the C library
    has no such choice (macOS, musl).
    """
    choose = getattr(ctypes.CDLL(None), "mallopt", None)
    return choose is not None and bool(choose(_ARENAS, 1))
