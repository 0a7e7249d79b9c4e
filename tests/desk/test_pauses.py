"""Is collection paused as the dialog said, for as long as it said?"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from models import Invoice
from services import clock, config
from services.desk import catalog, commands, fresh, words
from services.desk.command import Quote
from services.errors import Conflict, InvalidInput, NotAllowed
from tests.desk.bench import ANA, SAM, Bench, press, row
from tests.desk.test_inputs import NOW, TRIAL_END, about, parse
from tests.desk.test_promises import said

SQLITE = pytest.mark.parametrize("idle_desk", ["sqlite"], indirect=True, scope="module")


@SQLITE
@pytest.mark.parametrize("behavior", ["void", "keep_as_draft", "mark_uncollectible"])
def test_collection_pauses_until_a_day_and_can_be_resumed_by_hand(desk: Bench, behavior: str) -> None:
    plan = desk.in_state("active")
    day = clock.local(clock.now(), config.settings().zone).date().replace(year=2099)
    form = {"behavior": behavior, "until": "day", "date": day.isoformat()}
    opened, outcome = press(ANA, "pause_collection", plan, **form)
    begins = clock.date_start(day, config.settings().zone)
    paused = desk.sdk.subscriptions.retrieve(plan.object_id)
    assert paused.status == "active" and paused.pause_collection
    assert (paused.pause_collection.behavior, paused.pause_collection.resumes_at) == (behavior, begins)
    assert outcome.message == f"Collection is paused until {words.moment(begins)}."
    kept = row(opened.token)
    assert (kept["after"]["pause_collection"], kept["after"]["pause_resumes_at"]) == (behavior, begins)
    with pytest.raises(Conflict, match="paused already until"):
        commands.open(ANA, "pause_collection", plan.customer.id, plan.object_id)
    _, resumed = press(ANA, "reactivate", plan)
    assert resumed.message == "Invoices are collected again."


@SQLITE
def test_who_only_sells_may_not_pause(desk: Bench) -> None:
    plan = desk.shared("active")
    with pytest.raises(NotAllowed, match="pause the collection"):
        commands.open(SAM, "pause_collection", plan.customer.id, plan.object_id)
    [offer] = [one for one in catalog.offers(SAM, plan) if one.command.name == "pause_collection"]
    assert "may not pause the collection" in offer.reason


@SQLITE
def test_a_second_person_is_told_that_it_is_paused(desk: Bench) -> None:
    plan = desk.in_state("active")
    opened = commands.open(ANA, "pause_collection", plan.customer.id, plan.object_id)
    press(ANA, "pause_collection", fresh.subject(plan.customer.id, plan.object_id), behavior="void")
    outcome = commands.submit(opened, ANA, {"behavior": "keep_as_draft"}, "holidays")
    assert outcome.overtaken and "Collection is paused already" in outcome.message


@pytest.mark.parametrize(
    ("form", "remark", "field"),
    [
        ({}, "what becomes of the invoices", "behavior"),
        ({"behavior": "forget"}, "what becomes of the invoices", "behavior"),
        ({"behavior": "void", "until": "day"}, "Choose the day", "date"),
        ({"behavior": "void", "until": "day", "date": "2020-02-02"}, "is in the past", "date"),
    ],
)
def test_a_pause_that_cannot_be(form: dict[str, str], remark: str, field: str) -> None:
    with pytest.raises(InvalidInput, match=remark) as error:
        parse("pause_collection", about("active"), **form)
    assert error.value.field == field


SOON = {"until": "day", "date": clock.local(NOW + clock.DAY, config.Settings().zone).date().isoformat()}


@pytest.mark.parametrize(
    ("fields", "form", "told"),
    [
        ({}, {"behavior": "void"}, f"the next invoice, $49.00 on {words.moment(TRIAL_END)}, is voided."),
        ({}, {"behavior": "keep_as_draft"}, "is kept as a draft. "),
        ({}, {"behavior": "keep_as_draft"}, "The drafts stay drafts afterwards, too"),
        ({}, {"behavior": "mark_uncollectible"}, "can still pay them"),
        ({}, {"behavior": "void", **SOON}, "it is collected as usual."),
        ({}, {"behavior": "void"}, "until somebody chooses “Resume collection”."),
        ({"status": "trialing", "card": None}, {"behavior": "void"}, "is canceled when its trial ends"),
    ],
)
def test_what_becomes_of_invoices_is_said(fields: dict[str, Any], form: dict[str, str], told: str) -> None:
    heard = said("pause_collection", about(**{"status": "active", **fields}), **form)
    assert told in heard and "is charged now" not in heard


def test_an_open_invoice_from_before_is_still_collected() -> None:
    debt = Invoice(
        id="in_1", created=NOW, customer="cus_1", status="open", currency="usd", amount_remaining=700
    )
    owing = replace(about("past_due"), latest=debt)
    told = said("pause_collection", owing, Quote(4900, "usd", 4900), behavior="void")
    assert "$7.00 is open from before: that is still collected" in told
