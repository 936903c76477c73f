"""``limits`` against a brute-force reading of its definition, row by row and key by key."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from reference_model.errors import ReferenceModelError
from reference_model.limits import dense_mask, limits, starts

AUDIO = 10
ids_lists = st.lists(st.integers(0, 19), min_size=1, max_size=24)


def sees(ids: list[int], i: int, j: int, answer: int, prompt_audio: str, objective: str) -> bool:
    """Does row i see key j, in the words of the definition."""
    if objective == "nar" and i >= answer:
        return True
    if j <= i:
        return True
    if objective == "ar" or (prompt_audio == "causal" and i < answer):
        return False
    if objective == "nar" and j >= answer:
        return False
    return all(ids[between] >= AUDIO for between in range(i, j + 1))


@given(ids_lists, st.data(), st.sampled_from(["bidirectional", "causal"]), st.sampled_from(["hybrid", "ar", "nar"]))
def test_limit_is_the_definition(ids: list[int], data: st.DataObject, prompt_audio: str, objective: str) -> None:
    answer = data.draw(st.integers(0, len(ids)))
    limit = limits(torch.tensor(ids), AUDIO, prompt_audio=prompt_audio, objective=objective, answer_start=answer)
    expected = [[sees(ids, i, j, answer, prompt_audio, objective) for j in range(len(ids))] for i in range(len(ids))]
    assert dense_mask(limit).tolist() == expected


@given(st.lists(ids_lists, min_size=1, max_size=4), st.integers(0, 5), st.sampled_from(["hybrid", "ar", "nar"]))
def test_packed_documents_have_the_limits_they_have_alone(
    documents: list[list[int]], padding: int, objective: str
) -> None:
    answers = [len(document) // 2 for document in documents]
    flat = torch.tensor([token for document in documents for token in document] + [AUDIO] * padding)
    start = starts([len(document) for document in documents], len(flat))
    offsets = [sum(map(len, documents[:n])) for n in range(len(documents))]
    answer_rows = torch.cat(
        [torch.full((len(d),), o + a) for d, o, a in zip(documents, offsets, answers, strict=True)]
        + [torch.full((padding,), len(flat))]
    )
    packed = limits(flat, AUDIO, objective=objective, answer_start=answer_rows.unsqueeze(0), start=start)
    for document, offset, answer in zip(documents, offsets, answers, strict=True):
        alone = limits(torch.tensor(document), AUDIO, objective=objective, answer_start=answer)
        assert (packed[offset : offset + len(document)] - offset).tolist() == alone.tolist()
        assert set(start[offset : offset + len(document)].tolist()) == {offset}


@given(ids_lists, st.integers(0, 6), st.sampled_from(["hybrid", "nar"]))
def test_padding_is_never_seen_even_if_it_looks_like_audio(ids: list[int], padding: int, objective: str) -> None:
    answer = len(ids) // 3
    padded = limits(
        torch.tensor([ids + [AUDIO + 1] * padding]), AUDIO, objective=objective, answer_start=answer, lengths=len(ids)
    )
    alone = limits(torch.tensor(ids), AUDIO, objective=objective, answer_start=answer)
    assert padded[0, : len(ids)].tolist() == alone.tolist()


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
