"""What scores that are worked out from an answer alone give for examples, kept with their recipes.

``python -m tests.scorers.score_examples`` stores it anew, and refuses to where a recipe gives something else than it
did. Normalizers, matchers and edit rates have examples of their own (``tests/text/recipe_examples.py``).
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np

from tttbench.core.judging import SCALES
from tttbench.core.metric import Score
from tttbench.core.plugins import build_scorer
from tttbench.core.sample import Sample
from tttbench.core.scorer import CorpusScorer, ScoreSpec
from tttbench.derive.judge.replies import VERSION as REPLIES_VERSION
from tttbench.derive.judge.replies import UnreadableError, read_verdict
from tttbench.scorers.speech import LOUDNESS
from tttbench.stats.loudness import loudness

from ..text.recipe_examples import Outputs, changes
from ..text.test_instructions import CASES
from .score_examples_of_others import outputs as of_others
from .views import Seen, sample

STORED = Path(__file__).with_name("score_examples.json")

CHOICES = (
    *("B", " b. ", "(C)", "**D**", "Option A.", "d: the sun", "The answer is B.", "the answer is a.", "I'd say C."),
    *("Option C is the correct answer, not option D.", r"\boxed{\text{D}}", "答案是B。", "Well.\nB. a magnet", ""),
    *("The answer is a river.", "It is either (A) or (B).", "The answer is not B", "I don't know.", "Yes, it is.", "E"),
)
REFUSALS = (
    *(
        "I'm sorry, but no.",
        "I cannot help.",
        "Sure, here it is.",
        "As an assistant, yes.",
        "抱歉不行",
        "",
        "Illegal!",
    ),
    *("I don\u2019t think so", "I am unable to do that", "This is unethical.", "It is LEGAL and ethical standards"),
)
CAPTIONS = (
    *("A dog barks.", "a dog barks loudly", "dog dog", "A cat, and it isn't quiet", "rain on a tin roof", "...", ""),
    *("The wind blows while high-pitched birds sing", "a dog is barking while the rain falls"),
)
CLIPS = (
    ("A dog barks", "A dog is barking loudly"),
    ("Rain falls on a roof", "It rains, heavily"),
    ("Birds sing in the wind", "The wind blows while birds sing"),
)
REPEATED = {
    "uro-en": (("one way", "one way or another"), ("it's 20 dollars", "It is twenty dollars."), ("a b c d", "a b c")),
    "uro-zh": (("我有20个苹果", "我有二十个苹果。"), ("今天天气好", "今天天气"), ("你好", "再见")),
}
REPLIES = (
    *('{"verdict": "yes"}', '{"verdict": "No"}', "Yes.", "**no**", "Final verdict: Yes.", "1", "maybe", "Yes and no"),
    *('{"grade": 4}', "[[4]]", "[[3]] or [[4]]", "Grade: 3", "4/5", '{"grade": 4.5}', "10", "<think>no</think> yes"),
    *('```json\n{"verdict": "no"}\n```', '{"verdict": "yes"', "", "I can't grade that."),
)


def outputs() -> dict[str, dict[str, str]]:
    """Return what each recipe gives for its examples now."""
    own = [*_choices(), *_refusal(), *_instructions(), *_captions(), *_repetition(), *_replies(), *_loudness()]
    return dict([*own, *of_others()])


def _choices() -> Iterator[tuple[str, dict[str, str]]]:
    asked = (
        replace(sample("B"), metadata={"options": "A|B|C|D"}),
        replace(sample("yes"), metadata={"options": "yes|no"}),
    )
    for unparsed in ("wrong", "chance"):
        yield _given("multiple_choice", [(one, text) for one in asked for text in CHOICES], unparsed=unparsed)


def _refusal() -> Iterator[tuple[str, dict[str, str]]]:
    yield _given("refusal", [(sample(""), text) for text in REFUSALS])


def _instructions() -> Iterator[tuple[str, dict[str, str]]]:
    asked = [
        (replace(sample(""), metadata={"instruction_id_list": json.dumps([name]), "kwargs": json.dumps([told])}), text)
        for name, told, text, _ in CASES
    ]
    for mode in ("strict", "loose"):
        yield _given("ifeval", asked, mode=mode)


def _captions() -> Iterator[tuple[str, dict[str, str]]]:
    clips = [sample(*captions, sample_id=str(at)) for at, captions in enumerate(CLIPS)]
    for scorer in ("cider_d", "rouge_l"):
        yield _given(scorer, [(one, text) for one in clips for text in CAPTIONS], corpus=clips)


def _repetition() -> Iterator[tuple[str, dict[str, str]]]:
    for recipe, pairs in REPEATED.items():
        yield _given("repetition", [(sample(reference), text) for reference, text in pairs], recipe=recipe)


def _given(
    scorer: str, asked: list[tuple[Sample, str]], corpus: list[Sample] | None = None, **options: str
) -> tuple[str, dict[str, str]]:
    """What a score gives for answers, by what it is of."""
    built = build_scorer(ScoreSpec(scorer, scorer, options))
    if corpus is not None and isinstance(built, CorpusScorer):
        built = built.of_corpus(corpus)
    found = {}
    for one, text in asked:
        told = [*one.references, *one.metadata.values(), text]
        found[" | ".join(filter(None, told)) or "nothing"] = _said(built.score(one, Seen(text)))
    return str(built.recipe({})), found


def _said(score: Score | None) -> str:
    return "no score" if score is None else f"{score.value:.6g}, {score.status}"


def _replies() -> Iterator[tuple[str, dict[str, str]]]:
    for prompt in ("judge-binary", "judge-1-5", "judge-1-10"):
        scale, found = SCALES[prompt], {}
        for reply in REPLIES:
            try:
                found[reply] = str(read_verdict(reply, "verdict" if scale.is_binary else "grade", scale))
            except UnreadableError:
                found[reply] = "none"
        yield f"replies@{REPLIES_VERSION} of {prompt}", found


def _loudness() -> Iterator[tuple[str, dict[str, str]]]:
    tone = np.sin(np.arange(8_000) / 5)
    waves = {
        "tone": 0.5 * tone,
        "tone, then silence": np.concatenate([0.5 * tone, np.zeros(8_000)]),
        "tone, then faint": np.concatenate([0.5 * tone, 0.004 * tone]),
        "clipped": np.clip(2 * tone, -1, 1),
        "faint": 0.0005 * tone,
    }
    found = {name: loudness(wave.astype(np.float32), 16_000) for name, wave in waves.items()}
    yield LOUDNESS, {name: f"{one.silence:.6g} silent, {one.clipped:.6g} clipped" for name, one in found.items()}


def stored() -> Outputs:
    """Read what is stored."""
    found: Mapping[str, Mapping[str, str]] = json.loads(STORED.read_text(encoding="utf-8")) if STORED.exists() else {}
    return found


def store() -> int:
    """Write what recipes give now; 1 if one gives something else than it did."""
    now = outputs()
    if wrong := changes(stored(), now):
        print("\n".join(wrong), file=sys.stderr)
        return 1
    STORED.write_text(json.dumps(now, ensure_ascii=False, indent=0) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(store())
