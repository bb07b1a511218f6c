"""The space-time diagram in a browser: a page opened from a file, in its frame, without a network."""

import shutil
import time

import numpy as np
import pytest

import trace_maker as maker
from distlab import _core
from distlab._trace import Trace

pytestmark = pytest.mark.browser

FLAGS = [
    "headless", "no-sandbox", "disable-gpu", "disable-quic", "no-first-run", "disable-dev-shm-usage",
    "disable-background-networking", "disable-component-update", "disable-sync", "window-size=1100,800",
    "host-resolver-rules=MAP * ~NOTFOUND",
]  # fmt: skip
# Painting is recorded first and done later: reading a pixel back waits for all of it.
PAINT = """
    const el = document.getElementById('diagram'), canvas = el.querySelector('.stage canvas'), out = [];
    const g = canvas.getContext('2d');
    for (let k = 0; k < 5; k++) {
        const begun = performance.now();
        el.dispatchEvent(new Event('repaint'));
        g.getImageData(0, 0, 1, 1);
        out.push(performance.now() - begun);
    }
    return Math.min(...out);
"""


@pytest.fixture(scope="module")
def driver():
    pytest.importorskip("selenium", reason="optional: selenium is not installed")
    from selenium import webdriver
    from selenium.webdriver.chrome.service import Service

    browser = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    helper = shutil.which("chromedriver")
    if not browser or not helper:
        pytest.skip("optional: no chromium")
    options = webdriver.ChromeOptions()
    options.binary_location = browser
    for flag in FLAGS:
        options.add_argument(f"--{flag}")
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = webdriver.Chrome(service=Service(helper), options=options)
    yield driver
    driver.quit()


@pytest.fixture
def show(driver, tmp_path, monkeypatch):
    """Open a trace as a saved page and look into its frame; afterwards the console must be silent."""
    monkeypatch.setattr(_core, "trace_lines", lambda model, rows: [str(row) for row in rows])

    def opened(rows, **options):
        trace = Trace(rows, maker.SCHEMA, model="consensus.imitation")
        page = tmp_path / "page.html"
        page.write_text("<!doctype html><meta charset=utf-8>" + trace.diagram(**options)._repr_html_())
        driver.get(page.as_uri())
        driver.switch_to.frame(driver.find_element("css selector", "iframe.distlab-diagram"))
        return View(driver, trace)

    yield opened
    driver.switch_to.default_content()
    assert not [entry for entry in driver.get_log("browser") if entry["level"] in ("SEVERE", "WARNING")]


class View:
    """The diagram in its frame: what it says of itself, and where things lie on its canvas."""

    def __init__(self, driver, trace):
        self.driver, self.trace = driver, trace
        self.wait(lambda: self.says("ready") == "1")
        self.canvas = driver.find_element("css selector", ".stage canvas")
        self.width, self.height = self.canvas.size["width"], self.canvas.size["height"]

    def wait(self, condition):
        until = time.monotonic() + 20
        while not condition():
            assert time.monotonic() < until, "the page did not get ready"
            time.sleep(0.02)

    def says(self, name):
        return self.driver.find_element("id", "diagram").get_attribute(f"data-{name}")

    def range(self):
        return float(self.says("from")), float(self.says("to"))

    def point(self, x, y):
        """Move the pointer to (x, y) of the canvas."""
        from selenium.webdriver import ActionChains

        offset = round(x - self.width / 2), round(y - self.height / 2)
        ActionChains(self.driver, duration=0).move_to_element_with_offset(self.canvas, *offset).perform()

    def find(self, text, times):
        """Move the pointer over the lanes at these times (s) until the tooltip has this text."""
        low, high = self.range()
        left = float(self.says("left"))
        for time_ in times:
            x = left + (time_ - low) / (high - low) * (self.width - left - 12)
            for y in np.linspace(0.1, 0.85, 50) * self.height:
                self.point(x, y)
                if text in (self.says("hover") or ""):
                    return self.says("hover")
        raise AssertionError(f"nothing under the pointer says {text!r}")

    def act(self, method, *arguments):
        from selenium.webdriver import ActionChains

        getattr(ActionChains(self.driver, duration=0), method)(*arguments).perform()

    def colours(self):
        """How many pixels of the canvas are not the paper's colour."""
        return self.driver.execute_script("""
            const c = arguments[0], p = c.getContext('2d').getImageData(0, 0, c.width, c.height).data;
            let n = 0;
            for (let k = 0; k < p.length; k += 4) n += p[k] < 250 || p[k + 1] < 250 || p[k + 2] < 250;
            return n;
        """, self.canvas)  # fmt: skip


def test_it_paints_and_asks_nobody(show):
    view = show(maker.trouble())
    assert view.colours() > 5000 and int(view.says("visible")) == 233
    assert view.driver.execute_script("return performance.getEntriesByType('resource').length") == 0
    assert view.driver.execute_script("return window.origin") == "null", "the frame is a world of its own"
    assert "5 nodes, 228 messages" in view.canvas.get_attribute("aria-label")
    view.driver.switch_to.default_content()
    details = view.driver.find_element("tag name", "details")
    assert details.find_element("tag name", "pre").get_attribute("textContent").count("\n") == 60


def test_hover_shows_the_message(show):
    view = show(maker.story())
    text = view.find("→", [0.085, 0.1, 0.12])
    sends = [view.trace[int(k)] for k in np.flatnonzero(view.trace.array["type"] == maker.CODE["send"])]
    found = [
        s for s in sends if text.startswith(f"{s['label']}; ") and f"sent {s['time'] * 1e3:.4f} ms" in text
    ]
    assert len({(s["node"], s["label"], s["time"]) for s in found}) == 1
    assert f"server {found[0]['node']} → server " in text and "latency" in text and "term" in text
    tip = view.driver.find_element("class name", "tip")
    assert tip.is_displayed() and tip.text.split("\n")[0] == found[0]["label"]
    assert "reason" not in text and view.find("lost", [0.13, 0.135, 0.14]).endswith("node down")


def test_wheel_drag_and_keys(show):
    from selenium.webdriver import ActionChains, Keys
    from selenium.webdriver.common.actions.wheel_input import ScrollOrigin

    view = show(maker.trouble())
    low, high = view.range()
    assert low < 0 and high > 0.59
    origin = ScrollOrigin.from_element(view.canvas)
    ActionChains(view.driver, duration=0).scroll_from_origin(origin, 0, -300).perform()
    view.wait(lambda: view.range()[1] < high)
    near = view.range()
    assert low < near[0] < near[1] < high and int(view.says("visible")) < 233
    view.point(0.5 * view.width, 0.5 * view.height)
    ActionChains(view.driver, duration=0).click_and_hold().move_by_offset(-120, 0).release().perform()
    moved = view.range()
    assert moved[0] > near[0] and moved[1] - moved[0] == pytest.approx(near[1] - near[0])
    assert view.says("cone") == "", "a drag chooses nothing"
    view.act("double_click", view.canvas)
    assert view.range() == (low, high)
    view.driver.execute_script("arguments[0].focus()", view.canvas)
    for key, check in [
        ("+", lambda a, b: b - a < high - low),
        (Keys.ARROW_RIGHT, lambda a, b: a > low),
        (Keys.ARROW_LEFT, lambda a, b: a >= low),
        ("-", lambda a, b: b - a > 0.9 * (high - low)),
        ("0", lambda a, b: (a, b) == (low, high)),
    ]:
        view.canvas.send_keys(key)
        assert check(*view.range()), key


def test_a_click_shows_causes_and_effects(show):
    view = show(maker.trouble())
    view.find("append reply", np.arange(0.15, 0.6, 0.01))
    text = view.says("hover")
    view.act("click")
    past, future = map(int, view.says("cone").split(","))
    before = maker.closure(view.trace.array)
    times, kinds = view.trace.array["time"], view.trace.array["type"]
    fits = [
        k for k in np.flatnonzero((kinds == maker.CODE["send"]) | (kinds == maker.CODE["deliver"])).tolist()
        if (before[:, k].sum(), before[k].sum()) == (past, future) and f"{times[k] * 1e3:.4f} ms" in text
    ]  # fmt: skip
    assert fits, "the cone is that of the definition"
    assert f"{past} events may have caused it" in view.driver.find_element("class name", "hint").text
    view.driver.execute_script("arguments[0].focus()", view.canvas)
    view.canvas.send_keys("\ue00c")  # Escape
    assert view.says("cone") == ""


def test_the_legend_switches_kinds_off(show):
    view = show(maker.trouble())
    legend = view.driver.find_element("class name", "legend")
    for word in ("request vote", "append reply", "lost", "copy", "apply", "follower", "candidate", "leader"):
        assert word in legend.text
    button = view.driver.find_element("css selector", "button[data-key=m2]")
    visible, painted = int(view.says("visible")), view.colours()
    assert button.get_attribute("aria-pressed") == "true"
    button.click()
    assert button.get_attribute("aria-pressed") == "false"
    f = maker.CODE["send"]
    appends = int(((view.trace.array["type"] == f) & (view.trace.array["label"] == 2)).sum())
    assert 0 < visible - int(view.says("visible")) - appends < 6 and view.colours() < painted
    button.click()
    assert int(view.says("visible")) == visible


def test_an_exported_notebook_shows_it(driver, tmp_path, monkeypatch):
    """The page that nbconvert makes, opened from a file; what it wants from the network does not come."""
    nbformat, exporter = pytest.importorskip("nbformat.v4"), pytest.importorskip("nbconvert").HTMLExporter()
    monkeypatch.setattr(_core, "trace_lines", lambda model, rows: [str(row) for row in rows])
    shown = Trace(maker.story(), maker.SCHEMA, model="consensus.imitation")._repr_html_()
    output = nbformat.new_output("display_data", data={"text/html": shown, "text/plain": "a diagram"})
    notebook = nbformat.new_notebook(cells=[nbformat.new_code_cell("trace", outputs=[output])])
    page = tmp_path / "notebook.html"
    page.write_text(exporter.from_notebook_node(notebook)[0])
    driver.get(page.as_uri())
    driver.switch_to.frame(driver.find_element("css selector", "iframe.distlab-diagram"))
    view = View(driver, None)
    assert view.colours() > 2000 and view.says("visible") == "26"
    driver.switch_to.default_content()
    driver.get_log("browser")


@pytest.mark.parametrize("messages", [5000, 50_000])
def test_how_long_painting_takes(show, messages):
    """Printed, not judged: PERFORMANCE wants 50 ms for 5000 messages and 200 ms for 50 000."""
    view = show(maker.large(messages), limit=messages + 100)
    assert int(view.says("visible")) >= messages
    print(
        f"{messages} messages: {view.says('ms')} ms at first, "
        f"{view.driver.execute_script(PAINT):.0f} ms to the pixels"
    )
