"""A piece of a page looks for news in the very moment in which a click leads to another page."""

from __future__ import annotations

import pytest
from playwright.sync_api import WebSocketRoute, expect
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

from tests.browser.visitor import PATIENCE, ROW, Visitor
from tests.desk.bench import within

pytestmark = pytest.mark.browser


class Late:
    """Stands between browser and desk; what a piece of the first page asks for arrives on the second."""

    def __init__(self) -> None:
        self.held: bytes | None = None
        self.page, self.looked_after = "", 0

    def between(self, browser: WebSocketRoute) -> None:
        """One connection."""
        desk = browser.connect_to_server()

        def asked(message: str | bytes) -> None:
            assert isinstance(message, bytes)
            wanted = BackMsg.FromString(message).rerun_script
            if wanted.is_auto_rerun and self.held is None:
                self.held, self.page = message, wanted.page_script_hash
                return
            self.looked_after += wanted.is_auto_rerun and wanted.page_script_hash != self.page
            desk.send(message)

        def answered(message: str | bytes) -> None:
            assert isinstance(message, bytes)
            told = ForwardMsg.FromString(message)
            browser.send(message)
            if told.HasField("new_session") and self.held and told.new_session.page_script_hash != self.page:
                desk.send(self.held)
                self.held = b""

        browser.on_message(asked)
        desk.on_message(answered)


def test_a_page_outlives_what_the_one_before_asks_for_too_late(visitor: Visitor) -> None:
    late = Late()
    visitor.page.route_web_socket("**/_stcore/stream", late.between)
    visitor.open("conversion", "Conversion", show="funnel:trial:signed_up")
    grid = visitor.dialog.get_by_test_id("stDataFrame")
    visitor.settle()
    assert within(PATIENCE / 1000, lambda: visitor.page.wait_for_timeout(50) or late.held)
    box = grid.bounding_box()
    assert box is not None
    visitor.page.mouse.click(box["x"] + 60, box["y"] + 1.5 * ROW)
    visitor.page.wait_for_url("**/customer?id=*")
    assert within(PATIENCE / 1000, lambda: visitor.page.wait_for_timeout(50) or late.looked_after > 1)
    assert late.held == b"", "the late message was not delivered"
    expect(visitor.button("Sync now")).to_be_visible()
