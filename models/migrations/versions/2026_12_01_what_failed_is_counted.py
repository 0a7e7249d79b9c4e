"""what failed is counted: since when it asks for nothing more; the indexes by which it was found go"""

import sqlalchemy as sa
from alembic import op

revision = '0034'
down_revision = '0033'
branch_labels = None
depends_on = None

_INDEXES = (
    ('ix_charges_status', 'charges', ['status'], None),
    ('ix_events_failed_payments', 'events', ['object_id', 'created'], "type = 'invoice.payment_failed'"),
    ('ix_invoices_retried', 'invoices', ['id'], 'attempt_count > 1'),
    ('ix_payment_intents_failed', 'payment_intents', ['id', 'created'], 'error_code IS NOT NULL'),
)
_FILL = """
    UPDATE failure_facts SET due = invoices.amount_due, closed_at = CASE
      WHEN invoices.deleted THEN 0
      WHEN invoices.status = 'open' AND invoices.amount_remaining > 0 THEN NULL
      ELSE coalesce(invoices.paid_at, invoices.voided_at, invoices.marked_uncollectible_at, 0) END
    FROM invoices WHERE invoices.id = failure_facts.invoice
"""


def upgrade() -> None:
    op.add_column('failure_facts', sa.Column('due', sa.BigInteger(), nullable=False, server_default='0'))
    op.add_column('failure_facts', sa.Column('closed_at', sa.BigInteger(), nullable=True))
    op.execute(_FILL)
    for name, table, _columns, _of in _INDEXES:
        op.drop_index(name, table)


def downgrade() -> None:
    for name, table, columns, of in _INDEXES:
        where = None if of is None else sa.text(of)
        op.create_index(name, table, columns, sqlite_where=where, postgresql_where=where)
    op.drop_column('failure_facts', 'closed_at')
    op.drop_column('failure_facts', 'due')
