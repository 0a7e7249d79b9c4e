"""How much leaves in each period, why, and when was it decided?"""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from pages.components import charts, charts_revenue, formats, palette, plotted
from pages.components.charts_marks import marked
from pages.components.charts_revenue import Layer, Line
from pages.components.plotted import Sheet
from pages.components.revenue_mrr import units
from pages.components.revenue_view import Look
from pages.components.revenue_words import CAUSES
from services.customers import export
from services.metrics.definitions import DEFINITIONS
from services.metrics.revenue.revenue_history import Movements, Share

_RATES = {
    "customer_churn_rate": "Customers",
    "gross_churn_rate": "Revenue, gross",
    "net_churn_rate": "Revenue, net",
}
_KINDS = {
    "customer_churn_rate": "churn",
    "gross_churn_rate": "churn,contraction",
    "net_churn_rate": "churn,contraction,expansion,reactivation",
}


def draw(look: Look) -> None:
    """Rates, causes, and both as a table."""
    found = look.movements()
    if not any(one.before.customers for one in found):
        st.caption(f"No data: nobody paid at the start of any of these {look.grain}s.")
        return
    cancelled = look.measures.cancelled(look.of, look.periods)
    _rates(look, found)
    _causes(look, found, cancelled)
    with st.expander("The same as a table"):
        rows = [_row(one, number) for one, number in zip(found, cancelled, strict=True)]
        st.table(rows[::-1], border="horizontal", hide_index=True)


def _share(one: Movements, key: str) -> Share:
    shares = (one.customer_churn, one.gross_churn, one.net_churn)
    return dict(zip(_RATES, shares, strict=True))[key]


def _rates(look: Look, found: Sequence[Movements]) -> None:
    header = (look.grain, "rate", "part", "whole", "share")
    sheet = Sheet(header, [
        (one.period.key, key, *_parts(look, key, _share(one, key)))
        for one in found for key in _RATES
    ])  # fmt: skip
    plotted.head(
        look.person, "Churn", sheet, "churn_rates",
        help=" ".join(DEFINITIONS[key].short for key in _RATES),
        note=f"Of what stood at the start of the {look.grain}. Net churn is below 0 where those who stayed "
        f"grew by more than was lost. The last {look.grain} goes on: its rates still rise.",
    )  # fmt: skip
    lines = [_line(look, found, key) for key in _RATES]
    said = [f"{charts.period(one.period.key)} {_percent(one.customer_churn)}" for one in found]
    made = charts_revenue.rates(lines, look.periods)
    plotted.chart(
        marked(made, look.periods, look.annotations()), "churn", f"Customer churn: {', '.join(said)}"
    )


def _parts(look: Look, key: str, share: Share) -> tuple[object, ...]:
    of_people = key == "customer_churn_rate"
    part, whole = (
        int(one) if of_people else units(one, look.of.currency) for one in (share.part, share.whole)
    )
    return part, whole, "" if share.value is None else export.Number(f"{share.value:.4f}")


def _line(look: Look, found: Sequence[Movements], key: str) -> Line:
    points, said, rows = [], [], []
    for at, one in enumerate(found):
        share = _share(one, key)
        if share.value is None:
            continue
        part, whole = (
            formats.count(int(each)) if key == "customer_churn_rate" else look.money(each)
            for each in (share.part, share.whole)
        )
        points.append((float(at), share.value))
        said.append(
            f"{charts.period(one.period.key)}<br>{_RATES[key]}: {_percent(share)}<br>{part} of {whole}"
        )
        rows.append(f"moves:{one.period.key}:{_KINDS[key]}")
    return Line(_RATES[key], points, said, rows)


def _percent(share: Share) -> str:
    return formats.share(share.part, share.whole)


def _causes(look: Look, found: Sequence[Movements], cancelled: Sequence[int]) -> None:
    header, code = (look.grain, "cause", "customers", "mrr", "currency"), look.of.currency
    sheet = Sheet(header, [
        (one.period.key, cause, -number, units(-one.churned[cause], code), code.upper())
        for one in found for cause, number in one.churned_people.items()
    ])  # fmt: skip
    plotted.head(
        look.person, "Why customers left", sheet, "churn_causes", help=DEFINITIONS["churn_causes"].short,
        note="Bars count customers when their MRR ended, by cause. Diamonds count subscriptions in the "
        f"{look.grain} in which they were canceled, whenever they end.",
    )  # fmt: skip
    seen = [cause for cause in CAUSES if any(one.churned_people.get(cause) for one in found)]
    layers = [_layer(found, cause, palette.series(at)) for at, cause in enumerate(seen)]
    beside = _decided(found, cancelled)
    made = charts_revenue.stacked(layers, look.periods, beside=beside)
    told = [f"{charts.period(one.period.key)} {-one.people['churn']}" for one in found]
    plotted.chart(
        marked(made, look.periods, look.annotations()), "causes", f"Customers who left: {', '.join(told)}"
    )


def _layer(found: Sequence[Movements], cause: str, colour: str) -> Layer:
    numbers = [-one.churned_people.get(cause, 0) for one in found]
    said = [
        f"{charts.period(one.period.key)}<br>{CAUSES[cause]}: {formats.plural(number, 'customer')}"
        for one, number in zip(found, numbers, strict=True)
    ]
    rows = [f"moves:{one.period.key}:churn:{cause}" for one in found]
    return Layer(CAUSES[cause], colour, [float(number) for number in numbers], said, rows)


def _decided(found: Sequence[Movements], cancelled: Sequence[int]) -> Line:
    said = [
        f"{charts.period(one.period.key)}<br>{formats.plural(number, 'cancellation')}"
        for one, number in zip(found, cancelled, strict=True)
    ]
    points = [(float(at), float(number)) for at, number in enumerate(cancelled)]
    return Line("Canceled", points, said, [f"canceled:{one.period.key}" for one in found])


def _row(one: Movements, cancelled: int) -> dict[str, str]:
    return {
        "Period": charts.begin(one.period.key),
        "Customers at its start": formats.count(one.before.customers),
        "Left": formats.count(-one.people["churn"]),
        **{_RATES[key]: _percent(_share(one, key)) for key in _RATES},
        "Canceled": formats.count(cancelled),
    }
