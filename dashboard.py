"""The desk's front door: the ASGI app when a server imports it, the page router when Streamlit runs it.

Starts the same under `streamlit run dashboard.py` and `uvicorn dashboard:app`.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import NoReturn

import streamlit as st
from starlette.middleware import Middleware
from streamlit import runtime
from streamlit.runtime.pages_manager import PagesManager

from pages.components import document, late_fragments, problems, shell, sign_in, warming
from services import config, memory, public, schedules
from services.errors import ConfigurationError
from services.graceful import Graceful
from services.no_delay import NoDelay
from services.security_headers import LocalOnly, SecurityHeaders, is_loopback

# With a pages/ folder a fresh process would run pages/customers.py for /customers without this file.
PagesManager.uses_pages_directory = False


def stays_local() -> bool:
    """Whether only this machine may be answered: a real account without sign-in, or settings in doubt."""
    try:
        return config.settings().mode != "sandbox" and not sign_in.configured()
    except ConfigurationError:
        return True


def refuse_unusable_settings() -> None:
    """Ends the process, before any address is told, where the settings let nothing work."""
    try:
        sign_in.configured()
        schedules.require_usable()
    except ConfigurationError as problem:
        _refuse(str(problem))


def refuse_open_network() -> None:
    """Ends the process where a real account without sign-in would answer to the network."""
    address = st.get_option("server.address") or ""
    if stays_local() and not is_loopback(address):
        _refuse(
            f"A real account without sign-in must not answer on {address or 'all addresses'}. "
            "Set STREAMLIT_SERVER_ADDRESS=localhost, or add an [auth] section to .streamlit/secrets.toml "
            "(see .streamlit/secrets.example.toml)."
        )


def _refuse(sentence: str) -> NoReturn:
    sys.stderr.write(f"{sentence}\n")
    raise SystemExit(2)


def say_address() -> None:
    """Prints where the desk answers under `streamlit run` (other servers say it themselves)."""
    if Path(sys.argv[0]).name == Path(__file__).name:
        host = st.get_option("server.address") or "localhost"
        sys.stdout.write(f"\n  Trialdesk is at http://{host}:{st.get_option('server.port')}\n\n")
        sys.stdout.flush()


@asynccontextmanager
async def lifespan(_app: object) -> AsyncIterator[None]:
    """Runs the desk's work for as long as the server runs."""
    say_address()
    async with schedules.running():
        warming_up = asyncio.create_task(asyncio.to_thread(warming.warm))
        yield
        await warming_up


if runtime.exists():
    shell.run()
else:
    memory.share_one_arena()
    late_fragments.drop()
    refuse_unusable_settings()
    refuse_open_network()
    app = st.App(
        Path(__file__).resolve(),
        routes=document.routes(),
        middleware=[
            Middleware(NoDelay),
            Middleware(Graceful),
            Middleware(SecurityHeaders, page=document.html()),
            Middleware(LocalOnly, applies=stays_local),
            Middleware(document.NoSuchPage),
            Middleware(public.PublicRoutes),
        ],
        lifespan=lifespan,
        on_script_error=problems.on_script_error,
    )
