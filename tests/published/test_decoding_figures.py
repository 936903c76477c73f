"""The published figures of decoding strategies: each has a source, and those of two papers stand where they belong."""

from __future__ import annotations

from reference_model.decoding import strategy_names
from tttbench.published import SHIPPED, load_tables

FIGURES = SHIPPED.with_name("decoding.toml")


def test_every_figure_has_a_source_and_every_block_a_strategy() -> None:
    (table,) = load_tables(FIGURES)
    for block in table.blocks:
        assert block.source is not None
        assert block.source.url.startswith("https://arxiv.org/abs/")
        assert block.title.partition(":")[0] in strategy_names()
        assert all(row.published for row in block.rows)


def test_figures_stand_under_their_columns() -> None:
    (table,) = load_tables(FIGURES)
    rows = {row.id: row.published for block in table.blocks for row in block.rows}
    # Fast-dLLM, table 1: MBPP, 256 tokens, in parallel without a cache: 28.4 at 24.8 tokens a second, 4.1 times 6.0.
    assert (rows["threshold"]["mbpp"], rows["threshold"]["mbpp_speedup"]) == (28.4, 4.1)
    # LLaDA2.1, table 1: HumanEval+ of the flash model in its speedy mode, 89.63 | 13.81.
    assert (rows["speedy"]["humaneval_plus"], rows["speedy"]["humaneval_plus_tpf"]) == (89.63, 13.81)
