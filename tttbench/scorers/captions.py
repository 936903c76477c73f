"""Captions against several references: ``cider_d`` (CIDEr-D) and ``rouge_l`` (ROUGE-L).

CIDEr-D weighs an n-gram by how few clips of the set have it in their references, so a value belongs to its set: the
recipe holds the set's hash. Captions are compared as tokens of ``tttbench.text.caption_words``.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from tttbench.core.derivation import Need
from tttbench.core.errors import UserError
from tttbench.core.metric import MetricInfo, Score, plain_score
from tttbench.core.plugins import register_scorer
from tttbench.core.recipe import Recipe
from tttbench.core.sample import Sample
from tttbench.core.scorer import View
from tttbench.text.caption_words import VERSION as TOKENS_VERSION
from tttbench.text.caption_words import caption_tokens

CIDER_VERSION = ROUGE_VERSION = 1
"""Raised whenever the same answer may be scored otherwise."""

LONGEST_GRAM = 4
SIGMA = 6.0
"""Of the Gaussian by which a caption of another length than the reference's is worth less."""

FEWEST_CLIPS = 2
"""Of one clip alone every n-gram is in all clips, and weighs nothing."""

BETA = 1.2
"""Of ROUGE-L's F measure, as COCO's evaluation has it."""

TOKENS = f"caption-words@{TOKENS_VERSION}"

CIDER = MetricInfo(
    "CIDEr-D",
    "CIDEr-D",
    "n-grams shared with the references, weighed by how rare they are in this set",
    direction="higher",
    lowest=0,
    highest=10,
)
ROUGE = MetricInfo(
    "ROUGE-L",
    "ROUGE-L",
    "longest common subsequence with the references, as an F measure",
    "%",
    100,
    "higher",
    lowest=0,
    highest=1,
)

Gram = tuple[str, ...]


@dataclass(frozen=True)
class Rarity:
    """How rare n-grams are: in how many of ``n_clips`` clips a reference has each; ``digest`` names the references."""

    n_clips: int
    counts: Mapping[Gram, int]
    digest: str

    @classmethod
    def of(cls, references: Sequence[Sequence[str]]) -> Rarity:
        """Count in the references of each clip."""
        counts: Counter[Gram] = Counter()
        for captions in references:
            counts.update({gram for caption in captions for gram in _grams(caption)})
        digest = hashlib.sha256(json.dumps(list(map(list, references))).encode()).hexdigest()
        return cls(len(references), counts, digest)

    def weight(self, gram: Gram) -> float:
        """The inverse document frequency: log of clips over those that have it; of one that none has, of all clips."""
        return math.log(self.n_clips) - math.log(max(1, self.counts.get(gram, 0)))


@lru_cache(maxsize=4096)
def _grams(caption: str) -> Counter[Gram]:
    """The n-grams of a caption, of one to ``LONGEST_GRAM`` tokens, with their numbers."""
    tokens = caption_tokens(caption)
    return Counter(tokens[at : at + n] for n in range(1, LONGEST_GRAM + 1) for at in range(len(tokens) - n + 1))


def cider_d(caption: str, references: Sequence[str], rarity: Rarity) -> float:
    """Return CIDEr-D, 0 to 10 (Vedantam, Zitnick and Parikh 2015, section 4, with the numbers of COCO's evaluation).

    For n-grams of each length the cosine of the weighed counts, those of the caption clipped to the reference's; times
    exp(-(difference of lengths)^2 / (2 SIGMA^2)); averaged over references and over lengths; times 10.
    """
    given = _weighed(caption, rarity)
    total = 0.0
    for reference in references:
        expected = _weighed(reference, rarity)
        apart = len(caption_tokens(caption)) - len(caption_tokens(reference))
        likeness = math.fsum(_cosine(one, other) for one, other in zip(given, expected, strict=True)) / LONGEST_GRAM
        total += likeness * math.exp(-(apart**2) / (2 * SIGMA**2))
    return min(10.0, 10 * total / len(references))


def _weighed(caption: str, rarity: Rarity) -> list[dict[Gram, float]]:
    found: list[dict[Gram, float]] = [{} for _ in range(LONGEST_GRAM)]
    for gram, count in _grams(caption).items():
        found[len(gram) - 1][gram] = count * rarity.weight(gram)
    return found


def _cosine(given: Mapping[Gram, float], expected: Mapping[Gram, float]) -> float:
    """The cosine with clipped counts; 0 where one of them has no weight."""
    lengths = math.sqrt(math.fsum(w * w for w in given.values()) * math.fsum(w * w for w in expected.values()))
    if not lengths:
        return 0.0
    both = ((weight, expected[gram]) for gram, weight in given.items() if gram in expected)
    return math.fsum(min(weight, other) * other for weight, other in both) / lengths


def rouge_l(caption: str, references: Sequence[str]) -> float:
    """Return ROUGE-L, 0 to 1 (Lin 2004), as COCO's evaluation takes it of several references.

    Of precision and recall of the longest common subsequence the best over the references each, then their F measure.
    """
    given = caption_tokens(caption)
    if not given:
        return 0.0
    pairs = [(_common(given, tokens), len(tokens)) for one in references if (tokens := caption_tokens(one))]
    precision = max((common / len(given) for common, _ in pairs), default=0.0)
    recall = max((common / length for common, length in pairs), default=0.0)
    if not precision or not recall:
        return 0.0
    return (1 + BETA**2) * precision * recall / (recall + BETA**2 * precision)


def _common(given: Gram, expected: Gram) -> int:
    """The length of the longest common subsequence."""
    row = [0] * (len(expected) + 1)
    for token in given:
        before = 0
        for at, other in enumerate(expected, 1):
            before, row[at] = row[at], before + 1 if token == other else max(row[at], row[at - 1])
    return row[-1]


@dataclass(frozen=True)
class CiderD:
    """CIDEr-D of a caption; a ``Scorer`` once it has a set's references (``of_corpus``)."""

    rarity: Rarity | None = None
    info: MetricInfo = CIDER
    reads: frozenset[str] = field(default=frozenset({"text"}))

    def of_corpus(self, samples: Sequence[Sample]) -> CiderD:
        """Return the scorer for a set; raises ``UserError`` if it is too small to tell what is rare."""
        references = [sample.references for sample in samples if sample.references]
        if len(references) < FEWEST_CLIPS:
            raise UserError(
                f"cider_d: needs at least {FEWEST_CLIPS} clips with captions, not {len(references)}: it weighs words "
                "by how rare they are among clips. Take more samples, or leave the score out."
            )
        return CiderD(Rarity.of(references))

    def recipe(self, recipes: Mapping[str, str]) -> Recipe:
        """Name, tokens, and the set whose references tell what is rare."""
        known = self.rarity
        of = "" if known is None else f"idf=references of {known.n_clips} clips {known.digest[:12]}"
        return Recipe(f"cider_d@{CIDER_VERSION}", normalizer=TOKENS, options=of)

    def needs(self, sample: Sample, view: View) -> Iterable[Need]:
        """Need nothing."""
        return ()

    def score(self, sample: Sample, view: View) -> Score | None:
        """Return the caption's value; None where there is no reference."""
        assert self.rarity is not None  # the pipeline gives scorers of a corpus theirs
        if not sample.references:
            return None
        return _scored(view, cider_d(view.text, sample.references, self.rarity) if view.status == "ok" else 0.0)


@dataclass(frozen=True)
class RougeL:
    """ROUGE-L of a caption; a ``Scorer``."""

    info: MetricInfo = ROUGE
    reads: frozenset[str] = field(default=frozenset({"text"}))

    def recipe(self, recipes: Mapping[str, str]) -> Recipe:
        """Name and tokens."""
        return Recipe(f"rouge_l@{ROUGE_VERSION}", normalizer=TOKENS)

    def needs(self, sample: Sample, view: View) -> Iterable[Need]:
        """Need nothing."""
        return ()

    def score(self, sample: Sample, view: View) -> Score | None:
        """Return the caption's value; None where there is no reference."""
        if not sample.references:
            return None
        return _scored(view, rouge_l(view.text, sample.references) if view.status == "ok" else 0.0)


def _scored(view: View, value: float) -> Score:
    """An answer without a word is empty, and worth nothing."""
    tokens = caption_tokens(view.text)
    status = "empty" if view.status == "ok" and not tokens else view.status
    return plain_score(0.0 if status != "ok" else value, status, tokens=" ".join(tokens))


@register_scorer("cider_d", summary=CIDER.explanation)
def build_cider_d(options: Mapping[str, str]) -> CiderD:
    """Build it."""
    return CiderD()


@register_scorer("rouge_l", summary=ROUGE.explanation)
def build_rouge_l(options: Mapping[str, str]) -> RougeL:
    """Build it."""
    return RougeL()
