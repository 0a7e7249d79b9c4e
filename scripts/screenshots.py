"""Takes the screenshots of README and docs from a running sandbox desk, so that they never go stale.

`.venv/bin/python scripts/screenshots.py http://localhost:8501` (needs what `make test` installs).
"""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from tests.browser.visitor import Visitor  # noqa: E402 - the repository is no installed package
from tests.support.browser import launched  # noqa: E402

TARGET = ROOT / "docs" / "screenshots"
VIEWS = {
    "overview": "",
    "conversion": "conversion",
    "revenue": "revenue",
    "recovery": "recovery",
    "stripe-numbers": "stripe-numbers",
    "trials": "trials?trial_currency=USD&trial_card=On+file",
}
# The name of the picture: in which state the customer is, the button, and what is typed into which field.
DIALOGS: dict[str, tuple[str, str, dict[str, str]]] = {
    "add-charge": ("active", "Add charge", {"Amount": "120", "Description": "Workshop for the team"}),
    "cancel": ("active", "Cancel", {}),
    "change-plan": ("active", "Change plan", {"Quantity": "9"}),
    "pause-collection": ("active", "Pause collection", {}),
    "reactivate": ("canceled", "Reactivate", {}),
    "record-request": (
        "active",
        "Record a request to cancel",
        {"What the customer said": "The price has doubled since we signed up."},
    ),
    "void-invoice": ("past_due", "Void invoice", {}),
}
ROWS = 15  # that are tried
DRAWING_MS = 1_500  # charts and grids draw on after the page has come to rest


def main(url: str) -> None:
    """Writes one PNG for each view."""
    TARGET.mkdir(parents=True, exist_ok=True)
    with launched() as browser:
        visitor = Visitor(browser.new_page(viewport={"width": 1440, "height": 900}, bypass_csp=True), url)
        for name, path in VIEWS.items():
            _save(visitor.open(path), name)
        _open_first(visitor, "trialing", "Extend trial")
        _save(visitor, "customer")
        visitor.dialog_of("Extend trial")
        _save(visitor, "extend-trial")
        for name, (status, label, typed) in DIALOGS.items():
            _open_first(visitor, status, label)
            _save_dialog(visitor, name, label, typed)


def _open_first(visitor: Visitor, status: str, label: str) -> None:
    """Opens the first customer of the status whose page has the button."""
    for row in range(ROWS):
        visitor.open("customers", status=status).open_row(row)
        visitor.page.wait_for_url("**/customer?id=*")
        visitor.arrive()
        if visitor.button(label).count():
            return
    raise SystemExit(f"None of the first {ROWS} customers who are {status} has a button “{label}”.")


def _save_dialog(visitor: Visitor, name: str, label: str, typed: dict[str, str]) -> None:
    dialog = visitor.dialog_of(label)
    for field, value in typed.items():
        dialog.get_by_label(field).fill(value)
        dialog.get_by_label(field).press("Enter")
        visitor.settle()
    if asks := visitor.button("Show what it comes to", dialog).all():
        asks[0].click()
    visitor.settle().page.wait_for_timeout(DRAWING_MS)
    dialog.screenshot(path=TARGET / f"{name}.png")


def _save(visitor: Visitor, name: str) -> None:
    visitor.settle().page.wait_for_timeout(DRAWING_MS)
    visitor.page.screenshot(path=TARGET / f"{name}.png")


if __name__ == "__main__":
    main(sys.argv[1].rstrip("/"))
