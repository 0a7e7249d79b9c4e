"""How is an object made whole? Lists that Stripe cut are paged to the end; objects are read again by id."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from services.errors import NotAllowed, Refused, TrialdeskError
from services.mirror import ahead, shapes
from services.mirror.shapes.reading import Object, cut, listed
from services.stripe_api import client, errands
from services.stripe_api.client import Answer
from services.stripe_api.failures import ObjectMissing, RequestRejected, StripeUnavailable

LONGEST = 20.0  # seconds for one object that others wait behind


def whole(source: Object) -> Object:
    """The object with its cut list of children paged to the end; the object itself where nothing is cut."""
    name = shapes.kind_of(source)
    children = shapes.KINDS[name].children if name else None
    if children is None or not cut(source.get(children.field)):
        return source
    members = list(listed(source[children.field]))
    start = {"starting_after": members[-1]["id"]} if members else {}
    path, params = children.path.replace("{id}", source["id"]), children.params(source["id"])
    for page in client.account().pages(path, params | start):
        members += page.objects
    return {**source, children.field: {**source[children.field], "data": members, "has_more": False}}


def read(name: str, id: str, *, opened: Collection[str] = ()) -> Answer:
    """One object read whole, by kind and id, with what else is `opened` of it. One that is gone comes as the
    stub of a deleted object."""
    try:
        answer = _read_expanded(shapes.KINDS[name], id, opened)
    except ObjectMissing as missing:
        stub = {"id": id, "object": name, "deleted": True}
        return Answer(stub, missing.as_of, missing.request_id)
    return replace(answer, object=whole(answer.object))


def read_or_why(name: str, id: str) -> Answer | TrialdeskError:
    """Like `read`; the error where Stripe refuses this one, or fails with it or is silent about it, while it
    answers something else.

    Raises Unavailable and KeyRejected where that is not this object's fault.
    """
    try:
        with errands.within(LONGEST):
            return read(name, id)
    except (Refused, NotAllowed) as error:
        return error
    except (StripeUnavailable, errands.OutOfTime) as error:
        ahead.ask_time()
        return error


def _read_expanded(kind: shapes.Kind, id: str, opened: Collection[str]) -> Answer:
    account, path = client.account(), kind.path_of(id)
    try:
        return account.read(path, kind.read_params(opened))
    except RequestRejected as refused:
        if refused.param != "expand":
            raise
        return account.read(path)  # the stub of a deleted object has nothing to expand


def read_again(answer: Answer) -> Answer:
    """The object of an answer as it is now."""
    name = shapes.kind_of(answer.object)
    if name is None or not readable(name):
        return answer
    return read(name, answer.object["id"])


def readable(name: str) -> bool:
    """Whether objects of the kind can be read by id."""
    kind = shapes.KINDS[name]
    return bool(kind.one or kind.path)
