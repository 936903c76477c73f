"""What the ablation's NAR model writes when it is told how long the answer is, beside the blocks that it is decoded by.

    python benchmarks/nar_length.py --save       # the shipped NAR model, 200 samples a task; minutes on two cores

The published NAR baseline diffuses the whole answer at once, so in training it sees how many masks there are. A decoder
doesn't know that and appends blocks. The true length (of the true answer's text and codes) is what no decoder could
know: with it the text is an upper bound, not a system. Prints a table, and as last line one JSON document.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from reference_model.decoding import DecodeConfig
    from tttbench.core.sample import Sample
    from tttbench.core.task import Task

ROOT = Path(__file__).resolve().parent.parent
if str(ROOT) not in sys.path:
    sys.path.insert(0, str(ROOT))
MODEL = ROOT / "reference_model" / "weights" / "ablation-nar"
"""In the repository; the installed package doesn't have it."""

METRICS = {"mini_asr": "wer", "mini_asr_noisy": "wer", "mini_qa": "text_accuracy", "mini_qa_noisy": "text_accuracy"}


@dataclass(frozen=True)
class Written:
    """The text of one way to decode on one task, with its 95 % interval over samples."""

    task: str
    metric: str
    length: str
    n: int
    value: float
    low: float
    high: float


def main(argv: Sequence[str] | None = None) -> int:
    """Decode both ways, show, and keep."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--model", default=str(MODEL), help="a NAR checkpoint: its folder, or the name of a shipped one"
    )
    parser.add_argument("--steps", type=int, default=8, help="passes for the whole answer (default: 8)")
    parser.add_argument("--limit", type=int, help="samples a task (default: all)")
    parser.add_argument("--save", nargs="?", type=Path, const=ROOT / "benchmarks" / "results", metavar="FOLDER")
    args = parser.parse_args(argv)
    from benchmarks.machine import this_machine
    from tttbench.cli.columns import columns
    from tttbench.core.plugins import build_task

    began = datetime.now(UTC).isoformat(timespec="seconds")
    found = [written for task in METRICS for written in measure(args.model, build_task(task), args)]
    table = [["task", "metric", "length of the answer", "n", "%", "95 % interval"]]
    for one in found:
        interval = f"{100 * one.low:.1f} to {100 * one.high:.1f}"
        table.append([one.task, one.metric, one.length, str(one.n), f"{100 * one.value:.1f}", interval])
    print(columns(table, right=frozenset({3, 4, 5})))
    document = {
        "benchmark": "nar_length",
        "began": began,
        "command": "python benchmarks/nar_length.py " + " ".join(sys.argv[1:] if argv is None else argv),
        "model": Path(args.model).name,
        "steps": args.steps,
        "machine": asdict(this_machine()),
        "written": [asdict(one) for one in found],
    }
    if args.save:
        args.save.mkdir(parents=True, exist_ok=True)
        (args.save / "nar_length.json").write_text(json.dumps(document, indent=1) + "\n")
    print(json.dumps(document))
    return 0


def measure(name: str, task: Task, args: argparse.Namespace) -> list[Written]:
    """Decode the samples of a task both ways.

    Raises:
        SystemExit: the checkpoint isn't a NAR model.
        UserError: there is no such checkpoint.
    """
    import reference_model
    from reference_model.decoding import Prompt, generate
    from tttbench.systems.ttt.folder import checkpoint_folder, read_assistant
    from tttbench.systems.ttt.likelihood import example_of
    from tttbench.systems.ttt.settings import decode_settings
    from tttbench.systems.ttt.speech import load_codec

    folder = checkpoint_folder(name)
    assistant = read_assistant(folder)
    loaded, codec = reference_model.load(folder), load_codec(assistant.codec_folder())
    if loaded.model.config.objective != "nar":
        raise SystemExit(f"{folder}: trained as {loaded.model.config.objective!r}; only a NAR model sees the length")
    own = decode_settings([assistant.decode])
    samples = task.samples(None)[: args.limit]
    texts: dict[str, list[str]] = {"true": [], f"blocks of {own.block_length}": []}
    for sample in samples:
        example = example_of(sample, loaded, codec, assistant.prompts[task.family])
        for texts_of, settings in zip(texts.values(), (_whole(len(example.answer), args.steps), own), strict=True):
            (answer,) = generate(loaded.model, [Prompt(example.prompt)], settings)
            texts_of.append(loaded.tokenizer.decode(answer.text_ids))
    return [_written(task.name, length, samples, found) for length, found in texts.items()]


def _whole(n_tokens: int, steps: int) -> DecodeConfig:
    """One block as long as the answer, its end included, and nothing behind it."""
    from reference_model.decoding import DecodeConfig

    return DecodeConfig(
        "topk", block_length=n_tokens, steps_per_block=steps, max_text_tokens=1, max_audio_tokens=n_tokens - 1
    )


def _written(task: str, length: str, samples: Sequence[Sample], texts: Sequence[str]) -> Written:
    from benchmarks.written_view import WrittenView
    from tttbench.core.plugins import build_scorer
    from tttbench.core.scorer import ScoreSpec
    from tttbench.stats.corpus import corpus_interval

    metric = METRICS[task]
    scorer = build_scorer(ScoreSpec(metric, metric))
    scored = [scorer.score(sample, WrittenView(text)) for sample, text in zip(samples, texts, strict=True)]
    scores = [score for score in scored if score is not None]
    value = corpus_interval(
        scorer.info,
        [score.numerator for score in scores],
        [score.denominator for score in scores],
        seed=0,
        clusters=[sample.cluster or sample.id for sample in samples],
    )
    return Written(task, metric, length, len(samples), value.estimate, value.low, value.high)


if __name__ == "__main__":
    sys.exit(main())
