"""The parts of ``gpu_check.py`` about attention: every backend against fp64, alone, in a network, in a ragged batch.

On a CPU all of them run on small shapes; xformers has no operator there.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from benchmarks.shapes import SHAPES, SPAN, Shape, prompt_ids, random_model, some
from reference_model.attention import attend
from reference_model.attention.check import TOLERANCE
from reference_model.cache import CachePool, KeyValueCache
from reference_model.limits import dense_mask, limits, starts
from reference_model.transformer import RowGroup, TtTModel

DTYPES = (torch.float32, torch.bfloat16)
"""What is held against fp64, each with the tolerance that ``attention="auto"`` has for it."""


@dataclass(frozen=True)
class Where:
    """The device, and whether shapes are those of a smoke test."""

    device: str
    tiny: bool

    @property
    def on_gpu(self) -> bool:
        """Whether the device is a CUDA device."""
        return self.device.startswith("cuda")


def attention_section(where: Where, backend: str) -> dict[str, Any]:
    """Errors of one backend against fp64: plain causal, the hybrid mask (rows' key ranges overlap), packed."""
    heads, kv_heads, width, length = (4, 2, 16, 40) if where.tiny else (16, 2, 128, 384)
    cases = []
    failed: Exception | None = None
    for dtype in DTYPES:
        for seed in range(2 if where.tiny else 4):
            for kind in ("causal", "hybrid", "packed"):
                generator = torch.Generator(where.device).manual_seed(seed)
                q, k, v = (
                    torch.randn(2, n, length, width, generator=generator, device=where.device, dtype=dtype)
                    for n in (heads, kv_heads, kv_heads)
                )
                limit, start = _mask(kind, length, seed, where.device)
                case: dict[str, Any] = {"dtype": str(dtype), "mask": kind, "seed": seed}
                try:
                    with torch.inference_mode():
                        out = attend(q, k, v, limit, start, attention=backend)
                except Exception as error:  # a kernel for one dtype may be missing where the other's is there
                    failed = error
                    cases.append({**case, "ok": False, "raised": f"{type(error).__name__}: {error}"[:500]})
                    continue
                off = error_of(out, _dense(q, k, v, limit, start))
                cases.append({**case, "error": off, "ok": off < TOLERANCE[dtype]})
    if failed is not None and all("raised" in case for case in cases):
        raise failed
    by_dtype = {str(dtype): all(case["ok"] for case in cases if case["dtype"] == str(dtype)) for dtype in DTYPES}
    return {"cases": cases, "ok_by_dtype": by_dtype, "ok": all(by_dtype.values())}


def gradient_section(where: Where) -> dict[str, Any]:
    """``flex`` backwards against fp64 (a CPU has no flex backward: ``sdpa`` there)."""
    backend = "flex" if where.on_gpu else "sdpa"
    heads, kv_heads, width, length = (4, 2, 16, 40) if where.tiny else (16, 2, 128, 384)
    q, k, v = (torch.randn(2, n, length, width, device=where.device) for n in (heads, kv_heads, kv_heads))
    weight = torch.randn(2, heads, length, width, device=where.device)
    limit, start = _mask("hybrid", length, 0, where.device)
    inputs = [x.requires_grad_() for x in (q, k, v)]
    torch.autograd.backward(attend(q, k, v, limit, start, attention=backend), weight)
    wide = [x.detach().double().requires_grad_() for x in inputs]
    torch.autograd.backward(_dense(wide[0], wide[1], wide[2], limit, start), weight.double())
    errors = [error_of(_grad(x), _grad(ref)) for x, ref in zip(inputs, wide, strict=True)]
    return {"backend": backend, "errors": errors, "ok": max(errors) < TOLERANCE[torch.float32]}


def ragged_section(where: Where) -> dict[str, Any]:
    """Decode passes of sequences in different phases over one pool, in xformers' two calls, against fp64 one by one."""
    shape = SHAPES["tiny"] if where.tiny else Shape(4, 1024, 2816, 8, 2, 4000, 2000)
    lengths = (9, 14, 11) if where.tiny else (190, 257, 64)
    found: dict[str, Any] = {}
    exact: Tensor | None = None
    for dtype in (torch.float64, torch.float32, torch.bfloat16):
        model = random_model(shape, torch.float32, where.device).to(dtype)
        model.attention = "sdpa" if dtype == torch.float64 else "xformers"
        config = model.config
        pool = CachePool(config, sum(lengths) + 3 * (SPAN + 9), dtype, model.device)
        # Of the three, one writes text, one opens a span and fills its block, one goes on inside a span.
        rows = ([3], [config.begin_of_audio_token_id, *[config.mask_token_id] * SPAN], [config.mask_token_id] * SPAN)
        groups = []
        for seed, (length, ids) in enumerate(zip(lengths, rows, strict=True)):
            cache = pool.take(length + SPAN + 9)
            assert cache is not None
            fill(model, cache, length, seed)
            n_text = len(ids) % SPAN
            limit = (*range(length + 1, length + 1 + n_text), *[length + len(ids)] * (len(ids) - n_text))
            groups.append(RowGroup(torch.tensor(ids, device=where.device), length, limit, cache))
        out = model.step(groups)
        if exact is None:
            exact = out
            continue
        error = error_of(out, exact)
        found[str(dtype)] = {"error": error, "ok": error < TOLERANCE[dtype]}
    return {**found, "ok": all(entry["ok"] for entry in found.values())}


def logits_section(where: Where) -> dict[str, Any]:
    """Logits of one whole-sequence pass by every backend against fp64, and which of them ``"auto"`` is.

    Where there is a GPU, ``"auto"`` must be xformers in bf16; what it is in fp32 depends on xformers' build.
    """
    shape, length = (SHAPES["tiny"], 40) if where.tiny else (Shape(4, 1024, 2816, 8, 2, 4000, 2000), 384)
    found: dict[str, Any] = {}
    exact: Tensor | None = None
    for dtype in (torch.float64, torch.float32, torch.bfloat16):
        model = random_model(shape, torch.float32, where.device).to(dtype)
        config = model.config
        ids = torch.tensor([prompt_ids(config, length, seed) for seed in range(2)], device=where.device)
        limit = limits(ids, config.audio_token_id_start)
        if exact is None:
            model.attention = "sdpa"
            with torch.inference_mode():
                exact = model.logits(model.hidden(ids, limit))
            continue
        most = max(TOLERANCE[dtype], (18 * shape.layers + 4) ** 0.5 / 256 if dtype == torch.bfloat16 else 0.0)
        errors: dict[str, float] = {}
        raised: dict[str, str] = {}
        for backend in ("auto", "sdpa", "flex", *(["xformers"] if where.on_gpu else [])):
            model.attention = backend
            try:
                with torch.inference_mode():
                    errors[backend] = error_of(model.logits(model.hidden(ids, limit)), exact)
            except Exception as error:  # a kernel for one dtype may be missing where the other's is there
                raised[backend] = f"{type(error).__name__}: {error}"[:500]
        model.attention = "auto"
        with torch.inference_mode():
            auto = model.attention_name()
        missing = {"xformers"} if dtype == torch.float32 and auto.startswith("sdpa") else set()
        found[str(dtype)] = {
            "auto": auto,
            "errors": errors,
            "tolerance": most,
            "raised": raised,
            "ok": all(error < most for error in errors.values())
            and set(raised) <= missing
            and (auto.startswith("xformers") or dtype == torch.float32 or not where.on_gpu),
        }
    return {**found, "ok": all(entry["ok"] for entry in found.values())}


def _mask(kind: str, length: int, seed: int, device: str) -> tuple[Tensor, Tensor | None]:
    """Limits of two sequences of text and spans (ids below 10 are text), and starts of two packed documents."""
    rows = []
    for sequence in range(2):
        ids: list[int] = []
        sizes = some(1, max(2, length // 6), length, seed=10 * seed + sequence)
        for run, size in enumerate(sizes):
            ids += ([1] if run % 2 else [11]) * size
        rows.append(ids[:length])
    start = starts([length // 3, length - length // 3]).expand(2, -1) if kind == "packed" else None
    ids_of = torch.tensor(rows)
    found = limits(ids_of, 10, objective="ar" if kind == "causal" else "hybrid", start=start)
    return found.to(device), None if start is None else start.to(device)


def _dense(q: Tensor, k: Tensor, v: Tensor, limit: Tensor, start: Tensor | None) -> Tensor:
    """Attention in fp64, written out."""
    group = q.shape[1] // k.shape[1]
    keys, values = (x.double().repeat_interleave(group, 1) for x in (k, v))
    seen = dense_mask(limit, start, k.shape[2]).unsqueeze(1)
    scores = (q.double() @ keys.transpose(-1, -2)) / q.shape[-1] ** 0.5
    return torch.softmax(scores.masked_fill(~seen, float("-inf")), -1) @ values


def error_of(out: Tensor, reference: Tensor) -> float:
    """||out - ref|| / ||ref||, infinite where something isn't a number."""
    error = float((out.double() - reference.double()).norm() / reference.double().norm())
    return error if error == error else float("inf")


def _grad(x: Tensor) -> Tensor:
    if x.grad is None:
        raise RuntimeError("no gradient reached an input")
    return x.grad


def fill(model: TtTModel, cache: KeyValueCache, length: int, seed: int) -> None:
    """Run a prompt into the cache."""
    ids = prompt_ids(model.config, length, seed)
    limit = limits(torch.tensor(ids), model.config.audio_token_id_start)
    model.step([RowGroup(torch.tensor(ids, device=model.device), 0, tuple(limit.tolist()), cache)])
    cache.length = length
