"""what is charged: sources of subscriptions and invoices, and what an invoice left on the customer's balance"""

import sqlalchemy as sa
from alembic import op

revision = '0013'
down_revision = '0012'
branch_labels = None
depends_on = None

_COLUMNS = {
    'subscriptions': {'default_source': sa.String()},
    'invoices': {'default_source': sa.String(), 'ending_balance': sa.BigInteger()},
}


def upgrade() -> None:
    for table, columns in _COLUMNS.items():
        for name, type_ in columns.items():
            op.add_column(table, sa.Column(name, type_, nullable=True))
    # What the new columns hold was never asked for: both are listed again, and facts derived from them.
    op.execute(
        "UPDATE sync_cursors SET state = 'waiting', cursor = NULL, fetched = 0, started_at = NULL, "
        "finished_at = NULL, error = '' WHERE resource IN ('subscriptions', 'invoices', 'facts')"
    )
    op.execute("DELETE FROM sync_windows WHERE resource IN ('subscriptions', 'invoices')")


def downgrade() -> None:
    for table, columns in _COLUMNS.items():
        with op.batch_alter_table(table, schema=None) as batch_op:
            for name in columns:
                batch_op.drop_column(name)
