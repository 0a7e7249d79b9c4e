"""What do subscriptions and their items look like?"""

from services.sandbox.objects.shape import Shape, shape

SHAPES: dict[str, Shape] = {
    "subscription": shape(
        "id billing_cycle_anchor created currency customer items start_date status",
        {
            "automatic_tax": {"disabled_reason": None, "enabled": False, "liability": None},
            "billing_mode": {"flexible": None, "type": "classic"},
            "billing_schedules": [],
            "cancel_at_period_end": False,
            "cancellation_details": {"comment": None, "feedback": None, "reason": None},
            "collection_method": "charge_automatically",
            "default_tax_rates": [],
            "discounts": [],
            "invoice_settings": {
                "account_tax_ids": None,
                "custom_fields": None,
                "description": None,
                "footer": None,
                "issuer": {"type": "self"},
            },
            "livemode": False,
            "metadata": {},
            "payment_settings": {
                "payment_method_options": None,
                "payment_method_types": None,
                "save_default_payment_method": "off",
            },
            "trial_settings": {"end_behavior": {"missing_payment_method": "create_invoice"}},
        },
        nulls="application application_fee_percent billing_cycle_anchor_config billing_thresholds cancel_at "
        "canceled_at customer_account days_until_due default_payment_method default_source description "
        "ended_at latest_invoice managed_payments next_pending_invoice_item_invoice on_behalf_of "
        "pause_collection pending_invoice_item_interval pending_setup_intent pending_update schedule "
        "test_clock transfer_data trial_end trial_start",
        optional="presentment_details status_details",
    ),
    "subscription_item": shape(
        "id created current_period_end current_period_start plan price subscription",
        {"discounts": [], "metadata": {}, "quantity": 1, "tax_rates": []},
        nulls="billing_thresholds",
        optional="billed_until current_trial",
    ),
}
