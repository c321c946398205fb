"""An HTML page as a list of elements, for tests of its structure."""

from dataclasses import dataclass, field
from html.parser import HTMLParser

VOID = {"meta", "link", "img", "input", "br", "hr"}


@dataclass
class Element:
    """An element: its tag, attributes, the text inside it, and the elements around it, the nearest last."""

    tag: str
    attributes: dict[str, str]
    around: tuple["Element", ...]
    text: str = field(default="")

    def inside(self, tag: str) -> bool:
        """Whether an element of this tag is around it."""
        return any(one.tag == tag for one in self.around)


class Page(HTMLParser):
    """All elements of a page in order; refuses tags that are not closed as they were opened."""

    def __init__(self, content: str) -> None:
        super().__init__()
        self.elements: list[Element] = []
        self._open: list[Element] = []
        self.feed(content)
        assert not self._open, [one.tag for one in self._open]

    def handle_starttag(self, tag, attrs):
        one = Element(tag, {name: value or "" for name, value in attrs}, tuple(self._open))
        self.elements.append(one)
        if tag not in VOID:
            self._open.append(one)

    def handle_startendtag(self, tag, attrs):
        self.elements.append(Element(tag, {name: value or "" for name, value in attrs}, tuple(self._open)))

    def handle_endtag(self, tag):
        assert self._open.pop().tag == tag

    def handle_data(self, data):
        for one in self._open:
            one.text += data

    def of(self, *tags: str) -> list[Element]:
        """Elements of any of the tags."""
        return [one for one in self.elements if one.tag in tags]
