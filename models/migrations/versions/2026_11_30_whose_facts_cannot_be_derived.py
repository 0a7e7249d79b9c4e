"""whose rates and facts could not be derived, and why"""

import sqlalchemy as sa
from alembic import op

revision = '0017'
down_revision = '0016'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column('underived', sa.Column('error', sa.Text(), nullable=False, server_default=''))
    op.add_column('underived', sa.Column('tried_at', sa.BigInteger(), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table('underived', schema=None) as batch_op:
        batch_op.drop_column('tried_at')
        batch_op.drop_column('error')
