"""CIDEr-D and ROUGE-L: worked out by hand, against a second implementation, and what holds of any captions."""

from __future__ import annotations

import math
from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tttbench.core.errors import UserError
from tttbench.core.exchange import Status
from tttbench.core.sample import Sample
from tttbench.core.scorer import CorpusScorer
from tttbench.scorers.captions import CiderD, Rarity, RougeL, cider_d, rouge_l
from tttbench.text.caption_words import caption_tokens

from .views import Seen

TWO = (("a dog barks",), ("a cat meows",))


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("A dog barks, twice.", ("a", "dog", "barks", "twice")),
        ("It isn't high-pitched; it's LOUD!", ("it", "is", "n't", "high-pitched", "it", "'s", "loud")),
        ("The dogs\u2019 owner can't see 2 cars", ("the", "dogs", "owner", "ca", "n't", "see", "2", "cars")),
        ("Café \u2013 \u201cmusic\u201d", ("café", "music")),
        ("they've we'll I'm he'd you're", ("they", "'ve", "we", "'ll", "i", "'m", "he", "'d", "you", "'re")),
        ("...", ()),
    ],
)
def test_tokens(text: str, tokens: tuple[str, ...]) -> None:
    assert caption_tokens(text) == tokens


def test_cider_d_worked_out_by_hand() -> None:
    # Of two clips "a" is in both and weighs log 2 - log 2 = 0; all else is in one, or none, and weighs log 2.
    # Words: {dog, runs} and {dog, barks}, cosine 1/2. Pairs: {a dog, dog runs} and {a dog, dog barks}, 1/2.
    # Triples: none shared, 0. Quadruples: none, 0. Equal lengths: (1/2 + 1/2) / 4 * 10 = 2.5.
    rarity = Rarity.of(TWO)
    assert cider_d("A dog runs.", ("a dog barks",), rarity) == pytest.approx(2.5)
    # One word longer: words {dog, barks, loudly} 2 / sqrt(6), pairs 2 / sqrt(6), triples 1 / sqrt(2), times e^(-1/72).
    likeness = (2 / math.sqrt(6) + 2 / math.sqrt(6) + 1 / math.sqrt(2)) / 4
    expected = 10 * likeness * math.exp(-1 / 72)
    assert cider_d("a dog barks loudly", ("a dog barks",), rarity) == pytest.approx(expected)
    # Two references: the mean. The other one shares "a", which weighs nothing.
    assert cider_d("a dog runs", ("a dog barks", "a bell"), rarity) == pytest.approx(1.25)
    # Said twice counts once: "dog" is clipped to the reference's. Words, with L = log 2: L * L / (2 L * sqrt(2) L).
    # Pairs: {dog dog} and {a dog, dog barks}, none shared. Lengths 2 and 3.
    expected = 10 * (1 / (2 * math.sqrt(2))) / 4 * math.exp(-1 / 72)
    assert cider_d("dog dog", ("a dog barks",), rarity) == pytest.approx(expected)


def test_rouge_l_worked_out_by_hand() -> None:
    # Of "the dog barks" two tokens stand in order in each reference: precision 2/3; recall 2/2 of the second.
    precision, recall = 2 / 3, 1.0
    expected = (1 + 1.44) * precision * recall / (recall + 1.44 * precision)
    assert rouge_l("The dog barks.", ("dog sadly barks today", "dog barks")) == pytest.approx(expected)
    assert rouge_l("", ("dog",)) == rouge_l("cat", ("dog",)) == 0.0


def dense(caption: str, references: tuple[str, ...], corpus: list[tuple[str, ...]]) -> float:
    """CIDEr-D over whole vocabularies as arrays."""
    total = 0.0
    for n in range(1, 5):

        def grams(text: str, n: int = n) -> Counter[tuple[str, ...]]:
            words = text.split()
            return Counter(tuple(words[at : at + n]) for at in range(len(words) - n + 1))

        known = sorted({gram for texts in [(caption,), *corpus] for text in texts for gram in grams(text)})
        if not known:
            continue
        df = np.array([sum(any(gram in grams(text) for text in texts) for texts in corpus) for gram in known])
        idf = np.log(len(corpus) / np.maximum(1, df))

        for reference in references:
            a, b = (np.array([grams(text)[gram] for gram in known]) * idf for text in (caption, reference))
            norm = np.linalg.norm(a) * np.linalg.norm(b)
            cosine = float(np.minimum(a, b) @ b / norm) if norm else 0.0
            total += cosine * math.exp(-((len(caption.split()) - len(reference.split())) ** 2) / 72)
    return 10 * total / 4 / len(references)


CAPTIONS = st.lists(st.sampled_from("dog cat barks loudly rain on the a".split()), max_size=7).map(" ".join)
CLIP = st.lists(CAPTIONS, min_size=1, max_size=3).map(tuple)


@given(CAPTIONS, st.lists(CLIP, min_size=2, max_size=4))
def test_cider_d_is_what_a_second_implementation_says(caption: str, corpus: list[tuple[str, ...]]) -> None:
    found = cider_d(caption, corpus[0], Rarity.of(corpus))
    assert found == pytest.approx(dense(caption, corpus[0], corpus), abs=1e-9)
    assert 0 <= found <= 10
    assert cider_d(caption, corpus[0][::-1], Rarity.of(corpus)) == pytest.approx(found)


@given(st.lists(st.text(alphabet="bcdfg", min_size=1, max_size=5), min_size=4, max_size=9))
def test_the_reference_itself_is_worth_ten_and_strangers_nothing(words: list[str]) -> None:
    reference = " ".join(words)
    rarity = Rarity.of([(reference,), ("xyz",)])
    assert cider_d(reference, (reference,), rarity) == pytest.approx(10)
    assert cider_d("xyz xyz xyz xyz", (reference,), rarity) == 0
    assert rouge_l(reference, ("xyz", reference)) == pytest.approx(1)


@given(CAPTIONS, CLIP)
def test_rouge_l_stays_in_its_range_and_more_references_do_no_harm(caption: str, references: tuple[str, ...]) -> None:
    found = rouge_l(caption, references)
    assert 0 <= found <= 1
    assert rouge_l(caption, (*references, "a cat on the rain")) >= found - 1e-12


def clips(*references: tuple[str, ...]) -> list[Sample]:
    return [Sample(str(at), (), one) for at, one in enumerate(references)]


def test_a_set_makes_the_scorer_and_names_itself_in_the_recipe() -> None:
    bare = CiderD()
    assert isinstance(bare, CorpusScorer)
    scorer, other = bare.of_corpus(clips(*TWO)), bare.of_corpus(clips(*TWO, ("rain",)))
    assert scorer.recipe({}).options.startswith("idf=references of 2 clips ")
    assert scorer.recipe({}) != other.recipe({})
    assert bare.of_corpus(clips(*TWO)).recipe({}) == scorer.recipe({})
    sample = clips(*TWO)[0]
    found = scorer.score(sample, Seen(text="a dog runs"))
    assert found is not None
    assert found.value == pytest.approx(2.5)
    assert (found.status, found.detail["tokens"]) == ("ok", "a dog runs")


@pytest.mark.parametrize(
    ("text", "status", "expected"), [("", "ok", "empty"), ("?", "ok", "empty"), ("", "error", "error")]
)
def test_answers_without_words_are_worth_nothing_and_counted(text: str, status: Status, expected: str) -> None:
    view = Seen(text=text, status=status)
    for scorer in (CiderD().of_corpus(clips(*TWO)), RougeL()):
        found = scorer.score(clips(*TWO)[0], view)
        assert found is not None
        assert (found.value, found.status) == (0.0, expected)
        assert scorer.score(Sample("x", ()), view) is None


def test_one_clip_cannot_tell_what_is_rare() -> None:
    with pytest.raises(UserError, match="cider_d: needs at least 2 clips with captions, not 1"):
        CiderD().of_corpus(clips(("a dog",), ()))
