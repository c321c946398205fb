"""MLflow's own pages in a real browser: two trainings, with and without guidance, with their scores and their faces."""

import json
import time
import urllib.parse

import chromium
import pytest
import recorded_results as recorded
from mlflow_server import serving

from fer_bench import _mlflow_store, _mlflow_views, tracking

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(chromium.found() is None, reason=f"no browser here: none of {', '.join(chromium.NAMES)}"),
    pytest.mark.timeout(1200),
]
SECONDS = 120  # for a page; a busy machine needs twenty
MODEL = "resnet_small"
CELLS = [f"synthetic-{MODEL}-{arm}-s0" for arm in ("none", "au")]
# Clicks the first element whose own words are these, and says whether there was one.
CLICK = """((words) => {
  if (!document.body) return false;
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    if (node.data.trim() !== words) continue;
    node.parentElement.scrollIntoView({block: "center"});
    node.parentElement.dispatchEvent(new PointerEvent("pointerdown", {bubbles: true, button: 0}));  // opens menus
    node.parentElement.click();
    return true;
  }
  return false;
})"""


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    made = tmp_path_factory.mktemp("mlflow")
    plan = recorded.plan(seeds=(0,))
    plan["cells"] = [entry for entry in plan["cells"] if entry["model"] == MODEL]
    recorded.write(made, plan)
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("MLFLOW_TRACKING_URI", raising=False)
        assert tracking.sync(made, plan).made == 4
    return made


@pytest.fixture(scope="module")
def address(root):
    with serving(root, ["ui"], "/health") as found:
        yield found


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    made = chromium.Chromium(tmp_path_factory.mktemp("profile"))
    made.size(1500, 1100)
    yield made
    made.close()


def go(browser, address):
    browser.call("Page.navigate", url="about:blank")
    browser.call("Page.navigate", url=address)


def wait(browser, condition, what):
    """Wait until a JavaScript condition holds."""
    end = time.monotonic() + SECONDS
    while not browser.run(condition):
        assert time.monotonic() < end, f"{what} did not appear: {browser.run('document.body.innerText')[:3000]}"
        time.sleep(0.5)


def shows(browser, *words):
    for word in words:
        wait(browser, f"document.body?.innerText.includes({json.dumps(word)})", word)


def test_the_comparison_page_has_both_runs_their_scores_and_their_faces(browser, root, address):
    from mlflow import MlflowClient

    client = MlflowClient(_mlflow_store.tracking_uri(root))
    found = {
        run.info.run_name: run.info.run_id for run in client.search_runs(["1"], "tags.`fer_bench.kind`='training'")
    }
    asked = {"runs": json.dumps([found[cell] for cell in CELLS]), "experiments": '["1"]'}
    go(browser, f"{address}/#/compare-runs?{urllib.parse.urlencode(asked)}")
    scores = [f"{client.get_run(found[cell]).data.metrics['test/synthetic/accuracy']:g}" for cell in CELLS]
    assert scores[0] != scores[1]
    shows(browser, *CELLS, "test/synthetic/accuracy", *scores)
    wait(browser, f"{CLICK}('attention-synthetic.png')", "the picture among the artifacts")
    wait(
        browser,
        "[...document.images].filter((image) => image.naturalWidth > 200 && image.alt !== 'logo').length >= 2",
        "the faces of both runs",
    )


@pytest.mark.parametrize("view", [_mlflow_views.pairs, _mlflow_views.means])
def test_a_saved_view_draws_its_charts(browser, address, view):
    asked = {"viewStateShareKey": view("synthetic"), "compareRunsMode": "CHART"}
    go(browser, f"{address}/#/experiments/1/runs?{urllib.parse.urlencode(asked)}")
    shows(browser, "scores on synthetic", "over epochs", "test/synthetic/accuracy")
    wait(browser, "document.querySelectorAll('.js-plotly-plot').length >= 2", "charts")
    assert "Error loading" not in browser.run("document.body.innerText")  # of a view that MLflow cannot read
    single = view is _mlflow_views.pairs
    assert ("guidance and scores on synthetic" in browser.run("document.body.innerText")) == single
    if single:
        shows(browser, "faces of synthetic", *CELLS)


def test_the_views_stand_in_the_menu(browser, address):
    go(browser, f"{address}/#/experiments/1/runs")
    wait(browser, f"{CLICK}('Views')", "the menu of views")
    shows(browser, "with and without guidance, scores on synthetic", "means over seeds, scores on synthetic")
