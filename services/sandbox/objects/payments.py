"""What do payments, and what undoes them, look like?"""

from services.sandbox.objects.shape import Shape, shape

_EVIDENCE_NAMES = (
    "access_activity_log billing_address cancellation_policy cancellation_policy_disclosure "
    "cancellation_rebuttal customer_communication customer_email_address customer_name customer_purchase_ip "
    "customer_signature duplicate_charge_documentation duplicate_charge_explanation duplicate_charge_id "
    "product_description receipt refund_policy refund_policy_disclosure refund_refusal_explanation "
    "service_date service_documentation shipping_address shipping_carrier shipping_date "
    "shipping_documentation shipping_tracking_number uncategorized_file uncategorized_text"
)

SHAPES: dict[str, Shape] = {
    "payment_intent": shape(
        "id amount created currency status",
        {
            "amount_capturable": 0,
            "amount_details": {"tip": {}},
            "amount_received": 0,
            "capture_method": "automatic",
            "confirmation_method": "automatic",
            "livemode": False,
            "metadata": {},
            "payment_method_options": {
                "card": {"installments": None, "mandate_options": None, "network": None}
            },
            "payment_method_types": ["card"],
        },
        nulls="application application_fee_amount automatic_payment_methods canceled_at cancellation_reason "
        "client_secret customer customer_account description excluded_payment_method_types "
        "last_payment_error latest_charge managed_payments next_action on_behalf_of payment_method "
        "payment_method_configuration_details processing receipt_email review setup_future_usage shipping "
        "source statement_descriptor statement_descriptor_suffix transfer_data transfer_group",
        optional="allowed_payment_method_types hooks payment_details payment_record presentment_details",
    ),
    "charge": shape(
        "id amount created currency status",
        {
            "amount_captured": 0,
            "amount_refunded": 0,
            "billing_details": {"address": None, "email": None, "name": None, "phone": None, "tax_id": None},
            "captured": False,
            "disputed": False,
            "fraud_details": {},
            "livemode": False,
            "metadata": {},
            "paid": False,
            "refunded": False,
        },
        nulls="application application_fee application_fee_amount balance_transaction "
        "calculated_statement_descriptor customer description failure_balance_transaction failure_code "
        "failure_message on_behalf_of outcome payment_intent payment_method payment_method_details "
        "receipt_email receipt_number receipt_url review shipping source source_transfer "
        "statement_descriptor statement_descriptor_suffix transfer_data transfer_group",
        optional="authorization_code level3 presentment_details radar_options refunds transfer",
    ),
    "refund": shape(
        "id amount charge created currency status",
        {
            "destination_details": {
                "card": {
                    "reference_status": "pending",
                    "reference_type": "acquirer_reference_number",
                    "type": "refund",
                },
                "type": "card",
            },
            "metadata": {},
        },
        nulls="balance_transaction customer customer_account payment_intent payment_method reason "
        "receipt_number source_transfer_reversal transfer_reversal",
        optional="description failure_balance_transaction failure_reason instructions_email next_action "
        "pending_reason presentment_details",
    ),
    "dispute": shape(
        "id amount charge created currency evidence_details reason status",
        {
            "balance_transactions": [],
            "enhanced_eligibility_types": [],
            "evidence": {**dict.fromkeys(_EVIDENCE_NAMES.split()), "enhanced_evidence": {}},
            "is_charge_refundable": False,
            "livemode": False,
            "metadata": {},
        },
        nulls="payment_intent payment_method_details",
        optional="intended_submission_method network_reason_code",
    ),
    "balance_transaction": shape(
        "id amount available_on created currency fee net type",
        {
            "balance_type": "payments",
            "fee_details": [],
            "reporting_category": "charge",
            "status": "available",
        },
        nulls="description exchange_rate source",
    ),
}
