import pytest
from hypothesis import given
from hypothesis import strategies as st

from services import money
from services.customers import recognise
from services.customers.recognise import Amount, Term
from services.errors import InvalidInput


def one(text: str, locale: str = "en_US") -> Term:
    (term,) = recognise.terms(text, locale=locale)
    return term


@pytest.mark.parametrize("prefix", recognise.ID_PREFIXES)
def test_each_kind_of_id_is_known(prefix: str) -> None:
    assert one(f"{prefix}_1AbC").id == f"{prefix}_1AbC"


@pytest.mark.parametrize(
    "address",
    [
        "https://dashboard.stripe.com/test/customers/cus_1AbC",
        "https://dashboard.stripe.com/customers/cus_1AbC/",
        "https://dashboard.stripe.com/customers/cus_1AbC?x=1",
    ],
)
def test_an_id_is_taken_out_of_a_pasted_address(address: str) -> None:
    assert one(address).id == "cus_1AbC"


@pytest.mark.parametrize("word", ["customer", "cus1", "acct_1", "cus_!", "x/y"])
def test_other_words_are_no_ids(word: str) -> None:
    assert one(word).id == ""


def test_four_digits_are_a_card_an_amount_and_a_word_at_once() -> None:
    term = one("4242")
    assert (term.text, term.last4) == ("4242", "4242")
    assert term.amount == Amount({0: 4242, 2: 424200, 3: 4242000})


@pytest.mark.parametrize(
    ("typed", "locale", "amount"),
    [
        ("49.00", "en_US", Amount({0: 49, 2: 4900, 3: 49000})),
        ("49.90", "en_US", Amount({2: 4990, 3: 49900})),
        ("1,250.00", "en_US", Amount({0: 1250, 2: 125000, 3: 1250000})),
        ("1.250,00", "de_DE", Amount({0: 1250, 2: 125000, 3: 1250000})),
        ("49.90", "de_DE", Amount({2: 4990, 3: 49900})),
        ("$49.90", "en_US", Amount({2: 4990, 3: 49900})),
        ("49.90€", "en_US", Amount({2: 4990}, "eur")),
        ("¥4900", "en_US", Amount({0: 4900}, "jpy")),
        ("$1,000,000.00", "en_US", Amount({0: 1_000_000, 2: 100_000_000, 3: 1_000_000_000})),
        ("9" * 19, "en_US", None),
        ("7", "en_US", None),
        ("0.00", "en_US", None),
        ("-49.00", "en_US", None),
        ("49.", "en_US", None),
        ("49.123456", "en_US", None),
        ("acme49", "en_US", None),
    ],
)
def test_amounts_are_read_by_the_decimals_of_each_currency(
    typed: str, locale: str, amount: Amount | None
) -> None:
    assert one(typed, locale).amount == amount


@pytest.mark.parametrize("typed", ["49.90 EUR", "eur 49.90"])
def test_a_currency_beside_an_amount_belongs_to_it(typed: str) -> None:
    assert one(typed) == Term(text="49.90", amount=Amount({2: 4990}, "eur"))


def test_amounts_above_what_can_be_charged_are_found() -> None:
    assert one("1,000,000.00 IDR") == Term(text="1,000,000.00", amount=Amount({2: 100_000_000}, "idr"))


def test_a_word_that_is_also_a_currency_stays_a_word() -> None:
    assert [term.text for term in recognise.terms("try acme")] == ["try", "acme"]


@pytest.mark.parametrize("typed", ["abcd1234-0001", "INV-0042", "INV-0", "abcd1234"])
def test_invoice_numbers_are_upper_case_with_a_digit(typed: str) -> None:
    assert one(typed).invoice_number == typed.upper()


@pytest.mark.parametrize("typed", ["jean-pierre", "a1", "x@1234567", "4242"])
def test_other_words_are_no_invoice_numbers(typed: str) -> None:
    assert one(typed).invoice_number == ""


def test_a_domain_begins_with_an_at_sign() -> None:
    assert one("@Acme.com").domain == "acme.com"
    assert one("jo@acme.com").domain == ""


def test_the_forms_are_told_to_the_person() -> None:
    found = recognise.terms("4242 @acme.com cus_1")
    assert recognise.described(found) == (
        "a card ending in 4242, an amount of 4242, the domain acme.com, the Stripe id cus_1"
    )
    assert recognise.described(recognise.terms("jo jones")) == ""


@pytest.mark.parametrize("typed", ["a " * 9, "x" * 201])
def test_too_much_is_refused(typed: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        recognise.terms(typed)
    assert refused.value.field == "q"


@given(st.text(max_size=60))
def test_no_text_breaks_it(text: str) -> None:
    try:
        words = recognise.terms(text)
    except InvalidInput:
        assert len(text.split()) > recognise.MOST_WORDS
        return
    assert len(words) <= len(text.split())


@given(st.integers(10, 99_999_999), st.sampled_from(["usd", "jpy", "kwd", "eur"]))
def test_what_the_desk_writes_is_found_again(minor: int, currency: str) -> None:
    minor -= minor % 10 if currency == "kwd" else 0
    term = one(f"{money.display(minor, currency).strip('$€¥KWD').strip()} {currency}")
    if term.amount is not None:
        assert term.amount.by_exponent == {money.exponent(currency): minor}
    else:
        assert minor < 10 ** (money.exponent(currency) + 1)
