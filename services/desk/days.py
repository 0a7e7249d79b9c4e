"""Which instant is meant by a day that somebody chose?"""

from __future__ import annotations

from datetime import date, datetime, time

from services import clock, config
from services.desk.command import Form
from services.errors import InvalidInput


def on_day(form: Form, name: str, message: str, *, like: int | None = None) -> int:
    """The chosen local day (ISO) at the time of day of the instant `like`, or as it begins; UTC seconds.

    Raises InvalidInput with the message.
    """
    try:
        day = date.fromisoformat(form.get(name, ""))
    except ValueError:
        raise InvalidInput(message, field=name) from None
    zone = config.settings().zone
    at = clock.local(like, zone).time() if like is not None else time()
    return int(datetime.combine(day, at, zone).timestamp())
