"""what admins decide, and what waits for a second person"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = '0019'
down_revision = '0018'
branch_labels = None
depends_on = None

JSON = sa.JSON().with_variant(postgresql.JSONB(), 'postgresql')


def upgrade() -> None:
    op.create_table(
        'policy',
        sa.Column('id', sa.Integer(), nullable=False),
        sa.Column('version', sa.Integer(), nullable=False),
        sa.Column('grants', JSON, nullable=False),
        sa.Column('limits', JSON, nullable=False),
        sa.Column('approvals', sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint('id'),
    )
    op.add_column('actions', sa.Column('over', JSON, nullable=False, server_default='[]'))
    op.add_column('actions', sa.Column('amounts', JSON, nullable=False, server_default='[]'))
    op.add_column('actions', sa.Column('decider', sa.Integer(), nullable=True))
    op.add_column('actions', sa.Column('decider_name', sa.String(), nullable=False, server_default=''))


def downgrade() -> None:
    for name in ('decider_name', 'decider', 'amounts', 'over'):
        op.drop_column('actions', name)
    op.drop_table('policy')
