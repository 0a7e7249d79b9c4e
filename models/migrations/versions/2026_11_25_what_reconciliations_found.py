"""what reconciliations found: each difference between our tables and the account, with its cause"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = '0007'
down_revision = '0006'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        'drifts',
        sa.Column('id', sa.Integer(), nullable=False),
        sa.Column('found_at', sa.BigInteger(), nullable=False),
        sa.Column('resource', sa.String(), nullable=False),
        sa.Column('object_id', sa.String(), nullable=False),
        sa.Column('what', sa.String(), nullable=False),
        sa.Column('fields', sa.JSON().with_variant(postgresql.JSONB(), 'postgresql'), nullable=False),
        sa.Column('as_of', sa.BigInteger(), nullable=True),
        sa.Column('cause', sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint('id'),
    )
    op.create_index('ix_drifts_found_at', 'drifts', ['found_at'])
    op.create_index('ix_drifts_object_id', 'drifts', ['object_id'])


def downgrade() -> None:
    op.drop_table('drifts')
