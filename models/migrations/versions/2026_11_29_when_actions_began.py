"""when actions began: an index for the newest of them, by which Activity lists them"""

import sqlalchemy as sa
from alembic import op

revision = '0009'
down_revision = '0008'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index('ix_actions_begun', 'actions', [sa.text('coalesce(started_at, opened_at)')])


def downgrade() -> None:
    op.drop_index('ix_actions_begun', 'actions')
