"""What can be set up on this installation, what does it give, and is it done?"""

from __future__ import annotations

from dataclasses import dataclass

from services.config import Settings


@dataclass(frozen=True, slots=True)
class Item:
    """One thing to set up: what it `gives`, and the `setting` by which it is done; `begins` is the instant
    when what is set shows for the first time, None where it does already."""

    name: str
    gives: str
    setting: str
    done: bool
    begins: int | None = None


def items(settings: Settings, *, signs_in: bool, reached: bool, compares_at: int | None) -> tuple[Item, ...]:
    """All of them. `signs_in`: people sign in; `reached`: the desk is seen from other machines;
    `compares_at`: the instant of the first nightly comparison, None once one was complete."""
    return (
        _item(settings, "Stripe account", "Your own customers instead of the sandbox's", "stripe_api_key"),
        Item(
            "Sign-in",
            "People with roles of their own; without it a live key is read-only",
            "[auth] in .streamlit/secrets.toml",
            signs_in,
        ),
        Item(
            "Address for others",
            "The staff open the desk from their own machines; needs sign-in",
            "STREAMLIT_SERVER_ADDRESS",
            reached,
        ),
        _item(settings, "Webhook", "Changes show within a second", "stripe_webhook_secret"),
        _item(settings, "Email", "Messages are sent, not only kept in the outbox", "smtp_host"),
        _item(settings, "Booking link", "Call invitations say where to book", "booking_url"),
        _item(settings, "Portal link", "Mails say where to enter another card", "customer_portal_url"),
        _item(settings, "Your own admin", "A link to it from each customer", "admin_url_template"),
        _item(settings, "Intercom", "A link to the person from each customer", "intercom_app_id"),
        Item(
            "Nightly comparison",
            "The tables are put right every day",
            "RECONCILE_AT",
            settings.reconcile_time is not None,
            compares_at,
        ),
    )


def _item(settings: Settings, name: str, gives: str, field: str) -> Item:
    return Item(name, gives, field.upper(), bool(getattr(settings, field)))
