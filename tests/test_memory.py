"""A process whose threads share one arena: what one has freed another takes."""

from __future__ import annotations

import ctypes
import subprocess
import sys

import pytest

pytestmark = pytest.mark.skipif(not hasattr(ctypes.CDLL(None), "mallopt"), reason="not glibc")
_CHURN = """
import ctypes, threading
from services import memory
if {shared}:
    assert memory.share_one_arena()
libc = ctypes.CDLL(None)
gate = threading.Barrier(9)
def work():
    kept = [bytes(2000) for _ in range(50)]
    gate.wait()
threads = [threading.Thread(target=work) for _ in range(8)]
[one.start() for one in threads]
gate.wait()
[one.join() for one in threads]
libc.malloc_stats()
"""


def arenas(shared: bool) -> int:
    """How many arenas eight threads at once have used, as glibc itself counts them."""
    code = _CHURN.format(shared=shared)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return done.stderr.count("Arena ")


def test_threads_share_one_arena() -> None:
    assert arenas(shared=True) == 1
    assert arenas(shared=False) > 1
