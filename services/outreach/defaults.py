"""Which texts does the desk bring along? Staff may change each before it is sent."""

from __future__ import annotations

from dataclasses import dataclass, replace

TRANSACTIONAL, MARKETING = "transactional", "marketing"


@dataclass(frozen=True, slots=True)
class Template:
    """A text in Jinja2. `kind`: transactional (about an account's own affairs) or marketing.

    `only_if` names the value (services/outreach/variables.CONDITIONS) that must be true of its reader.
    """

    slug: str
    name: str
    kind: str
    subject: str
    body: str
    only_if: str = ""


_SIGNATURE = "\n\nBest regards,\n{{ staff_name }}\n{{ workspace_name }}"

WELCOME = Template(
    "welcome",
    "Welcome",
    TRANSACTIONAL,
    "Welcome to {{ workspace_name }}",
    """Hello {{ name }},

thank you for signing up{% if plan is defined %} for {{ plan }}{% endif %}. I am your contact here, and an \
answer to this mail reaches me directly.
{% if days_left is defined %}
Your trial runs until {{ trial_end }}. Until then everything is open to you.
{% endif %}
What would you like to get done first? Tell me in a sentence or two, and I will show you the shortest way.""",
)

TRIAL_ENDING = Template(
    "trial_ending",
    "Trial ending soon",
    TRANSACTIONAL,
    "Your trial {% if days_left <= 1 %}ends within a day{% else %}ends in {{ days_left }} days{% endif %}",
    """Hello {{ name }},

your trial{% if plan is defined %} of {{ plan }}{% endif %} ends on {{ trial_end }} at {{ trial_end_time }}.
{% if set_to_cancel %}
It is canceled as of then, so nothing is charged and you need not do anything. If you would rather stay, \
answer this mail before that day and I take the cancellation back.
{% elif by_invoice or card_on_file %}
You need not do anything to go on: from then on we {% if by_invoice %}send you an invoice\
{% else %}charge the card that we have on file{% endif %}\
{% if plan_price is defined %}, {{ plan_price }}, plus tax where it applies{% endif %}. If you would rather \
not, answer this mail before that day and we cancel it for you.
{% else %}
We have no card from you yet. To go on without a break, add one before that day{% if card_url is defined %}:

{{ card_url }}
{% if card_url_is_brief %}
The link opens for a few minutes only; after that, answer this mail and I will send you a new one.
{% endif %}{% else %}; answer this mail and I will send you a link.
{% endif %}{% endif %}
Is anything keeping you from deciding? I am happy to help.""",
    only_if="on_trial",
)

WIN_BACK = Template(
    "trial_expired",
    "Trial expired: come back",
    MARKETING,
    "Your trial has ended. Shall we keep your work?",
    """Hello {{ name }},

your trial{% if plan is defined %} of {{ plan }}{% endif %} ended on {{ trial_end }}. What you set up is \
still there.

If you ran out of time, answer with “more time” and I will open it again for you. If something was missing, \
I would like to hear what it was.""",
    only_if="trial_over",
)

PAYMENT_FAILED = Template(
    "payment_failed",
    "Payment failed",
    TRANSACTIONAL,
    "Your payment of {{ amount_due }} did not go through",
    """Hello {{ name }},

we could not collect {{ amount_due }}{% if invoice_number is defined %} for invoice {{ invoice_number }}\
{% endif %}{% if card_last4 is defined %} from your card ending in {{ card_last4 }}{% endif %}.

You can pay with the same card or another one here:

{{ hosted_invoice_url }}
{% if next_attempt is defined %}
Otherwise we try your card again on {{ next_attempt }}.
{% else %}
We will not try again by ourselves, so please use the link above to keep your account open.
{% endif %}
If your bank says that all is well, answer this mail and we look at it together.""",
)

CALL_INVITATION = Template(
    "call_invitation",
    "Invitation to a call",
    MARKETING,
    "Shall we talk for 20 minutes?",
    """Hello {{ name }},

I would like to see how {{ workspace_name }} can help you, and answer what is open, in a call of about \
20 minutes.
{% if booking_url is defined %}
Choose the time that suits you:

{{ booking_url }}
{% else %}
Answer with two or three times that suit you, with your time zone, and I will confirm one.
{% endif %}
If you would rather write, that is just as good.""",
)

CARD_LINK = Template(
    "card_link",
    "Card or pay link",
    TRANSACTIONAL,
    "{% if pay_page_only %}Where you can pay {{ amount_due }}{% else %}\
Your link to {% if card_on_file %}change{% else %}add{% endif %} your card{% endif %}",
    """Hello {{ name }},

here you can {% if pay_page_only %}pay {{ amount_due }}{% if invoice_number is defined %} for invoice \
{{ invoice_number }}{% endif %}{% if card_on_file %} with the same card or another one{% endif %}\
{% elif card_on_file %}change the card that we have on file{% else %}add a card{% endif %}. The page \
belongs to Stripe, our payment provider; we never see the card's number.

{% if pay_page_only %}{{ hosted_invoice_url }}{% else %}{{ card_url }}{% endif %}

{% if card_url_is_brief %}The link opens for a few minutes only; after that, answer this mail\
{% else %}If the link no longer opens, answer this mail{% endif %} and I will send you a new one.""",
)

FEEDBACK = Template(
    "cancellation_feedback",
    "Cancellation: what was missing?",
    MARKETING,
    "May I ask why you left?",
    """Hello {{ name }},

thank you for having been our customer{% if plan is defined %} on {{ plan }}{% endif %}. Your cancellation \
is done and needs nothing more from you.

One question, and one line is plenty: what should have been different? I read every answer myself.""",
    only_if="canceled",
)

OFFER = Template(
    "cancellation_offer",
    "Request to cancel: an offer",
    TRANSACTIONAL,
    "Your request to cancel",
    """Hello {{ name }},

I have your request to cancel, and nothing has been changed yet. Before it is, this is what I can offer you \
instead:

{{ offer }}

If you would like that, answer this mail. If you would rather go, say so, and I carry out your request as it \
stands.""",
)

BLANK = Template("blank", "An empty message", TRANSACTIONAL, "", "Hello {{ name }},\n\n")

TEMPLATES = tuple(
    replace(text, body=text.body + _SIGNATURE)
    for text in (
        WELCOME, TRIAL_ENDING, WIN_BACK, PAYMENT_FAILED, CALL_INVITATION, CARD_LINK, FEEDBACK, OFFER, BLANK
    )
)  # fmt: skip
