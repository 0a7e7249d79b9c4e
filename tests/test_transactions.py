"""Whoever is given a session leaves its transaction to whoever opened it: the rule of CONTRIBUTING.md."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
SOURCES = [
    path
    for path in sorted((ROOT / "services").rglob("*.py"))
    if "sandbox" not in path.parts  # a program of its own, with a store of its own
]


def breaches(source: str) -> Iterator[str]:
    """The calls in functions with a parameter `session` that commit it, or open another one beside it."""
    for function in ast.walk(ast.parse(source)):
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef) and _takes_session(function):
            called = {ast.unparse(one.func) for one in ast.walk(function) if isinstance(one, ast.Call)}
            for name in sorted(called):
                if name == "database.transaction" or name.endswith(".commit"):
                    yield f"{function.name} calls {name}()"


def _takes_session(function: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    given = function.args
    return "session" in {one.arg for one in (*given.posonlyargs, *given.args, *given.kwonlyargs)}


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_function_that_takes_a_session_does_not_commit(path: Path) -> None:
    assert list(breaches(path.read_text())) == []


@pytest.mark.parametrize(
    ("body", "found"),
    [
        ("session.commit()", ["f calls session.commit()"]),
        ("with database.transaction() as another: pass", ["f calls database.transaction()"]),
        ("session.flush()", []),
    ],
)
def test_what_breaks_the_rule_is_seen(body: str, found: list[str]) -> None:
    assert list(breaches(f"def f(id, *, session):\n    {body}")) == found
    assert list(breaches(f"def f(id):\n    {body}")) == []
