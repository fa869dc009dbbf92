"""Damage: bits, blocks, lengths, numbers, words of the format, lines, nodes of JSON, halves of two files, gzip."""

from __future__ import annotations

import gzip
import json
import re
import struct
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from fuzz.files import Files

Random = np.random.Generator
Change = Callable[[bytes, Random], bytes]

MOST_BYTES = 200_000
"""Of a damaged file that was no larger when whole: small files find as much, and faster."""
NEAR = 2_048
"""Bytes at both ends of a file, where formats keep what they say of themselves."""

LENGTHS = [0, 1, 2, 7, 127, 128, 255, 256, 32_767, 32_768, 65_535, 65_536, 2**24, 2**31 - 1, 2**31, 2**32 - 1]
LENGTHS += [2**40, 2**62, 2**63 - 1, 2**63, 2**64 - 1, 2**64 - 2]
NUMBERS = ["-1", "0", "1", "2", "1e999", "-1e999", "nan", "inf", "99999999999999999999", "9223372036854775807", "1e308"]
NUMBERS += ["2147483648", "4294967296", "0x10", "1_000", "١", "1.5", "", "-0", "1e-400", "100000", "010", "9" * 400]
WORDS = [b"\0", b"\xff\xff\xff\xff", b"\xef\xbb\xbf", b"\n", b"\r\n", b"\r", b'"', b"'", b",", b"\t", b" ", b"#", b"&"]
WORDS += [b"\xe2\x80\xa8", b"\xc3\x28", b"\xed\xa0\x80", b"%s", b"{}", b"../", b"[" * 50, b"(" * 50, b"A" * 5_000]
NODES: list[Any] = [None, True, False, 0, -1, 1, 2, 0.5, 10**9, 10**30, -(10**18), 1e308, float("nan"), float("inf")]
NODES += ["", "a", "nan", "\0", "\ud800", "x" * 3_000, [], {}, [None], [[]], [1, "a"], {"a": 1}, {"": None}]


def mutated(files: Files, others: Sequence[Files], tokens: Sequence[bytes], rng: Random) -> Files:
    """Files of which one is damaged, sometimes two."""
    made = dict(files)
    if not made:
        return made
    for _ in range(1 if rng.random() < 0.85 else 2):
        name = str(rng.choice([*made]))
        made[name] = _damaged(name, made[name], [o[name] for o in others if name in o], tokens, rng)
    if len(made) > 1 and rng.random() < 0.05:
        del made[str(rng.choice([*made]))]
    return made


def _damaged(name: str, content: bytes, others: Sequence[bytes], tokens: Sequence[bytes], rng: Random) -> bytes:
    changes: list[Change] = [_flip, _flip, _overwrite, _length, _length, _cut, _drop, _repeat, _swap, _number, _number]
    changes += [lambda c, r: _word(c, r, [*tokens, *WORDS])] * (3 if tokens else 1)
    if _is_text(content):
        changes += [_lines] * 3
    if name.endswith(".json") or content.startswith(b"{"):
        changes += [_nodes] * 8
    if others:
        changes.append(lambda c, r: _splice(c, others[int(r.integers(len(others)))], r))
    most = max(MOST_BYTES, len(content))
    for _ in range(int(rng.geometric(0.6))):
        content = changes[int(rng.integers(len(changes)))](content, rng)[:most]
    if rng.random() < 0.03:
        content = gzip.compress(content, mtime=0)
        content = _flip(content, rng) if rng.random() < 0.3 else _cut(content, rng) if rng.random() < 0.3 else content
    return content


def _is_text(content: bytes) -> bool:
    return b"\0" not in content[:500]


def _place(content: bytes, rng: Random) -> int:
    """A place in a file, rather at its ends."""
    size = len(content)
    if not size:
        return 0
    match int(rng.integers(4)):
        case 0 | 1:
            return int(rng.integers(size))
        case 2:
            return int(rng.integers(min(size, NEAR)))
        case _:
            return size - 1 - int(rng.integers(min(size, NEAR)))


def _block(content: bytes, rng: Random) -> tuple[int, int]:
    start = _place(content, rng)
    return start, min(len(content), start + int(2 ** rng.uniform(0, 11)))


def _flip(content: bytes, rng: Random) -> bytes:
    changed = bytearray(content)
    for _ in range(int(rng.geometric(0.5))):
        if changed:
            changed[_place(content, rng)] ^= 1 << int(rng.integers(8))
    return bytes(changed)


def _overwrite(content: bytes, rng: Random) -> bytes:
    start, stop = _block(content, rng)
    with_what = [b"\0", b"\xff", b"\x7f", b"\x80", b" ", bytes([int(rng.integers(256))])][int(rng.integers(6))]
    stop = min(stop, start + 16)
    return content[:start] + with_what * (stop - start) + content[stop:]


def _length(content: bytes, rng: Random) -> bytes:
    """Whole numbers of 1 to 8 bytes in either order, as lengths, offsets and counts are written."""
    size = int(rng.choice([1, 2, 4, 4, 8, 8]))
    start = _place(content, rng) // (size if rng.random() < 0.7 else 1) * (size if rng.random() < 0.7 else 1)
    order = "<" if rng.random() < 0.7 else ">"
    field = content[start : start + size]
    if len(field) == size and rng.random() < 0.3:
        number = int.from_bytes(field, "little" if order == "<" else "big") + int(rng.integers(-2, 3))
    else:
        number = LENGTHS[int(rng.integers(len(LENGTHS)))]
    packed = struct.pack(f"{order}Q", number % 2**64)
    return content[:start] + (packed[:size] if order == "<" else packed[8 - size :]) + content[start + size :]


def _cut(content: bytes, rng: Random) -> bytes:
    return content[: _place(content, rng)] if rng.random() < 0.8 else content[_place(content, rng) :]


def _drop(content: bytes, rng: Random) -> bytes:
    start, stop = _block(content, rng)
    return content[:start] + content[stop:]


def _repeat(content: bytes, rng: Random) -> bytes:
    start, stop = _block(content, rng)
    times = int(2 ** rng.uniform(1, 7))
    return content[:start] + content[start:stop] * times + content[stop:]


def _swap(content: bytes, rng: Random) -> bytes:
    (a, b), (c, d) = sorted([_block(content, rng), _block(content, rng)])
    b, d = min(b, c), max(d, c)
    return content[:a] + content[c:d] + content[b:c] + content[a:b] + content[d:]


def _number(content: bytes, rng: Random) -> bytes:
    """A number that is written in digits, replaced."""
    found = [*re.finditer(rb"-?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?", content)]
    if not found:
        return _length(content, rng)
    one = found[int(rng.integers(len(found)))]
    told = NUMBERS[int(rng.integers(len(NUMBERS)))].encode()
    return content[: one.start()] + told + content[one.end() :]


def _word(content: bytes, rng: Random, words: Sequence[bytes]) -> bytes:
    """A word of the format, put in, put over, or in the place of another one."""
    word = words[int(rng.integers(len(words)))]
    there = [at for at in (content.find(one) for one in words if len(one) > 2) if at >= 0]
    at = there[int(rng.integers(len(there)))] if there and rng.random() < 0.4 else _place(content, rng)
    return content[:at] + word + content[at + (len(word) if rng.random() < 0.6 else 0) :]


def _lines(content: bytes, rng: Random) -> bytes:
    lines = content.splitlines(keepends=True)
    if not lines:
        return content
    at, to = (int(rng.integers(len(lines))) for _ in range(2))
    match int(rng.integers(5)):
        case 0:
            del lines[at]
        case 1:
            lines.insert(to, lines[at])
        case 2:
            lines[at], lines[to] = lines[to], lines[at]
        case 3:
            lines[at] = lines[at].rstrip(b"\n") + lines[to]
        case _:
            words = re.split(rb"([,;\s:]+)", lines[at])
            one, other = (int(rng.integers(len(words))) for _ in range(2))
            words[one] = words[other]
            lines[at] = b"".join(words)
    return b"".join(lines)


def _nodes(content: bytes, rng: Random) -> bytes:
    """A value somewhere in JSON, replaced, left out, twice, or deep inside lists."""
    try:
        tree = json.loads(content)
    except (ValueError, RecursionError):
        return _flip(content, rng)
    node: Any = tree
    while isinstance(node, dict | list) and node:
        keys: Sequence[Any] = [*node] if isinstance(node, dict) else range(len(node))
        key = keys[int(rng.integers(len(keys)))]
        inner = node[key]
        if isinstance(inner, dict | list) and inner and rng.random() < 0.7:
            node = inner
            continue
        match int(rng.integers(5)):
            case 0:
                del node[key]
            case 1 if isinstance(node, list):
                node.append(inner)
            case 2:
                for _ in range(int(2 ** rng.uniform(0, 7))):
                    inner = [inner]
                node[key] = inner
            case _:
                node[key] = NODES[int(rng.integers(len(NODES)))]
        break
    return json.dumps(tree, indent=1).encode()


def _splice(content: bytes, other: bytes, rng: Random) -> bytes:
    return content[: _place(content, rng)] + other[_place(other, rng) :]
