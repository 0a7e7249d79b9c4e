"""When is a piece of a page drawn again by itself? For as long as it says so whenever it is drawn.

A piece with `st.fragment(run_every=)` is asked for until its page or dialog is gone, also when nothing more
is to come: Streamlit tells the browser when to begin, and to stop only where a piece around it leaves it out.
Sent by the piece itself, the same two messages make it stop, and begin again.
"""

from __future__ import annotations

from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.runtime.scriptrunner import get_script_run_ctx
from streamlit.runtime.scriptrunner_utils.script_run_context import ThreadState


def every(seconds: float | None) -> None:
    """Has the piece (`st.fragment`) that calls this drawn again in so many seconds; None: not any more."""
    context, piece = get_script_run_ctx(), ThreadState.get().fragment_id
    if context is None or piece is None:
        return
    message = ForwardMsg()
    if seconds is None:
        message.stop_auto_rerun.fragment_ids.append(piece)
    else:
        message.auto_rerun.interval, message.auto_rerun.fragment_id = seconds, piece
    context.enqueue(message)
