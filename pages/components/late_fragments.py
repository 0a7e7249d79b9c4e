"""Why does a page not go blank when it is opened the moment a piece of the one before looks for news?

A piece that draws itself again every few seconds (`st.fragment`) is asked for by the browser. Where a click
leads to another page meanwhile, Streamlit runs what was asked for after the new page, and tells the browser
that it is on the page before: it empties the new one, breaks at the next piece of it ("Bad delta path") and
lets go of the desk. Nothing is lost with a piece of a page that is no longer there.
"""

from __future__ import annotations

from functools import wraps

from streamlit.runtime.scriptrunner.script_runner import ScriptRunner
from streamlit.runtime.scriptrunner_utils.script_requests import RerunData


def is_late(asked: RerunData, shown: str) -> bool:
    """Whether only pieces of a page are asked for that is not the one `shown` (its script's hash)."""
    return bool(asked.fragment_id_queue) and asked.page_script_hash not in ("", shown)


def drop() -> None:
    """Has Streamlit pass over what is late; call it once, before the server starts."""
    run = ScriptRunner._run_script

    @wraps(run)
    def in_time(self: ScriptRunner, rerun_data: RerunData) -> None:
        if not is_late(rerun_data, self._pages_manager.current_page_script_hash):
            run(self, rerun_data)

    ScriptRunner._run_script = in_time  # type: ignore[method-assign]
