"""when subscriptions were paused"""

import sqlalchemy as sa
from alembic import op

revision = '0016'
down_revision = '0015'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column('subscriptions', sa.Column('paused_at', sa.BigInteger(), nullable=True))
    # What the new column holds was never asked for: subscriptions are listed again.
    op.execute(
        "UPDATE sync_cursors SET state = 'waiting', cursor = NULL, fetched = 0, started_at = NULL, "
        "finished_at = NULL, error = '' WHERE resource = 'subscriptions'"
    )
    op.execute("DELETE FROM sync_windows WHERE resource = 'subscriptions'")


def downgrade() -> None:
    with op.batch_alter_table('subscriptions', schema=None) as batch_op:
        batch_op.drop_column('paused_at')
