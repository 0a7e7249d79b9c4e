"""what failed and what came back"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = '0026'
down_revision = '0025'
branch_labels = None
depends_on = None

_JSON = sa.JSON().with_variant(postgresql.JSONB(), 'postgresql')


def upgrade() -> None:
    op.create_table(
        'failure_facts',
        sa.Column('invoice', sa.String(), nullable=False),
        sa.Column('customer', sa.String(), nullable=False),
        sa.Column('subscription', sa.String(), nullable=False),
        sa.Column('currency', sa.String(), nullable=False),
        sa.Column('plan', sa.String(), nullable=False),
        sa.Column('country', sa.String(), nullable=False),
        sa.Column('amount', sa.BigInteger(), nullable=False),
        sa.Column('failed_at', sa.BigInteger(), nullable=False),
        sa.Column('state', sa.String(), nullable=False),
        sa.Column('paid_at', sa.BigInteger(), nullable=True),
        sa.Column('code', sa.String(), nullable=False),
        sa.Column('last_code', sa.String(), nullable=False),
        sa.Column('attempts', sa.Integer(), nullable=False),
        sa.Column('recovered_by', sa.String(), nullable=False),
        sa.Column('first_after_trial', sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint('invoice'),
    )
    with op.batch_alter_table('failure_facts', schema=None) as batch_op:
        batch_op.create_index('ix_failure_facts_customer', ['customer'], unique=False)
        batch_op.create_index('ix_failure_facts_failed', ['currency', 'failed_at', 'invoice'], unique=False)
    op.create_table(
        'failure_cells',
        sa.Column('generation', sa.Integer(), nullable=False),
        sa.Column('currency', sa.String(), nullable=False),
        sa.Column('month', sa.BigInteger(), nullable=False),
        sa.Column('plan', sa.String(), nullable=False),
        sa.Column('part', sa.String(), nullable=False),
        sa.Column('value', sa.String(), nullable=False),
        sa.Column('state', sa.String(), nullable=False),
        sa.Column('payments', sa.Integer(), nullable=False),
        sa.Column('amount', sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint('generation', 'currency', 'month', 'plan', 'part', 'value', 'state'),
    )
    op.create_table(
        'passed_facts',
        sa.Column('customer', sa.String(), nullable=False),
        sa.Column('country', sa.String(), nullable=False),
        sa.Column('passed', _JSON, nullable=False),
        sa.PrimaryKeyConstraint('customer'),
    )
    op.create_table(
        'passed_cells',
        sa.Column('generation', sa.Integer(), nullable=False),
        sa.Column('currency', sa.String(), nullable=False),
        sa.Column('month', sa.BigInteger(), nullable=False),
        sa.Column('plan', sa.String(), nullable=False),
        sa.Column('country', sa.String(), nullable=False),
        sa.Column('payments', sa.Integer(), nullable=False),
        sa.Column('amount', sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint('generation', 'currency', 'month', 'plan', 'country'),
    )


def downgrade() -> None:
    op.drop_table('passed_cells')
    op.drop_table('passed_facts')
    op.drop_table('failure_cells')
    op.drop_table('failure_facts')
