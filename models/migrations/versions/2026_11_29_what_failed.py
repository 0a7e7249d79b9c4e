"""what failed: indexes of the few events, invoices and payment intents by which recovery finds failures"""

import sqlalchemy as sa
from alembic import op

revision = '0010'
down_revision = '0009'
branch_labels = None
depends_on = None

_INDEXES = (
    ('ix_events_failed_payments', 'events', ['object_id', 'created'], "type = 'invoice.payment_failed'"),
    ('ix_invoices_retried', 'invoices', ['id'], 'attempt_count > 1'),
    ('ix_payment_intents_failed', 'payment_intents', ['id', 'created'], 'error_code IS NOT NULL'),
)


def upgrade() -> None:
    for name, table, columns, of in _INDEXES:
        op.create_index(name, table, columns, sqlite_where=sa.text(of), postgresql_where=sa.text(of))


def downgrade() -> None:
    for name, table, _columns, _of in _INDEXES:
        op.drop_index(name, table)
