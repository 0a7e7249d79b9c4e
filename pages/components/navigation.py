"""Which pages are there, where do they live, and who may open them?"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import streamlit as st
from streamlit.navigation.page import Page

from pages.components import acting, way_back
from services import config
from services.staff.roles import Permission, Person

ROOT = Path(__file__).resolve().parents[2]
ICON = ROOT / "pages" / "components" / "icon.png"
_LONGEST_TITLE = 60  # characters; a tab shows fewer
_TITLE = "tab_title"


@dataclass(frozen=True, slots=True)
class PageSpec:
    """One page. `section` groups it in the menu; `hidden` pages are reached by links only.

    The script of a page that `names_itself` calls `entitle`; the tab of any other has the page's title.
    """

    key: str
    title: str
    icon: str
    permission: Permission
    section: str
    help: str
    hidden: bool = False
    names_itself: bool = False

    @property
    def file(self) -> str:
        """The page's script, relative to the repository."""
        return f"pages/{self.key.replace('-', '_')}.py"

    @property
    def path(self) -> str:
        """The page's address, e.g. `/failed-payments`; the overview is `/`."""
        return "/" if self.key == HOME else f"/{self.key}"


HOME = "overview"
APPROVALS, REQUESTS = "approvals", "cancel-requests"
_SEE, _MEASURE = Permission.SEE_CUSTOMERS, Permission.SEE_METRICS
PAGES: dict[str, PageSpec] = {
    page.key: page
    for page in (
        PageSpec(
            "overview", "Overview", ":material/space_dashboard:", _MEASURE, "Today",
            "Today at a glance: revenue, trials, failed payments and disputes, per currency.",
        ),
        PageSpec(
            "customers", "Customers", ":material/group:", _SEE, "Today",
            "Find a customer by name, email, any Stripe id, invoice number, card or amount.",
        ),
        PageSpec(
            "customer", "Customer", ":material/person:", _SEE, "Today",
            "One customer: subscriptions, invoices, payments, notes and what happened.", hidden=True,
            names_itself=True,
        ),
        PageSpec(
            "trials", "Trials", ":material/hourglass_top:", _SEE, "Work",
            "Running trials as a work list, by days left.",
        ),
        PageSpec(
            "failed-payments", "Failed payments", ":material/credit_card_off:", _SEE, "Work",
            "Open failures by money at stake, with the reason in plain words.",
        ),
        PageSpec(
            "calls", "Calls", ":material/call:", _SEE, "Work",
            "One-on-one call requests, due first.",
        ),
        PageSpec(
            "tasks", "Tasks", ":material/checklist:", _SEE, "Work",
            "Follow-ups that somebody owes a customer, due first.",
        ),
        PageSpec(
            APPROVALS, "Approvals", ":material/approval:", _SEE, "Work",
            "What is above somebody's limit and waits for a second person.",
        ),
        PageSpec(
            REQUESTS, "Requests to cancel", ":material/person_remove:", _SEE, "Work",
            "Who wants to leave and why: approve, offer something else, or refuse.",
        ),
        PageSpec(
            "bulk-runs", "Bulk runs", ":material/dynamic_feed:", _SEE, "Work",
            "What was begun for many at once, and how far it is.",
        ),
        PageSpec(
            "bulk-run", "Bulk run", ":material/dynamic_feed:", _SEE, "Work",
            "How far one bulk run is, and what became of each row.", hidden=True,
        ),
        PageSpec(
            "outbox", "Outbox", ":material/outbox:", _SEE, "Work",
            "Messages that were written here, and what became of them.",
        ),
        PageSpec(
            "conversion", "Conversion", ":material/conversion_path:", _MEASURE, "Understand",
            "From sign-up to paying customer: cohorts, curves, reasons, groups and the funnel.",
        ),
        PageSpec(
            "recovery", "Recovery", ":material/healing:", _MEASURE, "Understand",
            "How often payments fail, how much comes back, how soon and by what.",
        ),
        PageSpec(
            "revenue", "Revenue", ":material/trending_up:", _MEASURE, "Understand",
            "MRR and what moves it: new, expansion, contraction, churn; who stays, by plan and country.",
        ),
        PageSpec(
            "stripe-numbers", "Stripe’s numbers", ":material/compare_arrows:", _MEASURE, "Understand",
            "Why Stripe’s page shows another MRR, churn or trial conversion: cause by cause.",
        ),
        PageSpec(
            "goals", "Goals", ":material/flag_circle:", _MEASURE, "Understand",
            "What is to be reached, by when, and whether it is on its way.",
        ),
        PageSpec(
            "report", "Monthly report", ":material/article:", _MEASURE, "Understand",
            "A month on one page: to read, to print, and by mail on the 1st.",
        ),
        PageSpec(
            "activity", "Activity", ":material/history:", _SEE, "Understand",
            "Everything that the staff did: who, when, why, before and after.",
        ),
        PageSpec(
            "definitions", "Definitions", ":material/menu_book:", _MEASURE, "Understand",
            "What each number means.", hidden=True,
        ),
        PageSpec(
            "not-found", "No such page", ":material/explore_off:", _SEE, "Understand",
            "Which pages there are.", hidden=True,
        ),
        PageSpec(
            "system", "System", ":material/monitor_heart:", Permission.SEE_SYSTEM, "Desk",
            "Can the tables be trusted, and if not, what is wrong?",
        ),
        PageSpec(
            "connect", "Connect", ":material/cable:", Permission.SEE_SYSTEM, "Desk",
            "What the key may do, how events arrive, and what is still to set up.",
        ),
        PageSpec(
            "policy", "Policy", ":material/policy:", Permission.SET_POLICY, "Desk",
            "Who may do what, how much, and what needs a second person.",
        ),
    )
}  # fmt: skip


def menu(person: Person, waiting: Mapping[str, int]) -> dict[str, list[Page]]:
    """All pages by section, for `st.navigation`; those that this person may not open are not listed.

    They keep their address, where the page's guard says why. `waiting` is how much waits for somebody on a
    page. Where nothing waits for approval, or can, that page is not listed.
    """
    sections: dict[str, list[Page]] = {}
    for page in PAGES.values():
        number = waiting.get(page.key, 0)
        needed = page.key != APPROVALS or number or person.policy.approvals
        listed = not page.hidden and bool(needed) and person.may(page.permission)
        sections.setdefault(page.section, []).append(_page(page, listed, number))
    return sections


def hide() -> None:
    """Takes the menu away from somebody who had it a moment ago."""
    st.navigation([_page(page, False) for page in PAGES.values()])


def _page(page: PageSpec, listed: bool, waiting: int = 0) -> Page:
    return st.Page(
        ROOT / page.file,
        title=f"{page.title} · {waiting}" if waiting else page.title,
        icon=page.icon,
        url_path=page.key,
        default=page.key == HOME,
        visibility="visible" if listed else "hidden",
        help=page.help,
    )


def go(key: str, **parameters: str) -> None:
    """Opens another page in place, with filters in its address: `go("customer", id="cus_...")`."""
    way_back.leave(parameters)
    _switch(key, {name: [value] for name, value in parameters.items()})


def link(
    key: str,
    label: str,
    *,
    help: str | None = None,
    icon: str | None = None,
    last: bool = False,
    **parameters: str,
) -> None:
    """Draws a link to a page, with filters in its address; `last` puts the icon behind the words."""
    st.page_link(
        ROOT / PAGES[key].file,
        label=label,
        help=help,
        icon=icon,
        icon_position="right" if last else "left",
        query_params=parameters,
    )


def _switch(key: str, query: way_back.Query) -> None:
    acting.free_address()
    st.switch_page(PAGES[key].file, query_params=query | acting.in_address())


def entitle(title: str) -> None:
    """Names the browser's tab: one line of plain text, without what is not seen or turns text around."""
    visible = "".join(" " if unicodedata.category(one)[0] in "CZ" else one for one in title)
    line = " ".join(visible.split())
    short = line if len(line) <= _LONGEST_TITLE else f"{line[: _LONGEST_TITLE - 1]}…"
    st.session_state[_TITLE] = f"{short} · {config.settings().workspace_name}"
    st.set_page_config(page_title=st.session_state[_TITLE], page_icon=ICON)


def last_title() -> str:
    """The title that the tab has; a run begins with it, so that nothing flickers."""
    return str(st.session_state.get(_TITLE, "Trialdesk"))


def enter(key: str) -> None:
    """Notes where the visitor is; where the browser's Back lost the page's filters, puts them back."""
    if not PAGES[key].names_itself:
        entitle(PAGES[key].title)
    if (query := way_back.enter(key)) is not None:
        _switch(key, query)
