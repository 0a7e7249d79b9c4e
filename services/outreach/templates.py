"""What does a text say to a certain customer?

Texts are Jinja2 in a sandbox that knows plain values, `if`, and a few filters; nothing can be called,
looped or looked into. What a customer is called is a value and never read as a template.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from jinja2 import StrictUndefined, TemplateError, TemplateSyntaxError, UndefinedError, nodes
from jinja2.sandbox import ImmutableSandboxedEnvironment

from services.errors import InvalidInput
from services.outreach.defaults import Template
from services.outreach.variables import CONDITIONS, REMEDIES, VARIABLES

_LONGEST = 20_000
_FILTERS = frozenset("capitalize d default e escape length lower title trim truncate upper".split())

_KNOWN = (
    nodes.Template, nodes.Output, nodes.TemplateData, nodes.If, nodes.CondExpr, nodes.Name, nodes.Const,
    nodes.Compare, nodes.Operand, nodes.And, nodes.Or, nodes.Not, nodes.Neg, nodes.Test, nodes.Filter,
    nodes.Keyword,
)  # fmt: skip  # no loops, settings, calls, and no operator that makes large things out of small ones


class TemplateProblem(InvalidInput):
    """The text cannot be turned into a message: a mistake in it, or a value that is missing."""


class MissingValue(TemplateProblem):
    """The text needs something that this customer does not have; `.variable` names it."""

    def __init__(self, variable: str, customer: str) -> None:
        super().__init__(
            f"This text needs {VARIABLES[variable]}, and {customer} has none.",
            remedy=REMEDIES.get(variable, "Choose another text, or write this one without it."),
        )
        self.variable = variable


class WrongReader(TemplateProblem):
    """The text would tell the customer something untrue; `.condition` names what it is meant for."""

    def __init__(self, condition: str, customer: str) -> None:
        super().__init__(
            f"This text is for customers {CONDITIONS[condition]}, and {customer} is not one.",
            remedy="Choose another text.",
        )
        self.condition = condition


@dataclass(frozen=True, slots=True)
class Rendered:
    """A message's text, ready to be read by a person."""

    subject: str
    body: str


class _PlainValues(ImmutableSandboxedEnvironment):
    """Nothing but values, comparisons and a few filters: no calls, no attributes."""

    def is_safe_attribute(self, *_: Any) -> bool:
        return False

    def is_safe_callable(self, *_: Any) -> bool:
        return False


def _environment() -> _PlainValues:
    plain = _PlainValues(undefined=StrictUndefined)
    plain.globals.clear()
    plain.filters = {name: plain.filters[name] for name in _FILTERS}
    return plain


_PLAIN = _environment()


def check(subject: str, body: str) -> None:
    """Raises TemplateProblem where a text has a mistake or names a value that does not exist."""
    for source in (subject, body):
        unknown = sorted(_asked_for(_parse(source)) - VARIABLES.keys())
        if unknown:
            raise TemplateProblem(
                f"The text uses {{{{ {unknown[0]} }}}}, which does not exist.",
                field="body",
                remedy=f"Use one of {', '.join(VARIABLES)}.",
            )


def render(subject: str, body: str, values: dict[str, Any]) -> Rendered:
    """The text with a customer's values in it. Raises TemplateProblem and MissingValue.

    Several empty lines become one, so that an `if` may stand on lines of its own.
    """
    check(subject, body)
    return Rendered(_render(subject, values), re.sub(r"\n{3,}", "\n\n", _render(body, values)))


def fill(text: Template, values: dict[str, Any]) -> Rendered:
    """One text for one customer. Raises WrongReader where it is not meant for them, else as `render`."""
    if text.only_if and not values.get(text.only_if):
        raise WrongReader(text.only_if, _called(values))
    return render(text.subject, text.body, values)


def _parse(source: str) -> nodes.Template:
    if len(source) > _LONGEST:
        raise TemplateProblem(
            f"The text is longer than {_LONGEST} characters.", field="body", remedy="Cut it."
        )
    try:
        tree = _PLAIN.parse(source)
        _check_commands(tree)
        _PLAIN.compile(tree)  # works constants out, so it comes after the check
    except TemplateSyntaxError as error:
        raise _mistake(error, error.lineno) from None
    except (RecursionError, SyntaxError, MemoryError):
        raise _mistake(ValueError("its parts are nested too deeply")) from None
    return tree


def _check_commands(tree: nodes.Template) -> None:
    strange = next((node for node in tree.find_all(nodes.Node) if not isinstance(node, _KNOWN)), None)
    if strange:
        raise TemplateProblem(
            f"Line {strange.lineno} of the text uses a command that texts cannot have.",
            field="body",
            remedy="Use only {{ values }} and {% if %}.",
        )


def _asked_for(tree: nodes.Template) -> set[str]:
    """The values that a text names, without those that it sets itself."""
    names = list(tree.find_all(nodes.Name))
    return {name.name for name in names} - {name.name for name in names if name.ctx == "store"}


def _render(source: str, values: dict[str, Any]) -> str:
    try:
        text = _PLAIN.from_string(_parse(source)).render(values).strip()
    except UndefinedError as error:
        missing = sorted(_asked_for(_parse(source)) - values.keys())
        if not missing:
            raise _mistake(error) from None
        named = next((name for name in missing if f"'{name}'" in str(error)), missing[0])
        raise MissingValue(named, _called(values)) from None
    except (TemplateError, TypeError, ValueError, ArithmeticError, AssertionError, LookupError) as error:
        raise _mistake(error) from None
    if len(text) > _LONGEST:
        raise TemplateProblem(
            f"Filled in, the text is longer than {_LONGEST} characters.", field="body", remedy="Cut it."
        )
    return text


def _called(values: dict[str, Any]) -> str:
    return str(values.get("email") or values.get("name") or "this customer")


def _mistake(error: Exception, line: int | None = None) -> TemplateProblem:
    where = f" in line {line}" if line else ""
    what = str(error).rstrip(".") or "a filter was given something that it cannot use"
    return TemplateProblem(f"The text has a mistake{where}: {what}.", field="body", remedy="Correct it.")
