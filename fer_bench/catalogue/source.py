"""What the file of a plug-in says of itself, parsed and not imported: most of them import torch."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from fer_bench import registry
from fer_bench.catalogue.entry import Entry

_HERE = Path(registry.__file__).parent
_REFERENCE = re.compile(r"10\.\d{4,9}/[^\s,;:)]+|arXiv[: ]\d{4}\.\d{4,5}")
_COSTS = re.compile(r"\bCosts (.+?)\.(?:\s|$)", re.DOTALL)
# What evidence offers to an explainer (fer_bench/explainers/base.py): passes that cost more than the prediction.
_PASSES = {"gradients", "differentiate", "run", "classifier", "score"}
_GRADIENT = "a backward pass through the head for each class; none behind average pooling and a linear layer"
_NO_PASS = "no pass beyond that of the prediction"


def entry(kind: str, name: str) -> Entry:
    """Read description, citation, licence and cost of a plug-in."""
    tree = _tree(kind, name)
    plugin = _class(tree, registry.KINDS[kind])
    words = [ast.get_docstring(node) or "" for node in (tree, plugin)]
    texts = {key: _text(kind, name, key) for key in ("citation", "licence")}
    return Entry(
        kind=kind,
        name=name,
        description=words[0].split("\n\n")[0].replace("\n", " "),
        citation=_reference(texts["citation"]) or ", ".join(dict.fromkeys(_references(" ".join(words)))),
        licence=texts["licence"],
        cost=_cost(plugin, words[1]),
    )


def _tree(kind: str, name: str) -> ast.Module:
    return ast.parse((_HERE / kind / f"{name}.py").read_text(encoding="utf-8"))


def _class(tree: ast.Module, name: str) -> ast.ClassDef:
    return next(node for node in tree.body if isinstance(node, ast.ClassDef) and node.name == name)


def _text(kind: str, name: str, attribute: str) -> str:
    """Text of a class attribute, its own or that of the plug-in of the same kind that it is derived from."""
    plugin = _class(_tree(kind, name), registry.KINDS[kind])
    for key, value in _assigned(plugin):
        if key == attribute and isinstance(value, ast.Constant):
            return str(value.value)
    parents = [
        base.value.id for base in plugin.bases if isinstance(base, ast.Attribute) and isinstance(base.value, ast.Name)
    ]
    known = [parent for parent in parents if parent in registry.names(kind)]
    return _text(kind, known[0], attribute) if known else ""


def _assigned(plugin: ast.ClassDef) -> Iterator[tuple[str, ast.expr | None]]:
    for node in plugin.body:
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            yield node.target.id, node.value
        elif isinstance(node, ast.Assign):
            yield from ((target.id, node.value) for target in node.targets if isinstance(target, ast.Name))


def _references(text: str) -> Iterator[str]:
    found = _REFERENCE.findall(" ".join(text.split()))
    return (_reference(one.rstrip(".").replace("arXiv ", "arXiv:")) for one in found)


def _reference(text: str) -> str:
    return f"doi:{text}" if text.startswith("10.") else text


def _cost(plugin: ast.ClassDef, words: str) -> str:
    """What the class says it costs; of explainers also what it is seen to ask for."""
    if said := _COSTS.search(words):
        return " ".join(said[1].split())
    bases = {base.id for base in plugin.bases if isinstance(base, ast.Name)}
    if "GradientExplainer" in bases:
        return _GRADIENT
    return _NO_PASS if "ExplainerBase" in bases and _only_reads(plugin) else ""


def _only_reads(plugin: ast.ClassDef) -> bool:
    """Whether an explainer takes its map from what the prediction has left, and hands its evidence to nobody else."""
    for node in ast.walk(plugin):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "evidence":
            if node.attr in _PASSES:
                return False
        elif isinstance(node, ast.Call) and any(
            isinstance(one, ast.Name) and one.id == "evidence" for one in node.args
        ):
            return False
    return True
