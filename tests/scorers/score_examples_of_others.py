"""What scores make of judges' votes, predicted opinions, audio codes and clips without speech; for ``score_examples``.

Judges and predictors are stood in for by names, so that neither their packages nor their prompts make another recipe.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from tttbench.core.derivation import Derived, Need
from tttbench.core.metric import Score
from tttbench.core.plugins import build_scorer
from tttbench.core.sample import Renditions
from tttbench.core.scorer import Scorer, ScoreSpec

from .views import AUDIO, Seen, sample

Given = tuple[str, dict[str, str]]
"""A recipe, and what it gives by example."""

QUESTION = replace(sample("Paris"), metadata={"question": "What is the capital of France?"})

VOTES: Mapping[str, tuple[tuple[int, ...], ...]] = {
    "judge-binary": ((1,), (0,), (1, 0, 1), (1, 0, 0), (1, 0), (0, 0, 1, 1)),
    "judge-1-5": ((3,), (3, 4, 4), (1, 5), (5, 5, 5)),
    "judge-1-10": ((10,), (1, 2), (7, 8, 8)),
    "clair-a": ((0,), (100,), (40, 61)),
}
DAMAGED = (
    *('{"verdicts": []}', '{"verdicts": [11, 5]}', '{"verdicts": [true]}', '{"verdicts": ["1"]}', "[1]", "no JSON"),
    *('{"votes": [1]}', '{"verdicts": [-1]}', '{"verdicts": [1.5]}'),
)
PREDICTED: tuple[tuple[str, dict[str, str]], ...] = (
    ("dnsmos", {"of": "ovrl"}),
    ("dnsmos", {"of": "sig"}),
    ("dnsmos", {"of": "bak"}),
    ("dnsmos", {"of": "p808"}),
    ("plcmos", {}),
    ("utmos", {}),
)
OPINIONS = '{"ovrl": 3.25, "sig": 3.5, "bak": 4.125, "p808": 2.75, "plcmos": 4.5, "utmos": 1.0625}'

CODES: tuple[tuple[int, ...], ...] = ((1, 2, 3, 4), (1, 2, 9, 4), (1, 2, 3, 3, 4), (5, 6, 7, 8), (9,) * 9, (1,), ())
RENDITIONS = ((1, 2, 3, 4), (5, 6, 7, 8, 9), ())

SILENT = ("", "...", "[noise]")
INVENTED = ("Thank you for watching.", "you", "", "[noise]", "谢谢观看。")


@dataclass(frozen=True)
class Told(Seen):
    """An answer of which every derivation says the same."""

    says: Derived | None = field(default_factory=lambda: Derived("failed", error="refused"))

    def derived(self, need: Need) -> Derived | None:
        return self.says


def outputs() -> Iterator[Given]:
    """Return what each recipe gives for its examples now."""
    yield from _judged()
    yield from _predicted()
    yield _compared()
    yield from _of_codes()
    yield from _without_speech()


def _judged() -> Iterator[Given]:
    prompts = [("answer", one) for one in ("judge-binary", "judge-1-5", "judge-1-10")]
    for scorer, prompt in (*prompts, ("clair_a", "clair-a")):
        chosen = {} if scorer == "clair_a" else {"recipe": prompt}
        yield _verdicts(scorer, prompt, chosen)
    yield _verdicts("answer", "judge-binary", {"recipe": "voicebench-qa"})
    yield _verdicts("answer", "judge-1-5", {"recipe": "uro-open"})
    yield _verdicts("answer", "judge-binary", {"recipe": "uro-qa"})
    yield _verdicts("answer", "judge-binary", {"recipe": "uro-qa", "denominator": "as-published"})


def _verdicts(scorer: str, prompt: str, options: Mapping[str, str]) -> Given:
    built = _built(scorer, {"judge": "openai_chat:m", **options})
    contents = [json.dumps({"verdicts": votes, "model": "m"}) for votes in VOTES[prompt]]
    replies = [Derived("ok", one) for one in (*contents, *DAMAGED)]
    seen = {one.content: Told("Paris", says=one) for one in replies}
    seen |= {"refused": Told("Paris"), "not asked yet": Told("Paris", says=None), "no word": Told("...")}
    seen |= {"no answer": Told("Paris", status="error"), "unreadable answer": Told("Paris", status="unparsed")}
    return _recipe(built, prompt), {name: _said(built.score(QUESTION, one)) for name, one in seen.items()}


def _predicted() -> Iterator[Given]:
    for scorer, options in PREDICTED:
        built = _built(scorer, options)
        seen = {
            "predicted": Told("Yes.", spoken=True, says=Derived("ok", OPINIONS)),
            "failed": Told("Yes.", spoken=True),
            "not predicted": Told("Yes.", spoken=True, says=None),
            "not spoken": Told("Yes."),
            "no answer": Told(status="error"),
        }
        yield _recipe(built), {name: _said(built.score(QUESTION, one)) for name, one in seen.items()}
    similar = _built("speaker_similarity", {})
    other = replace(AUDIO, sha256="1" * 64)
    found = {}
    for one, two in (((3, 4), (3, 4)), ((1, 0), (0, 1)), ((1, 0), (-2, 0)), ((1, 2), (2, 1))):
        view = _Pair(spoken=True, reference_audio=other, vectors=(one, two))
        found[f"{one} {two}"] = _said(similar.score(QUESTION, view))
    found["itself"] = _said(similar.score(QUESTION, _Pair(spoken=True, reference_audio=AUDIO)))
    found["not spoken"] = _said(similar.score(QUESTION, _Pair(reference_audio=other)))
    found["no reference"] = _said(similar.score(QUESTION, _Pair(spoken=True)))
    yield _recipe(similar), found


@dataclass(frozen=True)
class _Pair(Seen):
    """An answer and a reference with their embeddings."""

    vectors: tuple[tuple[int, ...], tuple[int, ...]] = ((1, 0), (1, 0))

    def derived(self, need: Need) -> Derived | None:
        return Derived("ok", json.dumps(self.vectors[need.audio_sha256 != AUDIO.sha256]))


def _compared() -> Given:
    """Captions that networks compared with their references."""
    built = _built("fense", {})
    contents = [
        json.dumps({"fense": value, "sbert_sim": likeness, "fer": error})
        for value, likeness, error in (
            (0.75, 0.75, 0.0),
            (0.075, 0.75, 1.0),
            (-0.25, -0.25, 0.0),
            (1.000001, 1.000001, 0),
        )
    ]
    seen = {one: Told("a dog", says=Derived("ok", one)) for one in contents}
    seen |= {"failed": Told("a dog"), "not compared": Told("a dog", says=None), "no word": Told("...")}
    seen |= {"no answer": Told(status="error")}
    return _recipe(built), {name: _said(built.score(QUESTION, one)) for name, one in seen.items()}


def _of_codes() -> Iterator[Given]:
    nearest = _built("nearest_rendition", {})
    asked = replace(sample("Paris"), renditions=Renditions("a", RENDITIONS))
    found = {str(codes): _said(nearest.score(asked, Seen(codes=codes, codec="a"))) for codes in CODES}
    found["another codec"] = _said(nearest.score(asked, Seen(codes=(1,), codec="b")))
    found["no answer"] = _said(nearest.score(asked, Seen(codes=None, status="error")))
    found["no renditions"] = _said(nearest.score(sample("Paris"), Seen(codes=(1,))))
    yield _recipe(nearest), found
    oracle = _built("oracle_agreement", {"oracle": "slow"})
    found = {
        f"{one} {two}": _said(oracle.score(QUESTION, Seen(codes=one, peers={"slow": Seen(codes=two)})))
        for one in CODES
        for two in CODES[:3] + CODES[-1:]
    }
    yield _recipe(oracle), found


def _without_speech() -> Iterator[Given]:
    for name, options in (
        *((one, {}) for one in ("inserted_words", "inserted_characters", "clips_with_words")),
        ("clips_with_words", {"of": "cer_zh"}),
    ):
        built = _built(name, options)
        found = {
            f"{reference} | {text}": _said(built.score(sample(reference), Seen(text, input_s=30)))
            for reference in (*SILENT, "a word")
            for text in INVENTED
        }
        found["no answer"] = _said(built.score(sample(""), Seen(status="error", input_s=30)))
        found["nothing is known"] = _said(built.score(sample(), Seen("you", input_s=30)))
        yield _recipe(built), found


def _built(scorer: str, options: Mapping[str, str]) -> Scorer:
    return build_scorer(ScoreSpec(scorer, scorer, dict(options)))


def _recipe(built: Scorer, made_by: str = "any") -> str:
    """The recipe, whatever judge or predictor is installed."""
    derivers = getattr(built, "derivers", ())
    return str(built.recipe(dict.fromkeys(derivers, made_by)))


def _said(score: Score | None) -> str:
    if score is None:
        return "no score"
    over = score.numerator, score.denominator
    parts = "" if any(map(math.isnan, over)) else f", {over[0]:.6g} of {over[1]:.6g}"
    return f"{score.value:.6g}, {score.status}{parts}"
