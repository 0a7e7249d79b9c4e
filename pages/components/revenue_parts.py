"""Of which plans and countries is MRR made? Level, share of the whole, customers and ARPA."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from pages.components import charts, charts_revenue, formats, plotted
from pages.components.charts_revenue import Piece
from pages.components.plotted import Sheet
from pages.components.revenue_mrr import height, units
from pages.components.revenue_view import Look
from services.metrics.definitions import DEFINITIONS
from services.metrics.revenue.revenue_history import Part

_MOST = 15
_NARROWEST = 340  # pixels of a chart beside another


def draw(look: Look) -> None:
    """Both, beside each other where there is room."""
    grid = st.grid(2, gap="large", min_column_width=_NARROWEST)
    for dimension, title in (("plan", "By plan"), ("country", "By country")):
        with grid.cell():
            _parts(look, dimension, title)


def _parts(look: Look, dimension: str, title: str) -> None:
    found = [part for part in look.measures.parts(dimension, look.of, look.ends) if part.level.mrr]
    whole = sum(part.level.mrr for part in found)
    code = look.of.currency
    header = (dimension, "name", "currency", "mrr", "share", "customers", "arpa")
    sheet = Sheet(header, [
        (part.key, look.called(dimension, part.key), code.upper(), units(part.level.mrr, code),
         f"{float(part.level.mrr / whole):.4f}", part.level.customers, units(part.level.arpa or 0, code))
        for part in found
    ])  # fmt: skip
    more = f" The {_MOST} largest." if len(found) > _MOST else ""
    plotted.head(
        look.person, title, sheet, f"mrr_by_{dimension}", help=DEFINITIONS["arpa"].short,
        note=f"MRR now, its share of all, customers, and MRR for each customer (ARPA).{more}",
    )  # fmt: skip
    if not found:
        st.caption("No data: nobody pays.")
        return
    pieces = [_piece(look, dimension, part, whole) for part in found[:_MOST]]
    plotted.chart(charts_revenue.pieces(pieces), f"{dimension}s", f"{title}: {_told(look, dimension, found)}")


def _piece(look: Look, dimension: str, part: Part, whole: object) -> Piece:
    name, share = look.called(dimension, part.key), formats.share(part.level.mrr, whole)  # type: ignore[arg-type]
    amount, each = look.rough(part.level.mrr), look.rough(part.level.arpa or 0)
    people = formats.plural(part.level.customers, "customer")
    said = (
        f"{charts.safe(name)}<br>MRR {look.money(part.level.mrr)} ({share})<br>{people}"
        f"<br>ARPA {look.money(part.level.arpa)}"
    )
    rows = f"{dimension}:{part.key}" if part.key else ""
    beside = f"{amount} · {share} · {formats.count(part.level.customers)} × {each}"
    return Piece(name, height(part.level.mrr), beside, said, rows)


def _told(look: Look, dimension: str, found: Sequence[Part]) -> str:
    return ", ".join(
        f"{look.called(dimension, part.key)} {look.money(part.level.mrr)}" for part in found[:_MOST]
    )
