"""The order of expressions, the same everywhere: the position is the class id."""

EXPRESSIONS: tuple[str, ...] = ("neutral", "happiness", "surprise", "fear", "anger", "disgust", "sadness")
EXPRESSIONS_8: tuple[str, ...] = (*EXPRESSIONS, "contempt")
NEUTRAL = 0
