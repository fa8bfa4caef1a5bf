"""Chromium without a window, through chromedriver (W3C WebDriver): pages as a reader sees them.

No library is needed for the few commands that the tests use. Every wait ends; nothing is downloaded.
"""

from __future__ import annotations

import base64
import json
import os
import re
import shutil
import signal
import time
import urllib.request
from pathlib import Path
from typing import Any, Final

from tests.support.servers import Program

LIMIT: Final = 120.0  # seconds for any command: a bound for hangs, not a measure
POLL: Final = 0.02  # seconds between two looks at a page that is getting ready
PORT: Final = re.compile(r"started successfully on port (\d+)")
OPTIONS: Final = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage", "--hide-scrollbars",
)  # fmt: skip
QUIET: Final = ("data:", "about:", "devtools:")
ELEMENT: Final = "element-6066-11e4-a52e-4f735466cecf"


def find() -> tuple[str, str] | None:
    """The paths of Chromium and its driver."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    driver = shutil.which("chromedriver")
    return (chromium, driver) if chromium and driver else None


class Browser:
    """One window; ``folder`` takes its profile and its log."""

    def __init__(self, folder: Path) -> None:
        found = find()
        assert found is not None
        chromium, driver = found
        self._program = Program([driver, "--port=0"], folder / "chromedriver.log")
        self._program.start()
        self._session = ""
        try:
            assert self._program.wait_until(lambda: PORT.search(self._program.log()) is not None), self._program.log()
            port = PORT.findall(self._program.log())[0]
            self._base = f"http://127.0.0.1:{port}/session"
            options = {
                "binary": chromium,
                "args": [*OPTIONS, f"--user-data-dir={folder / 'profile'}"],
            }
            wanted = {"goog:chromeOptions": options, "goog:loggingPrefs": {"browser": "ALL", "performance": "ALL"}}
            made = self._call("POST", "", {"capabilities": {"alwaysMatch": wanted}})
            self._session = f"/{made['sessionId']}"
            self._browser = int(made["capabilities"].get("goog:processID", 0))
        except BaseException:
            self.stop()
            raise

    def open(self, path: Path) -> None:
        """Go to a page; it has been loaded then, and its script has run."""
        self._post("url", {"url": path.as_uri()})

    def wait(self, condition: str) -> None:
        """Wait until an expression is true in the page."""
        deadline = time.monotonic() + LIMIT
        while not self.run(f"return Boolean({condition})"):
            assert time.monotonic() < deadline, f"not so in time: {condition}"
            time.sleep(POLL)

    def run(self, script: str, *values: object) -> Any:
        """What a piece of script returns."""
        return self._post("execute/sync", {"script": script, "args": list(values)})

    def texts(self, selector: str) -> list[str]:
        """The text of each element, as it is shown."""
        found = self.run("return [...document.querySelectorAll(arguments[0])].map((one) => one.innerText)", selector)
        return [str(text) for text in found]

    def click(self, selector: str) -> None:
        self._post(f"element/{self._element(selector)}/click", {})

    def type(self, selector: str, text: str) -> None:
        """Type what is to stand in a field."""
        element = self._element(selector)
        self._post(f"element/{element}/clear", {})
        self._post(f"element/{element}/value", {"text": text})

    def resize(self, width: int, height: int) -> None:
        """Make the page as wide as that, in CSS pixels: narrower than a window can be, too."""
        metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600}
        self._cdp("Emulation.setDeviceMetricsOverride", metrics)

    def prefer(self, *, scheme: str = "light", motion: str = "reduce") -> None:
        """Let the reader prefer a colour scheme, and less motion or any (``no-preference``)."""
        wanted = {"prefers-color-scheme": scheme, "prefers-reduced-motion": motion}
        features = [{"name": name, "value": value} for name, value in wanted.items()]
        self._cdp("Emulation.setEmulatedMedia", {"features": features})

    def scripts(self, *, on: bool) -> None:
        """Whether scripts of pages run, from the next page on."""
        self._cdp("Emulation.setScriptExecutionDisabled", {"value": not on})

    def dom(self) -> str:
        """The page as it stands."""
        document = self._cdp("DOM.getDocument", {"depth": 0})["root"]["nodeId"]
        return str(self._cdp("DOM.getOuterHTML", {"nodeId": document})["outerHTML"])

    def pdf(self) -> bytes:
        return base64.b64decode(self._post("print", {}))

    def picture(self) -> bytes:
        """What the window shows, as PNG."""
        return base64.b64decode(self._call("GET", f"{self._session}/screenshot"))

    def complaints(self) -> list[str]:
        """What has been written to the console since the last look."""
        return [str(entry["message"]) for entry in self._post("se/log", {"type": "browser"})]

    def requests(self) -> list[str]:
        """The addresses of all that was asked for since the last look."""
        messages = [json.loads(entry["message"])["message"] for entry in self._post("se/log", {"type": "performance"})]
        asked = (one["params"]["request"]["url"] for one in messages if one["method"] == "Network.requestWillBeSent")
        return [str(url) for url in asked if not str(url).startswith(QUIET)]

    def stop(self) -> None:
        """Close the window, and end the driver; the browser by its ID, should it still be there."""
        try:
            if self._session:
                self._call("DELETE", self._session)
        finally:
            self._program.stop()
            if getattr(self, "_browser", 0):
                _end(self._browser)

    def _element(self, selector: str) -> str:
        return str(self._post("element", {"using": "css selector", "value": selector})[ELEMENT])

    def _cdp(self, command: str, parameters: dict[str, Any]) -> Any:
        return self._post("goog/cdp/execute", {"cmd": command, "params": parameters})

    def _post(self, command: str, values: dict[str, Any]) -> Any:
        return self._call("POST", f"{self._session}/{command}", values)

    def _call(self, method: str, path: str, values: dict[str, Any] | None = None) -> Any:
        body = None if values is None else json.dumps(values).encode()
        request = urllib.request.Request(self._base + path, body, {"Content-Type": "application/json"}, method=method)
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), _Plain())
        with opener.open(request, timeout=LIMIT) as response:
            answer = json.load(response)["value"]
        if isinstance(answer, dict) and "error" in answer:
            raise AssertionError(f"{path}: {answer['error']}: {answer.get('message', '')}")
        return answer


class _Plain(urllib.request.HTTPErrorProcessor):
    """Errors are answers like others: they say what is wrong."""

    def http_response(self, request: object, response: Any) -> Any:
        return response


def _end(process: int) -> None:
    try:
        os.kill(process, signal.SIGKILL)
    except ProcessLookupError:
        pass


def pages_of(pdf: bytes) -> int:
    """How many pages a document has."""
    return len(re.findall(rb"/Type\s*/Page\b(?!s)", pdf))
