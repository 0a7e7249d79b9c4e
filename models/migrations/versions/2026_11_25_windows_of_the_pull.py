"""windows of the pull: a resource that is not listed to its end is listed anew"""

import sqlalchemy as sa
from alembic import op

revision = '0005'
down_revision = '0004'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        'sync_windows',
        sa.Column('resource', sa.String(), nullable=False),
        sa.Column('number', sa.Integer(), nullable=False),
        sa.Column('low', sa.BigInteger(), nullable=False),
        sa.Column('high', sa.BigInteger(), nullable=True),
        sa.Column('cursor', sa.String(), nullable=True),
        sa.Column('newest', sa.BigInteger(), nullable=True),
        sa.Column('reached', sa.BigInteger(), nullable=True),
        sa.Column('objects', sa.Integer(), nullable=False),
        sa.Column('done', sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint('resource', 'number'),
    )
    op.execute("UPDATE sync_cursors SET cursor = NULL WHERE resource <> 'feed'")
    op.execute("UPDATE sync_cursors SET fetched = 0 WHERE state NOT IN ('complete', 'denied')")


def downgrade() -> None:
    op.drop_table('sync_windows')
