"""Where are events sent?"""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import Any

from services.sandbox import objects
from services.sandbox.billing import metadata
from services.sandbox.billing.account import Account
from services.sandbox.errors import InvalidRequest
from services.sandbox.store import Body


def create(account: Account, *, url: str, enabled_events: list[str], **params: Any) -> Body:
    """An endpoint for webhooks: url, enabled_events ("*" for all), api_version, description, metadata. Only
    this answer holds the signing secret.
    """
    if not url.startswith(("http://", "https://")):
        raise InvalidRequest(
            "Invalid URL: An explicit scheme (such as https) must be provided.", "url", "url_invalid"
        )
    secret = f"whsec_{account.ids.token(32)}"
    endpoint = account.new(
        "webhook_endpoint",
        "we",
        url=url,
        enabled_events=enabled_events,
        api_version=params.get("api_version"),
        description=params.get("description"),
        metadata=metadata.merge({}, params.get("metadata")),
        notes={"secret": secret},
    )
    return {**endpoint, "secret": secret}


def update(account: Account, endpoint_id: str, **params: Any) -> Body:
    """Change an endpoint: url, enabled_events, description, metadata, disabled."""
    endpoint = account.get("webhook_endpoint", endpoint_id)
    fields: dict[str, Any] = {
        name: params[name] for name in ("url", "enabled_events", "description") if name in params
    }
    if "metadata" in params:
        fields["metadata"] = metadata.merge(endpoint["metadata"], params["metadata"])
    if "disabled" in params:
        fields["status"] = "disabled" if params["disabled"] else "enabled"
    account.change(endpoint, None, **fields)
    return endpoint


def delete(account: Account, endpoint_id: str) -> Body:
    """Remove an endpoint; what it has not received yet is dropped."""
    account.get("webhook_endpoint", endpoint_id)
    account.store.execute("DELETE FROM deliveries WHERE endpoint = ?", (endpoint_id,))
    account.store.remove(endpoint_id)
    return objects.deleted("webhook_endpoint", endpoint_id)


def wants(endpoint: Body, kind: str) -> bool:
    """Whether an endpoint gets events of this type."""
    enabled = endpoint["status"] == "enabled"
    return enabled and any(fnmatchcase(kind, pattern) for pattern in endpoint["enabled_events"])
