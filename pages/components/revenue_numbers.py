"""The numbers on top of the Revenue page: each with its meaning, what it is compared with, and its rows."""

from __future__ import annotations

from typing import Literal

import streamlit as st

from pages.components import behind, charts, formats, tiles
from pages.components.revenue_view import Look
from services.metrics.definitions import DEFINITIONS
from services.metrics.revenue.revenue_history import Movements, Share

Good = Literal["normal", "inverse", "off"]


def draw(look: Look) -> None:
    """The tiles: what stands now, and the churn of the last whole month."""
    found = look.measures.movements(look.of, look.months)
    now, last, before = found[-1], found[-2], found[-3]
    with tiles.row():
        _level(look, "mrr", now.after.mrr, now.before.mrr, "paying:mrr")
        _level(look, "arr", now.after.arr, now.before.arr, "paying:mrr")
        _customers(look, now)
        _level(look, "arpa", now.after.arpa, now.before.arpa, "paying:mrr")
        _level(look, "committed_mrr", now.after.committed, now.before.committed, "paying:committed")
        _level(look, "trial_mrr", now.after.trial, now.before.trial, "paying:trial")
        _level(look, "net_new_mrr", now.net, last.net, f"moves:{now.period.key}", since=last)
        _rate(look, "customer_churn_rate", last, before, "churn")
        _rate(look, "gross_churn_rate", last, before, "churn,contraction")
        _rate(look, "net_churn_rate", last, before, "churn,contraction,expansion,reactivation")


def _level(
    look: Look, key: str, value: object, before: object, show: str, since: Movements | None = None
) -> None:
    help = [DEFINITIONS[key].short]
    change = None
    if value is not None and before is not None:
        change = look.change(value - before)  # type: ignore[operator]
        help.append(_since(look, since))
    _tile(DEFINITIONS[key].title, look.money(value), change, help, "normal", show)  # type: ignore[arg-type]


def _since(look: Look, month: Movements | None) -> str:
    if month:
        return f"The change is against all of {charts.month(month.period.key)}; this month goes on."
    begun = look.months[-1].begins
    guessed = " That number is reconstructed." if look.is_reconstructed(begun - 1) else ""
    return f"The change is since {formats.day(begun)}.{guessed}"


def _customers(look: Look, now: Movements) -> None:
    help = [DEFINITIONS["active_customers"].short, _since(look, None)]
    change = now.after.customers - now.before.customers
    shown = f"{change:+}" if change else 0
    title, value = DEFINITIONS["active_customers"].title, formats.count(now.after.customers)
    _tile(title, value, shown, help, "normal", "paying:mrr")


def _rate(look: Look, key: str, last: Movements, before: Movements, kinds: str) -> None:
    share, old = (_share(key, one) for one in (last, before))
    month = charts.month(last.period.key)
    part, whole = (
        (formats.count(int(one)) if key == "customer_churn_rate" else look.money(one))
        for one in (share.part, share.whole)
    )
    help = [DEFINITIONS[key].short, f"{part} of {whole}."]
    change: str | int | None = None
    if share.value is not None and old.value is not None:
        moved = share.value - old.value
        change = formats.points(moved) if round(moved, 3) else 0
        help.append(f"The change is since {charts.month(before.period.key)}.")
    if look.is_reconstructed(last.period.begins):
        help.append("The month is reconstructed, all or in part.")
    value, show = formats.share(share.part, share.whole), f"moves:{last.period.key}:{kinds}"
    _tile(DEFINITIONS[key].title, value, change, help, "inverse", show, link=month)


def _share(key: str, of: Movements) -> Share:
    return {
        "customer_churn_rate": of.customer_churn,
        "gross_churn_rate": of.gross_churn,
        "net_churn_rate": of.net_churn,
    }[key]


def _tile(
    title: str,
    value: str,
    change: str | int | None,
    help: list[str],
    colour: Good,
    show: str,
    link: str = "Customers",
) -> None:
    with tiles.frame():
        st.metric(
            title, value, change, delta_color=colour, delta_arrow="auto" if change else "off",
            help=formats.plain(" ".join(help)),
        )  # fmt: skip
        st.button(
            link, key=f"rows:{title}", type="tertiary", on_click=behind.open, args=(show,),
            icon=":material/chevron_right:", icon_position="right",
        )  # fmt: skip
