"""what became of trials"""

import sqlalchemy as sa
from alembic import op

revision = '0024'
down_revision = '0023'
branch_labels = None
depends_on = None


def _texts(*names: str) -> list[sa.Column]:
    return [sa.Column(name, sa.String(), nullable=False) for name in names]


def _numbers(*names: str) -> list[sa.Column]:
    return [sa.Column(name, sa.Integer(), nullable=False) for name in names]


def _instants(*names: str, nullable: bool = True) -> list[sa.Column]:
    return [sa.Column(name, sa.BigInteger(), nullable=nullable) for name in names]


def _cells(name: str, keys: list[sa.Column], amounts: tuple[str, ...]) -> None:
    slices = [*_texts('dim', 'grain'), *_instants('period', nullable=False)]
    columns = [*_numbers('generation'), *slices, *_texts('plan', 'source', 'currency', 'value'), *keys]
    op.create_table(
        name,
        *columns,
        *_instants(*amounts, nullable=False),
        sa.PrimaryKeyConstraint(*(column.name for column in columns)),
        sqlite_with_rowid=False,
    )


def upgrade() -> None:
    op.create_table(
        'trial_facts',
        *_instants('started', nullable=False),
        *_texts('customer', 'state'),
        *_numbers('days'),
        *_texts('plan', 'source', 'currency', 'country'),
        *_instants('plan_micros', nullable=False),
        *_texts('price'),
        *_numbers('trial_days'),
        *_texts('card_at_start'),
        *_numbers('extended', 'called', 'messaged'),
        *_texts('why'),
        *_numbers('commented'),
        *_texts('subscription'),
        *_instants('trial_end', 'first_trial_end', 'over_at'),
        *_numbers('in_trial'),
        *_instants('converted_at'),
        *_numbers('on_invoice', 'card_on_file'),
        *_instants('canceled_at'),
        sa.PrimaryKeyConstraint('started', 'customer'),
        sqlite_with_rowid=False,
    )
    op.create_index(op.f('ix_trial_facts_customer'), 'trial_facts', ['customer'])
    op.create_index(
        'ix_trial_facts_ended', 'trial_facts', ['over_at', 'state', 'plan', 'source', 'currency', 'country']
    )
    op.create_index(
        'ix_trial_facts_commented',
        'trial_facts',
        ['started', 'canceled_at'],
        sqlite_where=sa.text('commented = 1'),
        postgresql_where=sa.text('commented = 1'),
    )
    op.create_table(
        'journey_facts',
        *_instants('created', nullable=False),
        *_texts('customer', 'path'),
        *_numbers('depth', 'waits'),
        *_texts('plan', 'source', 'currency', 'country'),
        *_numbers('extended', 'messaged'),
        *_instants('trial_end', 'paid_at'),
        sa.PrimaryKeyConstraint('created', 'customer'),
        sqlite_with_rowid=False,
    )
    op.create_index(op.f('ix_journey_facts_customer'), 'journey_facts', ['customer'])
    _cells('trial_cells', [*_texts('state'), *_numbers('days')], ('trials', 'micros'))
    _cells('journey_cells', [*_texts('path'), *_numbers('depth', 'waits')], ('customers',))


def downgrade() -> None:
    op.drop_table('journey_cells')
    op.drop_table('trial_cells')
    op.drop_table('journey_facts')
    op.drop_table('trial_facts')
