"""At which address does this visitor have the desk?"""

from __future__ import annotations

from urllib.parse import urlsplit

import streamlit as st

from services.security_headers import is_loopback


def origin() -> str:
    """The address in the visitor's browser without its page, e.g. `https://desk.company.com`."""
    parts = urlsplit(st.context.url or "")
    return f"{parts.scheme}://{parts.netloc}" if parts.netloc else beside()


def beside() -> str:
    """The desk's address for what runs on its machine."""
    return f"http://localhost:{st.get_option('server.port')}"


def is_this_machine() -> bool:
    """Whether the browser runs on the machine of the desk."""
    return is_loopback(urlsplit(origin()).hostname or "")
