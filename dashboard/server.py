"""How the dashboard is served: Streamlit's own server, with pages that say below which address it is.

`streamlit run dashboard/server.py`, as `clientele dashboard` does. What is on the pages belongs in `app` and `views`.
"""

from pathlib import Path
from typing import Final

import streamlit as st
from starlette.requests import Request
from starlette.responses import HTMLResponse
from starlette.routing import Route
from streamlit.file_util import get_static_dir

from dashboard.views import PAGES

# Opened at /churn, Streamlit's program would ask /churn for its server before it asks /, which is two errors in the
# browser's console. It is below the folder that the page came from, as its scripts are, behind a proxy as well.
_FOUND: Final = '<script>window.__streamlit = {BACKEND_BASE_URL: new URL(".", location.href).href}</script>'
_PAGE: Final = Path(get_static_dir(), "index.html").read_text(encoding="utf-8").replace("<head>", f"<head>{_FOUND}", 1)


async def frame(_: Request) -> HTMLResponse:
    """The page that Streamlit's program draws on, the same for every address."""
    return HTMLResponse(_PAGE, headers={"Cache-Control": "no-cache"})


app = st.App(Path(__file__).with_name("app.py"), routes=[Route(f"/{one.path}", frame) for one in PAGES])
