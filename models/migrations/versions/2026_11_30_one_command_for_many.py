"""one command for many"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = '0020'
down_revision = '0019'
branch_labels = None
depends_on = None

JSON = sa.JSON().with_variant(postgresql.JSONB(), 'postgresql')


def upgrade() -> None:
    op.create_table(
        'bulk_runs',
        sa.Column('id', sa.String(), nullable=False),
        sa.Column('command', sa.String(), nullable=False),
        sa.Column('form', JSON, nullable=False),
        sa.Column('reason', sa.String(), nullable=False),
        sa.Column('staff', sa.Integer(), nullable=True),
        sa.Column('role', sa.String(), nullable=False),
        sa.Column('created_at', sa.BigInteger(), nullable=False),
        sa.Column('state', sa.String(), nullable=False),
        sa.Column('attempt', sa.Integer(), nullable=False),
        sa.Column('note', sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint('id'),
    )
    for name in ('staff', 'created_at', 'state'):
        op.create_index(op.f(f'ix_bulk_runs_{name}'), 'bulk_runs', [name])
    op.create_table(
        'bulk_rows',
        sa.Column('run', sa.String(), nullable=False),
        sa.Column('position', sa.Integer(), nullable=False),
        sa.Column('customer', sa.String(), nullable=False),
        sa.Column('object_id', sa.String(), nullable=False),
        sa.Column('token', sa.String(), nullable=False),
        sa.Column('state', sa.String(), nullable=False),
        sa.Column('message', sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint('run', 'position'),
        sa.UniqueConstraint('token'),
    )


def downgrade() -> None:
    op.drop_table('bulk_rows')
    op.drop_table('bulk_runs')
