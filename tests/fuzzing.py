"""Damages valid files in ways that a seed decides, and says what a parser makes of them."""

import random
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from fer_bench.errors import LONGEST, InputError

_WORDS = (
    "", " ", "\t", "\n", "\r", "\r\n", ",", ";", ":", ".", "-", "_", "+", "/", "\\", "../", "/etc/hostname", '"', "'",
    "0", "1", "7", "8", "-1", "1.5", "1e3", "1e39", "1e308", "1e400", "-1e400", "nan", "NaN", "inf", "-inf", "null",
    "~", "true", "yes", "None", "NULL", "N/A", "1_000", "0x10", "007", "9" * 20, "9" * 400, "9" * 5000, "a" * 200,
    "[" * 80, "\N{SUPERSCRIPT TWO}",
    "\N{FULLWIDTH DIGIT ONE}", "\N{ARABIC-INDIC DIGIT THREE}", "\N{LINE SEPARATOR}", "\ufeff",
    "\N{ZERO WIDTH SPACE}", "\N{RIGHT-TO-LEFT OVERRIDE}", "\x00", "\x07", "\x1b[2J", "\x85", "[", "]", "{", "}", "&a ",
    "*a", "<<: *a", "- ", "---\n", "...\n", "# ", "%YAML 1.1\n---\n", "? ", "! ", "!!set {a, b}", "!!binary aGk=",
    "!!python/object/apply:os.getcwd []", "!munch.Munch ", "2001-01-01", "2001-99-99", "|\n  a", "test", "neutral",
)  # fmt: skip
TOKENS = (*(word.encode() for word in _WORDS), b"\xff\xfe", b"\x80", b"\xed\xa0\x80", b"\xc3")
MOST_CHANGES = 4


@dataclass(frozen=True)
class Parser:
    """Something that reads files from outside.

    files: name -> content that is read without complaint. read: given the folder that holds them.
    """

    name: str
    files: Mapping[str, bytes]
    read: Callable[[Path], object]


def attack(parser: Parser, inputs: int, folder: Path) -> Counter[str]:
    """Read `inputs` damaged versions of a parser's files; return how many were `read` and how many `refused`.

    Raises:
        AssertionError: the valid files are not read, or a damaged one raises anything but InputError, or one whose
            message is not a line for print; the damaged file stands in the message.
    """
    for name, content in parser.files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    parser.read(folder)
    found: Counter[str] = Counter()
    for number in range(inputs):
        rng = random.Random(f"{parser.name} {number}")
        name = rng.choice(sorted(parser.files))
        damaged = damage(parser.files[name], rng)
        (folder / name).write_bytes(damaged)
        found[_outcome(parser, folder, f"{parser.name}, input {number}, {name}: {damaged[:3000]!r}")] += 1
        (folder / name).write_bytes(parser.files[name])
    return found


def _outcome(parser: Parser, folder: Path, what: str) -> str:
    try:
        parser.read(folder)
    except InputError as error:
        message = str(error)
        assert message.isprintable() and 0 < len(message) <= LONGEST + 1, f"{what}: {message!r}"
        return "refused"
    except Exception as error:
        raise AssertionError(f"{what}: {type(error).__name__}: {error}") from error
    return "read"


def damage(content: bytes, rng: random.Random) -> bytes:
    """Change one to four things: bytes, words, lines or the end of a file."""
    data = bytearray(content)
    for _ in range(rng.randint(1, MOST_CHANGES)):
        rng.choice(_CHANGES)(data, rng)
    return bytes(data)


def _flip(data: bytearray, rng: random.Random) -> None:
    if data:
        data[rng.randrange(len(data))] = rng.randrange(256)


def _insert(data: bytearray, rng: random.Random) -> None:
    place = rng.randint(0, len(data))
    data[place:place] = rng.choice(TOKENS)


def _remove(data: bytearray, rng: random.Random) -> None:
    start = rng.randint(0, len(data))
    del data[start : start + rng.choice((1, 2, 8, 64, 1024))]


def _repeat(data: bytearray, rng: random.Random) -> None:
    start = rng.randint(0, len(data))
    part = bytes(data[start : start + rng.choice((1, 8, 64, 512))])
    data[start:start] = part * rng.choice((1, 1, 2, 20))


def _cut(data: bytearray, rng: random.Random) -> None:
    del data[rng.randint(0, len(data)) :]


def _replace_word(data: bytearray, rng: random.Random) -> None:
    """Put something else in the place of a word or a number."""
    start = end = rng.randint(0, len(data))
    while start > 0 and data[start - 1 : start].isalnum():
        start -= 1
    while end < len(data) and (data[end : end + 1].isalnum() or data[end : end + 1] == b"."):
        end += 1
    data[start:end] = rng.choice(TOKENS)


def _swap_lines(data: bytearray, rng: random.Random) -> None:
    lines = bytes(data).split(b"\n")
    one, other = rng.randrange(len(lines)), rng.randrange(len(lines))
    lines[one], lines[other] = lines[other], lines[one]
    data[:] = b"\n".join(lines)


def _double_line(data: bytearray, rng: random.Random) -> None:
    lines = bytes(data).split(b"\n")
    place = rng.randrange(len(lines))
    lines.insert(rng.randint(0, len(lines)), lines[place])
    data[:] = b"\n".join(lines)


_CHANGES = (
    _flip,
    _insert,
    _remove,
    _repeat,
    _cut,
    _replace_word,
    _replace_word,
    _replace_word,
    _swap_lines,
    _double_line,
)
