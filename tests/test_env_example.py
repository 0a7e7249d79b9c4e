""".env.example explains every setting, with its default, and no other."""

from __future__ import annotations

import re
from pathlib import Path

from services.config import Settings

HOME = Path(__file__).resolve().parents[1]
TEXT = (HOME / ".env.example").read_text()
WRITTEN = dict(re.findall(r"^#?([A-Z][A-Z0-9_]+)=(.*)$", TEXT, re.MULTILINE))


def test_every_setting_is_explained_and_no_other() -> None:
    ours = {name for name in WRITTEN if not name.startswith("STREAMLIT_")}
    assert ours == {name.upper() for name in Settings.model_fields}


def test_the_written_defaults_are_the_defaults() -> None:
    examples = {"ADMIN_URL_TEMPLATE", "STREAMLIT_SERVER_ADDRESS"}
    for name, value in WRITTEN.items():
        if name in examples:
            continue
        default = Settings.model_fields[name.lower()].default
        if isinstance(default, Path):
            default = default.relative_to(HOME)
        assert value.lower() == ("" if default is None else str(default).lower()), name
