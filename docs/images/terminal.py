#!/usr/bin/env python3
"""Turns the coloured output of a command into a page that looks like a terminal.

    CLICOLOR_FORCE=1 target/release/farthing demo | docs/images/terminal.py FROM TO > demo.html
    chromium --headless --no-sandbox --hide-scrollbars --force-device-scale-factor=1.5 \
        --window-size=940,750 --screenshot=docs/images/demo.png demo.html

FROM and TO are the first and the last line to show, counted from 1; a third argument, TITLE, names the window.
"""

import html
import re
import sys

COLOURS = {"31": "#f47067", "32": "#8ddb8c", "33": "#f0c674", "36": "#6cb6ff"}
PAGE = """<!doctype html><meta charset="utf-8"><style>
body {{ margin: 0; padding: 24px; background: #f6f8fa; }}
figure {{ margin: 0; border-radius: 10px; overflow: hidden; background: #1c2128; }}
figcaption {{ padding: 9px 14px; background: #2d333b; color: #adbac7; font: 13px system-ui, sans-serif; }}
pre {{ margin: 0; padding: 14px 18px 20px; color: #cdd9e5; font: 13.5px/1.42 "DejaVu Sans Mono", monospace; }}
</style><figure><figcaption>{title}</figcaption><pre>{text}</pre></figure>
"""


def styled(codes):
    style = []
    for code in codes.split(";"):
        if code == "1":
            style.append("font-weight:bold")
        elif code == "2":
            style.append("opacity:.65")
        elif code in COLOURS:
            style.append("color:" + COLOURS[code])
    return f'<span style="{";".join(style)}">'


def convert(text):
    shown, is_open = [], 0
    for part in re.split(r"(\x1b\[[0-9;]*m)", text):
        codes = re.fullmatch(r"\x1b\[([0-9;]*)m", part)
        if codes is None:
            shown.append(html.escape(part))
        elif codes[1] in ("", "0"):
            shown.append("</span>" * is_open)
            is_open = 0
        else:
            shown.append(styled(codes[1]))
            is_open += 1
    return "".join(shown) + "</span>" * is_open


def main():
    first, last = int(sys.argv[1]), int(sys.argv[2])
    title = sys.argv[3] if len(sys.argv) > 3 else "farthing demo"
    lines = sys.stdin.read().splitlines()[first - 1 : last]
    print(PAGE.format(title=html.escape(title), text=convert("\n".join(lines))))


main()
