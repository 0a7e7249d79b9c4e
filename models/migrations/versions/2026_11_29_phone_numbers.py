"""customers are found by the digits of their phone number"""

import sqlalchemy as sa
from alembic import op

revision = '0012'
down_revision = '0011'
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table('customer_facts', schema=None) as batch_op:
        batch_op.add_column(sa.Column('phone_key', sa.String(), nullable=False, server_default=''))
        batch_op.create_index(batch_op.f('ix_customer_facts_phone_key'), ['phone_key'], unique=False)
    op.execute(
        "UPDATE sync_cursors SET state = 'waiting', cursor = NULL, fetched = 0, started_at = NULL, "
        "finished_at = NULL, error = '' WHERE resource = 'facts'"
    )


def downgrade() -> None:
    with op.batch_alter_table('customer_facts', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_customer_facts_phone_key'))
        batch_op.drop_column('phone_key')
