"""``limits`` against a brute-force reading of its definition, row by row and key by key."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from reference_model.config import Objective, PromptAudio
from reference_model.errors import ReferenceModelError
from reference_model.limits import dense_mask, limits, starts

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


def test_missing_answer_start_is_said() -> None:
    with pytest.raises(ReferenceModelError, match="answer_start"):
        limits(torch.tensor([1, 2]), AUDIO, objective="nar")


def test_documents_longer_than_the_sequence_are_said() -> None:
    with pytest.raises(ReferenceModelError, match="do not fit"):
        starts([3, 4], 6)
