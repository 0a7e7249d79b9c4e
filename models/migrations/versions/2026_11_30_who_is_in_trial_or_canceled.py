"""who is in trial or canceled"""

import sqlalchemy as sa
from alembic import op

revision = '0030'
down_revision = '0029'
branch_labels = None
depends_on = None


def upgrade() -> None:
    running, canceled = sa.text("state = 'running'"), sa.text('canceled_at IS NOT NULL')
    op.create_index(
        'ix_trial_facts_running', 'trial_facts', ['started'], sqlite_where=running, postgresql_where=running
    )
    op.create_index(
        'ix_subscriptions_canceled', 'subscriptions', ['canceled_at'],
        sqlite_where=canceled, postgresql_where=canceled,
    )  # fmt: skip


def downgrade() -> None:
    op.drop_index('ix_subscriptions_canceled', 'subscriptions')
    op.drop_index('ix_trial_facts_running', 'trial_facts')
