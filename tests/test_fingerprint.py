"""The import closure that decides what reruns."""

from pathlib import Path

from fer_bench.fingerprint import sources


def project(base: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        path = base / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return base


FILES = {
    "fer_bench/__init__.py": "",
    "fer_bench/a.py": "from fer_bench import b\nimport os\n",
    "fer_bench/b.py": "def f():\n    from fer_bench.pack import deep\n",
    "fer_bench/pack/__init__.py": "from .shallow import x\n",
    "fer_bench/pack/deep.py": "",
    "fer_bench/pack/shallow.py": "x = 1\n",
    "fer_bench/other.py": "",
    "fer_bench/errors.py": "",
    "stages/work.py": "import fer_bench.a\nfrom fer_bench import errors\n",
}


def test_closure_follows_all_kinds_of_imports(tmp_path):
    found = sources(["stages.work"], project(tmp_path, FILES))
    assert list(found) == [
        "fer_bench",
        "fer_bench.a",
        "fer_bench.b",
        "fer_bench.pack",
        "fer_bench.pack.deep",
        "fer_bench.pack.shallow",
        "stages.work",
    ]


def test_only_what_is_imported_changes_the_fingerprint(tmp_path):
    one = sources(["stages.work"], project(tmp_path / "one", FILES))
    other = sources(["stages.work"], project(tmp_path / "two", {**FILES, "fer_bench/other.py": "y = 2\n"}))
    deep = sources(["stages.work"], project(tmp_path / "three", {**FILES, "fer_bench/pack/deep.py": "y = 2\n"}))
    assert one == other
    assert {name for name in one if one[name] != deep[name]} == {"fer_bench.pack.deep"}
