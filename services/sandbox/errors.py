"""What does the account answer when it cannot do what was asked?

ApiError
├── InvalidRequest        400, with a code and the parameter at fault
│   ├── UnknownParameter
│   └── MissingParameter
├── IdempotencyMismatch   400, the key was used with other parameters
├── BadKey                401
├── CardDeclined          402, with decline_code and advice_code
├── RightMissing          403
├── NoSuchObject          404
├── NoSuchRoute           404
├── Busy                  409, the same key is in use by a request under way
├── Locked                409, another request holds the object
├── TooManyRequests       429, with the reason of the limit
├── InternalFault         500
└── NotReady              503, the history is still being written
"""

from __future__ import annotations

from typing import Any


class ApiError(Exception):
    """An answer in Stripe's error shape: `status` is HTTP's, `fields` go into the `error` hash."""

    status = 400
    type = "invalid_request_error"

    def __init__(self, message: str, **fields: Any) -> None:
        super().__init__(message)
        self.message = message
        self.fields = {name: value for name, value in fields.items() if value is not None}

    def body(self) -> dict[str, Any]:
        """The JSON that Stripe sends."""
        return {"error": {"message": self.message, "type": self.type, **self.fields}}


class InvalidRequest(ApiError):
    """The parameters cannot be carried out."""

    def __init__(
        self, message: str, param: str | None = None, code: str | None = None, **fields: Any
    ) -> None:
        super().__init__(message, param=param, code=code, **fields)


class UnknownParameter(InvalidRequest):
    """A parameter that the endpoint does not have."""

    def __init__(self, name: str) -> None:
        super().__init__(f"Received unknown parameter: {name}", name, "parameter_unknown")


class MissingParameter(InvalidRequest):
    """A parameter that the endpoint needs."""

    def __init__(self, name: str) -> None:
        super().__init__(f"Missing required param: {name}.", name, "parameter_missing")


class IdempotencyMismatch(ApiError):
    """The idempotency key was used before with other parameters."""

    type = "idempotency_error"

    def __init__(self, key: str) -> None:
        super().__init__(
            "Keys for idempotent requests can only be used with the same parameters they were first used "
            f"with. Try using a key other than '{key}' if you meant to execute a different request."
        )


class BadKey(ApiError):
    """No API key, or one that the account does not know."""

    status = 401


class CardDeclined(ApiError):
    """The card was declined. `happened` says that the failed attempt stays written down: else the request is
    undone as a whole.
    """

    status = 402
    type = "card_error"
    happened = False


class RightMissing(ApiError):
    """A restricted key lacks a right."""

    status = 403

    def __init__(self, key: str, right: str) -> None:
        super().__init__(
            f"The provided key '{key[:8]}...{key[-4:]}' does not have the required permissions for this "
            f"endpoint. Having the '{right}' permission would allow this request to continue.",
        )


class NoSuchObject(ApiError):
    """There is no object with this id."""

    status = 404

    def __init__(self, kind: str, object_id: str, param: str = "id") -> None:
        name = kind.replace("_", "").replace(".", " ")
        super().__init__(f"No such {name}: '{object_id}'", code="resource_missing", param=param)


class NoSuchRoute(ApiError):
    """The API has no such method and path."""

    status = 404

    def __init__(self, method: str, path: str) -> None:
        super().__init__(f"Unrecognized request URL ({method}: {path}). The sandbox has no such endpoint.")


class Busy(ApiError):
    """Another request with the same idempotency key is under way."""

    status = 409
    type = "idempotency_error"


class Locked(ApiError):
    """Another request holds the object."""

    status = 409

    def __init__(self) -> None:
        super().__init__(
            "This object cannot be accessed right now because another API request or Stripe process is "
            "currently accessing it. If you see this error intermittently, retry the request.",
            code="lock_timeout",
        )


class TooManyRequests(ApiError):
    """A rate limit was reached; `reason` is what `Stripe-Rate-Limited-Reason` says."""

    status = 429

    def __init__(self, reason: str | None) -> None:
        super().__init__(
            "Request rate limit exceeded. Learn more about rate limits here "
            "https://stripe.com/docs/rate-limits.",
            code="rate_limit" if reason else "lock_timeout",
        )
        self.reason = reason


class InternalFault(ApiError):
    """The account failed, or was told to."""

    status = 500
    type = "api_error"

    def __init__(self, message: str = "An unknown error occurred.") -> None:
        super().__init__(message)


class NotReady(ApiError):
    """The history of the account is still being written."""

    status = 503
    type = "api_error"

    def __init__(self, progress: float) -> None:
        super().__init__(f"The account is still being built ({progress:.0%}). Try again in a moment.")
