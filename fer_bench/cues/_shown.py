"""Which class's cue an image shows, in training and in each view of the test images."""

from collections.abc import Sequence

from fer_bench.synthface.random_streams import stream

CLEAN, ALIGNED, RANDOM, CONFLICT = "clean", "aligned", "random", "conflict"
VIEWS = (CLEAN, ALIGNED, RANDOM, CONFLICT)  # of the test images; `clean` shows no cue
TRAINED = "trained"  # of train and val
SHOWN = (TRAINED, ALIGNED, RANDOM, CONFLICT)


def shown(label: str, classes: Sequence[str], rate: float, seed: int, name: str) -> dict[str, str]:
    """Draw the class whose cue an image shows, for each of SHOWN.

    trained: the own class with probability `rate`, else any other, each alike. aligned: the own class. random: any
    class, each alike. conflict: any other class, each alike.

    Args:
        label: the image's own class.
        classes: all of them.
        rate: in [0, 1]; one over the number of classes makes the cue worthless.
        seed: of the generated set.
        name: id of the image; nothing else enters the draws, so an image keeps its cues in a larger set, and a higher
            rate only turns foreign cues into own ones.
    """
    follows, foreign, any_class, other = stream(seed, "cue_class", name).random(4)
    others = [word for word in classes if word != label]
    return {
        TRAINED: label if follows < rate else others[int(foreign * len(others))],
        ALIGNED: label,
        RANDOM: classes[int(any_class * len(classes))],
        CONFLICT: others[int(other * len(others))],
    }
