"""What do the account, its customers and their payment methods look like?"""

from services.sandbox.objects.shape import Shape, shape

_REQUIREMENTS: dict[str, object] = {
    "alternatives": [],
    "current_deadline": None,
    "currently_due": [],
    "disabled_reason": None,
    "errors": [],
    "eventually_due": [],
    "past_due": [],
    "pending_verification": [],
}
_INVOICE_SETTINGS = {
    "custom_fields": None,
    "default_payment_method": None,
    "footer": None,
    "rendering_options": None,
}
_BILLING_DETAILS = {"address": None, "email": None, "name": None, "phone": None, "tax_id": None}

SHAPES: dict[str, Shape] = {
    "account": shape(
        "id country default_currency email created",
        {
            "business_profile": None,
            "business_type": "company",
            "capabilities": {"card_payments": "active", "transfers": "active"},
            "charges_enabled": True,
            "controller": {"type": "account"},
            "details_submitted": True,
            "future_requirements": _REQUIREMENTS,
            "metadata": {},
            "payouts_enabled": True,
            "requirements": _REQUIREMENTS,
            "type": "standard",
        },
        nulls="external_accounts settings tos_acceptance",
        optional="company individual groups",
    ),
    "customer": shape(
        "id created",
        {
            "balance": 0,
            "delinquent": False,
            "invoice_settings": _INVOICE_SETTINGS,
            "livemode": False,
            "metadata": {},
            "next_invoice_sequence": 1,
            "preferred_locales": [],
            "tax_exempt": "none",
        },
        nulls="address currency customer_account default_source description discount email invoice_prefix "
        "name phone shipping test_clock",
        optional="business_name cash_balance individual_name invoice_credit_balance sources subscriptions "
        "tax tax_ids",
    ),
    "payment_method": shape(
        "id created card",
        {
            "allow_redisplay": "unspecified",
            "billing_details": _BILLING_DETAILS,
            "livemode": False,
            "metadata": {},
            "type": "card",
        },
        nulls="customer customer_account",
        optional="radar_options",
    ),
    "setup_intent": shape(
        "id created",
        {
            "livemode": False,
            "metadata": {},
            "payment_method_options": {"card": {"mandate_options": None, "network": None}},
            "payment_method_types": ["card"],
            "status": "requires_payment_method",
            "usage": "off_session",
        },
        nulls="application automatic_payment_methods cancellation_reason client_secret customer "
        "customer_account description excluded_payment_method_types flow_directions last_setup_error "
        "latest_attempt mandate next_action on_behalf_of payment_method "
        "payment_method_configuration_details single_use_mandate",
        optional="allowed_payment_method_types attach_to_self managed_payments",
    ),
    "customer_balance_transaction": shape(
        "id amount created currency customer ending_balance",
        {"livemode": False, "metadata": {}, "type": "adjustment"},
        nulls="checkout_session credit_note customer_account description invoice",
    ),
    "tax_id": shape(
        "id created type value",
        {"livemode": False},
        nulls="country customer customer_account owner verification",
    ),
}
