"""How is the sandbox itself steered? JSON under `/_sandbox/`, without a key, on loopback only.

GET state                      ready, progress, now, offset, account, customers, seed, life, problem
POST clock                     {"advance": seconds} or {"to": seconds UTC}; what falls due happens
GET, POST, DELETE faults       what goes wrong on purpose: see `faults`
POST cards                     {"customer", "card"}: the customer adds a card in the portal
POST behaviour                 {"payment_method", "behaviour", "times"}: how a card behaves from now on
POST pay                       {"invoice"}: the customer pays it
POST disputes                  {"charge", ...} opens one, {"dispute", "outcome"} closes one
GET, POST keys                 {"key": "rk_test_...", "rights": {"customers": "read", ...}}
POST limits                    {"rate", "burst"}: requests a second, 0 for no limit
POST settings                  {"retry_after_days", "when_retries_end"}
GET requests                   the latest requests of the API, filtered by their fields
GET books                      counts, and totals by currency
POST stop                      end the program
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

from services.sandbox.billing import cards, disputes, payments, sessions
from services.sandbox.errors import ApiError, InvalidRequest, MissingParameter, NoSuchRoute
from services.sandbox.service import Service

Given = dict[str, Any]
Command = Callable[[Service, Given], Any]


def state(service: Service) -> Given:
    """Whether the account is ready, its time, and who it is. Needs no turn on the account's thread."""
    return {
        "ready": not service.building,
        "progress": round(service.progress, 3),
        "now": service.clock.now(),
        "offset": service.clock.offset,
        "account": service.account_id,
        "pid": os.getpid(),
        "customers": service.options.customers,
        "seed": service.options.seed,
        "life": service.options.life,
        "problem": service.problem,
    }


def command(service: Service, method: str, name: str, given: Given) -> Any:
    """Carry out a command and commit what it did; raises ApiError, having undone it. On its thread."""
    found = _COMMANDS.get((method, name))
    if found is None:
        raise NoSuchRoute(method, f"/_sandbox/{name}")
    service.catch_up()
    try:
        made = found(service, given)
    except ApiError as error:
        if getattr(error, "happened", False):
            service.store.commit()
        else:
            service.store.rollback()
        raise
    service.store.commit()
    return made


def _clock(service: Service, given: Given) -> Given:
    _only(given, "to", "advance")
    if len(given) != 1:
        raise InvalidRequest("Give either `to` (seconds UTC) or `advance` (seconds).")
    service.clock.move(to=given.get("to"), advance=given.get("advance"))
    service.store.commit()
    service.catch_up()
    return state(service)


def _set_fault(service: Service, given: Given) -> Given:
    return service.faults.add(**given).shown()


def _clear_faults(service: Service, _given: Given) -> Given:
    service.faults.clear()
    return {"faults": []}


def _add_card(service: Service, given: Given) -> Given:
    """{customer, card: "ok", a decline code, "requires_action" or a test card's name}"""
    _only(given, "customer", "card")
    return sessions.add_card(service.account, _need(given, "customer"), given.get("card", "ok"))


def _behave(service: Service, given: Given) -> Given:
    """{payment_method, behaviour: "ok" or a decline code, times}"""
    _only(given, "payment_method", "behaviour", "times")
    method, behaviour = _need(given, "payment_method"), given.get("behaviour", "ok")
    if behaviour == "ok":
        cards.restore(service.account, method)
    else:
        cards.decline(service.account, method, behaviour, given.get("times"))
    return {"payment_method": method, "behaviour": behaviour}


def _pay(service: Service, given: Given) -> Given:
    """{invoice, payment_method}: the customer pays it on its hosted page."""
    _only(given, "invoice", "payment_method")
    return payments.pay(service.account, _need(given, "invoice"), payment_method=given.get("payment_method"))


def _dispute(service: Service, given: Given) -> Given:
    """{charge, reason, amount, due_by, inquiry} opens; {dispute, outcome: won|lost|warning_closed} closes."""
    if "dispute" in given:
        _only(given, "dispute", "outcome")
        return disputes.close(service.account, given["dispute"], _need(given, "outcome"))
    _only(given, "charge", "reason", "amount", "due_by", "inquiry")
    return disputes.create(
        service.account, _need(given, "charge"), **{k: v for k, v in given.items() if k != "charge"}
    )


def _restrict(service: Service, given: Given) -> Given:
    """{key: "rk_test_...", rights: {"customers": "read", "subscriptions": "write"}}"""
    _only(given, "key", "rights")
    service.keys.restrict(_need(given, "key"), given.get("rights", {}))
    return service.keys.all()


def _limit(service: Service, given: Given) -> Given:
    """{rate, burst}: requests a second, 0 for no limit."""
    _only(given, "rate", "burst")
    rate = float(given.get("rate", 25))
    service.limiter.set(rate, float(given.get("burst", rate)))
    return {"rate": service.limiter.rate, "burst": service.limiter.burst}


def _settings(service: Service, given: Given) -> Given:
    """{retry_after_days: [3, 5, 7], when_retries_end: cancel|unpaid|past_due}"""
    _only(given, "retry_after_days", "when_retries_end")
    service.account.set(**given)
    return service.account.settings


def _requests(service: Service, given: Given) -> Given:
    found = [entry for entry in service.recent if all(str(entry.get(k)) == str(v) for k, v in given.items())]
    return {"requests": found}


def _books(service: Service, _given: Given) -> Given:
    """Counts by kind and status, and what was paid, refunded and is owed by currency (minor units)."""
    store = service.store
    store.flush()
    counts = store.execute("SELECT kind, count(*) FROM objects GROUP BY kind ORDER BY kind")
    statuses = store.execute(
        "SELECT kind, label, count(*) FROM objects "
        "WHERE kind IN ('subscription', 'invoice', 'invoice_payment') "
        "GROUP BY kind, label ORDER BY kind, label"
    )
    charged = store.execute(
        "SELECT json_extract(body, '$.currency'), sum(json_extract(body, '$.amount_captured')), "
        "sum(json_extract(body, '$.amount_refunded')) FROM objects WHERE kind = 'charge' GROUP BY 1"
    )
    invoiced = store.execute(
        "SELECT json_extract(body, '$.currency'), label, sum(json_extract(body, '$.amount_paid')), "
        "sum(json_extract(body, '$.amount_remaining')) FROM objects WHERE kind = 'invoice' GROUP BY 1, 2"
    )
    return {
        "counts": dict(counts),
        "statuses": [dict(zip(("kind", "status", "count"), row, strict=True)) for row in statuses],
        "charges": [dict(zip(("currency", "captured", "refunded"), row, strict=True)) for row in charged],
        "invoices": [
            dict(zip(("currency", "status", "paid", "remaining"), row, strict=True)) for row in invoiced
        ],
        "webhooks_pending": service.webhooks.pending(),
    }


def _need(given: Given, name: str) -> Any:
    if given.get(name) in (None, ""):
        raise MissingParameter(name)
    return given[name]


def _only(given: Given, *names: str) -> None:
    if unknown := given.keys() - set(names):
        raise InvalidRequest(f"Unknown: {', '.join(sorted(unknown))}. Known: {', '.join(names)}.")


_COMMANDS: dict[tuple[str, str], Command] = {
    ("POST", "clock"): _clock,
    ("GET", "faults"): lambda service, _given: {"faults": service.faults.all()},
    ("POST", "faults"): _set_fault,
    ("DELETE", "faults"): _clear_faults,
    ("POST", "cards"): _add_card,
    ("POST", "behaviour"): _behave,
    ("POST", "pay"): _pay,
    ("POST", "disputes"): _dispute,
    ("POST", "keys"): _restrict,
    ("GET", "keys"): lambda service, _given: service.keys.all(),
    ("POST", "limits"): _limit,
    ("POST", "settings"): _settings,
    ("GET", "requests"): _requests,
    ("GET", "books"): _books,
}
