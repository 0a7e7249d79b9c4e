"""Card links in messages: whoever reads one can change the card, so that not everybody may."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import pytest

from services.errors import InvalidInput
from services.outreach import card_links, messages
from services.outreach.messages import Draft
from services.staff.roles import Person, Role
from tests.support.sandbox import start_sandbox

VIEWER = Person(2, "Vera", "vera@desk.example", Role.VIEWER)
SUPPORTER = Person(1, "Ann", "ann@desk.example", Role.SUPPORT)
TEXT = "Your card:\n{link}\nYour invoice: https://invoice.stripe.com/i/acct_1/live_1\n"


@pytest.fixture(scope="module")
def link(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A card link as the account makes it."""
    folder: Path = tmp_path_factory.mktemp("account")
    with start_sandbox(folder) as sandbox:
        v1 = sandbox.client().v1
        customer = v1.customers.create({"email": "jo@customer.example"})
        flow = {"type": "payment_method_update"}
        made = v1.billing_portal.sessions.create({"customer": customer.id, "flow_data": flow})
        return str(made.url)


@pytest.mark.usefixtures("jo")
def test_only_who_may_make_a_card_link_reads_it(
    database: ModuleType, ann: Person, vera: Person, link: str
) -> None:
    written = Draft("cus_jo", "jo@customer.example", "Your card", TEXT.format(link=link), "card_link")
    messages.submit("msg_1", ann, written)
    with database.session() as session:
        assert messages.letter(session, ann, "msg_1").body == written.body.strip()
        shown = messages.letter(session, vera, "msg_1").body
    assert shown == TEXT.format(link=card_links.HIDDEN).strip()


@pytest.mark.parametrize(
    "live",
    [
        "https://billing.stripe.com/p/session/live_YWNjdF8xMjM",
        "https://billing.stripe.com/session/bps_secret",
        "https://pay.shop.example/p/session/live_YWNjdF8xMjM",
        "billing.stripe.com/p/session/live_YWNjdF8xMjM",
        "BILLING.stripe.com/p/Session/live_YWNjdF8xMjM",
        "localhost:12111/hosted/portal/live_YWNjdF8xMjM",
        "https://mail.example/?u=https%3A%2F%2Fbilling.stripe.com%2Fp%2fsession%2Flive_YWNjdF8xMjM",
        "mail.example/?u=https%253A%252F%252Fbilling.stripe.com%252Fp%252Fsession%252Flive_YWNjdF8xMjM",
    ],
)
def test_stripes_own_links_are_known(live: str) -> None:
    assert (
        card_links.for_reader(f"Here ({live} ), please.", VIEWER) == f"Here ({card_links.HIDDEN} ), please."
    )
    assert card_links.for_reader(f"Here ({live}), please.", VIEWER) == f"Here ({card_links.HIDDEN} please."
    assert card_links.for_reader(f'<a href="{live}">', VIEWER) == f'<a href="{card_links.HIDDEN}'
    with pytest.raises(InvalidInput, match="everybody can read"):
        card_links.keep_out(f"Your card: {live}")


def test_the_page_where_customers_sign_in_is_no_card_link() -> None:
    text = (
        "https://billing.stripe.com/p/login/live_1, https://shop.example/docs; a training/session/workshop."
    )
    assert card_links.for_reader(text, VIEWER) == text


@pytest.mark.parametrize("part", ["a.", "(", "http:", "%2F", "a/session", ":/session"])
def test_long_texts_are_looked_through_at_once(part: str) -> None:
    began = time.perf_counter()
    assert card_links.for_reader(part * 20_000, VIEWER) == part * 20_000
    assert time.perf_counter() - began < 1


def test_a_subject_holds_no_card_link(link: str) -> None:
    written = Draft("cus_jo", "jo@customer.example", f"Your card: {link}", "Hello")
    with pytest.raises(InvalidInput, match="everybody can read"):
        messages.check(written)
    assert messages.check(replace(written, subject="Your card")).subject == "Your card"
