"""From one number to another, step by step."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from pages.components import charts, palette
from pages.components.charts import Figure


def waterfall(bars: Sequence[tuple[str, int, bool]], written: Callable[[int], str]) -> Figure:
    """Bars by name and amount; the first and the last (True) are whole numbers, those between lead over."""
    ink, _, _ = palette.ink()
    names = [name for name, _, _ in bars]
    base, bottoms, heights, colours, texts = 0, [], [], [], []
    for _, amount, whole in bars:
        start = 0 if whole else base
        base = amount if whole else base + amount
        bottoms.append(min(start, base))
        heights.append(abs(base - start))
        colours.append(ink if whole else palette.of_move("new" if amount > 0 else "churn"))
        texts.append(written(amount) if whole else f"{'+' if amount > 0 else '-'}{written(abs(amount))}")
    trace = {
        "type": "bar",
        "x": names,
        "base": bottoms,
        "y": heights,
        "text": texts,
        "textposition": "outside",
        "cliponaxis": False,
        "marker": {"color": colours, "line": {"width": 0}},
        **charts.hover([f"{name}: {text}" for name, text in zip(names, texts, strict=True)]),
    }
    highest = max((low + high for low, high in zip(bottoms, heights, strict=True)), default=1)
    return charts.figure(
        [trace],
        height=280,
        bargap=0.4,
        margin=charts.MARGIN | {"t": 24},
        xaxis={"type": "category", "categoryorder": "array", "categoryarray": names},
        yaxis={"visible": False, "range": [min(0, *bottoms), highest * 1.12 or 1]},
    )
