"""Who is asking, and may they?

Secret keys may do everything. Restricted keys (`rk_test_...`) carry none, read or write for each resource,
named by the first part of its path, such as {"customers": "read", "subscriptions": "write"}.
"""

from __future__ import annotations

import base64
import binascii
from typing import Any

from services.sandbox.errors import BadKey, InvalidRequest, RightMissing
from services.sandbox.store import Store

SECRET = "sk_test_sandbox"  # noqa: S105 - opens nothing but the sandbox
_LEVELS = ("none", "read", "write")


class Keys:
    """The keys of the account."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._restricted: dict[str, dict[str, str]] = store.fact("restricted_keys", {})

    def restrict(self, key: str, rights: dict[str, str]) -> None:
        """Make or change a restricted key; raises InvalidRequest for a level that there is not."""
        if not key.startswith("rk_test_"):
            raise InvalidRequest("A restricted key starts with rk_test_.", "key")
        if wrong := set(rights.values()) - set(_LEVELS):
            raise InvalidRequest(f"A right is one of {', '.join(_LEVELS)}, not {', '.join(wrong)}.", "rights")
        self._restricted[key] = rights
        self._store.keep("restricted_keys", self._restricted)

    def all(self) -> dict[str, Any]:
        """The restricted keys with their rights."""
        return dict(self._restricted)

    def check(self, header: str, method: str, path: str) -> None:
        """Raises BadKey or RightMissing unless the Authorization header's key may do this."""
        key = _key(header)
        if not key:
            raise BadKey(
                "You did not provide an API key. You need to provide your API key in the Authorization "
                "header, using Bearer auth (e.g. 'Authorization: Bearer YOUR_SECRET_KEY')."
            )
        if key == SECRET:
            return
        rights = self._restricted.get(key)
        if rights is None:
            hidden = f"{key[:8]}{'*' * max(len(key) - 12, 4)}{key[-4:]}"
            raise BadKey(f"Invalid API Key provided: {hidden}")
        resource = path.strip("/").split("/")[1] if path.count("/") > 1 else ""
        wanted = "read" if method == "GET" else "write"
        if _LEVELS.index(rights.get(resource, "none")) < _LEVELS.index(wanted):
            raise RightMissing(key, f"rak_{resource}_{wanted}")


def _key(header: str) -> str:
    scheme, _, value = header.partition(" ")
    if scheme.lower() == "bearer":
        return value.strip()
    if scheme.lower() != "basic":
        return ""
    try:
        return base64.b64decode(value, validate=True).decode().split(":")[0]
    except (binascii.Error, UnicodeDecodeError):
        return ""
