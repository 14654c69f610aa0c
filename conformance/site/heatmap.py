"""The heat map: a picture of ops by versions, which stands by itself and follows light and dark."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from html import escape
from typing import Final

from conformance.gate.telling import harmless
from conformance.site.gradients import Op
from conformance.site.verdicts import ABSENT, SIGNS

_COLUMNS: Final = 3
_LINE: Final = 15
_CELL: Final = 16
_NAME: Final = 190
_HEAD: Final = 26
_GAP: Final = 24
_LONGEST: Final = 28
_STYLE: Final = """
text { font: 11px system-ui, "DejaVu Sans", sans-serif; fill: #3a3835; }
.space { font-weight: 600; fill: #1d1c1a; }
.version, .sign { font-size: 9px; text-anchor: middle; }
.sign { font-weight: 600; fill: #2b1a00; } .white { fill: #fff; }
.holds { fill: #cfe6d5; } .absent { fill: #efece7; }
.inconclusive, .unsupported { fill: #d9d5ce; } .gap { fill: #a9bde3; }
.deviates1 { fill: #fbe0b3; } .deviates2 { fill: #f3bf6d; } .deviates3 { fill: #e09a35; }
.violated { fill: #b3192b; } .crashed { fill: #8a1466; }
@media (prefers-color-scheme: dark) {
  text { fill: #cbc7c0; } .space { fill: #f3f0ea; } .sign { fill: #f6efe4; }
  .holds { fill: #234a32; } .absent { fill: #262523; }
  .inconclusive, .unsupported { fill: #45433f; } .gap { fill: #3b558a; }
  .deviates1 { fill: #4d3714; } .deviates2 { fill: #7a520f; } .deviates3 { fill: #a4680c; }
}
"""
_SHADES: Final = (1, 2, 4)
"""How many contracts that deviate make each of the three shades."""


def heatmap(grid: Mapping[str, Sequence[Op]], versions: Sequence[str]) -> str:
    """The picture, as SVG.

    Args:
        grid: the ops by namespace.
        versions: their names, the oldest first.
    """
    lines = list(_lines(grid))
    high = -(-len(lines) // _COLUMNS) or 1
    width = _NAME + _CELL * len(versions) + _GAP
    parts = []
    for number, start in enumerate(range(0, len(lines), high)):
        parts.append(f'<g transform="translate({number * width} 0)">')
        parts += _head(versions)
        for row, (name, op) in enumerate(lines[start : start + high]):
            parts += _row(name, op, versions, _HEAD + row * _LINE)
        parts.append("</g>")
    size = f"{width * _COLUMNS - _GAP} {_HEAD + high * _LINE + 4}"
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {size}" role="img" '
        'aria-labelledby="title"><title id="title">What became of each op in each version of '
        f"TensorFlow</title><style>{_STYLE}</style>{''.join(parts)}</svg>\n"
    )


def _lines(grid: Mapping[str, Sequence[Op]]) -> Iterator[tuple[str, Op | None]]:
    for space, ops in grid.items():
        yield space, None
        for op in ops:
            yield op.short, op


def _head(versions: Sequence[str]) -> Iterator[str]:
    for at, version in enumerate(versions):
        x, short = _NAME + at * _CELL + (_CELL - 1) / 2, _text(version.removeprefix("2.")[:2])
        yield f'<text class="version" x="{x}" y="16"><title>{_text(version)}</title>{short}</text>'


def _row(name: str, op: Op | None, versions: Sequence[str], y: int) -> Iterator[str]:
    base = y + 11
    if op is None:
        yield f'<text class="space" x="0" y="{base}">{_text(name)}</text>'
        return
    short = name if len(name) <= _LONGEST else f"{name[: _LONGEST - 1]}…"
    yield f'<text x="10" y="{base}"><title>{_text(op.name)}</title>{_text(short)}</text>'
    for at, version in enumerate(versions):
        verdict = op.verdicts.get(version, ABSENT)
        heat = op.heat(version)
        shade = sum(heat >= least for least in _SHADES) if verdict == "deviates" else ""
        x, width = _NAME + at * _CELL, _CELL - 1
        yield f'<rect class="{verdict}{shade}" x="{x}" y="{y}" width="{width}" height="14" rx="2"/>'
        if verdict not in ("holds", ABSENT):
            sign = heat or SIGNS[verdict]
            white = " white" if verdict in ("violated", "crashed") else ""
            yield f'<text class="sign{white}" x="{x + width / 2}" y="{base}">{sign}</text>'


def _text(text: str) -> str:
    return escape(harmless(text))
