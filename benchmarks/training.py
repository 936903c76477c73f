"""Speed and memory of a training step: packed documents and a gathered head against padding and a full head.

    python benchmarks/training.py --save             # mini and 0.5B shape; about half an hour on two idle cores
    python benchmarks/training.py --shapes tiny      # a smoke test of seconds

Both ways train the same network on the same corrupted documents, gradients and AdamW step included; their losses are
compared before anything is timed. The slow way is the usual one: every document padded to 2,048 tokens, the hybrid mask
as a dense 4-D tensor, logits of all rows. Prints a table, and as last line one JSON document.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import resource
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor

    from benchmarks.timing import Compared
    from reference_model.config import TtTConfig
    from reference_model.training.objective import Row
    from reference_model.transformer import TtTModel

ROOT = Path(__file__).resolve().parent.parent
RESULTS = ROOT / "benchmarks" / "results"
GOAL = 3.0


@dataclass(frozen=True)
class Work:
    """What one pair does.

    Attributes:
        documents: of one optimizer step.
        length: to which they are padded, and of the rows into which they are packed.
        part: documents that the padded way runs at a time, and rows that the packed way does.
    """

    documents: int
    length: int
    part: int


WORK = {"half-b": Work(8, 2048, 1), "mini": Work(32, 2048, 4), "tiny": Work(4, 256, 2)}


def documents(config: TtTConfig, n: int, longest: int, seed: int = 0) -> list[Row]:
    """Corrupted documents with lengths as the released data has them, ASR and spoken answers by turns.

    ASR: 3 to 15 seconds of speech, as many codes in the prompt as in the answer, 3 text tokens a second. Answers: 2 to
    8 seconds of question, 10 to 45 seconds of answer. Both at 12.5 codes a second, behind 60 tokens of system prompt.
    """
    import numpy as np

    from reference_model.layout import Example, interleave
    from reference_model.training.objective import ObjectiveConfig, corrupt

    rng = np.random.default_rng(seed)
    rows = []
    for i in range(n):
        prompt_s = rng.uniform(3, 15) if i % 2 else rng.uniform(2, 8)
        spoken_s = prompt_s if i % 2 else rng.uniform(10, 45)
        scale = min(1.0, longest / 2048)
        text, n_codes, spoken = (int(scale * x) for x in (3 * spoken_s, 12.5 * prompt_s, 12.5 * spoken_s))
        prompt = [
            *rng.integers(0, config.im_end_token_id - 8, int(60 * scale)),
            config.begin_of_audio_token_id,
            *rng.integers(config.code_id_start, config.mask_token_id, n_codes),
            config.end_of_audio_token_id,
        ]
        codes = rng.integers(config.code_id_start, config.mask_token_id, spoken).tolist()
        words = rng.integers(0, config.im_end_token_id - 8, max(1, text)).tolist()
        example = Example(tuple(int(x) for x in prompt), tuple(interleave(words, codes, config)))
        rows.append(corrupt(example, ObjectiveConfig(), config, rng))
    return rows


def packed(model: TtTModel, rows: Sequence[Row], work: Work) -> float:
    """The loss of a step, its gradients added up: as many packed rows at a time as documents in ``padded``."""
    from reference_model.training.batching import pack_lengths
    from reference_model.training.losses import batch_losses

    total = 0.0
    bins = pack_lengths([len(row.ids) for row in rows], work.length)
    for first in range(0, len(bins), work.part):
        part = [rows[i] for members in bins[first : first + work.part] for i in members]
        loss = batch_losses(model, part, pack=work.length, n_examples=len(rows)).total
        loss.backward()
        total += float(loss.detach())
    return total


def padded(model: TtTModel, rows: Sequence[Row], work: Work) -> float:
    """The same by padding to ``work.length``, with a dense mask and the logits of all rows."""
    total = 0.0
    for first in range(0, len(rows), work.part):
        loss = _padded_loss(model, rows[first : first + work.part], work.length, len(rows))
        loss.backward()
        total += float(loss.detach())
    return total


def _padded_loss(model: TtTModel, rows: Sequence[Row], length: int, n_examples: int) -> Tensor:
    import torch
    import torch.nn.functional as F

    from reference_model.attention.sdpa import SdpaBackend, SdpaPlan
    from reference_model.limits import dense_mask, limits

    start = model.config.audio_token_id_start
    ids = torch.zeros(len(rows), length, dtype=torch.int64)
    # Text and audio apart: a masked end of a span predicts itself and the text behind it.
    targets = torch.full((2, len(rows), length), -100)
    weights = torch.zeros(2, len(rows), length)
    for i, row in enumerate(rows):
        ids[i, : len(row.ids)] = torch.from_numpy(row.ids)
        for kind, chosen in enumerate((row.targets < start, row.targets >= start)):
            targets[kind, i, row.rows[chosen]] = torch.from_numpy(row.targets[chosen])
            weights[kind, i, row.rows[chosen]] = torch.from_numpy(row.weights[chosen])
    lengths = torch.tensor([len(row.ids) for row in rows])
    limit = limits(ids, start, lengths=lengths)
    seen = dense_mask(limit).unsqueeze(1)
    plan = SdpaPlan(torch.zeros(seen.shape).masked_fill_(~seen, float("-inf")), causal=False)
    x = model.model.embed_tokens(ids)
    tables = model.rotary_tables(length)
    cos, sin = (table.unsqueeze(1) for table in tables)
    for layer in model.model.layers:
        x = layer(x, cos, sin, SdpaBackend(), plan)
    logits = model.logits(model.model.norm(x)).float().flatten(0, 1)
    losses = [F.cross_entropy(logits, of.flatten(), reduction="none", ignore_index=-100) for of in targets]
    total: Tensor = (torch.stack(losses) * weights.flatten(1)).sum() / n_examples
    return total


def step_s(
    run: Callable[[TtTModel, Sequence[Row], Work], float], model: TtTModel, rows: Sequence[Row], work: Work
) -> float:
    """Seconds of one optimizer step."""
    import torch

    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-9)
    began = time.perf_counter()
    run(model, rows, work)
    torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    optimizer.step()
    taken = time.perf_counter() - began
    optimizer.zero_grad(set_to_none=True)
    return taken


def _peak_of(shape: str, way: str, threads: int, queue: multiprocessing.Queue[float]) -> None:
    import torch

    from benchmarks.shapes import SHAPES, random_model

    torch.set_num_threads(threads)
    model, work = random_model(SHAPES[shape]).train(), WORK[shape]
    rows = documents(model.config, work.documents, work.length)
    step_s({"packed": packed, "padded": padded}[way], model, rows, work)
    queue.put(_peak_kib() / 1024**2)


def _peak_kib() -> int:
    """Largest resident memory of this process; what its parent held before doesn't count, where the system tells."""
    status = Path("/proc/self/status")
    if status.exists():
        return next(int(line.split()[1]) for line in status.read_text().splitlines() if line.startswith("VmHWM"))
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def peak_gb(shape: str, way: str, threads: int) -> float:
    """Largest memory of a process that runs one step, weights, gradients and optimizer included, in GiB."""
    context = multiprocessing.get_context("spawn")
    queue: multiprocessing.Queue[float] = context.Queue()
    process = context.Process(target=_peak_of, args=(shape, way, threads, queue))
    process.start()
    process.join()
    if process.exitcode != 0:
        raise SystemExit(f"{way} at shape {shape}: the process ended with {process.exitcode}; too little memory?")
    return queue.get()


def measure(shape: str, repeats: int, budget_s: float) -> tuple[Compared, int, float, float]:
    """One shape: the comparison, tokens of a step, and the peak of both ways in GiB."""
    import torch

    from benchmarks.shapes import SHAPES, random_model
    from benchmarks.timing import Comparison, compare

    model, work = random_model(SHAPES[shape]).train(), WORK[shape]
    rows = documents(model.config, work.documents, work.length)
    lengths = [len(row.ids) for row in rows]
    losses = [run(model, rows, work) for run in (padded, packed)]
    model.zero_grad(set_to_none=True)
    if abs(losses[0] - losses[1]) > 1e-3 * abs(losses[1]):
        raise RuntimeError(f"losses of {losses}: this comparison would measure something else")
    comparison = Comparison(
        shape,
        f"a step over {len(rows)} documents of {min(lengths)} to {max(lengths)} tokens, {sum(lengths)} in all",
        f"padded to {work.length}",
        lambda: step_s(padded, model, rows, work),
        f"packed into {work.length}",
        lambda: step_s(packed, model, rows, work),
        GOAL,
        lambda: step_s(packed, model, rows, work),
    )
    found = compare(comparison, repeats, budget_s)
    threads = torch.get_num_threads()
    return found, sum(lengths), peak_gb(shape, "padded", threads), peak_gb(shape, "packed", threads)


def main(argv: Sequence[str] | None = None) -> int:
    """Measure, print, and save if asked to."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shapes", nargs="+", choices=list(WORK), default=["mini", "half-b"])
    parser.add_argument("--repeats", type=int, default=6, help="pairs of each shape (default: 6)")
    parser.add_argument("--budget-s", type=float, default=420.0, help="no pair begins after so many seconds")
    parser.add_argument("--threads", type=int, help="threads of torch (default: its own choice)")
    parser.add_argument("--save", nargs="?", type=Path, const=RESULTS, help="write training.json there")
    args = parser.parse_args(argv)
    import reference_model  # noqa: F401  # chooses how torch's threads wait, and has to come before it

    # isort: split
    import torch

    from benchmarks.machine import this_machine

    if args.threads is not None:
        torch.set_num_threads(args.threads)
    command = " ".join(["python", "benchmarks/training.py", *(sys.argv[1:] if argv is None else argv)])
    began, machine = datetime.now(UTC).isoformat(timespec="seconds"), asdict(this_machine())
    found = {}
    for shape in args.shapes:
        print(f"{shape} …", file=sys.stderr, flush=True)
        one, tokens, padded_gb, packed_gb = measure(shape, args.repeats, args.budget_s)
        ratio = one.ratio
        print(
            f"{shape}: {one.title}\n"
            f"  {one.slow}: {tokens / one.slow_s.median:,.0f} tokens/s, peak {padded_gb:.2f} GiB\n"
            f"  {one.fast}: {tokens / one.fast_s.median:,.0f} tokens/s, peak {packed_gb:.2f} GiB\n"
            f"  ratio {ratio.median:.2f} [{ratio.low:.2f}, {ratio.high:.2f}], {ratio.n} pairs, goal {GOAL:g}"
        )
        found[shape] = {**asdict(one), "tokens": tokens, "padded_gib": padded_gb, "packed_gib": packed_gb}
    document = {
        "benchmark": "training",
        "ratios": {shape: one["ratio"]["median"] for shape, one in found.items()},
        "began": began,
        "command": command,
        "machine": machine,
        "parts": found,
    }
    if args.save is not None:
        args.save.mkdir(parents=True, exist_ok=True)
        (args.save / "training.json").write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(document))
    return 0


if __name__ == "__main__":
    sys.path = [*(entry for entry in sys.path if Path(entry).resolve() != ROOT / "benchmarks"), str(ROOT)]
    sys.exit(main())
