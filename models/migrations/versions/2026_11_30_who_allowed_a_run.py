"""who allowed, or declined, a run above somebody's limit"""

import sqlalchemy as sa
from alembic import op

revision = '0022'
down_revision = '0021'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column('bulk_runs', sa.Column('decider', sa.Integer(), nullable=True))
    op.add_column('bulk_runs', sa.Column('decider_name', sa.String(), nullable=False, server_default=''))


def downgrade() -> None:
    for name in ('decider_name', 'decider'):
        op.drop_column('bulk_runs', name)
