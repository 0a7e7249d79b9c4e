"""forms that were sent: a second click on the same form does nothing twice"""

import sqlalchemy as sa
from alembic import op

revision = '0006'
down_revision = '0005'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        'forms_sent',
        sa.Column('form', sa.String(), nullable=False),
        sa.Column('at', sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint('form'),
    )
    op.create_index('ix_forms_sent_at', 'forms_sent', ['at'])


def downgrade() -> None:
    op.drop_table('forms_sent')
