"""A visitor without a browser: opens a page over the desk's websocket and times each rerun."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.sync.client import ClientConnection, connect

PATIENCE = 60.0


class Visitor:
    """One open session. Not safe for threads."""

    def __init__(self, socket: ClientConnection) -> None:
        self._socket = socket

    def visit(self, page: str, query: str = "") -> float:
        """Opens a page (`""` is the first, else its path, e.g. `customers`), or reruns it; seconds taken.

        Raises PageFailed when the page shows an exception.
        """
        message = BackMsg()
        message.rerun_script.page_name = page
        message.rerun_script.query_string = query
        message.rerun_script.context_info.timezone = "UTC"
        message.rerun_script.context_info.locale = "en-US"
        started = time.perf_counter()
        self._socket.send(message.SerializeToString())
        self._until_finished(page)
        return time.perf_counter() - started

    def _until_finished(self, page: str) -> None:
        while True:
            answer = ForwardMsg()
            answer.ParseFromString(self._socket.recv(PATIENCE))
            if answer.WhichOneof("type") == "script_finished":
                return
            if answer.delta.new_element.WhichOneof("type") == "exception":
                raise PageFailed(page, answer.delta.new_element.exception.message)


class PageFailed(RuntimeError):
    """The page showed an exception instead of its content."""

    def __init__(self, page: str, said: str) -> None:
        super().__init__(f"page “{page}”: {said}")


@contextmanager
def visiting(url: str) -> Iterator[Visitor]:
    """A visitor of the desk at `url`, e.g. http://127.0.0.1:8501."""
    address = f"ws://{urlsplit(url).netloc}/_stcore/stream"
    with connect(address, subprotocols=["streamlit"], max_size=None, origin=url) as socket:
        yield Visitor(socket)
