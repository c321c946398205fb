"""The report page in a real browser: no network, no errors, sorting, slider, colours, and nothing runs out of it."""

import chromium
import pytest
import recorded_results as recorded

from fer_bench.report import page, results, tables

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(chromium.found() is None, reason=f"no browser here: none of {', '.join(chromium.NAMES)}"),
    pytest.mark.timeout(1200),
]
WIDTHS = (360, 800, 1400)
# Words on the page that stand out less than 4.5 to 1 from what is behind them: [contrast, text].
FAINT = """
(() => {
  const parts = (colour) => colour.match(/[\\d.]+/g).map(Number);
  const light = (colour) => {
    const curve = (n) => n <= 0.04045 ? n / 12.92 : ((n + 0.055) / 1.055) ** 2.4;
    const linear = parts(colour).slice(0, 3).map((n) => curve(n / 255));
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2];
  };
  const behind = (node) => {
    for (let one = node; one; one = one.parentElement) {
      const colour = getComputedStyle(one).backgroundColor;
      const [, , , alpha = 1] = parts(colour);
      if (alpha > 0.5) return colour;
    }
    return "rgb(255, 255, 255)";
  };
  const found = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    const owner = node.parentElement;
    if (!node.data.trim() || owner.closest("script, svg, .unseen") || !owner.checkVisibility()) continue;
    const [low, high] = [light(getComputedStyle(owner).color), light(behind(owner))].sort((a, b) => a - b);
    const contrast = (high + 0.05) / (low + 0.05);
    if (contrast < 4.5) found.push([contrast, node.data.trim()]);
  }
  return found;
})()
"""


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    root = tmp_path_factory.mktemp("results")
    plan = recorded.plan(seeds=(0, 1))
    recorded.write(root, plan)
    loaded = results.load(plan, root)
    page.write(loaded, tables.build(loaded), root / "none", {}, root / "report.html")
    return root / "report.html"


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    made = chromium.Chromium(tmp_path_factory.mktemp("profile"))
    yield made
    made.close()


@pytest.fixture
def shown(browser, report):
    browser.open(report, 1400)
    return browser


def test_it_loads_without_network_and_without_errors(shown, report):
    asked = [e["params"]["request"]["url"] for e in shown.events if e["method"] == "Network.requestWillBeSent"]
    assert [url for url in asked if not url.startswith("data:")] == [report.as_uri()]
    wrong = ("Log.entryAdded", "Runtime.exceptionThrown", "Runtime.consoleAPICalled")
    assert not [event for event in shown.events if event["method"] in wrong]
    assert shown.run("document.documentElement.classList.contains('js')")


def test_a_heading_sorts_upwards_downwards_and_as_printed(shown):
    place = "document.querySelector('#table1 th[data-place=\"2\"]')"
    keys = "[...document.querySelector('#table1 tbody').rows].map((row) => row.cells[2].dataset.key ?? null)"
    printed = shown.run(keys)
    states, orders = [], []
    for _ in range(3):
        shown.run(f"{place}.querySelector('button').click()")
        states.append(shown.run(f"{place}.ariaSort"))
        orders.append(shown.run(keys))
    assert states == ["ascending", "descending", "none"]
    numbers = sorted(float(key) for key in printed if key is not None)
    missing = [None] * printed.count(None)
    assert [key and float(key) for key in orders[0]] == numbers + missing
    assert [key and float(key) for key in orders[1]] == numbers[::-1] + missing
    assert orders[2] == printed != orders[0]


def test_a_key_sorts_as_the_mouse_does(shown):
    shown.run("document.querySelector('#table1 th[data-place=\"2\"] button').focus()")
    for kind in ("keyDown", "keyUp"):
        shown.call("Input.dispatchKeyEvent", type=kind, key="Enter", code="Enter", windowsVirtualKeyCode=13, text="\r")
    assert shown.run("document.querySelector('#table1 th[data-place=\"2\"]').ariaSort") == "ascending"


def test_the_slider_uncovers_one_map_or_the_other(shown):
    slider = "document.querySelectorAll('.face')[1].querySelector('input')"
    clip = "getComputedStyle(document.querySelectorAll('.face')[1].querySelector('.map.after')).clipPath"
    middle = shown.run(clip)
    shown.run(f"{slider}.focus()")
    for kind in ("keyDown", "keyUp"):
        shown.call("Input.dispatchKeyEvent", type=kind, key="End", code="End", windowsVirtualKeyCode=35)
    assert shown.run(f"{slider}.value") == "100"
    assert (middle, shown.run(clip)) == ("inset(0px 0px 0px 50%)", "inset(0px 0px 0px 100%)")
    assert shown.run(f"{slider}.getAttribute('aria-valuetext')") == "100 % without AU, 0 % with AU"


def test_another_kind_of_map_is_shown_when_chosen(shown):
    layer = "document.querySelectorAll('.face')[1].querySelector('.map.after')"
    before = shown.run(f"{layer}.src")
    shown.run(
        "(() => { const s = document.querySelector('[data-choice=kind]'); s.value = 'cam.cam';"
        " s.dispatchEvent(new Event('change')); })()"
    )
    assert shown.run(f"{layer}.alt").startswith("activation map, CAM, with AU, ")
    assert shown.run(f"{layer}.src") != before
    assert shown.run(f"{layer}.decode().then(() => {layer}.naturalWidth)") == recorded.SIDE


def test_a_link_to_a_folded_table_opens_it(shown):
    assert not shown.run("document.getElementById('recall').open")
    shown.run("document.querySelector('.contents a[href=\"#recall\"]').click()")
    assert shown.run("new Promise((done) => setTimeout(() => done(document.getElementById('recall').open), 300))")


def test_the_switch_of_colours_wins_over_the_system(shown):
    paper = "getComputedStyle(document.body).backgroundColor"
    day = shown.run(paper)
    shown.size(1400, dark=True)
    night = shown.run(paper)
    choose = "(() => {{ theme.value = '{0}'; theme.dispatchEvent(new Event('change')); }})()"
    shown.run(choose.format("light"))
    assert shown.run(paper) == day != night
    shown.run(choose.format("dark"))
    shown.size(1400)
    assert shown.run(paper) == night
    shown.run(choose.format(""))
    assert shown.run(paper) == day


@pytest.mark.parametrize("dark", [False, True], ids=["day", "night"])
@pytest.mark.parametrize("width", WIDTHS)
def test_the_page_fits_its_width_and_words_stand_out(browser, report, tmp_path, width, dark):
    browser.open(report, width, dark=dark)
    assert browser.run("document.documentElement.scrollWidth") <= width
    browser.run("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
    assert browser.run("document.documentElement.scrollWidth") <= width
    assert browser.run(FAINT) == []
    browser.picture(tmp_path / "page.png")
    assert (tmp_path / "page.png").read_bytes().startswith(b"\x89PNG")
