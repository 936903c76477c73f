"""``limits`` against a brute-force reading of its definition, row by row and key by key."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from reference_model.config import Objective, PromptAudio
from reference_model.errors import ReferenceModelError
from reference_model.limits import dense_mask, limits, starts

from .devices import Careless
from .masks import AUDIO, Batch, batches

objectives = st.sampled_from(["hybrid", "ar", "nar"])
prompt_audios = st.sampled_from(["bidirectional", "causal"])


@given(batches(), prompt_audios, objectives)
@settings(max_examples=300)
def test_limit_is_the_definition(batch: Batch, prompt_audio: PromptAudio, objective: Objective) -> None:
    """For any interleaving, spans that touch, masks, padding and packed documents."""
    found = dense_mask(batch.limit(prompt_audio, objective), batch.start)
    for rows, expected in zip(found.tolist(), batch.seen(prompt_audio, objective), strict=True):
        assert rows[: len(expected)] == expected


@given(batches(max_documents=1), prompt_audios, objectives)
@settings(max_examples=200)
def test_limit_is_the_definition_for_one_document_a_row(
    batch: Batch, prompt_audio: PromptAudio, objective: Objective
) -> None:
    """Without ``start``: padding that looks like audio must be told from a span by the lengths alone."""
    answer_start = torch.tensor([documents[0].answer for documents in batch.sequences])
    limit = limits(
        batch.ids,
        AUDIO,
        prompt_audio=prompt_audio,
        objective=objective,
        answer_start=answer_start,
        lengths=batch.lengths,
    )
    for rows, expected in zip(dense_mask(limit).tolist(), batch.seen(prompt_audio, objective), strict=True):
        assert rows[: len(expected)] == expected


@given(batches(), prompt_audios, objectives)
def test_every_row_sees_itself_so_no_softmax_is_empty(
    batch: Batch, prompt_audio: PromptAudio, objective: Objective
) -> None:
    limit = batch.limit(prompt_audio, objective)
    position = torch.arange(limit.shape[1])
    assert bool(((limit > position) & (limit <= limit.shape[1])).all())


@given(batches(max_sequences=1), prompt_audios, objectives)
def test_a_packed_document_has_the_limits_it_has_alone(
    batch: Batch, prompt_audio: PromptAudio, objective: Objective
) -> None:
    packed = batch.limit(prompt_audio, objective)[0]
    first = 0
    for document in batch.sequences[0]:
        ids, end = torch.tensor(document.ids), first + len(document.ids)
        alone = limits(ids, AUDIO, prompt_audio=prompt_audio, objective=objective, answer_start=document.answer)
        assert (packed[first:end] - first).tolist() == alone.tolist()
        first = end


def test_spans_that_touch_are_one_run_whatever_tokens_they_are_made_of() -> None:
    code, end, mask, text = 11, 18, 19, 1
    assert limits(torch.tensor([text, code, end, code, mask, mask, text]), AUDIO).tolist() == [1, 6, 6, 6, 6, 6, 7]


def test_by_hand() -> None:
    ids = torch.tensor([1, 11, 12, 2, 13, 3])
    assert limits(ids, AUDIO).tolist() == [1, 3, 3, 4, 5, 6]
    assert limits(ids, AUDIO, prompt_audio="causal", answer_start=4).tolist() == [1, 2, 3, 4, 5, 6]
    assert limits(ids, AUDIO, objective="nar", answer_start=3).tolist() == [1, 3, 3, 6, 6, 6]
    assert limits(ids, AUDIO, objective="ar").tolist() == [1, 2, 3, 4, 5, 6]


def test_rows_of_a_batch_have_their_own_answer_and_length() -> None:
    ids = torch.tensor([[1, 11, 2, 3], [1, 2, 11, 12]])
    found = limits(ids, AUDIO, objective="nar", answer_start=torch.tensor([2, 1]), lengths=torch.tensor([4, 3]))
    assert found.tolist() == [[1, 2, 4, 4], [1, 3, 3, 4]]


def test_an_answer_of_audio_right_behind_audio_by_hand() -> None:
    # The first audio id is audio; position 2 is the answer's first.
    ids = torch.tensor([AUDIO, 11, AUDIO, 12, 1, 13])
    assert limits(ids, AUDIO).tolist() == [4, 4, 4, 4, 5, 6]
    assert limits(ids, AUDIO, prompt_audio="causal", answer_start=2).tolist() == [1, 2, 4, 4, 5, 6]
    assert limits(ids, AUDIO, objective="nar", answer_start=2).tolist() == [2, 2, 6, 6, 6, 6]
    causal_prompt = limits(ids, AUDIO, objective="nar", prompt_audio="causal", answer_start=2)
    assert causal_prompt.tolist() == [1, 2, 6, 6, 6, 6]
    assert limits(ids, AUDIO, objective="nar", answer_start=0).tolist() == [6] * 6
    # Without an answer, all is prompt.
    assert limits(ids, AUDIO, objective="nar", answer_start=6).tolist() == [4, 4, 4, 4, 5, 6]
    assert limits(ids, AUDIO, lengths=3).tolist()[:3] == [3, 3, 3]


def test_packed_documents_by_hand() -> None:
    # Two documents of audio, the second with its answer at 3; padding that looks like audio behind them.
    ids, start = torch.tensor([[11, 12, 13, 14, 15]]), starts([2, 2], 5).unsqueeze(0)
    assert start.tolist() == [[0, 0, 2, 2, 4]]
    assert limits(ids, AUDIO, start=start, lengths=torch.tensor([4])).tolist() == [[2, 2, 4, 4, 5]]
    answer_start = torch.tensor([[2, 2, 3, 3, 5]])
    found = limits(ids, AUDIO, objective="nar", answer_start=answer_start, start=start, lengths=4)
    assert found.tolist() == [[2, 2, 3, 4, 5]]
    # Of a single row the shape stays (L,), with starts of that shape.
    assert limits(ids[0], AUDIO, start=start[0]).tolist() == [2, 2, 4, 4, 5]


def test_starts_by_hand() -> None:
    assert starts([2, 1]).tolist() == starts([2, 1], 3).tolist() == [0, 0, 2]
    assert starts([2], 4).tolist() == [0, 0, 2, 2]
    assert starts([]).tolist() == []
    assert starts([2]).dtype == torch.int64


def test_the_mask_written_out_by_hand() -> None:
    limit, start = torch.tensor([2, 2, 3]), torch.tensor([0, 0, 2])
    assert dense_mask(limit).int().tolist() == [[1, 1, 0], [1, 1, 0], [1, 1, 1]]
    assert dense_mask(limit, start).int().tolist() == [[1, 1, 0], [1, 1, 0], [0, 0, 1]]
    assert dense_mask(limit, n_keys=4).int().tolist() == [[1, 1, 0, 0], [1, 1, 0, 0], [1, 1, 1, 0]]
    rows = dense_mask(torch.stack([limit, limit]), torch.stack([start, start]))
    assert rows.int().tolist() == [[[1, 1, 0], [1, 1, 0], [0, 0, 1]]] * 2


@pytest.mark.parametrize("objective", ["hybrid", "ar", "nar"])
def test_limits_are_made_where_the_ids_are(objective: Objective) -> None:
    ids = torch.tensor([[1, 11, 12], [11, 12, 1]])
    # Where answers begin and sequences end may still be on the CPU when the ids are on a GPU.
    lengths = torch.tensor([3, 3])
    with Careless() as careless:
        dense_mask(limits(ids, AUDIO, objective=objective, answer_start=1, lengths=lengths))
    assert careless.calls == []
    assert "arange" in careless.watched


@pytest.mark.parametrize(
    ("objective", "prompt_audio"), [("nar", "bidirectional"), ("hybrid", "causal"), ("nar", "causal")]
)
def test_missing_answer_start_is_said(objective: Objective, prompt_audio: PromptAudio) -> None:
    with pytest.raises(ReferenceModelError) as missing:
        limits(torch.tensor([1, 2]), AUDIO, objective=objective, prompt_audio=prompt_audio)
    assert str(missing.value) == (
        f"limits(objective={objective!r}, prompt_audio={prompt_audio!r}) needs answer_start: "
        "the position at which the answer begins"
    )


def test_documents_longer_than_the_sequence_are_said() -> None:
    with pytest.raises(ReferenceModelError, match="documents of 7 tokens do not fit into a sequence of 6"):
        starts([3, 4], 6)
