"""What do invoices, what is on them, and what is taken off them look like?"""

from services.sandbox.objects.shape import Shape, shape

SHAPES: dict[str, Shape] = {
    "invoice": shape(
        "id created currency customer lines period_end period_start",
        {
            "amount_due": 0,
            "amount_overpaid": 0,
            "amount_paid": 0,
            "amount_remaining": 0,
            "amount_shipping": 0,
            "attempt_count": 0,
            "attempted": False,
            "auto_advance": True,
            "automatic_tax": {
                "disabled_reason": None,
                "enabled": False,
                "liability": None,
                "provider": None,
                "status": None,
            },
            "billing_reason": "manual",
            "collection_method": "charge_automatically",
            "customer_tax_exempt": "none",
            "customer_tax_ids": [],
            "default_tax_rates": [],
            "discounts": [],
            "issuer": {"type": "self"},
            "livemode": False,
            "metadata": {},
            "payment_settings": {
                "default_mandate": None,
                "payment_method_options": None,
                "payment_method_types": None,
            },
            "post_payment_credit_notes_amount": 0,
            "pre_payment_credit_notes_amount": 0,
            "starting_balance": 0,
            "status": "draft",
            "status_transitions": {
                "finalized_at": None,
                "marked_uncollectible_at": None,
                "paid_at": None,
                "voided_at": None,
            },
            "subtotal": 0,
            "subtotal_excluding_tax": 0,
            "total": 0,
            "total_discount_amounts": [],
            "total_excluding_tax": 0,
            "total_pretax_credit_amounts": [],
            "total_taxes": [],
        },
        nulls="account_country account_name account_tax_ids application automatically_finalizes_at "
        "custom_fields customer_account customer_address customer_email customer_name customer_phone "
        "customer_shipping default_payment_method default_source description due_date effective_at "
        "ending_balance footer from_invoice hosted_invoice_url invoice_pdf last_finalization_error "
        "latest_revision next_payment_attempt number on_behalf_of parent receipt_number rendering "
        "shipping_cost shipping_details statement_descriptor test_clock webhooks_delivered_at",
        optional="amount_paid_off_stripe confirmation_secret payments status_details threshold_reason",
    ),
    "line_item": shape(
        "id amount currency invoice period",
        {
            "discount_amounts": [],
            "discountable": True,
            "discounts": [],
            "livemode": False,
            "metadata": {},
            "pretax_credit_amounts": [],
            "quantity": 1,
            "quantity_decimal": "1",
            "subtotal": 0,
            "taxes": [],
        },
        nulls="description parent pricing subscription",
    ),
    "invoiceitem": shape(
        "id amount currency customer date period",
        {
            "discountable": True,
            "discounts": [],
            "livemode": False,
            "metadata": {},
            "net_amount": 0,
            "proration": False,
            "quantity": 1,
            "quantity_decimal": "1",
            "tax_rates": [],
        },
        nulls="customer_account description invoice parent pricing test_clock",
        optional="frozen_fields invoicing_rules proration_details",
    ),
    "invoice_payment": shape(
        "id amount_requested created currency invoice payment status",
        {
            "is_default": True,
            "livemode": False,
            "status_transitions": {"canceled_at": None, "paid_at": None},
        },
        nulls="amount_paid",
    ),
    "credit_note": shape(
        "id amount created currency customer invoice lines number pdf subtotal total type",
        {
            "amount_shipping": 0,
            "discount_amount": 0,
            "discount_amounts": [],
            "livemode": False,
            "metadata": {},
            "post_payment_amount": 0,
            "pre_payment_amount": 0,
            "pretax_credit_amounts": [],
            "refunds": [],
            "status": "issued",
            "total_taxes": [],
        },
        nulls="customer_account customer_balance_transaction effective_at memo out_of_band_amount reason "
        "shipping_cost subtotal_excluding_tax total_excluding_tax voided_at",
    ),
    "credit_note_line_item": shape(
        "id amount",
        {
            "discount_amount": 0,
            "discount_amounts": [],
            "livemode": False,
            "metadata": {},
            "pretax_credit_amounts": [],
            "tax_rates": [],
            "taxes": [],
            "type": "custom_line_item",
        },
        nulls="description quantity unit_amount unit_amount_decimal",
        optional="invoice_line_item",
    ),
}
