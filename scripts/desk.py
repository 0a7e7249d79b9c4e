"""The desk as scripts/serve.py starts it: Streamlit, with its command line.

It ends with a sentence where its database lets nobody in. stdin is a pipe that the starter holds open: it
closes however the starter ends, and the desk then ends as if it was asked to, and its sandbox with it.
"""

from __future__ import annotations

import os
import signal
import sys
import threading

from streamlit.web import cli

from services import config, memory
from services.errors import TrialdeskError
from services.mirror import opening

_CANNOT_START = 2


def main() -> None:
    """Runs the desk until it ends."""
    memory.share_one_arena()
    threading.Thread(target=_end_with_the_starter, name="starter", daemon=True).start()
    try:
        opening.require_database(config.load())
    except TrialdeskError as problem:
        sys.stderr.write(f"{problem}\n")
        sys.exit(_CANNOT_START)
    cli.main(prog_name="streamlit")


def _end_with_the_starter() -> None:
    while os.read(sys.stdin.fileno(), 1):
        pass
    os.kill(os.getpid(), signal.SIGTERM)


if __name__ == "__main__":
    main()
