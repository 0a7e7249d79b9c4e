from __future__ import annotations

from types import ModuleType

import pytest
from sqlmodel import Session

from services.customers import saved_filters
from services.customers.filters import CustomerFilter
from services.errors import InvalidInput, NotAllowed, NotFound
from services.staff.roles import Person, Role
from tests.customers.builders import person

ANN, BOB, VIEWER = person(id=1), person(id=2), person(Role.VIEWER, id=3)
QUERY = CustomerFilter(status=("past due", "unpaid"), q="acme").to_params()


def names(session: Session, who: Person, page: str = "customers") -> list[str]:
    return [row.name for row in saved_filters.available(session, who, page)]


def test_a_view_comes_back_as_it_was(database: ModuleType) -> None:
    with database.transaction() as s:
        saved_filters.save(s, ANN, "customers", "  In   trouble ", QUERY)
    with database.session() as s:
        (row,) = saved_filters.available(s, ANN, "customers")
        assert row.name == "In trouble"
        assert CustomerFilter.from_params(row.query) == CustomerFilter(
            status=("past due", "unpaid"), q="acme"
        )


def test_ones_own_and_the_shared_are_offered_on_their_page(database: ModuleType) -> None:
    with database.transaction() as s:
        saved_filters.save(s, ANN, "customers", "private", QUERY)
        saved_filters.save(s, ANN, "customers", "Everybody’s", QUERY, shared=True)
        saved_filters.save(s, ANN, "trials", "other page", QUERY, shared=True)
        saved_filters.save(s, VIEWER, "customers", "viewer’s own", QUERY)
        assert names(s, ANN) == ["Everybody’s", "private"]
        assert names(s, BOB) == ["Everybody’s"]
        assert names(s, VIEWER) == ["Everybody’s", "viewer’s own"]


def test_saving_again_replaces_only_ones_own(database: ModuleType) -> None:
    with database.transaction() as s:
        first = saved_filters.save(s, ANN, "customers", "same", QUERY).id
        assert saved_filters.save(s, ANN, "customers", "same", {"q": ["new"]}, shared=True).id == first
        assert saved_filters.save(s, BOB, "customers", "same", QUERY).id != first
        assert [row.query for row in saved_filters.available(s, ANN, "customers")] == [{"q": ["new"]}]


def test_sharing_needs_a_permission_and_removing_needs_to_be_the_owner(database: ModuleType) -> None:
    with database.transaction() as s:
        with pytest.raises(NotAllowed):
            saved_filters.save(s, VIEWER, "customers", "mine", QUERY, shared=True)
        kept = saved_filters.save(s, ANN, "customers", "kept", QUERY, shared=True).id
        assert kept is not None
        with pytest.raises(NotAllowed, match="kept"):
            saved_filters.delete(s, BOB, kept)
        assert names(s, ANN) == ["kept"]
        saved_filters.delete(s, ANN, kept)
        s.flush()
        assert names(s, ANN) == []
        with pytest.raises(NotFound):
            saved_filters.delete(s, ANN, kept)


def test_a_view_needs_a_name(database: ModuleType) -> None:
    with database.transaction() as s:
        for name in ("", "   ", "x" * 61):
            with pytest.raises(InvalidInput) as refused:
                saved_filters.save(s, ANN, "customers", name, QUERY)
            assert refused.value.field == "name"
        assert names(s, ANN) == []
