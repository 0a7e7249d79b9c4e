"""Finding a customer and writing about it in a real browser: address, links, file, text that stays text."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest
import sqlalchemy as sa
from playwright.sync_api import Locator, Page, expect

from tests.browser.visitor import Visitor
from tests.support.desk import Desk

pytestmark = pytest.mark.browser
_ONE_BLANK_NOTE = """() => {
    const notes = document.querySelectorAll('textarea[placeholder="Write a note for your colleagues"]')
    return notes.length === 1 && notes[0].value === ""
}"""


@pytest.fixture
def tables(desk: Desk) -> Iterator[sa.Connection]:
    """The desk's own tables, to see what a click has left there."""
    engine = sa.create_engine(f"sqlite:///{desk.folder / 'sandbox.db'}")
    with engine.connect() as connection:
        yield connection
    engine.dispose()


def one(tables: sa.Connection, query: str, **values: object) -> str:
    tables.rollback()
    return str(tables.execute(sa.text(query), values).scalar_one())


def counted(page: Page) -> Locator:
    return page.get_by_text(re.compile(r"^(\d+–\d+ of )?\d+ customers?$"))


@pytest.mark.slow  # its looks alone
def test_the_pager_of_a_short_list_names_every_page(visitor: Visitor) -> None:
    visitor.open("customers", "Customers")
    pager = visitor.page.get_by_role("navigation", name="Pagination")
    expect(pager.get_by_role("button", name=re.compile("^Page "))).to_have_text(["1", "2"])
    pager.get_by_role("button", name="Page 2").click()
    expect(counted(visitor.page)).to_have_text(re.compile(r"^51–"))


def test_typing_finds_and_the_address_shows_a_colleague_the_same(
    visitor: Visitor, tables: sa.Connection
) -> None:
    page = visitor.page
    email = one(
        tables, "SELECT email FROM customers WHERE email IS NOT NULL AND NOT deleted ORDER BY id LIMIT 1"
    )
    same = int(
        one(
            tables, "SELECT count(*) FROM customer_facts WHERE email_key = lower(:e) AND NOT deleted", e=email
        )
    )
    visitor.open("customers", "Customers")
    search = page.get_by_role("searchbox", name="Search")
    search.press_sequentially(email)
    expect(page).to_have_url(re.compile(rf"[?&]q={re.escape(quote(email))}$"))  # the last letter is sent, too
    expect(counted(page)).to_have_text(f"{same} customer{'s' if same > 1 else ''}")
    shared = page.url
    page.get_by_role("link", name="Trials").click()
    expect(page.get_by_role("heading", name="Trials", level=1)).to_be_visible()
    assert "q=" not in page.url
    page.goto(shared)
    visitor.arrive("Customers")
    expect(search).to_have_value(email)
    expect(counted(page)).to_have_text(f"{same} customer{'s' if same > 1 else ''}")


def test_a_click_on_a_row_opens_the_customer_and_back_returns_to_the_filter(
    visitor: Visitor, tables: sa.Connection
) -> None:
    page, desk = visitor.page, visitor.url
    id = one(tables, "SELECT id FROM customers WHERE NOT deleted AND name IS NOT NULL ORDER BY id LIMIT 1")
    visitor.open("customers", "Customers", q=id)
    expect(counted(page)).to_have_text("1 customer")
    visitor.open_row(0)
    page.wait_for_url(f"**/customer?id={id}")
    visitor.arrive()
    page.go_back()
    expect(page.get_by_role("heading", name="Customers", level=1)).to_be_visible()
    expect(page.get_by_role("searchbox", name="Search")).to_have_value(id)
    expect(page).to_have_url(f"{desk}/customers?q={id}")
    page.go_forward()
    expect(page).to_have_url(f"{desk}/customer?id={id}")


@pytest.mark.slow  # test_pages has such a name on each page
def test_names_with_markdown_and_html_stay_text(visitor: Visitor, tables: sa.Connection) -> None:
    found = tables.execute(
        sa.text(
            "SELECT id, name FROM customers WHERE name LIKE '%<%' OR name LIKE '%](%' OR name LIKE '%**%'"
        )
    ).all()
    assert found, "the sandbox has such names in every history"
    for id, name in found:
        visitor.open("customer", id=id)
        heading = visitor.page.get_by_role("heading", level=1)
        assert (heading.inner_text()).replace("\u2060", "") == " ".join(name.split())
        assert heading.locator("a, b, strong, img, script").count() == 0


@pytest.mark.slow  # notes, tags and tasks are tried without a browser
def test_a_note_a_tag_and_a_task_are_kept(visitor: Visitor, tables: sa.Connection) -> None:
    page = visitor.page
    id = one(tables, "SELECT id FROM customers WHERE NOT deleted ORDER BY id DESC LIMIT 1")
    visitor.open("customer", id=id)
    note = page.get_by_placeholder("Write a note for your colleagues")
    note.fill("Called. *Will* pay on <b>Friday</b>.")
    page.get_by_role("button", name="Add note").dblclick()
    expect(page.get_by_text("Called. *Will* pay on <b>Friday</b>.", exact=True).first).to_be_visible()
    page.wait_for_function(_ONE_BLANK_NOTE)  # for a moment both stand there: the one sent and a blank one
    tags = page.get_by_role("combobox", name=re.compile("Tags"))
    tags.fill("VIP")
    tags.press("Enter")
    tags.press("Escape")  # an open list hides the rest of the page from readers
    expect(page.get_by_text("vip", exact=True).first).to_be_visible()
    page.get_by_role("button", name="Add a task").click()
    page.get_by_role("textbox", name="What is to be done").fill("Send the offer")
    page.get_by_role("button", name="Add", exact=True).click()
    expect(page.get_by_role("checkbox", name="Send the offer")).to_be_attached()
    assert one(tables, "SELECT count(*) FROM notes WHERE customer = :id", id=id) == "1"
    assert (
        one(tables, "SELECT body FROM notes WHERE customer = :id", id=id)
        == "Called. *Will* pay on <b>Friday</b>."
    )
    assert one(tables, "SELECT tag FROM customer_tags WHERE customer = :id", id=id) == "vip"
    assert one(tables, "SELECT title FROM tasks WHERE customer = :id", id=id) == "Send the offer"


def test_the_file_holds_every_customer_of_the_filter_and_no_formula(
    visitor: Visitor, tables: sa.Connection, tmp_path: Path
) -> None:
    living = int(one(tables, "SELECT count(*) FROM customer_facts WHERE NOT deleted"))
    visitor.open("customers", "Customers")
    with visitor.page.expect_download() as download:
        visitor.page.get_by_role("button", name="CSV").click()
    download.value.save_as(tmp_path / "customers.csv")
    text = (tmp_path / "customers.csv").read_text("utf-8-sig")
    rows = list(csv.DictReader(io.StringIO(text, newline="")))
    assert len(rows) == living > 50
    assert not [row["name"] for row in rows if row["name"].startswith(("=", "+", "-", "@"))]
