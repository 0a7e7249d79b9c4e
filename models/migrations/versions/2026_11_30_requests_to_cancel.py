"""requests to cancel"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = '0021'
down_revision = '0020'
branch_labels = None
depends_on = None

JSON = sa.JSON().with_variant(postgresql.JSONB(), 'postgresql')
UNDECIDED = sa.text("state IN ('open', 'offered')")


def upgrade() -> None:
    op.create_table(
        'cancellation_requests',
        sa.Column('id', sa.String(), nullable=False),
        sa.Column('customer', sa.String(), nullable=False),
        sa.Column('subscription', sa.String(), nullable=False),
        sa.Column('received_at', sa.BigInteger(), nullable=False),
        sa.Column('received_by', sa.Integer(), nullable=True),
        sa.Column('received_by_name', sa.String(), nullable=False),
        sa.Column('source', sa.String(), nullable=False),
        sa.Column('wish', sa.String(), nullable=False),
        sa.Column('reason', sa.String(), nullable=False),
        sa.Column('comment', sa.Text(), nullable=False),
        sa.Column('again', JSON, nullable=False),
        sa.Column('state', sa.String(), nullable=False),
        sa.Column('note', sa.Text(), nullable=False),
        sa.Column('decided_by', sa.Integer(), nullable=True),
        sa.Column('decided_by_name', sa.String(), nullable=False),
        sa.Column('decided_at', sa.BigInteger(), nullable=True),
        sa.Column('token', sa.String(), nullable=False),
        sa.PrimaryKeyConstraint('id'),
    )
    for name in ('customer', 'subscription', 'state'):
        op.create_index(op.f(f'ix_cancellation_requests_{name}'), 'cancellation_requests', [name])
    op.create_index(
        'uq_cancellation_requests_undecided', 'cancellation_requests', ['subscription'], unique=True,
        sqlite_where=UNDECIDED, postgresql_where=UNDECIDED,
    )


def downgrade() -> None:
    op.drop_table('cancellation_requests')
