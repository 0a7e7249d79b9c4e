"""which processes ask Stripe, so that they share what it allows"""

import sqlalchemy as sa
from alembic import op

revision = '0014'
down_revision = '0013'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        'askers',
        sa.Column('id', sa.String(), nullable=False),
        sa.Column('asked_at', sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint('id'),
    )


def downgrade() -> None:
    op.drop_table('askers')
