"""The hybrid mask in the words of its definition, random sequences for it, and attention written out row by row."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from hypothesis import strategies as st
from torch import Tensor

from reference_model.config import Objective, PromptAudio
from reference_model.limits import limits, starts

AUDIO = 10
"""In these tests ids below 10 are text and ids from 10 on audio: codes, ends and masks alike."""


@dataclass(frozen=True)
class Document:
    """One document; its answer begins at ``answer``."""

    ids: tuple[int, ...]
    answer: int

    def sees(self, i: int, j: int, prompt_audio: PromptAudio, objective: Objective) -> bool:
        """Does row i see key j, both counted from the document's start."""
        if objective == "nar" and i >= self.answer:
            return True
        if j <= i:
            return True
        if objective == "ar" or (prompt_audio == "causal" and i < self.answer):
            return False
        if objective == "nar" and j >= self.answer:
            return False
        return all(self.ids[between] >= AUDIO for between in range(i, j + 1))


@dataclass(frozen=True)
class Batch:
    """Sequences of equal length: documents packed one after the other, then padding."""

    sequences: tuple[tuple[Document, ...], ...]
    padding: tuple[tuple[int, ...], ...]

    @property
    def ids(self) -> Tensor:
        """(B, L)."""
        return torch.tensor(
            [
                [token for document in documents for token in document.ids] + list(padding)
                for documents, padding in zip(self.sequences, self.padding, strict=True)
            ]
        )

    @property
    def lengths(self) -> Tensor:
        """(B,) numbers of real tokens."""
        return torch.tensor([sum(len(document.ids) for document in documents) for documents in self.sequences])

    @property
    def start(self) -> Tensor:
        """(B, L)."""
        total = self.ids.shape[1]
        return torch.stack([starts([len(d.ids) for d in documents], total) for documents in self.sequences])

    @property
    def answer_start(self) -> Tensor:
        """(B, L): each row's own; padding belongs to no answer."""
        found = torch.full_like(self.ids, self.ids.shape[1])
        for row, documents in enumerate(self.sequences):
            first = 0
            for document in documents:
                found[row, first : first + len(document.ids)] = first + document.answer
                first += len(document.ids)
        return found

    def limit(self, prompt_audio: PromptAudio = "bidirectional", objective: Objective = "hybrid") -> Tensor:
        """(B, L), as ``limits`` has it."""
        return limits(
            self.ids,
            AUDIO,
            prompt_audio=prompt_audio,
            objective=objective,
            answer_start=self.answer_start,
            lengths=self.lengths,
            start=self.start,
        )

    def seen(self, prompt_audio: PromptAudio, objective: Objective) -> list[list[list[bool]]]:
        """For every real row of every sequence: which of all L keys it sees, padding among them."""
        total = self.ids.shape[1]
        rows: list[list[list[bool]]] = []
        for documents in self.sequences:
            rows.append([])
            first = 0
            for document in documents:
                inside = range(len(document.ids))
                rows[-1] += [
                    [j - first in inside and document.sees(i, j - first, prompt_audio, objective) for j in range(total)]
                    for i in inside
                ]
                first += len(document.ids)
        return rows


@st.composite
def documents(draw: st.DrawFn) -> Document:
    """Text and audio in runs, or in any order; the answer begins anywhere."""
    token = st.integers(0, 19)
    run = st.one_of(st.lists(st.integers(0, 9), max_size=5), st.lists(st.integers(10, 19), max_size=6))
    in_runs = st.lists(run, min_size=1, max_size=4).map(lambda runs: [token for run in runs for token in run])
    ids = draw(st.one_of(st.lists(token, min_size=1, max_size=12), in_runs.filter(bool)))
    return Document(tuple(ids), draw(st.integers(0, len(ids))))


@st.composite
def batches(draw: st.DrawFn, max_sequences: int = 3, max_documents: int = 3) -> Batch:
    """Sequences of packed documents, padded to the same length and sometimes beyond."""
    sequence = st.lists(documents(), min_size=1, max_size=max_documents)
    sequences = draw(st.lists(sequence, min_size=1, max_size=max_sequences))
    lengths = [sum(len(document.ids) for document in sequence) for sequence in sequences]
    total = max(lengths) + draw(st.integers(0, 3))
    # Padding that looks like audio would lengthen a span at its left.
    padding = [draw(st.lists(st.integers(0, 19), min_size=total - n, max_size=total - n)) for n in lengths]
    return Batch(tuple(tuple(sequence) for sequence in sequences), tuple(tuple(p) for p in padding))


def heads(batch: int, n_rows: int, n_keys: int, n_heads: int, n_kv: int, seed: int) -> tuple[Tensor, Tensor, Tensor]:
    """Random queries, keys and values in fp64, 8 wide."""
    generator = torch.Generator().manual_seed(seed)

    def some(heads: int, n: int) -> Tensor:
        return torch.randn(batch, heads, n, 8, generator=generator, dtype=torch.float64)

    return some(n_heads, n_rows), some(n_kv, n_keys), some(n_kv, n_keys)


def softmax_by_rows(q: Tensor, k: Tensor, v: Tensor, limit: Tensor, start: Tensor) -> Tensor:
    """Attention of (B, H, Lq, D) over (B, Hkv, Lk, D), one row and head at a time."""
    out = torch.zeros_like(q)
    group = q.shape[1] // k.shape[1]
    for b in range(q.shape[0]):
        for i in range(q.shape[2]):
            keys = slice(int(start[b, i]), int(limit[b, i]))
            for h in range(q.shape[1]):
                weight = torch.softmax(k[b, h // group, keys] @ q[b, h, i] / q.shape[3] ** 0.5, 0)
                out[b, h, i] = weight @ v[b, h // group, keys]
    return out
