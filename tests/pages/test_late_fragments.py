"""What a page that was left still asks for is passed over, and nothing else."""

from __future__ import annotations

import pytest
from streamlit.runtime.scriptrunner_utils.script_requests import RerunData

from pages.components import late_fragments


@pytest.mark.parametrize(
    ("asked", "late"),
    [
        (RerunData(page_script_hash="trials", fragment_id_queue=["news"]), True),
        (RerunData(page_script_hash="customer", fragment_id_queue=["news"]), False),
        (RerunData(page_script_hash="", fragment_id_queue=["news"]), False),
        (RerunData(page_script_hash="trials"), False),
    ],
    ids=["a piece of the page before", "a piece of this page", "of no page in particular", "another page"],
)
def test_only_pieces_of_another_page_are_late(asked: RerunData, late: bool) -> None:
    assert late_fragments.is_late(asked, "customer") is late
