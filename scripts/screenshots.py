"""Takes the README's screenshots from a running sandbox desk, so that they never go stale.

`.venv/bin/python scripts/screenshots.py http://localhost:8501` (needs what `make test` installs).
"""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from tests.browser.visitor import ROW, Visitor  # noqa: E402 - the repository is no installed package
from tests.support.browser import launched  # noqa: E402

TARGET = ROOT / "docs" / "screenshots"
VIEWS = {"overview": "", "conversion": "conversion", "trials": "trials?trial_currency=USD&trial_card=On+file"}
DRAWING_MS = 1_500  # charts and grids draw on after the page has come to rest


def main(url: str) -> None:
    """Writes one PNG for each view."""
    TARGET.mkdir(parents=True, exist_ok=True)
    with launched() as browser:
        visitor = Visitor(browser.new_page(viewport={"width": 1440, "height": 900}, bypass_csp=True), url)
        for name, path in VIEWS.items():
            _save(visitor.open(path), name)
        _open_first_trial(visitor)
        _save(visitor, "customer")
        visitor.dialog_of("Extend trial")
        _save(visitor, "extend-trial")


def _open_first_trial(visitor: Visitor) -> None:
    visitor.open("customers", status="trialing")
    box = visitor.page.get_by_test_id("stDataFrame").first.bounding_box()
    if box is None:
        raise SystemExit("The list of customers is not on the page.")
    visitor.page.mouse.click(box["x"] + 60, box["y"] + 1.5 * ROW)
    visitor.page.wait_for_url("**/customer?id=*")
    visitor.arrive()


def _save(visitor: Visitor, name: str) -> None:
    visitor.settle().page.wait_for_timeout(DRAWING_MS)
    visitor.page.screenshot(path=TARGET / f"{name}.png")


if __name__ == "__main__":
    main(sys.argv[1].rstrip("/"))
