"""Sign-in with a real provider: nobody sees a page before it, and the staff table decides after it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from pages.components.navigation import PAGES
from tests.browser.conftest import open_window
from tests.support.desk import ROOT, Desk, DeskDidNotStart, free_port, start_desk
from tests.support.oidc_provider import RunningProvider, start_provider
from tests.support.sandbox import Sandbox, start_sandbox

pytestmark = pytest.mark.browser
SLOW = 20_000  # milliseconds
# A click on the menu without a wait for it: the page may have heard of what happened and taken it away.
_NEXT_PAGE = """() => document.querySelector('[data-testid="stSidebarNavLink"]')?.click()"""


@pytest.fixture
def window(browser: Browser) -> Iterator[BrowserContext]:
    """A window for each test: a sign-in stays in its cookies."""
    context = open_window(browser)
    yield context
    context.close()


@dataclass
class Company:
    """A desk on a (test-mode) account, with sign-in."""

    desk: Desk
    provider: RunningProvider
    environment: dict[str, str]

    def staff(self, *arguments: str) -> None:
        """Runs the command that lets people in and shuts them out."""
        command = [sys.executable, "-m", "services.staff", *arguments]
        subprocess.run(command, cwd=ROOT, env=os.environ | self.environment, check=True, capture_output=True)


@pytest.fixture(scope="module")
def account(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    sandbox = start_sandbox(tmp_path_factory.mktemp("account"), customers=5)
    yield sandbox
    sandbox.stop()


@pytest.fixture(scope="module")
def company(account: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Company]:
    folder, port, provider = tmp_path_factory.mktemp("company"), free_port(), start_provider()
    home = folder / "home" / ".streamlit"
    home.mkdir(parents=True)
    (home / "secrets.toml").write_text(provider.secrets(f"http://127.0.0.1:{port}"))
    environment = {
        "HOME": str(home.parent),
        "STRIPE_API_KEY": account.key,
        "STRIPE_API_BASE": account.url,
        "DATA_DIR": str(folder),
    }
    desk = start_desk(folder, port=port, **{k: v for k, v in environment.items() if k != "DATA_DIR"})
    desk.wait_until_pulled()
    yield Company(desk, provider, environment)
    desk.stop()
    provider.stop()


def sign_in(page: Page, company: Company, email: str, *, verified: bool = True) -> None:
    company.provider.become(email, verified=verified)
    page.goto(company.desk.url)
    page.get_by_role("button", name="Sign in").click(timeout=SLOW)


def at_rest(page: Page) -> None:
    app = page.locator('[data-testid="stApp"]')
    expect(app).to_have_attribute("data-test-script-state", "notRunning", timeout=SLOW)


def test_a_fresh_server_shows_no_page_to_a_stranger(company: Company, page: Page) -> None:
    for spec in PAGES.values():
        page.goto(company.desk.url + spec.path)
        expect(page.get_by_role("button", name="Sign in")).to_be_visible(timeout=SLOW)
        at_rest(page)
        assert page.get_by_role("heading").all_inner_texts() == ["Trialdesk"], spec.path
        assert page.get_by_test_id("stSidebarNav").count() == 0, spec.path


@pytest.mark.slow  # a stranger sees no page, either
def test_an_unknown_email_gets_a_sentence(company: Company, page: Page) -> None:
    sign_in(page, company, "eve@elsewhere.example")
    expect(page.get_by_text("eve@elsewhere.example has no access to this desk")).to_be_visible(timeout=SLOW)
    assert page.get_by_test_id("stSidebarNav").count() == 0


@pytest.mark.slow  # as one that nobody knows
def test_an_unconfirmed_email_gets_a_sentence_though_it_is_on_the_staff(company: Company, page: Page) -> None:
    company.staff("add", "una@company.example", "--role", "admin")
    sign_in(page, company, "una@company.example", verified=False)
    expect(page.get_by_text("without a confirmed email address")).to_be_visible(timeout=SLOW)
    assert page.get_by_test_id("stSidebarNav").count() == 0


def test_a_known_one_is_in_until_deactivated(company: Company, page: Page) -> None:
    company.staff("add", "ana@company.example", "--role", "support", "--name", "Ana Lima")
    sign_in(page, company, "Ana@company.example")
    expect(page.get_by_test_id("stSidebarNav")).to_be_visible(timeout=SLOW)
    expect(page.get_by_text("Ana Lima · support")).to_be_visible()
    assert page.get_by_text("Acting as").count() == 0
    company.staff("deactivate", "ana@company.example")
    page.evaluate(_NEXT_PAGE)
    expect(page.get_by_text("no longer has access")).to_be_visible(timeout=SLOW)
    expect(page.get_by_test_id("stSidebarNavLink")).to_have_count(0)


def test_signing_out_leads_back_to_the_door(company: Company, page: Page) -> None:
    company.staff("add", "bo@company.example", "--role", "viewer")
    sign_in(page, company, "bo@company.example")
    with page.expect_navigation(timeout=SLOW):  # by way of the provider
        page.get_by_role("button", name="Sign out").click(timeout=SLOW)
    expect(page.get_by_role("button", name="Sign in")).to_be_visible(timeout=SLOW)
    page.wait_for_load_state()  # the browser may still be on its way there
    at_rest(page)
    page.reload()
    expect(page.get_by_role("button", name="Sign in")).to_be_visible(timeout=SLOW)


@pytest.mark.slow  # a server of its own
def test_secrets_that_cannot_be_read_let_nobody_in(account: Sandbox, tmp_path: Path) -> None:
    home = tmp_path / "home" / ".streamlit"
    home.mkdir(parents=True)
    (home / "secrets.toml").write_text("[auth\n")
    with pytest.raises(DeskDidNotStart, match="ended with 2:\nThe secrets file cannot be read"):
        start_desk(tmp_path, HOME=str(home.parent), STRIPE_API_KEY=account.key, STRIPE_API_BASE=account.url)
