"""What approximate guidance costs in tokens: its unconditional logits used again, or given fewer masks to see.

    python benchmarks/guidance.py --save          # ttt:mini, 12 questions; about a minute on one core

Each approximation answers the same questions as exact guidance, and codes are compared at their place. One early
difference moves all that follows, so each also repeats the passes of exact guidance, commits included, and what it
would have drawn from is compared there (KL divergence, nats a row). No guidance at all is shown as the scale. Counts
passes, measures no time. Prints a table, and as last line one JSON document.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from torch import Tensor

    from reference_model.decoding import Block, DecodeConfig, Prompt
    from reference_model.decoding.strategy import Filling
    from reference_model.transformer import TtTModel

ROOT = Path(__file__).resolve().parent.parent
if str(ROOT) not in sys.path:
    sys.path.insert(0, str(ROOT))

GUIDANCE = (0.1, 1.0)
"""The published weight, and a strong one."""

WAYS: dict[str, dict[str, float | int]] = {
    "exact": {},
    "reuse for 1 pass": {"cfg_approximate_reuse": 1},
    "reuse for 3 passes": {"cfg_approximate_reuse": 3},
    "reuse for all passes": {"cfg_approximate_reuse": 1000},
    "context of 104 masks": {"cfg_approximate_context": 104},
    "context of 26 masks": {"cfg_approximate_context": 26},
    "context of no masks": {"cfg_approximate_context": 0},
    "no guidance": {"cfg": 0.0},
}


@dataclass(frozen=True)
class Measured:
    """One way beside exact guidance.

    Attributes:
        cfg: guidance of the exact answers.
        way: of ``WAYS``.
        n_codes: codes of the exact answers.
        same_codes: share of codes that are equal at their place of their span.
        identical: share of the answers that are equal.
        kl: mean nats a row from exact guidance's distribution, over its own passes.
        kl_most: the largest of them.
        nfe_audio: passes that filled blocks.
        nfe_unconditional: those that ran the unconditional side, too.
    """

    cfg: float
    way: str
    n_codes: int
    same_codes: float
    identical: float
    kl: float
    kl_most: float
    nfe_audio: int
    nfe_unconditional: int


@dataclass(frozen=True)
class Step:
    """What a pass of exact guidance drew from, and which tokens of the block changed."""

    log_probability: Tensor
    tokens: dict[int, int]


@dataclass
class Noting:
    """``topk`` that notes its steps, over all blocks of one answer."""

    name: ClassVar[str] = "topk"
    next_token: ClassVar[bool] = False
    steps: list[Step] = field(default_factory=list)

    def fill(self, block: Block) -> Filling:
        from reference_model.decoding import make_strategy

        filling = make_strategy("topk").fill(block)
        look = next(filling, None)
        while look is not None:
            logits, before = (yield look), block.ids
            try:
                look = filling.send(logits)
            except StopIteration:
                look = None
            changed = {i: now for i, (was, now) in enumerate(zip(before, block.ids, strict=True)) if was != now}
            self.steps.append(Step(logits[0].log_softmax(-1), changed))


@dataclass
class Repeating:
    """Commits what was noted, and notes how far the logits are from those noted: nats of every row."""

    name: ClassVar[str] = "topk"
    next_token: ClassVar[bool] = False
    steps: list[Step]
    nats: list[float] = field(default_factory=list)

    def fill(self, block: Block) -> Filling:
        import torch

        from reference_model.decoding import Look

        while not block.settled:
            step = self.steps.pop(0)
            found = (yield Look())[0].log_softmax(-1)
            exact = step.log_probability
            terms = (exact.exp() * (exact - found)).masked_fill(exact == -torch.inf, 0.0)
            self.nats += terms.sum(-1).clamp(min=0.0).tolist()
            block.commit(list(step.tokens), torch.tensor(list(step.tokens.values())), torch.ones(len(step.tokens)))


def main(argv: Sequence[str] | None = None) -> int:
    """Measure, show, and keep."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="mini", help="a shipped checkpoint or a folder (default: mini)")
    parser.add_argument("--steps", type=int, default=9, help="passes a block of 27 (default: 9)")
    parser.add_argument("--limit", type=int, default=12, help="questions (default: 12)")
    parser.add_argument("--save", nargs="?", type=Path, const=ROOT / "benchmarks" / "results", metavar="FOLDER")
    args = parser.parse_args(argv)
    from benchmarks.machine import this_machine
    from tttbench.cli.columns import columns

    began = datetime.now(UTC).isoformat(timespec="seconds")
    model, prompts, own = questions(args.model, args.limit)
    found = []
    for cfg in GUIDANCE:
        found += measure(model, prompts, replace(own, strategy="topk", steps_per_block=args.steps, cfg=cfg))
    table = [["cfg", "way", "same codes %", "same answers %", "KL, nats", "most", "passes", "with uncond."]]
    for one in found:
        shares = [f"{100 * one.same_codes:.1f}", f"{100 * one.identical:.1f}"]
        counts = [str(one.nfe_audio), str(one.nfe_unconditional)]
        table.append([f"{one.cfg:g}", one.way, *shares, f"{one.kl:.2g}", f"{one.kl_most:.2g}", *counts])
    print(columns(table, right=frozenset(range(2, 8))))
    document = {
        "benchmark": "guidance",
        "began": began,
        "command": "python benchmarks/guidance.py " + " ".join(sys.argv[1:] if argv is None else argv),
        "model": Path(args.model).name,
        "questions": len(prompts),
        "steps": args.steps,
        "machine": asdict(this_machine()),
        "measured": [asdict(one) for one in found],
    }
    if args.save:
        args.save.mkdir(parents=True, exist_ok=True)
        (args.save / "guidance.json").write_text(json.dumps(document, indent=1) + "\n")
    print(json.dumps(document))
    return 0


def questions(name: str, limit: int) -> tuple[TtTModel, list[Prompt], DecodeConfig]:
    """The model, the first questions of ``mini_qa`` as it takes them, and how it asks to be decoded."""
    import reference_model
    from reference_model.decoding import Prompt
    from tttbench.core.plugins import build_task
    from tttbench.systems.ttt.folder import checkpoint_folder, read_assistant
    from tttbench.systems.ttt.likelihood import example_of
    from tttbench.systems.ttt.settings import decode_settings
    from tttbench.systems.ttt.speech import load_codec

    folder, task = checkpoint_folder(name), build_task("mini_qa")
    assistant = read_assistant(folder)
    loaded, codec = reference_model.load(folder), load_codec(assistant.codec_folder())
    system_prompt = assistant.prompts[task.family]
    samples = task.samples(None)[:limit]
    prompts = [Prompt(tuple(example_of(sample, loaded, codec, system_prompt).prompt)) for sample in samples]
    return loaded.model, prompts, decode_settings([assistant.decode])


def measure(model: TtTModel, prompts: Sequence[Prompt], exact: DecodeConfig) -> list[Measured]:
    """Answer in every way, and repeat the exact answers' passes in every way."""
    from reference_model.decoding import divergence, generate

    noting = [Noting() for _ in prompts]
    oracle = [
        generate(model, [prompt], replace(exact, strategy=one))[0] for prompt, one in zip(prompts, noting, strict=True)
    ]
    found = []
    for way, changed in WAYS.items():
        settings = replace(exact, **changed)  # type: ignore[arg-type]  # the names are fields, each of its own type
        answers = generate(model, prompts, settings, batch_size=len(prompts))
        nats: list[float] = []
        for prompt, one in zip(prompts, noting, strict=True):
            repeating = Repeating(list(one.steps))
            generate(model, [prompt], replace(settings, strategy=repeating))
            nats += repeating.nats
        far = divergence(answers, oracle)
        found.append(
            Measured(
                cfg=exact.cfg,
                way=way,
                n_codes=far.n_codes,
                same_codes=far.same_codes,
                identical=far.identical,
                kl=sum(nats) / len(nats),
                kl_most=max(nats),
                nfe_audio=sum(answer.trace.nfe_audio for answer in answers),
                nfe_unconditional=sum(answer.trace.nfe_unconditional for answer in answers),
            )
        )
    return found


if __name__ == "__main__":
    sys.exit(main())
