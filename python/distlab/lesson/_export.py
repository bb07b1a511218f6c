"""Executed lessons as pages that need nothing: no kernel, no network, and no cell that only held prose."""

from __future__ import annotations

import re
from typing import Any

HIDDEN = "hide-input"  # the tag of cells whose source is prose, a question or drawing


def page(notebook: Any, theme: str = "light") -> str:
    """The HTML of an executed notebook (an nbformat node)."""
    from nbconvert import HTMLExporter
    from traitlets.config import Config

    config = Config()
    config.TagRemovePreprocessor.enabled = True
    config.TagRemovePreprocessor.remove_input_tags = {HIDDEN}
    config.HTMLExporter.preprocessors = ["nbconvert.preprocessors.TagRemovePreprocessor"]
    exporter = HTMLExporter(config=config, theme=theme, exclude_input_prompt=True, exclude_output_prompt=True)
    html, _ = exporter.from_notebook_node(notebook)
    return without_network(html)


def without_network(html: str) -> str:
    """Drop the scripts that a page would fetch: lessons use none of them."""
    html = re.sub(r'<script[^>]*\ssrc="https?://[^"]*"[^>]*>\s*</script>', "", html)
    return re.sub(
        r"<script(?:(?!</script>).)*?https?://(?:(?!</script>).)*</script>", "", html, flags=re.DOTALL
    )
