"""Renders Markdown from standard input as GitHub does, before it looks for mentions:

    python render.py < page.md > page.html
"""

import sys

from cmarkgfm import github_flavored_markdown_to_html
from cmarkgfm.cmark import Options

sys.stdin.reconfigure(encoding="utf-8")
sys.stdout.reconfigure(encoding="utf-8")
# What GitHub does with elements that it doesn't want comes after the rendering.
html = github_flavored_markdown_to_html(sys.stdin.read(), Options.CMARK_OPT_UNSAFE)
sys.stdout.write(html)
