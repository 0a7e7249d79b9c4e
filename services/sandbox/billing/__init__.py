"""The billing engine: what an account of Stripe does, by itself and when it is told to.

Every operation is a function that takes the account first and Stripe's parameters by name, for example
`subscriptions.create(account, customer="cus_...", items=[{"price": "price_..."}], trial_period_days=14)`.
The HTTP routes and the history call the same functions. Money is in minor units, time in seconds UTC.

account        the account: get, new, change, emit, advance
customers      create, update, delete, adjust_balance
catalog        products, prices, coupons, promotion codes
cards          attach, detach, decline, restore: payment methods and how they behave
subscriptions  create, cancel;  changes.update;  resuming.resume;  lifecycle: what happens when time passes
manual         invoices by command: create, finalize, pay, send, void, mark_uncollectible, delete
invoices       what an invoice is made of;  invoiceitems;  payments: charging one;  previews
refunds, disputes, credit_notes, sessions (portal and Checkout)
"""
