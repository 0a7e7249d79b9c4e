"""What would make the first visitor wait? Loads it before anybody comes."""

from __future__ import annotations

import gc
import importlib

from services import config
from services.errors import ConfigurationError

_HEAVY = ("pandas", "pyarrow", "plotly.graph_objects", "plotly.io", "babel.dates", "streamlit.elements.arrow")


def warm() -> None:
    """Imports the heavy modules and takes them out of every later garbage collection."""
    for name in _HEAVY:
        importlib.import_module(name)
    _read_locale()
    gc.collect()
    gc.freeze()


def _read_locale() -> None:
    from pages.components import formats

    try:
        config.settings()
    except ConfigurationError:
        return  # the start says so on the page
    formats.moment(0)
    formats.money(0, "usd")
