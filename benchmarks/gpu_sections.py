"""The parts of ``gpu_check.py``: ceilings, graphs against plain passes, speed of the 3B shape; attention stands beside.

Each takes what it needs and returns plain values; none knows of the others. On a CPU all of them run on small shapes.
"""

from __future__ import annotations

import platform
import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Any

import torch
from torch import Tensor

from benchmarks.gpu_attention import (
    Where,
    attention_section,
    error_of,
    fill,
    gradient_section,
    logits_section,
    ragged_section,
)
from benchmarks.shapes import CODES, SHAPES, SPAN, TEXT, Shape, prompt_ids, random_model
from reference_model.attention.check import TOLERANCE
from reference_model.cache import KeyValueCache
from reference_model.decoding.lockstep import Lockstep
from reference_model.limits import limits
from reference_model.roofline import Ceilings, Work, measure_ceilings, work_of
from reference_model.timing import seconds_of
from reference_model.transformer import RowGroup, TtTModel

SAME_TOKENS = 0.9
"""Share of a block's tokens that fp32 must choose as fp64 does; near ties may fall otherwise, and what follows them."""


def device_section(where: Where) -> dict[str, Any]:
    """Name, versions, and both ceilings in both dtypes."""
    found: dict[str, Any] = {"python": platform.python_version(), "torch": torch.__version__, "device": where.device}
    if where.on_gpu:
        properties = torch.cuda.get_device_properties(where.device)
        found |= {"name": properties.name, "memory_gb": properties.total_memory / 1e9, "cuda": torch.version.cuda}
    size, copied = (64, 1 << 20) if where.tiny else (0, 0)
    for name, dtype in (("float32", torch.float32), ("bfloat16", torch.bfloat16)):
        found[name] = asdict(measure_ceilings(where.device, dtype, size, copied))
    return found


def decode_section(where: Where, compiled: bool) -> dict[str, Any]:
    """Graph decoding and plain passes against fp64 on a ragged batch; and that a replay never waits for the device.

    Blocks are filled twice: behind sequences of different lengths, and replayed behind sequences cut to one length.
    """
    shape = SHAPES["tiny"] if where.tiny else Shape(4, 1024, 2816, 8, 2, 4000, 2000)
    lengths = (9, 14, 11) if where.tiny else (190, 257, 64)
    found: dict[str, Any] = {}
    exact: tuple[Tensor, Tensor] | None = None
    for dtype in (torch.float64, torch.float32, torch.bfloat16):
        model = random_model(shape, torch.float32, where.device).to(dtype)
        caches = [_prefix(model, length, seed) for seed, length in enumerate(lengths)]
        is_reference = dtype == torch.float64
        together = Lockstep(
            model, caches, 128, block_length=SPAN, graphs=not is_reference, compiled=compiled and not is_reference
        )
        ids = torch.tensor([[3], [4], [5]], device=where.device)
        logits = together.text(ids).clone()
        begin = torch.full((3,), model.config.begin_of_audio_token_id, device=where.device)
        ragged = together.block(begin).clone()
        together.rewind(min(lengths))
        together.text(ids)
        with _NoWaiting(where):
            replayed = together.block(begin)
        blocks = torch.cat((ragged, replayed))
        if exact is None:
            exact = (logits, blocks)
            continue
        plain = _plain_text(model, lengths, ids)
        error = error_of(logits, exact[0])
        same = float((blocks == exact[1]).double().mean())
        # Random weights leave bf16 many near ties, so its tokens are told and not judged.
        found[str(dtype)] = {
            "text_error": error,
            "text_error_of_plain_passes": error_of(plain, exact[0]),
            "block_tokens_equal": same,
            "ok": error < TOLERANCE[dtype] and (dtype != torch.float32 or same >= SAME_TOKENS),
        }
    return {**found, "ok": all(entry["ok"] for entry in found.values())}


def speed_section(where: Where, batch: int, compiled: bool, ceilings: Ceilings) -> dict[str, Any]:
    """13 text tokens and a span of 26 codes at the 3B shape in bf16: percent of the limit; the loop without cache."""
    shape, context = (SHAPES["tiny"], 16) if where.tiny else (SHAPES["3b"], 256)
    repeats = 2 if where.tiny else 20
    model = random_model(shape, torch.bfloat16, where.device)
    config = model.config
    together = Lockstep(
        model, _random_prefixes(model, batch, context), 64, block_length=SPAN, graphs=where.on_gpu, compiled=compiled
    )
    text = torch.full((batch, 1), 3, device=where.device)
    begin = torch.full((batch,), config.begin_of_audio_token_id, device=where.device)
    span = torch.full((batch, SPAN), config.code_id_start, device=where.device)

    def work(rows: int, head_rows: int, columns: int) -> Work:
        return work_of(
            config,
            2,
            sequences=batch,
            rows=rows,
            keys=context + rows,
            head_rows=head_rows,
            head_columns=columns,
        )

    n_text, n_audio = config.audio_token_id_start, config.vocab_size - config.audio_token_id_start
    limits_s = {
        "text": work(1, 1, n_text).limit_s(ceilings),
        "block": sum(work(rows, SPAN, n_audio).limit_s(ceilings) for rows in (SPAN + 1, SPAN)),
        "close": work(SPAN, 1, n_text).limit_s(ceilings),
    }
    calls: dict[str, Callable[[], Tensor]] = {
        "text": lambda: together.text(text),
        "block": lambda: together.block(begin),
        "close": lambda: together.text(span),
    }
    found: dict[str, Any] = {"batch": batch, "context": context, "compiled": compiled}
    for name, call in calls.items():

        def once(call: Callable[[], Tensor] = call) -> Tensor:
            together.rewind(context)
            return call()

        median_s = statistics.median(seconds_of(once, where.device, repeats))
        found[name] = {"s": median_s, "limit_s": limits_s[name], "percent": 100 * limits_s[name] / median_s}

    def schedule() -> None:
        together.rewind(context)
        token = text
        for _ in range(TEXT):
            token = together.text(token).argmax(-1, keepdim=True)
        together.text(together.block(begin))

    schedule_s = statistics.median(_wall_s(schedule, where, 2 if where.tiny else 7))
    limit_s = TEXT * limits_s["text"] + limits_s["block"] + limits_s["close"]
    found["schedule"] = {
        "what": f"{TEXT} text passes, a block in two passes, its closing pass",
        "s": schedule_s,
        "limit_s": limit_s,
        "percent": 100 * limit_s / schedule_s,
        "codes_per_s": batch * CODES / schedule_s,
    }
    if not compiled:
        found["no_cache"] = _no_cache(model, where, batch, context, schedule_s)
    if where.on_gpu:
        found["peak_memory_gb"] = torch.cuda.max_memory_allocated() / 1e9
    return found


def _no_cache(model: TtTModel, where: Where, batch: int, context: int, schedule_s: float) -> dict[str, Any]:
    """The published loop: whole sequence and whole head in every pass, at the mean length of the schedule."""
    config = model.config
    length = context + (TEXT + 1 + SPAN) // 2
    ids = torch.tensor([prompt_ids(config, length, seed) for seed in range(batch)], device=where.device)
    limit = limits(ids, config.audio_token_id_start)
    passes = TEXT + 2 + 1
    with torch.inference_mode():
        pass_s = statistics.median(
            seconds_of(lambda: model.logits(model.hidden(ids, limit)), where.device, 3, warmup=1)
        )
    return {"pass_s": pass_s, "length": length, "schedule_s": passes * pass_s, "ratio": passes * pass_s / schedule_s}


def _wall_s(call: Callable[[], object], where: Where, repeats: int) -> list[float]:
    taken = []
    for _ in range(repeats + 1):
        if where.on_gpu:
            torch.cuda.synchronize()
        before_s = time.perf_counter()
        call()
        if where.on_gpu:
            torch.cuda.synchronize()
        taken.append(time.perf_counter() - before_s)
    return taken[1:]


class _NoWaiting:
    """Within it, CUDA calls that wait for the device are errors."""

    def __init__(self, where: Where) -> None:
        self._active = where.on_gpu

    def __enter__(self) -> None:
        if self._active:
            torch.cuda.synchronize()
            torch.cuda.set_sync_debug_mode("error")

    def __exit__(self, *_: object) -> None:
        if self._active:
            torch.cuda.set_sync_debug_mode("default")


def _prefix(model: TtTModel, length: int, seed: int) -> KeyValueCache:
    cache = KeyValueCache(model.config, length + 8, model.dtype, model.device)
    fill(model, cache, length, seed)
    return cache


def _plain_text(model: TtTModel, lengths: tuple[int, ...], ids: Tensor) -> Tensor:
    """The same text pass by the engine's path."""
    rows = []
    for seed, length in enumerate(lengths):
        group = RowGroup(ids[seed], length, (length + 1,), _prefix(model, length, seed))
        with torch.inference_mode():
            rows.append(model.logits(model.step([group]), 0, model.config.audio_token_id_start).float())
    return torch.cat(rows)


def _random_prefixes(model: TtTModel, batch: int, context: int) -> list[KeyValueCache]:
    """Caches of random keys; speed doesn't depend on what a prompt says."""
    made = []
    for _ in range(batch):
        cache = KeyValueCache(model.config, context, model.dtype, model.device)
        for layer in cache.views(0, context):
            layer.normal_()
        cache.length = context
        made.append(cache)
    return made


def _ceilings(done: Mapping[str, Any]) -> Ceilings:
    if "bfloat16" not in done.get("device", {}):
        raise RuntimeError("the device's ceilings weren't measured, so there is no limit to compare with")
    return Ceilings(**done["device"]["bfloat16"])


SECTIONS: Mapping[str, Callable[[Where, Mapping[str, Any]], dict[str, Any]]] = {
    "device": lambda where, done: device_section(where),
    "attention_sdpa": lambda where, done: attention_section(where, "sdpa"),
    "attention_flex": lambda where, done: attention_section(where, "flex"),
    "attention_xformers": lambda where, done: attention_section(where, "xformers"),
    "attention_auto": lambda where, done: attention_section(where, "auto"),
    "logits": lambda where, done: logits_section(where),
    "ragged_xformers": lambda where, done: ragged_section(where),
    "gradient": lambda where, done: gradient_section(where),
    "graphs": lambda where, done: decode_section(where, compiled=False),
    "graphs_compiled": lambda where, done: decode_section(where, compiled=True),
    "speed_1": lambda where, done: speed_section(where, 1, False, _ceilings(done)),
    "speed_64": lambda where, done: speed_section(where, 64, False, _ceilings(done)),
    "speed_1_compiled": lambda where, done: speed_section(where, 1, True, _ceilings(done)),
    "speed_64_compiled": lambda where, done: speed_section(where, 64, True, _ceilings(done)),
}
"""The parts by name; each is given the device and what the parts before it found."""
