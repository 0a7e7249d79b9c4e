"""Which settings does this installation run with?

Environment first, then `.env`. Everything has a default that works on one's own machine: without
`STRIPE_API_KEY` the desk runs on the sandbox account. `.env.example` explains each setting.
"""

from __future__ import annotations

import re
from datetime import time
from functools import cache
from pathlib import Path
from typing import Literal, Self
from zoneinfo import ZoneInfo, available_timezones

from babel import localedata
from pydantic import Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_core import ErrorDetails
from pydantic_settings import BaseSettings, SettingsConfigDict

from services import mailbox
from services.errors import ConfigurationError

Mode = Literal["sandbox", "test", "live"]
_TIME = re.compile(r"([01]\d|2[0-3]):[0-5]\d", re.ASCII)
_KEY = re.compile(r"(sk|rk)_(test|live)_\w+", re.ASCII)
_ACCOUNT = re.compile(r"acct_\w+", re.ASCII)
_MODES: dict[str, Mode] = {"sk_test_": "test", "rk_test_": "test", "sk_live_": "live", "rk_live_": "live"}
_HOME = Path(__file__).resolve().parents[1]
_SENTENCES = {
    "int_parsing": "it must be a whole number, in digits alone, such as 1500",
    "int_parsing_size": "the number is too large",
    "bool_parsing": "it must be true or false",
    "greater_than_equal": "it must be {ge} or more",
    "less_than_equal": "it must be {le} or less",
    "literal_error": "it must be {expected}",
}  # by pydantic's type of error, instead of its words


class Settings(BaseSettings):
    """All settings. Times in seconds unless the name says otherwise."""

    model_config = SettingsConfigDict(env_file=".env", extra="ignore", env_ignore_empty=True)

    stripe_api_key: SecretStr | None = None
    stripe_api_base: str | None = None
    stripe_account_id: str | None = None
    stripe_webhook_secret: SecretStr | None = None
    database_url: str | None = None
    data_dir: Path = _HOME / "var"

    workspace_name: str = "Trialdesk"
    workspace_timezone: str = "UTC"
    workspace_locale: str = "en_US"
    source_metadata_key: str = "source"
    mrr_deducts_repeating: bool = False
    admin_url_template: str = ""
    intercom_app_id: str = ""
    poll_interval: int | None = Field(default=None, ge=1)
    reconcile_at: str = "03:30"

    sign_in_trusts_unverified_email: bool = False

    sandbox_port: int = Field(default=0, ge=0, le=65535)
    sandbox_customers: int = Field(default=1500, ge=0)
    sandbox_seed: int = 7
    sandbox_life: bool = True

    smtp_host: str = ""
    smtp_port: int = 587
    smtp_user: str = ""
    smtp_password: SecretStr | None = None
    smtp_security: Literal["starttls", "tls", "none"] = "starttls"
    mail_from: str = ""
    booking_url: str = ""
    customer_portal_url: str = ""

    @field_validator("stripe_webhook_secret")
    @classmethod
    def _are_signing_secrets(cls, value: SecretStr | None) -> SecretStr | None:
        if value and not all(one.startswith("whsec_") for one in _listed(value)):
            raise ValueError("a signing secret begins with whsec_; put a comma between several")
        return value

    @field_validator("stripe_account_id")
    @classmethod
    def _is_account(cls, value: str | None) -> str | None:
        if value and not _ACCOUNT.fullmatch(value):
            raise ValueError("an account's id begins with acct_; Stripe's dashboard shows it in the settings")
        return value

    @field_validator("reconcile_at")
    @classmethod
    def _is_time_of_day(cls, value: str) -> str:
        if value.lower() != "off" and not _TIME.fullmatch(value):
            raise ValueError(f"“{value}” is not a time of day; use one such as 03:30, or off")
        return value

    @field_validator("workspace_timezone")
    @classmethod
    def _known_zone(cls, value: str) -> str:
        if value not in _known_zones():
            raise ValueError(f"“{value}” is not a time zone; use a name such as Europe/Berlin")
        return value

    @field_validator("mail_from")
    @classmethod
    def _is_bare_address(cls, value: str) -> str:
        if value and not mailbox.is_address(value):
            raise ValueError(
                f"“{value}” is not an email address; give the address alone, such as desk@example.com "
                "(the sender's name is added by the desk)"
            )
        return value

    @field_validator("booking_url", "customer_portal_url", "stripe_api_base")
    @classmethod
    def _is_link(cls, value: str | None) -> str | None:
        if value and not value.startswith(("https://", "http://")):
            raise ValueError(f"“{value}” is not a link; it must begin with https://")
        return value

    @field_validator("workspace_locale")
    @classmethod
    def _known_locale(cls, value: str) -> str:
        if not localedata.exists(value):
            raise ValueError(f"“{value}” is not a locale; use a name such as en_US or de_DE")
        return value

    @model_validator(mode="after")
    def _key_fits(self) -> Self:
        key = self.stripe_api_key.get_secret_value() if self.stripe_api_key else ""
        if key and not key.startswith(tuple(_MODES)):
            raise ValueError(
                "STRIPE_API_KEY must begin with sk_test_, rk_test_, sk_live_ or rk_live_; "
                "copy it again from Stripe's dashboard (a pk_ key is a publishable key and cannot read data)"
            )
        if key and not _KEY.fullmatch(key):
            raise ValueError(
                "STRIPE_API_KEY is cut off or holds what no key holds, such as a space; "
                "copy it again from Stripe's dashboard"
            )
        if self.stripe_api_base and not key:
            raise ValueError("STRIPE_API_BASE is set but STRIPE_API_KEY is not; set both, or neither")
        if self.smtp_host and not self.mail_from:
            raise ValueError("SMTP_HOST is set but MAIL_FROM is not; say which address mail comes from")
        return self

    @property
    def mode(self) -> Mode:
        """sandbox (no key), test or live, by the key's prefix."""
        if self.stripe_api_key is None:
            return "sandbox"
        key = self.stripe_api_key.get_secret_value()
        return next(mode for prefix, mode in _MODES.items() if key.startswith(prefix))

    @property
    def key_in_words(self) -> str:
        """The kind of key and its last four characters, as Stripe's dashboard shows them; "" without one."""
        key = self.stripe_api_key.get_secret_value() if self.stripe_api_key else ""
        kind = "restricted" if key.startswith("rk_") else "secret"
        return f"a {kind} key that ends in {key[-4:]}" if key else ""

    @property
    def webhook_secrets(self) -> tuple[str, ...]:
        """The signing secrets of our webhook endpoints; several while one is being replaced."""
        return _listed(self.stripe_webhook_secret) if self.stripe_webhook_secret else ()

    @property
    def reconcile_time(self) -> time | None:
        """When the tables are compared with the account each day, in the workspace's zone; None: never."""
        return None if self.reconcile_at.lower() == "off" else time.fromisoformat(self.reconcile_at)

    @property
    def zone(self) -> ZoneInfo:
        """The workspace's time zone: days, weeks and months are cut in it."""
        return ZoneInfo(self.workspace_timezone)

    def database_url_for(self, account: str) -> str:
        """The database of an account (`acct_...`): the explicit one, else a file of its own."""
        if self.database_url:
            return self.database_url
        name = "sandbox" if self.mode == "sandbox" else f"{account}-{self.mode}"
        return f"sqlite:///{self.data_dir.resolve() / name}.db"

    def standing_database_url(self) -> str:
        """The database of the account that the settings mean, without asking Stripe which one that is.

        Raises ConfigurationError where there is none yet, or several.
        """
        if self.database_url or self.mode == "sandbox" or self.stripe_account_id:
            return self.database_url_for(self.stripe_account_id or "")
        found = sorted(self.data_dir.resolve().glob(f"acct_*-{self.mode}.db"))
        if len(found) != 1:
            raise ConfigurationError(
                f"There are {len(found)} databases of {self.mode} accounts in {self.data_dir}.",
                remedy="Start the desk once with this key, or set STRIPE_ACCOUNT_ID to the account you mean.",
            )
        return f"sqlite:///{found[0]}"


@cache
def _known_zones() -> frozenset[str]:
    return frozenset(available_timezones())  # found out by opening hundreds of files


def load() -> Settings:
    """Reads the settings anew. Raises ConfigurationError with one sentence for each thing that is wrong."""
    try:
        return Settings()
    except ValidationError as error:
        raise ConfigurationError(_explain(error), remedy="See .env.example for each setting.") from None


@cache
def settings() -> Settings:
    """The settings of this process, read once."""
    return load()


def _listed(secrets: SecretStr) -> tuple[str, ...]:
    return tuple(one.strip() for one in secrets.get_secret_value().split(","))


def _explain(error: ValidationError) -> str:
    return " ".join(
        f"{'_'.join(str(part) for part in item['loc']).upper()}: {_sentence(item)}"
        if item["loc"]
        else _sentence(item)
        for item in error.errors(include_url=False, include_input=False)
    )


def _sentence(item: ErrorDetails) -> str:
    """What is wrong with one setting; never with what was typed, which may be a secret."""
    ours = _SENTENCES.get(item["type"])
    text = ours.format(**item.get("ctx", {})) if ours else item["msg"]
    return text.removeprefix("Value error, ").rstrip(".") + "."
