"""Draws the two pictures of ``reference_model.md``: the mask, and what every pass of a decode runs.

Both come from the code itself (``limits``; the passes of a real decode of a small random model), so they cannot
drift from it. Run from the repository root: ``python docs/draw_reference_model.py``.
"""

from __future__ import annotations

from pathlib import Path

import torch

from reference_model.config import TtTConfig
from reference_model.decoding import DecodeConfig, Prompt, generate
from reference_model.limits import dense_mask, limits
from reference_model.transformer import RowGroup, TtTModel

TEXT, PROMPT_AUDIO, AUDIO, MASKED, CACHED = "#6b7280", "#3b82f6", "#d97706", "#fcd34d", "#d1d5db"
HEAD = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {w} {h}" font-family="sans-serif" font-size="11">'


def box(x: float, y: float, w: float, h: float, fill: str, extra: str = "") -> str:
    """One rectangle."""
    return f'<rect x="{x:g}" y="{y:g}" width="{w:g}" height="{h:g}" fill="{fill}" {extra}/>'


def label(x: float, y: float, text: str, anchor: str = "start") -> str:
    """One line of text."""
    return f'<text x="{x:g}" y="{y:g}" text-anchor="{anchor}" fill="#374151">{text}</text>'


def legend(entries: list[tuple[str, str]], x: float, y: float) -> list[str]:
    """Colours and their names, one per line."""
    out = []
    for row, (fill, name) in enumerate(entries):
        out += [box(x, y + 18 * row, 12, 12, fill), label(x + 18, y + 10 + 18 * row, name)]
    return out


def draw_mask(path: Path) -> None:
    """Which keys each row sees, for a prompt with audio and an answer with a closed and an open span."""
    names = ["sys", "boa", "c", "c", "c", "eoa", "asst", "boa", "c", "c", "end", "text", "text", "boq", "c", "m", "m"]
    audio = {"c", "m", "end"}
    ids = torch.tensor([1 if name in audio else 0 for name in names])
    seen = dense_mask(limits(ids, 1)).tolist()
    cell, left, top = 18, 60, 60
    n = len(names)
    parts = [HEAD.format(w=left + n * cell + 190, h=top + n * cell + 12), box(0, 0, 2000, 2000, "#ffffff")]
    for i, name in enumerate(names):
        parts.append(label(left - 6, top + i * cell + 13, name, "end"))
        x = left + i * cell + 12
        parts.append(f'<text x="{x}" y="{top - 6}" transform="rotate(-60 {x} {top - 6})" fill="#374151">{name}</text>')
        colour = TEXT if name not in audio else PROMPT_AUDIO if i < 6 else MASKED if name == "m" else AUDIO
        for j in range(n):
            fill = colour if seen[i][j] else "#f3f4f6"
            parts.append(box(left + j * cell, top + i * cell, cell - 1, cell - 1, fill))
    entries = [(TEXT, "text row"), (PROMPT_AUDIO, "input audio row"), (AUDIO, "answer audio row")]
    parts += legend([*entries, (MASKED, "masked row"), ("#f3f4f6", "not seen")], left + n * cell + 16, top)
    parts.append("</svg>\n")
    path.write_text("\n".join(parts), encoding="utf-8")


def decode_passes() -> list[tuple[int, list[str]]]:
    """First row, and the colour of each row, of every pass of one decode."""
    config = TtTConfig(
        **dict.fromkeys(("hidden_size", "intermediate_size"), 32),
        vocab_size=84,
        num_hidden_layers=1,
        num_attention_heads=2,
        num_key_value_heads=1,
        audio_token_id_start=20,
        n_audio_codes=60,
        mask_token_id=81,
        end_of_audio_new_token_id=82,
        end_of_audio_span_last_token_id=83,
        begin_of_audio_token_id=13,
        begin_of_quad_token_id=14,
        end_of_audio_token_id=15,
        im_start_token_id=16,
        im_end_token_id=17,
        initializer_range=0.5,
    )
    settings = DecodeConfig(block_length=6, text_temperature=1.0, audio_temperature=1.0, max_text_tokens=9)
    prompt = tuple(range(10))
    torch.manual_seed(0)
    model = TtTModel(config).eval()
    passes: list[tuple[int, list[str]]] = []
    step = model.step

    def noting(groups: list[RowGroup]) -> torch.Tensor:
        (group,) = groups
        audio = {config.mask_token_id: MASKED}
        rows = [
            audio.get(token, AUDIO) if token >= config.audio_token_id_start else TEXT for token in group.ids.tolist()
        ]
        passes.append((group.first, rows))
        return step(groups)

    model.step = noting  # type: ignore[method-assign]  # to see what passes through
    for seed in range(5000):
        passes.clear()
        (answer,) = generate(model, [Prompt(prompt, seed)], settings)
        is_text = [token < config.audio_token_id_start for token in answer.ids]
        if len(answer.spans) == 1 and 8 <= len(answer.spans[0]) <= 11 and all(is_text[:2]) and all(is_text[-4:]):
            return passes
    raise RuntimeError("no seed gives a decode that fits the picture")


def draw_passes(path: Path) -> None:
    """One line per pass: what is read from the cache, what is run, what of it is still masked."""
    passes = decode_passes()
    cell, left, top = 14, 60, 24
    width = max(first + len(rows) for first, rows in passes)
    parts = [
        HEAD.format(w=left + width * cell + 190, h=top + len(passes) * cell + 12),
        box(0, 0, 2000, 2000, "#ffffff"),
    ]
    parts.append(label(left, 14, "position →"))
    parts.append(label(left - 6, top + 10, "pass 0", "end"))
    parts.append(label(left - 6, top + len(passes) * cell - 4, f"pass {len(passes) - 1}", "end"))
    for number, (first, rows) in enumerate(passes):
        for position, fill in enumerate([CACHED] * first + rows):
            parts.append(box(left + position * cell, top + number * cell, cell - 1, cell - 1, fill))
    entries = [
        (CACHED, "read from the cache"),
        (TEXT, "run: prompt, text"),
        (AUDIO, "run: open span"),
        (MASKED, "run: masks"),
    ]
    parts += legend(entries, left + width * cell + 16, top)
    parts.append("</svg>\n")
    path.write_text("\n".join(parts), encoding="utf-8")


if __name__ == "__main__":
    folder = Path(__file__).parent / "images"
    folder.mkdir(exist_ok=True)
    draw_mask(folder / "mask.svg")
    draw_passes(folder / "passes.svg")
