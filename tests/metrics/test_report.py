"""The monthly report says what the pages say, in a page that is whole by itself and believes nobody."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from types import ModuleType
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa
from sqlmodel import Session

from models import (
    ExchangeRate,
    FailureFact,
    JourneyFact,
    MetricsState,
    ReportingCurrency,
    TrialCell,
    TrialFact,
)
from services import clock, config
from services.errors import InvalidInput, Unavailable
from services.metrics import periods
from services.metrics.counting import waiting
from services.metrics.definitions import DEFINITIONS
from services.metrics.recovery import dunning
from services.metrics.recovery.dunning import Asked
from services.metrics.report import collected, made, months, page, summary
from services.metrics.report.collected import Source
from services.metrics.report.made import Made
from services.metrics.revenue import revenue_history
from services.metrics.revenue.revenue_history import View
from services.metrics.trials import conversion, funnel
from services.metrics.trials.slices import Slice
from tests.metrics import company
from tests.metrics.company import HOSTILE, NOW

UTC = ZoneInfo("UTC")
MONTHS = tuple(periods.last("month", 13, until=NOW, zone=UTC)[:-1])
VOID = frozenset(("br", "meta", "hr", "img", "input", "link"))


@pytest.fixture(autouse=True)
def _as_usual(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("WORKSPACE_TIMEZONE", "WORKSPACE_LOCALE", "WORKSPACE_NAME"):
        monkeypatch.delenv(name, raising=False)
    config.settings.cache_clear()


@pytest.fixture
def report(database: ModuleType) -> Made:
    """The report of May."""
    company.found(database)
    return made.make()


class Read(HTMLParser):
    """A page as a browser takes it: its elements, its words, and whether each element is closed."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] != "style":
            self.words.append(data)

    @property
    def text(self) -> str:
        """All words, with single blanks."""
        return " ".join(" ".join(self.words).split())


def test_revenue_is_what_the_revenue_page_asks_for(database: ModuleType, report: Made) -> None:
    assert report.numbers.month.key == "2026-05"
    assert [one.currency for one in report.numbers.money] == ["usd", "jpy"]
    with database.session() as session:
        for money in report.numbers.money:
            assert money.months == revenue_history.movements(session, View(money.currency), MONTHS)
            assert money.now.before.mrr + sum(money.now.moved.values()) == money.now.after.mrr
    usd = report.numbers.money[0].now
    assert (usd.before.mrr, usd.after.mrr) == (245 * 10**8, 294 * 10**8)
    assert (usd.before.customers, usd.after.customers) == (5, 6)
    assert (usd.moved["new"], usd.moved["churn"]) == (98 * 10**8, -49 * 10**8)
    assert dict(usd.churned_people) == {"voluntary": -1}
    assert report.numbers.money[0].canceled == 1


def test_trials_are_what_the_conversion_page_asks_for(database: ModuleType, report: Made) -> None:
    asked, trials = Slice("month", MONTHS), report.numbers.trials
    with database.session() as session:
        outcomes = conversion.outcomes(session, asked, as_of=clock.now())
        assert trials.outcomes.counts == outcomes.counts
        assert trials.own == outcomes.cohorts(trials.window)[-1]
        assert (trials.closed, trials.before) == conversion.last_closed(outcomes.cohorts(trials.window))
        assert trials.recent == conversion.period_rate(session, as_of=MONTHS[-1].ends)
        steps = funnel.steps(funnel.walked(session, asked.during([MONTHS[-1]])), "trial")
        assert trials.walked["2026-05"] == steps
    assert trials.closed is not None
    assert (trials.closed.period.key, trials.closed.rate.part, trials.closed.rate.whole) == ("2026-03", 1, 2)


def test_failed_payments_are_what_the_recovery_page_asks_for(database: ModuleType, report: Made) -> None:
    found = report.numbers.failures["usd"]
    with database.session() as session:
        asked = dunning.read(session, Asked("usd", MONTHS), as_of=clock.now())
    assert list(found.numbers.cohorts) == list(asked.cohorts)
    may = found.numbers.cohorts[-1]
    assert (may.failed.count, may.recovery.part, may.open) == (2, 1, True)
    assert [(row.name, row.state) for row in found.largest] == [("Hal", "in_recovery")]


def test_its_words_hold_its_numbers(report: Made) -> None:
    text = Read(report.html).text
    for said in (
        "MRR rose by $49.00 (20.0 %) to $294.00 , from 6 active customers.",
        "¥5,000",
        "50.0 % converted (1 of 2; 95 % interval 9.5 % to 90.5 %)",
        "Hal",
        "Stripe’s test mode",
        "reconstructed",
    ):
        assert said in text, said
    told = summary.text(report)
    assert told.subject == "Trialdesk: May 2026"
    assert "USD: MRR $294.00 (+$49.00), 6 active customers, gross churn 20.0 %." in told.body
    assert "alert" not in told.body


def test_nobody_can_put_anything_into_it(report: Made) -> None:
    read = Read(report.html)
    assert read.open == []
    assert HOSTILE in read.text and "Ada & Söhne <GmbH>" in read.text
    assert "script" not in {tag for tag, _ in read.elements}
    assert "{{ 7 * 7 }}" in read.text


def test_it_needs_nothing_else_and_runs_nothing(report: Made) -> None:
    read = Read(report.html)
    assert {tag for tag, _ in read.elements} <= {
        *"html head meta title style body header main section footer div h1 h2 h3 p dl dt dd".split(),
        *"table caption thead tbody tr th td small strong figure figcaption".split(),
        *"svg desc line path rect circle text".split(),
    }
    for tag, attributes in read.elements:
        strange = {name for name in attributes if name.startswith(("on", "href", "src", "xlink", "style"))}
        assert not strange, (tag, attributes)
        assert not any("http" in (value or "") or "url(" in (value or "") for value in attributes.values())
    style = "".join(re.findall(r"<style>(.*?)</style>", report.html, re.DOTALL))
    assert "@page" in style and not re.search(r"url\(|@import|http", style)
    policy = next(one for tag, one in read.elements if one.get("http-equiv"))
    assert policy["content"] == "default-src 'none'; style-src 'unsafe-inline'"


def test_each_drawing_is_told_in_words_too(report: Made) -> None:
    read = Read(report.html)
    ids = [one["id"] for _, one in read.elements if "id" in one]
    assert len(ids) == len(set(ids)) > 0
    drawings = [one for tag, one in read.elements if tag == "svg"]
    assert len(drawings) == 2 * 2 + 2  # two of each currency, two funnels
    for one in drawings:
        assert one["role"] == "img"
        assert {one["aria-labelledby"], one["aria-describedby"]} <= set(ids)
    assert "From $0.00 at the start of June 2025 to $294.00 at the end of May 2026" in read.text


def test_it_explains_each_number_from_the_one_list_of_definitions(report: Made) -> None:
    text = Read(report.html).text
    assert set(page.NOTES) <= set(DEFINITIONS)
    for key in page.NOTES:
        assert " ".join(DEFINITIONS[key].short.split()) in text


def test_it_is_written_as_the_workspace_writes(database: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    company.found(database)
    monkeypatch.setenv("WORKSPACE_LOCALE", "de_DE")
    monkeypatch.setenv("WORKSPACE_NAME", "Zahlen & <Co>")
    config.settings.cache_clear()
    text = Read(made.make().html).text
    config.settings.cache_clear()
    assert "Mai 2026" in text and "294,00\xa0$" in text.replace(" $", "\xa0$")
    assert "Zahlen & <Co>" in text


def test_currencies_are_never_added_but_by_rates_that_are_named(database: ModuleType) -> None:
    company.found(database)
    with database.transaction() as session:
        session.add(ReportingCurrency(id=1, currency="usd"))
        session.add(ExchangeRate(currency="jpy", into="usd", day="2026-05-31", rate="0.0100", source="Bank"))
    report = made.make()
    converted = report.numbers.converted
    assert converted is not None and converted.now.after.mrr == (294 + 50) * 10**8
    assert not converted.churned and not converted.won  # amounts of several currencies cannot be compared
    text = Read(report.html).text
    assert "Everything in USD" in text and "1 JPY = 0.0100 USD (from 2026-05-31, Bank)" in text
    with database.transaction() as session:
        session.get_one(ExchangeRate, ("jpy", "usd", "2026-05-31")).day = "2026-06-01"
    assert "Left out, as there is no rate for it: JPY." in Read(made.make().html).text


def test_a_month_is_the_last_whole_one_or_one_of_those_before(database: ModuleType) -> None:
    company.found(database)
    with database.session() as session:
        there = [one.key for one in months.known(session, NOW, UTC)]
        assert there == ["2026-05", "2026-04", "2026-03", "2026-02"]
        assert months.named(session, "2026-02", NOW, UTC).key == "2026-02"
        for wrong, said in (
            ("2026-13", "is not a month"),
            ("May", "is not a month"),
            ("2026-06", "is not over yet"),
            ("2031-01", "The last one is 2026-05"),
            ("2026-01", "The first month is 2026-02"),
            ("0000-01", "is not a month"),
        ):
            with pytest.raises(InvalidInput, match=said):
                months.named(session, wrong, NOW, UTC)
    for key in there:
        assert Read(made.make(key).html).open == []


def test_without_numbers_there_is_no_report(database: ModuleType) -> None:
    with pytest.raises(Unavailable, match="No numbers have been counted yet"):
        made.make()


def test_an_account_in_which_nothing_happened_has_none_either(database: ModuleType) -> None:
    with database.transaction() as session:
        session.add(MetricsState(id=1, generation=1, terms="x"))
    with pytest.raises(InvalidInput, match="The first month is not over yet"):
        made.make()


def test_it_says_so_while_customers_are_still_to_be_counted(database: ModuleType, report: Made) -> None:
    assert report.numbers.source.left == 0
    with database.transaction() as session:
        waiting.mark(session, ["cus_ada", "cus_bob"])
    assert "2 customers were still to be counted" in Read(made.make().html).text


@pytest.mark.both_databases
def test_a_change_while_it_is_made_does_not_show_in_half_of_it(
    database: ModuleType, report: Made, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = collected._source

    def everything_goes(session: Session) -> Source:
        with database.transaction() as beside:
            for gone in (FailureFact, TrialFact, TrialCell, JourneyFact):
                beside.execute(sa.delete(gone))
        return source(session)

    monkeypatch.setattr(collected, "_source", everything_goes)  # after revenue, before failures and trials
    meanwhile = made.make("2026-05").numbers
    before = report.numbers.failures["usd"]
    assert list(meanwhile.failures["usd"].numbers.cohorts) == list(before.numbers.cohorts)
    assert meanwhile.failures["usd"].largest == before.largest
    assert meanwhile.trials.outcomes.counts == report.numbers.trials.outcomes.counts
    assert made.make("2026-05").numbers.trials.outcomes.counts == {}
