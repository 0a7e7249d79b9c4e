"""what failed is counted: the indexes by which it was found among everybody's go"""

import sqlalchemy as sa
from alembic import op

revision = '0031'
down_revision = '0033'
branch_labels = None
depends_on = None

_INDEXES = (
    ('ix_charges_status', 'charges', ['status'], None),
    ('ix_events_failed_payments', 'events', ['object_id', 'created'], "type = 'invoice.payment_failed'"),
    ('ix_invoices_retried', 'invoices', ['id'], 'attempt_count > 1'),
    ('ix_payment_intents_failed', 'payment_intents', ['id', 'created'], 'error_code IS NOT NULL'),
)


def upgrade() -> None:
    for name, table, _columns, _of in _INDEXES:
        op.drop_index(name, table)


def downgrade() -> None:
    for name, table, columns, of in _INDEXES:
        where = None if of is None else sa.text(of)
        op.create_index(name, table, columns, sqlite_where=where, postgresql_where=where)
