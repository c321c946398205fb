"""A printed number and the values that it may stand for."""

from dataclasses import dataclass

STEP = 0.01  # the paper prints two decimals
NOISE = 1e-9  # of a binary fraction times 100
STORED = 1e-5  # scores are stored with six decimals; one image of 3,500 is 0.03 %


@dataclass(frozen=True)
class Printed:
    """A published number.

    text: as printed. low, high: the published value lies in [low, high]; both are equal where it is known exactly.
    cut: the text was made by cutting decimals off (else it was read off a plot).
    """

    text: str
    low: float
    high: float
    cut: bool = True

    def matches(self, value: float) -> bool:
        """Whether a value would be printed like this: text <= value < text + 0.01, or it is the very same count."""
        exact = self.low == self.high and abs(value - self.low) < STORED
        if exact or not self.cut:
            return self.low - STORED <= value <= self.high + STORED
        hundredths = round(float(self.text) / STEP)
        return hundredths - NOISE <= value / STEP < hundredths + 1 - NOISE

    def meets(self, low: float, high: float) -> bool:
        """Whether the published value may lie in [low, high]."""
        return low <= self.high and high >= self.low

    @property
    def middle(self) -> float:
        """The published value, or the middle of where it may lie."""
        return (self.low + self.high) / 2


def share(text: str, correct: int, images: int) -> Printed:
    """An accuracy in percent: the number of correct images gives it exactly."""
    value = 100 * correct / images
    return Printed(text, value, value)


def counted(correct: int, images: int) -> Printed:
    """An accuracy in percent that is printed nowhere but known from a plot to be so many correct images."""
    value = 100 * correct / images
    return Printed(f"{value:.2f}", value, value, cut=False)


def truncated(text: str) -> Printed:
    """A number whose further decimals were cut off."""
    return Printed(text, float(text), float(text) + STEP)


def read_off(value: float, error: float) -> Printed:
    """A number read off a plot."""
    return Printed(f"{value:.3f}", value - error, value + error, cut=False)
