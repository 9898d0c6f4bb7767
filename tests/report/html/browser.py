"""A headless Chromium, driven by chromedriver's own protocol: JSON over HTTP needs no package."""

import base64
import contextlib
import json
import shutil
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

_FLAGS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"),
    *("--disable-background-networking", "--disable-component-update", "--hide-scrollbars"),
)
DESKTOP, PHONE = 1280, 390


def installed() -> bool:
    """Whether there is a browser to drive."""
    return all(shutil.which(program) for program in ("chromium", "chromedriver"))


class Browser:
    """One page at a time."""

    def __init__(self, session: str):
        self._session = session

    def open(self, page: Path, width: int = DESKTOP, dark: bool = False) -> None:
        """Shows a page in a window of so many pixels by 900, by day or by night."""
        self.devtools("Emulation.setDeviceMetricsOverride", width=width, height=900, deviceScaleFactor=1, mobile=False)
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.devtools("Emulation.setEmulatedMedia", features=[scheme])
        _call("POST", f"{self._session}/url", {"url": page.resolve().as_uri()})

    def run(self, script: str) -> Any:
        """What a script returns."""
        return _call("POST", f"{self._session}/execute/sync", {"script": script, "args": []})

    def console(self) -> list[str]:
        """What the console has said since it was last asked: errors, warnings and violations of the policy."""
        entries = _call("POST", f"{self._session}/se/log", {"type": "browser"})
        return [f"{entry['level']}: {entry['message']}" for entry in entries]

    def screenshot(self, path: Path, most: int = 20_000) -> Path:
        """The whole page as a PNG, at most so many pixels high."""
        size = self.devtools("Page.getLayoutMetrics")["cssContentSize"]
        clip = {"x": 0, "y": 0, "width": size["width"], "height": min(size["height"], most), "scale": 1}
        shot = self.devtools("Page.captureScreenshot", captureBeyondViewport=True, clip=clip)
        path.write_bytes(base64.b64decode(shot["data"]))
        return path

    def printed(self) -> bytes:
        """The page as a PDF."""
        return base64.b64decode(self.devtools("Page.printToPDF", printBackground=True)["data"])

    def devtools(self, command: str, **parameters: Any) -> Any:
        """What a command of the DevTools protocol answers."""
        body = {"cmd": command, "params": parameters}
        return _call("POST", f"{self._session}/goog/cdp/execute", body)


@contextlib.contextmanager
def browser(profile: Path) -> Iterator[Browser]:
    """A browser with a new profile in an empty folder, and nothing of it left behind."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    driver = subprocess.Popen(["chromedriver", f"--port={port}"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    root, session = f"http://127.0.0.1:{port}", None
    try:
        _wait(root)
        options = {"args": [*_FLAGS, f"--user-data-dir={profile}"]}
        wanted = {"goog:chromeOptions": options, "goog:loggingPrefs": {"browser": "ALL"}}
        answer = _call("POST", f"{root}/session", {"capabilities": {"alwaysMatch": wanted}})
        session = f"{root}/session/{answer['sessionId']}"
        yield Browser(session)
    finally:
        if session:
            _call("DELETE", session)
        driver.terminate()
        driver.wait(10)


def _wait(root: str) -> None:
    for _ in range(100):
        with contextlib.suppress(urllib.error.URLError):
            if _call("GET", f"{root}/status")["ready"]:
                return
        time.sleep(0.1)
    raise TimeoutError("chromedriver does not answer")


def _call(method: str, url: str, body: Any = None) -> Any:
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data, {"Content-Type": "application/json"}, method=method)
    with urllib.request.urlopen(request, timeout=60) as answer:
        return json.loads(answer.read())["value"]
