"""How do the charts of a report look? Small SVG drawings that need no script, and are read in grey, too.

Lengths are in the drawing's own units, 680 across. Each drawing has a title and a description in words for
who cannot see it; all that goes into it is escaped.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from markupsafe import Markup

INK, PALE, QUIET, GRID = "#22307f", "#c9cfe9", "#5d6675", "#dfe2ea"
GROUND, PAPER, BLACK = "#f1f2f6", "#ffffff", "#14181f"
_WIDE, _LEFT, _APART = 680.0, 62.0, 3.5
_TAG = Markup("<{name}{attributes}>{inside}</{name}>")
_STEPS = (1.0, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 6.0, 8.0, 10.0)
Write = Callable[[float], str]


def tag(name: str, inside: Markup | str = "", **attributes: object) -> Markup:
    """An element of SVG; `text_anchor=` is its attribute `text-anchor`."""
    written = Markup("").join(
        Markup(' {}="{}"').format(key.rstrip("_").replace("_", "-"), _plain(value))
        for key, value in attributes.items()
    )
    return _TAG.format(name=name, attributes=written, inside=inside)


def _plain(value: object) -> object:
    return f"{value:.1f}".rstrip("0").rstrip(".") if isinstance(value, float) else value


@dataclass(frozen=True, slots=True)
class Words:
    """What a drawing says to who cannot see it; `key` makes it the only one of its page."""

    key: str
    title: str
    description: str


def _drawing(words: Words, high: float, *parts: Markup) -> Markup:
    named = Markup("").join(
        (
            tag("title", words.title, id=f"{words.key}-title"),
            tag("desc", words.description, id=f"{words.key}-desc"),
            *parts,
        )
    )
    about = {"aria-labelledby": f"{words.key}-title", "aria-describedby": f"{words.key}-desc"}
    return tag("svg", named, viewBox=f"0 0 {_WIDE:.0f} {high:.0f}", role="img", **about)


def _box(x: float, y: float, wide: float, high: float, fill: str) -> Markup:
    """A filled box: `ink`, `pale`, `paper`, or `across` or `upright` lines, told apart without colour."""
    ground = {"ink": INK, "pale": PALE}.get(fill, PAPER)
    box = tag("rect", x=x, y=y, width=wide, height=high, fill=ground, stroke=INK, stroke_width=0.7)
    lines = {"across": _every(y, high, f"M{x:.1f} {{:.1f}}h{wide:.1f}")}
    lines["upright"] = _every(x, wide, f"M{{:.1f}} {y:.1f}v{high:.1f}")
    return box + tag("path", d=lines[fill], stroke=INK, stroke_width=1.1) if lines.get(fill) else box


def _every(start: float, length: float, line: str) -> str:
    """A line at every few units of a length."""
    places = range(1, int(length / _APART) + 1)
    return "".join(line.format(start + _APART * place) for place in places if _APART * place < length)


def _text(words: str, x: float, y: float, **more: object) -> Markup:
    return tag("text", words, x=x, y=y, **more)


def nice(highest: float) -> float:
    """The end of an axis: a round number not below the highest value."""
    if highest <= 0:
        return 1.0
    power = 1.0
    while power * 10 <= highest:
        power *= 10
    while power > highest:
        power /= 10
    return next(step * power for step in _STEPS if step * power >= highest * 0.999999)


@dataclass(frozen=True, slots=True)
class Line:
    """What a line shows: values (from 0) that each hold from an instant on, until `ends`.

    `ticks` are instants with their words; before `exact_since` it is reconstructed. `last` are the words at
    its end.
    """

    points: Sequence[tuple[int, float]]
    begins: int
    ends: int
    ticks: Sequence[tuple[int, str]]
    exact_since: int | None
    last: str


def line(words: Words, shown: Line, write: Write) -> Markup:
    """A line of steps from nothing up, with the time that is reconstructed shaded."""
    high, top, bottom, right = 172.0, 22.0, 148.0, _WIDE - 8
    most = nice(max((value for _, value in shown.points), default=0.0))
    scale = (right - _LEFT) / (shown.ends - shown.begins)

    def x(instant: int) -> float:
        return _LEFT + (min(max(instant, shown.begins), shown.ends) - shown.begins) * scale

    def y(value: float) -> float:
        return bottom - (bottom - top) * value / most

    parts = _grid((0.0, most / 2, most), y, right, write)
    parts = _reconstructed(x(shown.exact_since or shown.ends), top, bottom) + parts
    parts += [_text(said, x(at), bottom + 16, text_anchor="middle") for at, said in shown.ticks]
    if shown.points:
        path = _stepped([(x(at), y(value)) for at, value in shown.points], right)
        area = f"{path} V{bottom:.1f} H{x(shown.points[0][0]):.1f} Z"
        end = y(shown.points[-1][1])
        over = min(y(value) for at, value in shown.points if x(at) > right - 90 or at == shown.points[-1][0])
        parts += [
            tag("path", d=area, fill=PALE, fill_opacity=0.5),
            tag("path", d=path, fill="none", stroke=INK, stroke_width=2),
            tag("circle", cx=right, cy=end, r=3.5, fill=INK),
            _text(shown.last, right, max(12.0, over - 9), text_anchor="end", class_="strong"),
        ]
    return _drawing(words, high, *parts)


def _stepped(points: Sequence[tuple[float, float]], right: float) -> str:
    begin, *rest = points
    steps = "".join(f" H{x:.1f} V{y:.1f}" for x, y in rest)
    return f"M{begin[0]:.1f} {begin[1]:.1f}{steps} H{right:.1f}"


def _reconstructed(until: float, top: float, bottom: float) -> list[Markup]:
    wide = until - _LEFT
    if wide < 1:
        return []
    ground = tag("rect", x=_LEFT, y=top, width=wide, height=bottom - top, fill=GROUND)
    return [ground, _text("reconstructed", _LEFT + 6, top + 13)]


def _grid(at: Sequence[float], y: Callable[[float], float], right: float, write: Write) -> list[Markup]:
    return [
        part
        for value in at
        for part in (
            tag("line", x1=_LEFT, x2=right, y1=y(value), y2=y(value), stroke=GRID),
            _text(write(value), _LEFT - 6, y(value) + 4, text_anchor="end"),
        )
    ]


@dataclass(frozen=True, slots=True)
class Column:
    """One month's movements: what raised and what lowered (below 0), each with how it is filled."""

    label: str
    up: Sequence[tuple[str, float]]
    down: Sequence[tuple[str, float]]
    strong: bool = False

    @property
    def net(self) -> float:
        """Both together."""
        return sum(value for _, value in (*self.up, *self.down))


def columns(words: Words, shown: Sequence[Column], legend: Sequence[tuple[str, str]], write: Write) -> Markup:
    """Columns from a line up and down, with a mark at what both come to."""
    high, top, bottom, right = 206.0, 12.0, 154.0, _WIDE - 8
    up = max((sum(value for _, value in one.up) for one in shown), default=0.0)
    down = max((-sum(value for _, value in one.down) for one in shown), default=0.0)
    most, least = (nice(value) if value > 0 else 0.0 for value in (up, down))
    span = (most + least) or 1.0
    wide = (right - _LEFT) / max(1, len(shown))

    def y(value: float) -> float:
        return top + (bottom - top) * (most - value) / span

    marks = dict.fromkeys((most, 0.0, -least) if span > 1 or most else (0.0,))
    apart = [value for value in marks if value == 0 or abs(y(value) - y(0.0)) > 14]
    parts = _grid(apart, y, right, write)
    for place, one in enumerate(shown):
        parts += _column(one, _LEFT + wide * place, wide, y, bottom)
    parts.append(tag("line", x1=_LEFT, x2=right, y1=y(0.0), y2=y(0.0), stroke=QUIET))
    return _drawing(words, high, *parts, *_legend(legend, high - 14))


def _column(
    one: Column, left: float, wide: float, y: Callable[[float], float], bottom: float
) -> list[Markup]:
    parts = []
    for side in (one.up, one.down):
        at = 0.0
        for fill, value in side:
            if value:
                high, low = sorted((y(at), y(at + value)))
                parts.append(_box(left + wide * 0.2, high, wide * 0.6, low - high, fill))
            at += value
    net = y(one.net)
    across = f"M{left + wide * 0.1:.1f} {net:.1f}h{wide * 0.8:.1f}"
    parts.append(tag("path", d=across, stroke=PAPER, stroke_width=5))
    parts.append(tag("path", d=across, stroke=BLACK, stroke_width=2.4))
    said = {"class_": "strong"} if one.strong else {}
    parts.append(_text(one.label, left + wide / 2, bottom + 16, text_anchor="middle", **said))
    return parts


def _legend(legend: Sequence[tuple[str, str]], y: float) -> list[Markup]:
    parts, x = [], _LEFT
    for fill, said in legend:
        if fill == "net":
            mark = tag("line", x1=x, x2=x + 12, y1=y - 4, y2=y - 4, stroke=BLACK, stroke_width=2.4)
        else:
            mark = _box(x, y - 10, 12.0, 11.0, fill)
        parts += [mark, _text(said, x + 17, y)]
        x += 34 + 6.6 * len(said)
    return parts


@dataclass(frozen=True, slots=True)
class Bar:
    """A step of a funnel: who reached it, for whom it is too early to tell, and the words behind it."""

    label: str
    value: int
    undecided: int
    said: str


def bars(words: Words, shown: Sequence[Bar]) -> Markup:
    """Bars from top to bottom; lined is what cannot be told yet."""
    left, right, tall = 160.0, _WIDE - 190, 26.0
    most = max((one.value + one.undecided for one in shown), default=0) or 1
    parts = []
    for place, one in enumerate(shown):
        y = 6 + place * tall  # the top of the bar
        wide, more = ((right - left) * value / most for value in (one.value, one.undecided))
        parts.append(_text(one.label, left - 8, y + 14, text_anchor="end"))
        parts += [_box(left, y, wide, 18.0, "ink")] if one.value else []
        parts += [_box(left + wide, y, more, 18.0, "upright")] if one.undecided else []
        parts.append(_text(one.said, left + wide + more + 8, y + 14))
    return _drawing(words, 12 + tall * len(shown), *parts)
