"""What does every operation on the account stand on?

The account knows the time, gives out ids, finds and changes objects, writes down events, and does what is due
when time passes. It is driven by one thread. Do not hold an object across `advance`: hold its id.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable
from typing import Any

from services.sandbox import objects
from services.sandbox.errors import InvalidRequest, NoSuchObject
from services.sandbox.ids import Ids
from services.sandbox.store import Body, Notes, Store, cut

Handler = Callable[["Account", Body], None]
IntentHandler = Callable[["Account", str | None, dict[str, Any]], None]

_BATCH = 4000
_MOST_AT_ONCE = 20
_NO_REQUEST: dict[str, str | None] = {"id": None, "idempotency_key": None}
_ABSENT = object()
DEFAULT_SETTINGS: dict[str, Any] = {"retry_after_days": [3, 5, 7], "when_retries_end": "cancel"}


class StuckError(RuntimeError):
    """A handler did not move an object on that fell due: `object_id`, `due`."""

    def __init__(self, object_id: str, due: int) -> None:
        self.object_id, self.due = object_id, due
        super().__init__(f"{object_id} is still due at {due} after its work was done.")


def previous(old: Any, new: Any) -> Any:
    """What `previous_attributes` says of a changed value: of a hash only the keys that differ."""
    if isinstance(old, dict) and isinstance(new, dict):
        names = [name for name in (*old, *(new.keys() - old.keys())) if old.get(name) != new.get(name)]
        return {name: previous(old.get(name), new.get(name)) for name in names}
    return old


class Account:
    """One account of Stripe: its objects, its time, and the work that is due."""

    def __init__(self, store: Store, handlers: dict[str, Handler], now: int) -> None:
        self.store, self.now = store, now
        self.events_from = 0
        self.public_url = ""
        self.previewing = False
        self.request: dict[str, str | None] = _NO_REQUEST
        self.settings: dict[str, Any] = {**DEFAULT_SETTINGS, **store.fact("settings", {})}
        self.on_event: Callable[[Body], None] = lambda _event: None
        self.intents: dict[str, IntentHandler] = {}
        self.on_trouble: Callable[[str, Exception], None] | None = None
        self._left_alone: set[str] = set()
        self._last, self._times = ("", 0), 0
        self._handlers = handlers
        self._agenda = list(store.dues())
        heapq.heapify(self._agenda)
        store.on_due = lambda due, seq, object_id: heapq.heappush(self._agenda, (due, seq, object_id))
        seed = store.fact("seed", 0)
        self.ids = Ids(f"{seed}:{store.sequence}")

    # Objects

    def get(self, kind: str, object_id: str, param: str = "id") -> Body:
        """The object of this kind; raises NoSuchObject. A deleted customer is its stub."""
        body = self.store.find(object_id)
        if body is None or body["object"] != kind:
            raise NoSuchObject(kind, object_id, param)
        return body

    def customer(self, customer_id: str, param: str = "customer") -> Body:
        """The customer; raises NoSuchObject for one that does not exist or was deleted."""
        customer = self.get("customer", customer_id, param)
        if customer.get("deleted"):
            raise NoSuchObject("customer", customer_id, param)
        return customer

    def new(self, kind: str, prefix: str, /, *, notes: Notes | None = None, **fields: Any) -> Body:
        """A new object, without an event."""
        fields.setdefault("id", self.ids.new(prefix) if prefix else None)
        if kind not in ("invoiceitem", "discount"):
            fields.setdefault("created", self.now)
        return self.store.add(objects.new(kind, **fields), notes)

    def change(self, body: Body, event: str | None = None, /, **fields: Any) -> bool:
        """Set fields; where one differs, write down the event with what was there before."""
        changed = {name: value for name, value in fields.items() if body.get(name, _ABSENT) != value}
        if not changed:
            return False
        before = None
        if event and self.recording:
            before = {name: previous(body.get(name), value) for name, value in changed.items()}
        body.update(changed)
        self.store.touch(body["id"])
        if event:
            self.emit(event, body, before)
        return True

    def note(self, body: Body, **notes: Any) -> None:
        """Remember something about an object that it does not show."""
        self.store.notes(body["id"]).update(notes)
        self.store.touch(body["id"])

    # Events

    @property
    def recording(self) -> bool:
        """Whether events are written down now: history does not keep what Stripe would have dropped."""
        return not self.previewing and self.now >= self.events_from

    def emit(self, kind: str, body: Body, before: dict[str, Any] | None = None) -> None:
        """Write down an event with a snapshot of the object as it is now."""
        if not self.recording:
            return
        data: dict[str, Any] = {"object": dict(cut(body))}
        if before is not None:
            data["previous_attributes"] = before
        event = objects.new(
            "event", id=self.ids.new("evt"), created=self.now, type=kind, data=data, request=self.request
        )
        self.store.add(event)
        self.on_event(event)

    # Time

    def advance(self, to: int) -> None:
        """Let time pass until `to` and do all that falls due on the way, in order. What raises is handed to
        `on_trouble` and left alone from then on; without one the error is raised.
        """
        while self._agenda and self._agenda[0][0] <= to:
            due, _, object_id = heapq.heappop(self._agenda)
            entry = self.store.entry(object_id)
            if entry is None or entry.due != due or object_id in self._left_alone:
                continue
            self.now = max(self.now, due)
            try:
                self._carry_out(entry.body, due)
            except Exception as error:
                if self.on_trouble is None:
                    raise
                self._left_alone.add(object_id)
                self.on_trouble(object_id, error)
            if self.store.waiting() > _BATCH:
                self.store.commit()
        self.now = max(self.now, to)

    def _carry_out(self, body: Body, due: int) -> None:
        """Do what is due with an object; a handler that never moves it on would be called for ever."""
        object_id = body["id"]
        self._times = self._times + 1 if self._last == (object_id, due) else 1
        self._last = (object_id, due)
        if self._times > _MOST_AT_ONCE:
            raise StuckError(object_id, due)
        self._handlers[body["object"]](self, body)
        self.store.plan(object_id, again=due)

    def next_due(self) -> int | None:
        """When something falls due next; it may turn out to be nothing."""
        return self._agenda[0][0] if self._agenda else None

    # Intents: what people outside Stripe are going to do

    def schedule_intent(
        self, due: int, name: str, params: dict[str, Any], customer: str | None = None
    ) -> str:
        """Let the handler that `intents` holds under this name be called with the customer and the params
        when the clock reaches `due`. Survives a restart. Answers the intent's id.
        """
        body = {"object": "intent", "id": self.ids.new("intent"), "created": self.now, "due": due}
        self.store.add({**body, "customer": customer, "name": name, "params": params})
        return str(body["id"])

    def set(self, **settings: Any) -> None:
        """Change how the account collects: `retry_after_days` (days between attempts) and
        `when_retries_end` (cancel, unpaid or past_due).
        """
        choices = ("cancel", "unpaid", "past_due")
        if settings.get("when_retries_end", "cancel") not in choices:
            raise InvalidRequest(f"when_retries_end must be one of {', '.join(choices)}", "when_retries_end")
        self.settings.update(settings)
        self.store.keep("settings", self.settings)


def run_intent(account: Account, body: Body) -> None:
    """Do what an intent stands for; one without a handler waits for a program that has it."""
    account.store.remove(body["id"])
    handler = account.intents.get(body["name"])
    if handler is not None:
        handler(account, body["customer"], body["params"])
