"""Rows as a table: formats, badges, and text that stays text."""

from __future__ import annotations

from typing import Any

import pytest
from streamlit.testing.v1 import AppTest


def page() -> None:
    import streamlit as st

    from pages.components import tables
    from pages.components.tables import Column

    rows: list[dict[str, Any]] = [
        {"name": "**Acme** <b>", "status": "past_due", "mrr": 12_345_000_000, "open": 500, "currency": "usd",
         "ends": None, "count": 1200},
        {"name": None, "status": "brand_new", "mrr": None, "open": 500, "currency": "jpy",
         "ends": 0, "count": None},
    ]  # fmt: skip
    columns = (
        Column("name", "Customer"), Column("status", "Status", "status"), Column("mrr", "MRR", "micros"),
        Column("open", "Open", "money"), Column("ends", "Ends", "day"),
        Column("count", "Count", "count"),
    )  # fmt: skip
    total = int(st.session_state.get("total", 2))
    current = tables.page_of(total)
    tables.caption(total, current, "customer")
    picked = tables.show(
        rows if total else [], columns, key="t", alt="Customers", empty="Nobody matches.", select=True
    )
    st.text(f"{current.number} {current.offset} {picked.opened} {picked.ticked}")


def run(total: int, **query: str) -> AppTest:
    app = AppTest.from_function(page, default_timeout=60)
    app.session_state["total"] = total
    for name, value in query.items():
        app.query_params[name] = value
    app.run()
    assert not app.exception
    return app


def test_cells_are_written_in_the_workspaces_way() -> None:
    frame = run(2).dataframe[0].value
    first, second = frame.iloc[0], frame.iloc[1]
    assert first["name"] == "**Acme** <b>"
    assert list(first["status"]) == ["Past due"]
    assert (first["mrr"], first["open"], first["count"]) == ("$123.45", "$5.00", "1,200")
    assert (second["name"], second["mrr"], second["open"], second["count"]) == ("", "–", "¥500", "")
    assert list(second["status"]) == ["brand_new"]
    assert (first["ends"], second["ends"]) == ("–", "Jan 1, 1970")


def test_the_address_names_the_page() -> None:
    app = run(2300, page="3")
    assert app.text[0].value == "3 100 None ()"
    assert app.caption[0].value == "101–150 of 2,300 customers"


def test_one_page_needs_no_numbers() -> None:
    app = run(2)
    assert app.caption[0].value == "2 customers"
    assert app.text[0].value.startswith("1 0 ")


@pytest.mark.parametrize("asked", ["0", "-1", "99", "x"])
def test_a_page_that_is_not_there_gives_one_that_is(asked: str) -> None:
    number = int(run(120, page=asked).text[0].value.split()[0])
    assert 1 <= number <= 3


def test_text_from_right_to_left_begins_where_the_column_does() -> None:
    app = AppTest.from_function(arabic, default_timeout=60).run()
    assert list(app.dataframe[0].value["name"]) == ["\u200eمحمد الأحمد", "Ana"]


def arabic() -> None:
    from pages.components import tables
    from pages.components.tables import Column

    rows = [{"name": "محمد الأحمد"}, {"name": "Ana"}]
    tables.show(rows, [Column("name", "Customer")], key="t", alt="Customers", empty="")


def test_no_rows_say_why() -> None:
    app = run(0)
    assert not app.dataframe
    assert "Nobody matches." in [caption.value for caption in app.caption]
