"""What every model card and data card says whatever the numbers are: intended use, and what no number can show."""

from fer_bench.report.results import Results

USE = (
    "Made to compare ways of training and explaining facial expression classifiers, under one protocol, with chance "
    "levels and several seeds: for research on methods, for reproducing the tables beside this file, and for teaching.",
    "Not made to judge people. An expression is what annotators agreed to call a face; it is not what a person feels "
    "(Barrett et al., 2019, doi 10.1177/1529100619832930). Do not use these networks to decide about anybody, at work, "
    "at school, at a border, in court or in care; in the European Union inferring emotions at work and in education is "
    "prohibited (Regulation (EU) 2024/1689, article 5(1)(f)).",
    "Weights trained on photographs are bound by the licence of the photographs, which is often for research alone.",
)
LIMITS = (
    "Faces have one label out of a few words. Mixed, weak and posed expressions, and words of other cultures, do not "
    "fit them.",
    "A map that agrees with action units is no proof that the network decides by them; one that disagrees is no proof "
    "that it does not. Table `table1` and, where they were computed, `controls`, `faithfulness` and `known_truth` say "
    "what was tested.",
    "Each number is a mean over the seeds and images named in its table; another dataset, camera or group of people "
    "can give another one.",
)


def heading(results: Results, title: str) -> list[str]:
    """First lines of a card: title, grid, and the fingerprint of the results that all numbers are from."""
    protocol = results.plan["protocol"]
    return [
        f"# {title}: grid {results.grid}",
        f"Generated with the tables; every number is from results {results.fingerprint}, protocol {protocol}.",
    ]


def section(title: str, *parts: str) -> list[str]:
    """A heading with what stands below it; nothing where nothing does."""
    return [f"## {title}", *parts] if parts else []


def bullets(lines: list[str] | tuple[str, ...]) -> str:
    """Lines as a list."""
    return "\n".join(f"- {line}" for line in lines)
