"""What do hosted pages, webhook endpoints and events look like?"""

from services.sandbox.objects.shape import Shape, shape

SHAPES: dict[str, Shape] = {
    "billing_portal.session": shape(
        "id configuration created customer url",
        {"livemode": False},
        nulls="customer_account flow locale on_behalf_of return_url",
        optional="after_expiration",
    ),
    "checkout.session": shape(
        "id created expires_at mode payment_status url",
        {
            "automatic_tax": {"enabled": False, "liability": None, "provider": None, "status": None},
            "custom_fields": [],
            "custom_text": {
                "after_submit": None,
                "shipping_address": None,
                "submit": None,
                "terms_of_service_acceptance": None,
            },
            "livemode": False,
            "metadata": {},
            "payment_method_options": {},
            "payment_method_types": ["card"],
            "shipping_options": [],
            "status": "open",
            "ui_mode": "hosted_page",
        },
        nulls="adaptive_pricing after_expiration allow_promotion_codes amount_subtotal amount_total "
        "billing_address_collection cancel_url client_reference_id client_secret collected_information "
        "consent consent_collection currency currency_conversion customer customer_account "
        "customer_creation customer_details customer_email discounts integration_identifier invoice "
        "invoice_creation locale managed_payments origin_context payment_intent payment_link "
        "payment_method_collection payment_method_configuration_details permissions "
        "phone_number_collection recovered_from saved_payment_method_options setup_intent "
        "shipping_address_collection shipping_cost submit_type subscription success_url total_details "
        "wallet_options",
        optional="allowed_payment_method_types branding_settings excluded_payment_method_types line_items "
        "name_collection optional_items presentment_details redirect_on_completion return_url "
        "tax_id_collection",
    ),
    "webhook_endpoint": shape(
        "id created enabled_events url",
        {"livemode": False, "metadata": {}, "status": "enabled"},
        nulls="api_version application description",
        optional="secret",
    ),
    "event": shape(
        "id created data type",
        {
            "api_version": "2026-10-28.endive",
            "livemode": False,
            "pending_webhooks": 0,
            "request": {"id": None, "idempotency_key": None},
        },
        optional="account context",
    ),
}
