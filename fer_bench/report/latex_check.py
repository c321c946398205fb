"""Whether LaTeX code of a table is well formed, without a TeX installation."""

import re

SPANNED = re.compile(r"\\multicolumn\{(\d+)\}")


def problems(code: str, columns: int) -> list[str]:
    """What is wrong with the code of a table of so many columns; empty when it is well formed.

    Checked: balanced braces and environments, the number of cells in every line, no character that LaTeX would
    read as a command or that needs a font of its own.
    """
    found = [*_braces(code), *_environments(code), *_characters(code)]
    for line in code.splitlines():
        if line.endswith(r"\\") and (cells := _cells(line)) != columns:
            found.append(f"{cells} cells for {columns} columns: {line}")
    return found


def _braces(code: str) -> list[str]:
    depth = 0
    for character in re.sub(r"\\[{}]", "", code):
        depth += (character == "{") - (character == "}")
        if depth < 0:
            return ["a closing brace without an opening one"]
    return [f"{depth} braces are left open"] if depth else []


def _environments(code: str) -> list[str]:
    stack: list[str] = []
    for kind, name in re.findall(r"\\(begin|end)\{([\w*]+)\}", code):
        if kind == "begin":
            stack.append(name)
        elif not stack or stack.pop() != name:
            return [f"environment {name} ends but has not begun"]
    return [f"environment {name} does not end" for name in stack]


def _characters(code: str) -> list[str]:
    bare = re.sub(r"\\[%#&$]", "", code)
    found = [f"a bare {sign}" for sign in ("#",) if sign in bare.replace("[1]{\\sbox0{#1}", "")]
    found += ["a comment sign within a line"] * bool(re.search(r"%(?!$)", bare, flags=re.MULTILINE))
    odd = sorted({character for character in code if not character.isascii()})
    return found + ([f"not ASCII: {' '.join(odd)}"] if odd else [])


def _cells(line: str) -> int:
    spanned = sum(int(count) - 1 for count in SPANNED.findall(line))
    return len(re.findall(r"(?<!\\)&", line)) + 1 + spanned
