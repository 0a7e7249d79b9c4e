"""The numbers behind the Revenue page, computed once for each change of the data (see `measures`)."""

from __future__ import annotations

from collections.abc import Sequence

from pages.components.measures import Measures
from services import clock, config
from services.metrics.periods import Period
from services.metrics.revenue import bridge, bridge_rates, leaving, retention, revenue_history
from services.metrics.revenue.bridge import Bridges, Rules
from services.metrics.revenue.bridge_rates import Step
from services.metrics.revenue.retention import Retained
from services.metrics.revenue.revenue_history import Level, Movements, Options, Part, View

Periods = tuple[Period, ...]


class RevenueMeasures(Measures):
    """What one run of the page asks."""

    def offered(self, until: int) -> Options:
        """What there is to filter by."""
        return self._ask(("revenue options", until), lambda s: revenue_history.options(s, until))

    def exact_since(self) -> int | None:
        """From when on history is exact."""
        return self._ask("exact since", revenue_history.exact_since)

    def movements(self, view: View, periods: Periods) -> list[Movements]:
        """What each period brought."""
        return self._ask(("movements", view, periods), lambda s: revenue_history.movements(s, view, periods))

    def daily(self, view: View, since: int, until: int) -> Sequence[tuple[int, Level]]:
        """What stood on each day."""
        return self._ask(
            ("daily", view, since, until), lambda s: revenue_history.daily(s, view, since, until)
        )

    def parts(self, name: str, view: View, until: int) -> list[Part]:
        """What each plan or country stands at."""
        return self._ask(("parts", name, view, until), lambda s: revenue_history.by(s, name, view, until))

    def left_out(self, view: View, until: int) -> dict[str, Level]:
        """What stands in other currencies."""
        return self._ask(("left out", view, until), lambda s: revenue_history.left_out(s, view, until))

    def cohorts(self, view: View, months: Periods, until: int) -> list[Retained]:
        """Who stayed."""
        return self._ask(("retention", view, months), lambda s: retention.cohorts(s, view, months, until))

    def bridges(self, rules: Rules) -> Bridges:
        """From our MRR and active customers to Stripe's."""
        return self._ask(("bridges", rules), lambda s: bridge.read(s, rules))

    def conversion_steps(self) -> list[Step]:
        """From our conversion of 30 days to Stripe's."""
        return self._ask("conversion steps", lambda s: bridge_rates.of_conversion(s, clock.now()))

    def churn_steps(self) -> list[Step]:
        """From our churn to Stripe's."""
        zone = config.settings().zone
        return self._ask("churn steps", lambda s: bridge_rates.of_churn(s, clock.now(), zone))

    def cancelled(self, view: View, periods: Periods) -> list[int]:
        """How many subscriptions were canceled in each period."""
        return self._ask(("cancelled", view, periods), lambda s: leaving.counts(s, view, periods))
