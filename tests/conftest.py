"""With DISTLAB_STRICT=1 (as in CI) a skipped test is a failure unless its reason begins with "optional:"."""

import os

import pytest

STRICT = os.environ.get("DISTLAB_STRICT") == "1"


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    outcome = yield
    report = outcome.get_result()
    if not STRICT or not report.skipped or hasattr(report, "wasxfail"):
        return
    reason = str(report.longrepr[2]) if isinstance(report.longrepr, tuple) else str(report.longrepr)
    if not reason.removeprefix("Skipped: ").startswith("optional:"):
        report.outcome = "failed"
        report.longrepr = f"skipped in a strict run: {reason}"
