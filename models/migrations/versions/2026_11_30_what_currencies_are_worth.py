"""what currencies are worth, and revenue summed up by day and by month"""

import sqlalchemy as sa
from alembic import op

revision = '0028'
down_revision = '0027'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        'exchange_rates',
        sa.Column('currency', sa.String(), nullable=False),
        sa.Column('into', sa.String(), nullable=False),
        sa.Column('day', sa.String(), nullable=False),
        sa.Column('rate', sa.String(), nullable=False),
        sa.Column('source', sa.String(), nullable=False),
        sa.Column('author', sa.Integer(), nullable=True),
        sa.Column('created_at', sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint('currency', 'into', 'day'),
    )
    op.create_table(
        'reporting_currency',
        sa.Column('id', sa.Integer(), nullable=False),
        sa.Column('currency', sa.String(), nullable=False),
        sa.PrimaryKeyConstraint('id'),
    )
    op.create_table(
        'revenue_days',
        sa.Column('generation', sa.Integer(), nullable=False),
        sa.Column('currency', sa.String(), nullable=False),
        sa.Column('day', sa.BigInteger(), nullable=False),
        sa.Column('kind', sa.String(), nullable=False),
        sa.Column('cause', sa.String(), nullable=False),
        sa.Column('mrr', sa.BigInteger(), nullable=False),
        sa.Column('committed', sa.BigInteger(), nullable=False),
        sa.Column('trial', sa.BigInteger(), nullable=False),
        sa.Column('customers', sa.Integer(), nullable=False),
        sa.Column('accounts', sa.Integer(), nullable=False),
        sa.Column('people', sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint('generation', 'currency', 'day', 'kind', 'cause'),
    )
    op.create_table(
        'revenue_months',
        sa.Column('generation', sa.Integer(), nullable=False),
        sa.Column('currency', sa.String(), nullable=False),
        sa.Column('month', sa.BigInteger(), nullable=False),
        sa.Column('plan', sa.String(), nullable=False),
        sa.Column('country', sa.String(), nullable=False),
        sa.Column('mrr', sa.BigInteger(), nullable=False),
        sa.Column('committed', sa.BigInteger(), nullable=False),
        sa.Column('trial', sa.BigInteger(), nullable=False),
        sa.Column('customers', sa.Integer(), nullable=False),
        sa.Column('accounts', sa.Integer(), nullable=False),
        sa.Column('people', sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint('generation', 'currency', 'month', 'plan', 'country'),
    )
    # The new sums are made of all facts: pages say how far that is.
    op.execute("UPDATE metrics_state SET generation = 0, terms = '', wanted = ''")


def downgrade() -> None:
    op.drop_table('revenue_months')
    op.drop_table('revenue_days')
    op.drop_table('reporting_currency')
    op.drop_table('exchange_rates')
