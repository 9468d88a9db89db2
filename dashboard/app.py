"""The dashboard's frame: which pages there are, the version that all of them read, and what leads from one to another.

`server` runs it anew for every page that is drawn. What a page shows belongs in `views`.
"""

from pathlib import Path

import streamlit as st

from dashboard.published import Published
from dashboard.views import PAGES
from orchestration.settings import Settings
from orchestration.warehouse import MissingTable

# A table that is wider than a phone would have a scroll bar which no keyboard reaches.
CELLS = "[data-testid='stTable'] :is(td, th)"
WRAPPED = f"<style>{CELLS}, {CELLS} * {{overflow-wrap: anywhere !important; white-space: normal !important}}</style>"
LOOK_EVERY = "5s"  # whether there is a new publication


@st.cache_resource(max_entries=2, show_spinner=False)
def version(folder: Path) -> Published:
    """A version, held as long as it is current: what it says of itself is read once."""
    return Published(folder)


@st.fragment(run_every=LOOK_EVERY)
def follow(published_dir: Path, shown: Path | None) -> None:
    """Draw the whole page anew as soon as another version is current."""
    now = Published.current(published_dir)
    if (now.folder if now else None) != shown:
        st.rerun()


def main() -> None:
    """Draw the page that was asked for."""
    st.set_page_config(page_title="Clientele", page_icon=str(Path(__file__).with_name("icon.svg")), layout="wide")
    published_dir = Settings().published_dir
    found = Published.current(published_dir)
    if found is None:
        st.title("Nothing is published yet")
        st.write("`clientele run` publishes; this page follows by itself.")
        follow(published_dir, None)
        return
    st.html(WRAPPED)
    data = version(found.folder)
    st.session_state["data"] = data
    page = st.navigation(
        [
            st.Page(one.show, title=one.title, icon=f":material/{one.icon}:", url_path=one.path, default=not one.path)
            for one in PAGES
        ],
        expanded=True,
    )
    st.sidebar.markdown(f"{data.source}, as of {data.as_of:%d %B %Y}")
    try:
        page.run()
    except MissingTable:  # a page asks for what only this release publishes
        st.info("An earlier release published this version. `clientele run` publishes what this page shows.")
    st.html(f'<span data-drawn="{page.title}"></span>')  # for who waits until a page is whole: tests, screenshots
    follow(published_dir, found.folder)  # last, for its clock would cut short what is still being drawn


main()
