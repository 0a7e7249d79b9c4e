"""What does a customer see behind a link? Invoices, the portal and Checkout, as plain pages."""

from __future__ import annotations

from datetime import UTC, datetime
from html import escape
from typing import Any
from urllib.parse import parse_qsl

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from services.sandbox import pdf
from services.sandbox.billing import cards, money, payments, sessions
from services.sandbox.errors import ApiError
from services.sandbox.service import Service
from services.sandbox.store import Body

_CHOICES = {
    "pm_card_visa": "Visa •••• 4242 (works)",
    "pm_card_mastercard": "Mastercard •••• 4444 (works)",
    "insufficient_funds": "A card without enough funds",
    "generic_decline": "A card that is declined",
    "expired_card": "An expired card",
    "requires_action": "A card that asks for authentication",
}
_PAGE = """<!doctype html><html lang="en"><meta charset="utf-8"><title>{title}</title>
<meta name="viewport" content="width=device-width">
<style>body{{font:16px/1.5 system-ui,sans-serif;max-width:40rem;margin:3rem auto;padding:0 1rem}}
table{{width:100%;border-collapse:collapse}}td{{padding:.4rem 0;border-bottom:1px solid #ddd}}
td:last-child{{text-align:right}}button{{font:inherit;padding:.5rem 1rem}}
label{{display:block;margin:.3rem 0}}
.note{{background:#fff4d6;padding:.5rem 1rem}}</style>
<p class="note">Sandbox: no real money moves here.</p><h1>{title}</h1>{content}</html>"""

_HEADERS = {"Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'"}


class Gone(Exception):
    """There is nothing (any more) behind a link."""


async def answer(service: Service, request: Request) -> Response:
    """Show a page, or do what its form asks for."""
    if service.building:
        return _page("One moment", "<p>The account is still being built.</p>", 503)
    form = dict(parse_qsl((await request.body()).decode())) if request.method == "POST" else None
    parts = request.path_params["path"].strip("/").split("/")
    return await service.run(_answer, service, parts, form)


def _answer(service: Service, parts: list[str], form: dict[str, str] | None) -> Response:
    kind, token, rest = parts[0], parts[1] if len(parts) > 1 else "", parts[2:]
    service.catch_up()
    try:
        if kind == "invoice" and rest in ([], ["pdf"], ["receipt"]):
            return _invoice(service, token, form, rest)
        if kind == "portal" and not rest:
            return _portal(service, token, form)
        if kind == "checkout" and not rest:
            return _checkout(service, token, form)
        raise Gone
    except Gone:
        return _page("This page has expired", "<p>Ask for a new link.</p>", 404)


def _invoice(service: Service, token: str, form: dict[str, str] | None, rest: list[str]) -> Response:
    invoice = _by_token(service, "invoice", token)
    if rest == ["pdf"]:
        name = f'inline; filename="{invoice["number"]}.pdf"'
        return Response(pdf.page(_text(invoice)), 200, {"Content-Disposition": name}, "application/pdf")
    problem = ""
    if form is not None and invoice["status"] in ("open", "uncollectible"):
        card = form.get("card", "pm_card_visa")
        problem = _attempt(service, lambda: _pay(service, invoice, card))
    return _page(f"Invoice {invoice['number']}", _problem(problem) + _invoice_content(invoice))


def _pay(service: Service, invoice: Body, card: str) -> None:
    method = cards.attach(service.account, card, customer=invoice["customer"])
    payments.pay(service.account, invoice["id"], payment_method=method["id"])


def _invoice_content(invoice: Body) -> str:
    currency = invoice["currency"]
    rows = "".join(_row(line["description"], line["amount"], currency) for line in invoice["lines"]["data"])
    total = _row("Total", invoice["total"], currency)
    left = escape(money.text(invoice["amount_remaining"], currency))
    due = f"<p>Status: {escape(invoice['status'])}. Due: {left}</p>"
    link = f'<p><a href="{escape(invoice["invoice_pdf"])}">PDF</a></p>'
    pay = _form("Pay") if invoice["status"] in ("open", "uncollectible") else ""
    return f"<table>{rows}{total}</table>{due}{link}{pay}"


def _row(text: str | None, amount: int, currency: str) -> str:
    return f"<tr><td>{escape(text or '')}</td><td>{escape(money.text(amount, currency))}</td></tr>"


def _portal(service: Service, token: str, form: dict[str, str] | None) -> Response:
    session = _by_token(service, "billing_portal.session", token)
    if service.clock.now() - session["created"] > 3600:
        raise Gone
    if form is not None:
        card = form.get("card", "pm_card_visa")
        problem = _attempt(service, lambda: sessions.add_card(service.account, session["customer"], card))
        if not problem and session["return_url"]:
            return RedirectResponse(session["return_url"], 303)
        done = "<p>The card was saved.</p>" if not problem else _problem(problem) + _form("Save card")
        return _page("Payment method", done)
    return _page("Payment method", _form("Save card"))


def _checkout(service: Service, session_id: str, form: dict[str, str] | None) -> Response:
    session = service.store.find(session_id)
    if session is None or session["object"] != "checkout.session" or session["status"] != "open":
        raise Gone
    title = "Save a card" if session["mode"] == "setup" else "Subscribe"
    if form is None:
        return _page(title, _form(title))
    card = form.get("card", "pm_card_visa")
    problem = _attempt(service, lambda: sessions.complete_checkout(service.account, session_id, card))
    if problem:
        return _page(title, _problem(problem) + _form(title))
    if session["success_url"]:
        return RedirectResponse(session["success_url"].replace("{CHECKOUT_SESSION_ID}", session_id), 303)
    return _page(title, "<p>Done.</p>")


def _attempt(service: Service, work: Any) -> str:
    """Do it and commit; what went wrong in words, or ''."""
    try:
        work()
    except ApiError as error:
        if getattr(error, "happened", False):
            service.store.commit()
        else:
            service.store.rollback()
        return error.message
    service.store.commit()
    return ""


def _by_token(service: Service, kind: str, token: str) -> Body:
    where = "json_extract(notes, '$.token') = ?"
    found = service.store.all(kind, where, (token,)) if token else []
    if not found:
        raise Gone
    return found[0]


def _form(button: str) -> str:
    options = "".join(
        f'<label><input type="radio" name="card" value="{value}"{"" if place else " checked"}> '
        f"{escape(label)}</label>"
        for place, (value, label) in enumerate(_CHOICES.items())
    )
    fields = f"<fieldset><legend>Card</legend>{options}</fieldset>"
    return f'<form method="post">{fields}<button>{button}</button></form>'


def _problem(problem: str) -> str:
    return f'<p role="alert">{escape(problem)}</p>' if problem else ""


def _text(invoice: Body) -> list[str]:
    day = datetime.fromtimestamp(invoice["created"], UTC)
    rows = [
        f"{line['description']}   {money.text(line['amount'], invoice['currency'])}"
        for line in invoice["lines"]["data"]
    ]
    ends = [f"Total   {money.text(invoice['total'], invoice['currency'])}", f"Status   {invoice['status']}"]
    head = [f"Invoice {invoice['number']}", f"{day:%Y-%m-%d}", invoice["customer_name"] or "", ""]
    return [*head, *rows, "", *ends]


def _page(title: str, content: str, status: int = 200) -> HTMLResponse:
    return HTMLResponse(_PAGE.format(title=escape(title), content=content), status, _HEADERS)
