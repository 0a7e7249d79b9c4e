"""how long trials ran"""

import sqlalchemy as sa
from alembic import op

revision = '0033'
down_revision = '0032'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        'trial_runs',
        sa.Column('generation', sa.Integer(), nullable=False),
        sa.Column('day', sa.BigInteger(), nullable=False),
        sa.Column('plan', sa.String(), nullable=False),
        sa.Column('ran', sa.Integer(), nullable=False),
        sa.Column('paid', sa.Integer(), nullable=False),
        sa.Column('trials', sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint('generation', 'day', 'plan', 'ran', 'paid'),
        sqlite_with_rowid=False,
    )
    op.execute("UPDATE metrics_state SET terms = ''")  # the cells are made anew, of the facts as they are


def downgrade() -> None:
    op.drop_table('trial_runs')
