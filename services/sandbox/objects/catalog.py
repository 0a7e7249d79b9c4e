"""What do the things that are sold, and what makes them cheaper, look like?"""

from services.sandbox.objects.shape import Shape, shape

SHAPES: dict[str, Shape] = {
    "product": shape(
        "id created name updated",
        {
            "active": True,
            "images": [],
            "livemode": False,
            "marketing_features": [],
            "metadata": {},
            "type": "service",
        },
        nulls="default_price description package_dimensions shippable statement_descriptor tax_code "
        "unit_label url",
        optional="tax_details",
    ),
    "price": shape(
        "id created currency product unit_amount unit_amount_decimal",
        {
            "active": True,
            "billing_scheme": "per_unit",
            "livemode": False,
            "metadata": {},
            "tax_behavior": "unspecified",
            "type": "recurring",
        },
        nulls="custom_unit_amount lookup_key nickname recurring tiers_mode transform_quantity",
        optional="currency_options tiers",
    ),
    "plan": shape(
        "id created currency interval interval_count",
        {
            "active": True,
            "billing_scheme": "per_unit",
            "livemode": False,
            "metadata": {},
            "usage_type": "licensed",
        },
        nulls="amount amount_decimal meter nickname product tiers_mode transform_usage trial_period_days",
        optional="tiers",
    ),
    "coupon": shape(
        "id created duration",
        {"livemode": False, "metadata": {}, "times_redeemed": 0, "valid": True},
        nulls="amount_off currency duration_in_months max_redemptions name percent_off redeem_by",
        optional="applies_to currency_options",
    ),
    "promotion_code": shape(
        "id created code promotion",
        {
            "active": True,
            "livemode": False,
            "metadata": {},
            "restrictions": {
                "first_time_transaction": False,
                "minimum_amount": None,
                "minimum_amount_currency": None,
            },
            "times_redeemed": 0,
        },
        nulls="customer customer_account expires_at max_redemptions",
    ),
    "tax_rate": shape(
        "id created display_name inclusive percentage",
        {"active": True, "livemode": False, "metadata": {}},
        nulls="country description effective_percentage flat_amount jurisdiction jurisdiction_level state "
        "rate_type tax_type",
    ),
    "discount": shape(
        "id source start",
        {},
        nulls="checkout_session customer customer_account end invoice invoice_item promotion_code "
        "subscription subscription_item",
    ),
}
