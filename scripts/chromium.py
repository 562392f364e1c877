"""Chromium without a window, told what to do over a pair of pipes: what scripts/admin-pages opens pages in.

It is installed by apt where it is missing, or named in CHROMIUM.
"""

import base64, json, os, shutil, subprocess, sys, time


def installed():
    """Chromium's path; it is installed, if need be."""
    found = shutil.which("chromium") or shutil.which("chromium-browser")
    if not found and shutil.which("apt-get"):
        subprocess.run(["apt-get", "install", "-qq", "-y", "chromium"], check=True, stdout=subprocess.DEVNULL)
        found = shutil.which("chromium")
    return found or sys.exit("there is no Chromium; install it, or name it in CHROMIUM")


class Browser:
    """Chromium, told what to do over a pair of pipes."""

    def __init__(self, folder):
        binary = os.environ.get("CHROMIUM") or installed()
        (read_in, self.out), (self.come, write_out) = os.pipe(), os.pipe()
        flags = f"--headless=new --no-sandbox --disable-gpu --disable-dev-shm-usage --disable-background-networking"
        flags += f" --user-data-dir={folder}"
        command = f'exec "$0" {flags} --remote-debugging-pipe about:blank 3<&{read_in} 4>&{write_out}'
        self.process = subprocess.Popen(["sh", "-c", command, binary], pass_fds=(read_in, write_out),
                                        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        os.close(read_in), os.close(write_out)
        self.read, self.number, self.events = b"", 0, []

    def message(self):
        while b"\0" not in self.read:
            more = os.read(self.come, 1 << 16)
            if not more:
                sys.exit("Chromium has ended")
            self.read += more
        text, self.read = self.read.split(b"\0", 1)
        return json.loads(text)

    def ask(self, method, session=None, **params):
        self.number += 1
        request = {"id": self.number, "method": method, "params": params}
        os.write(self.out, json.dumps(request | ({"sessionId": session} if session else {})).encode() + b"\0")
        while (answer := self.message()).get("id") != self.number:
            self.events.append(answer)
        if "error" in answer:
            sys.exit(f"{method}: {answer['error']}")
        return answer["result"]

    def wait(self, method):
        while not any(event.get("method") == method for event in self.events):
            self.events.append(self.message())


class Page:
    """One page, with all that it says and asks for."""

    def __init__(self, browser):
        self.browser = browser
        target = browser.ask("Target.createTarget", url="about:blank")["targetId"]
        self.session = browser.ask("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.ask(f"{domain}.enable")

    def ask(self, method, **params):
        return self.browser.ask(method, self.session, **params)

    def open(self, url):
        """From nowhere, so that an address that names a part of the page is opened anew, too."""
        for address in ("about:blank", url):
            self.browser.events.clear()
            self.ask("Page.navigate", url=address)
            self.browser.wait("Page.loadEventFired")

    def looks(self, width, height, scheme, media=""):
        size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 500}
        self.ask("Emulation.setDeviceMetricsOverride", **size)
        self.ask("Emulation.setEmulatedMedia", media=media, features=[{"name": "prefers-color-scheme", "value": scheme}])

    def tell(self, expression):
        """The value of an expression in the page."""
        answer = self.ask("Runtime.evaluate", expression=f"JSON.stringify({expression})")
        if "exceptionDetails" in answer:
            sys.exit(f"{expression}: {answer['exceptionDetails']}")
        value = answer["result"].get("value")
        return None if value is None else json.loads(value)

    def becomes(self, expression, expected):
        """Waits until it has this value; what it has, if that takes too long."""
        for _ in range(600):
            value = self.tell(expression)
            if value == expected:
                return True
            time.sleep(0.05)
        sys.exit(f"{expression} is {value!r}, not {expected!r}")

    def type(self, text):
        self.ask("Input.insertText", text=text)

    def press(self, key, code, number, text):
        for kind in ("keyDown", "keyUp"):
            self.ask("Input.dispatchKeyEvent", type=kind, key=key, code=code, windowsVirtualKeyCode=number,
                     **({"text": text} if kind == "keyDown" else {}))

    def click(self, selector):
        """With the mouse, in the middle of the first that is seen."""
        found = f"[...document.querySelectorAll({json.dumps(selector)})].find((e) => e.getClientRects().length)"
        box = f"(({found})?.scrollIntoView({{block: 'center'}}), ({found})?.getClientRects()[0])"
        at = self.tell(box) or sys.exit(f"{selector} is not seen")
        where = {"x": at["x"] + at["width"] / 2, "y": at["y"] + at["height"] / 2, "button": "left", "clickCount": 1}
        for kind in ("mousePressed", "mouseReleased"):
            self.ask("Input.dispatchMouseEvent", type=kind, **where)

    def wrong(self, url):
        """What went wrong since it was opened: a line on the console, a request for anything else, no 200."""
        # Whatever is still to be told is told before this is answered.
        self.tell("1")
        wrong = []
        for event in self.browser.events:
            told = event.get("params", {})
            if event.get("method") in ("Log.entryAdded", "Runtime.consoleAPICalled", "Runtime.exceptionThrown"):
                wrong.append(f"the console says {json.dumps(told)[:300]}")
            if event.get("method") == "Network.requestWillBeSent":
                asked = told["request"]["url"]
                wrong += [] if asked in (url.split("#")[0], "data:,") else [f"it asks for {asked}"]
            if event.get("method") == "Network.responseReceived" and told["response"]["status"] not in (0, 200):
                wrong.append(f"{told['response']['url']} is answered with {told['response']['status']}")
        return wrong

    def picture(self, path):
        shot = self.ask("Page.captureScreenshot", captureBeyondViewport=True)
        path.write_bytes(base64.b64decode(shot["data"]))
