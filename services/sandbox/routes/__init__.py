"""Which endpoints does the API have? One module for each group of resources, each with its `ROUTES`."""

from services.sandbox.routes import catalog, customers, invoices, payments, sessions, subscriptions
from services.sandbox.routing import Table

TABLE = Table(
    route
    for module in (customers, catalog, subscriptions, invoices, payments, sessions)
    for route in module.ROUTES
)
