"""What do the hashes inside objects look like?"""

from services.sandbox.objects.shape import Shape, shape

_CHECKS = {"address_line1_check": None, "address_postal_code_check": None, "cvc_check": "pass"}

SHAPES: dict[str, Shape] = {
    "address": shape("", {}, nulls="city country line1 line2 postal_code state"),
    "billing_details": shape("", {}, nulls="address email name phone tax_id"),
    "cancellation_details": shape("", {}, nulls="comment feedback reason", optional="feedback_option"),
    "charge.card": shape(
        "brand exp_month exp_year last4",
        {
            "checks": _CHECKS,
            "extended_authorization": {"status": "disabled"},
            "funding": "credit",
            "incremental_authorization": {"status": "unavailable"},
            "multicapture": {"status": "unavailable"},
            "network_token": {"used": False},
            "regulated_status": "unregulated",
        },
        nulls="amount_authorized authorization_code country fingerprint installments mandate network "
        "network_transaction_id overcapture three_d_secure transaction_link_id wallet",
        optional="capture_before description electronic_commerce_indicator iin issuer moto",
    ),
    "charge.outcome": shape(
        "type",
        {"network_status": "approved_by_network", "risk_level": "normal"},
        nulls="advice_code network_advice_code network_decline_code reason seller_message",
        optional="risk_score rule",
    ),
    "dispute.evidence_details": shape(
        "due_by",
        {
            "enhanced_eligibility": {},
            "has_evidence": False,
            "past_due": False,
            "submission_count": 0,
            "submission_method": "manual",
        },
    ),
    "dispute.card": shape("brand network", {"case_type": "chargeback"}, nulls="network_reason_code"),
    "invoice.parent": shape("subscription_details", {"type": "subscription_details"}, nulls="quote_details"),
    "invoice.parent.subscription": shape(
        "subscription", {"metadata": {}}, optional="subscription_proration_date"
    ),
    "invoiceitem.parent": shape("subscription_details", {"type": "subscription_details"}),
    "invoiceitem.parent.subscription": shape("subscription", {}, optional="subscription_item"),
    "invoice_payment.payment": shape("", {"type": "payment_intent"}, optional="charge payment_intent"),
    "line_item.parent": shape("type", {}, nulls="invoice_item_details subscription_item_details"),
    "line_item.parent.invoice_item": shape(
        "invoice_item",
        {"proration": False, "proration_details": {"credited_items": None}},
        nulls="subscription",
    ),
    "line_item.parent.subscription_item": shape(
        "subscription_item",
        {"proration": False, "proration_details": {"credited_items": None}},
        nulls="invoice_item subscription",
    ),
    "payment_error": shape(
        "type",
        {},
        optional="advice_code charge code decline_code doc_url message network_advice_code "
        "network_decline_code param payment_intent payment_method payment_method_type request_log_url",
    ),
    "payment_method.card": shape(
        "brand exp_month exp_year last4",
        {
            "checks": _CHECKS,
            "funding": "credit",
            "networks": {"available": [], "preferred": None},
            "regulated_status": "unregulated",
            "three_d_secure_usage": {"supported": True},
        },
        nulls="country display_brand fingerprint generated_from wallet",
        optional="description iin issuer",
    ),
    "price_details": shape("price product", {}),
    "pricing": shape("price_details", {"type": "price_details"}, nulls="unit_amount_decimal"),
    "recurring": shape(
        "interval", {"interval_count": 1, "usage_type": "licensed"}, nulls="meter trial_period_days"
    ),
}
