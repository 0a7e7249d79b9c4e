"""what currencies are worth"""

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


def downgrade() -> None:
    op.drop_table('reporting_currency')
    op.drop_table('exchange_rates')
