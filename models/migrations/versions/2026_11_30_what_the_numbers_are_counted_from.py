"""what the numbers are counted from"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = '0023'
down_revision = '0022'
branch_labels = None
depends_on = None

_JSON = sa.JSON().with_variant(postgresql.JSONB(), 'postgresql')


def upgrade() -> None:
    op.create_table(
        'metrics_state',
        sa.Column('id', sa.Integer(), nullable=False),
        sa.Column('generation', sa.Integer(), nullable=False),
        sa.Column('begun', sa.Integer(), nullable=False),
        sa.Column('terms', sa.String(), nullable=False),
        sa.Column('wanted', sa.String(), nullable=False),
        sa.Column('exact_since', sa.BigInteger(), nullable=True),
        sa.Column('waiting', sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint('id'),
    )
    op.create_table(
        'subscription_states',
        sa.Column('subscription', sa.String(), nullable=False),
        sa.Column('at', sa.BigInteger(), nullable=False),
        sa.Column('status', sa.String(), nullable=False),
        sa.Column('pause_collection', sa.String(), nullable=True),
        sa.Column('cancels', sa.Boolean(), nullable=False),
        sa.Column('cancellation_reason', sa.String(), nullable=True),
        sa.Column('canceled_at', sa.BigInteger(), nullable=True),
        sa.Column('paused_at', sa.BigInteger(), nullable=True),
        sa.Column('trial_start', sa.BigInteger(), nullable=True),
        sa.Column('trial_end', sa.BigInteger(), nullable=True),
        sa.Column('items', _JSON, nullable=False),
        sa.Column('discounts', _JSON, nullable=False),
        sa.Column('told', _JSON, nullable=False),
        sa.PrimaryKeyConstraint('subscription', 'at'),
    )
    op.create_table(
        'uncounted',
        sa.Column('customer', sa.String(), nullable=False),
        sa.Column('due_at', sa.BigInteger(), nullable=False),
        sa.Column('mark', sa.BigInteger(), nullable=False),
        sa.Column('error', sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint('customer'),
    )
    with op.batch_alter_table('uncounted', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_uncounted_due_at'), ['due_at'], unique=False)
    op.create_table(
        'revenue_moves',
        sa.Column('customer', sa.String(), nullable=False),
        sa.Column('currency', sa.String(), nullable=False),
        sa.Column('day', sa.BigInteger(), nullable=False),
        sa.Column('plan', sa.String(), nullable=False),
        sa.Column('kind', sa.String(), nullable=False),
        sa.Column('cause', sa.String(), nullable=False),
        sa.Column('country', sa.String(), nullable=False),
        sa.Column('mrr', sa.BigInteger(), nullable=False),
        sa.Column('committed', sa.BigInteger(), nullable=False),
        sa.Column('trial', sa.BigInteger(), nullable=False),
        sa.Column('customers', sa.Integer(), nullable=False),
        sa.Column('accounts', sa.Integer(), nullable=False),
        sa.Column('people', sa.Integer(), nullable=False),
        sa.Column('after', sa.BigInteger(), nullable=False),
        sa.Column('first_day', sa.BigInteger(), nullable=False),
        sa.Column('exact', sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint('customer', 'currency', 'day', 'plan'),
        sqlite_with_rowid=False,
    )
    with op.batch_alter_table('revenue_moves', schema=None) as batch_op:
        batch_op.create_index('ix_revenue_moves_of_a_kind', ['currency', 'kind', 'day'], unique=False)
    op.create_table(
        'revenue_cells',
        sa.Column('generation', sa.Integer(), nullable=False),
        sa.Column('currency', sa.String(), nullable=False),
        sa.Column('day', sa.BigInteger(), nullable=False),
        sa.Column('plan', sa.String(), nullable=False),
        sa.Column('country', sa.String(), nullable=False),
        sa.Column('kind', sa.String(), nullable=False),
        sa.Column('cause', sa.String(), nullable=False),
        sa.Column('mrr', sa.BigInteger(), nullable=False),
        sa.Column('committed', sa.BigInteger(), nullable=False),
        sa.Column('trial', sa.BigInteger(), nullable=False),
        sa.Column('customers', sa.Integer(), nullable=False),
        sa.Column('accounts', sa.Integer(), nullable=False),
        sa.Column('people', sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint('generation', 'currency', 'day', 'plan', 'country', 'kind', 'cause'),
    )
    op.create_table(
        'retention_cells',
        sa.Column('generation', sa.Integer(), nullable=False),
        sa.Column('currency', sa.String(), nullable=False),
        sa.Column('cohort', sa.BigInteger(), nullable=False),
        sa.Column('month', sa.BigInteger(), nullable=False),
        sa.Column('country', sa.String(), nullable=False),
        sa.Column('mrr', sa.BigInteger(), nullable=False),
        sa.Column('accounts', sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint('generation', 'currency', 'cohort', 'month', 'country'),
    )
    with op.batch_alter_table('workspace', schema=None) as batch_op:
        batch_op.add_column(
            sa.Column('mrr_deducts_repeating', sa.Boolean(), nullable=False, server_default=sa.false())
        )
    op.add_column('discounts', sa.Column('invoice', sa.String(), nullable=True))
    # The log begins with how each subscription stands: they are listed again.
    op.execute(
        "UPDATE sync_cursors SET state = 'waiting', cursor = NULL, fetched = 0, started_at = NULL, "
        "finished_at = NULL, error = '' WHERE resource IN ('subscriptions', 'facts')"
    )
    op.execute("DELETE FROM sync_windows WHERE resource = 'subscriptions'")


def downgrade() -> None:
    with op.batch_alter_table('discounts', schema=None) as batch_op:
        batch_op.drop_column('invoice')
    with op.batch_alter_table('workspace', schema=None) as batch_op:
        batch_op.drop_column('mrr_deducts_repeating')
    op.drop_table('retention_cells')
    op.drop_table('revenue_cells')
    op.drop_table('revenue_moves')
    op.drop_table('uncounted')
    op.drop_table('subscription_states')
    op.drop_table('metrics_state')
