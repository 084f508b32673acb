"""One small page: readable on a telephone, without a script."""

from __future__ import annotations

from html import escape

from starlette.responses import HTMLResponse

STYLE = """
body{margin:0;background:#fff;color:#1f1f1f;font:17px/1.5 -apple-system,"Segoe UI",Roboto,Helvetica,Arial,sans-serif}
main{max-width:640px;margin:0 auto;padding:16px}
h1{font-size:21px;line-height:1.3;margin:8px 0 12px;overflow-wrap:anywhere}
h2{font-size:18px;margin:20px 0 6px}
p,li,dd{overflow-wrap:anywhere}
dl{margin:0 0 16px}dt{color:#5f6368;font-size:14px}dd{margin:0 0 8px}
button{display:block;width:100%;min-height:52px;font:bold 18px/1.2 inherit;color:#fff;
background:#0b57d0;border:0;border-radius:8px;margin:16px 0}
button:focus,input:focus,select:focus,a:focus{outline:3px solid #7cacf8;outline-offset:2px}
label{display:block;margin:12px 0 4px}
input,select{width:100%;box-sizing:border-box;min-height:46px;font:inherit;padding:8px;
border:1px solid #747775;border-radius:6px;background:#fff}
pre,code{background:#f1f3f4;border-radius:4px}pre{padding:10px;white-space:pre-wrap;overflow-wrap:anywhere;font-size:14px}
table{border-collapse:collapse;display:block;overflow-x:auto}
td,th{border:1px solid #dadce0;padding:4px 8px;text-align:left}
.done{border-left:6px solid #2b6a3a;padding-left:12px}.refused{border-left:6px solid #b3261e;padding-left:12px}
@media (prefers-color-scheme:dark){body{background:#131314;color:#e3e3e3}input,select{background:#1e1f20;color:#e3e3e3}
pre,code{background:#282a2c}dt{color:#c4c7c5}a{color:#a8c7fa}}
"""


def page(title: str, body: str, status: int = 200) -> HTMLResponse:
    """`body` is HTML; whoever writes it has escaped what came from outside."""
    return HTMLResponse(
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1"><meta name="robots" content="noindex">'
        f"<title>{escape(title)}</title><style>{STYLE}</style></head><body><main>{body}</main></body></html>",
        status_code=status,
    )
