#!/usr/bin/env python3
"""Looks at pages of `rulecast report -o` and `scan --html` in a real browser: chromium, driven over a pipe.

usage: pages.py FOLDER [--screenshots FOLDER] [--page PATH]...

At three widths, light and dark: no script fails, nothing is fetched, no page scrolls sideways, every text
has the contrast of WCAG AA. By the keyboard alone: the first stop skips to the content, every stop shows
where it is, a heading sorts. Search and filters leave the rows that fit, of rules as of findings, `#q=` asks
for rows, and without scripts every row is there. Only the standard library is needed, and chromium or Chrome.
"""
import argparse
import base64
import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile

WIDTHS = (360, 768, 1280)
SCHEMES = ("light", "dark")
# Seconds that the check may take, and two more for each page
TIME = 60

# Texts whose contrast with what they stand on is too low, at most five.
CONTRAST = """(() => {
  const parse = c => { const n = c.match(/[\\d.]+/g).map(Number); return n.length > 3 ? n : [...n, 1]; };
  const lum = c => { const f = v => { v /= 255; return v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4; };
    return 0.2126 * f(c[0]) + 0.7152 * f(c[1]) + 0.0722 * f(c[2]); };
  const back = e => { for (; e; e = e.parentElement) { const c = parse(getComputedStyle(e).backgroundColor);
    if (c[3] === 1) return c; } return parse(getComputedStyle(document.documentElement).backgroundColor); };
  const seen = new Map(), bad = [];
  const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let n = walk.nextNode(); n && bad.length < 5; n = walk.nextNode()) {
    const e = n.parentElement;
    if (!n.data.trim() || ["SCRIPT", "STYLE", "TITLE"].includes(e.tagName) || !e.checkVisibility()) continue;
    const pair = getComputedStyle(e).color + " on " + back(e).slice(0, 3).join(" ");
    if (!seen.has(pair)) {
      const [a, b] = [lum(parse(getComputedStyle(e).color)), lum(back(e))];
      seen.set(pair, (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05));
    }
    if (seen.get(pair) < 4.5) bad.push(`${n.data.trim().slice(0, 40)}: ${pair}, ${seen.get(pair).toFixed(2)}`);
  }
  return bad;
})()"""

# Elements that reach beyond the window without a container that scrolls.
SIDEWAYS = """(() => {
  const page = document.documentElement;
  if (page.scrollWidth <= page.clientWidth) return [];
  const scrolls = e => { for (; e; e = e.parentElement) if (getComputedStyle(e).overflowX !== "visible") return true; };
  return [...document.body.querySelectorAll("*")].filter(e => e.getBoundingClientRect().right > page.clientWidth + 1
    && !scrolls(e)).slice(0, 5).map(e => e.tagName + "." + e.className + ": " + e.textContent.trim().slice(0, 40));
})()"""

# Where the keyboard is, and whether one can see it.
FOCUS = """(() => {
  const e = document.activeElement, s = getComputedStyle(e), r = e.getBoundingClientRect();
  return { tag: e.tagName, text: (e.textContent || e.getAttribute("aria-label") || e.name || "").trim().slice(0, 40),
    shows: s.outlineStyle !== "none" && parseFloat(s.outlineWidth) >= 2, there: r.width > 0 && r.height > 0 };
})()"""

VISIBLE = '[...document.querySelectorAll("table.find tbody tr")].filter(row => row.checkVisibility()).length'


class Fault(Exception):
    """What a check needs is not on the page"""


class Browser:
    def __init__(self, program, profile):
        read_theirs, write_ours = os.pipe()
        read_ours, write_theirs = os.pipe()

        def pipes():
            # Chromium reads commands at 3 and writes answers at 4; neither may be taken by the other's number.
            theirs = os.dup(read_theirs), os.dup(write_theirs)
            os.dup2(theirs[0], 3)
            os.dup2(theirs[1], 4)

        arguments = ["--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--no-first-run",
                     "--remote-debugging-pipe", f"--user-data-dir={profile}", "about:blank"]
        self.process = subprocess.Popen([program, *arguments], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                                        preexec_fn=pipes, close_fds=False)
        os.close(read_theirs)
        os.close(write_theirs)
        self.commands, self.answers = os.fdopen(write_ours, "wb"), os.fdopen(read_ours, "rb")
        self.number, self.session, self.rest, self.events = 0, None, b"", []
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self.session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(f"{domain}.enable")
        self.call("Page.setLifecycleEventsEnabled", enabled=True)

    def receive(self):
        while b"\0" not in self.rest:
            got = os.read(self.answers.fileno(), 1 << 20)
            if not got:
                raise SystemExit("the browser ended")
            self.rest += got
        message, self.rest = self.rest.split(b"\0", 1)
        return json.loads(message)

    def call(self, method, **parameters):
        self.number += 1
        command = {"id": self.number, "method": method, "params": parameters}
        if self.session:
            command["sessionId"] = self.session
        self.commands.write(json.dumps(command).encode() + b"\0")
        self.commands.flush()
        while True:
            message = self.receive()
            if message.get("id") == self.number:
                if "error" in message:
                    raise SystemExit(f"{method}: {message['error']}")
                return message["result"]
            self.events.append(message)

    def go(self, address):
        """Loads a page, and waits for its own end, not for that of the page before"""
        loader = self.call("Page.navigate", url=address)["loaderId"]
        loaded = {"name": "load", "loaderId": loader}
        while not any(event["method"] == "Page.lifecycleEvent" and loaded.items() <= event["params"].items()
                      for event in self.events):
            self.events.append(self.receive())

    def open(self, address, waits=True):
        """Opens a page; returns what went wrong while it loaded"""
        # From another page: an address that differs in its fragment only loads nothing.
        self.go("about:blank")
        self.events.clear()
        self.go(address)
        if waits:
            self.evaluate("new Promise(done => requestAnimationFrame(() => setTimeout(done, 0)))")
        return self.troubles(address)

    def troubles(self, address):
        wrong = []
        for event in self.events:
            about = event.get("params", {})
            if event["method"] == "Runtime.exceptionThrown":
                wrong.append("a script fails: " + about["exceptionDetails"]["text"])
            elif event["method"] == "Log.entryAdded" and about["entry"]["level"] == "error":
                wrong.append("the browser says: " + about["entry"]["text"])
            elif event["method"] == "Network.requestWillBeSent":
                asked = about["request"]["url"]
                if asked.split("#")[0] not in (address.split("#")[0], "about:blank"):
                    wrong.append(f"it fetches {asked}")
        return wrong

    def evaluate(self, expression):
        answer = self.call("Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True)
        if "exceptionDetails" in answer:
            why = answer["exceptionDetails"]["exception"].get("description", "no reason").splitlines()[0]
            raise Fault(f"{expression[:60]}: {why}")
        return answer["result"].get("value")

    def look(self, width, scheme):
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=900, deviceScaleFactor=1, mobile=False)
        self.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])

    def press(self, key, code):
        text = {"text": "\r"} if key == "Enter" else {}
        for kind in ("keyDown", "keyUp"):
            self.call("Input.dispatchKeyEvent", type=kind, key=key, code=key, windowsVirtualKeyCode=code, **text)

    def screenshot(self, path):
        answer = self.call("Page.captureScreenshot", format="png", captureBeyondViewport=False)
        path.write_bytes(base64.b64decode(answer["data"]))

    def end(self):
        self.session = None
        try:
            self.call("Browser.close")
            self.process.wait(timeout=10)
        except (SystemExit, OSError, subprocess.TimeoutExpired):
            self.process.kill()
            self.process.wait()


def check_looks(browser, address, name, shots):
    wrong = []
    for scheme in SCHEMES:
        for width in WIDTHS:
            browser.look(width, scheme)
            found = browser.open(address)
            found += [f"it scrolls sideways: {what}" for what in browser.evaluate(SIDEWAYS)]
            # What unfolds is text too.
            browser.evaluate("document.querySelectorAll('details').forEach(one => { one.open = true; })")
            found += [f"it scrolls sideways unfolded: {what}" for what in browser.evaluate(SIDEWAYS)]
            if width == WIDTHS[-1]:
                found += [f"low contrast: {what}" for what in browser.evaluate(CONTRAST)]
            wrong += [f"{name}, {width} px, {scheme}: {what}" for what in found]
            if shots:
                browser.open(address)
                browser.screenshot(shots / f"{name.replace('/', '_')}.{width}.{scheme}.png")
    return wrong


def check_keyboard(browser, address, name):
    wrong = browser.open(address)
    stops = []
    for _ in range(25):
        browser.press("Tab", 9)
        stops.append(browser.evaluate(FOCUS))
    if not stops[0]["text"].startswith("Skip"):
        wrong.append(f"the first stop of the keyboard is no way to the content: {stops[0]}")
    wrong += [f"the keyboard is at {one['tag']} {one['text']!r} and nothing shows it" for one in stops
              if one["tag"] != "BODY" and not (one["shows"] and one["there"])]
    return [f"{name}: {what}" for what in wrong]


def check_table(browser, address, name):
    """Search, filter, sort and a fragment, on the table of rules"""
    wrong = browser.open(address)

    def expect(what, is_so):
        if not is_so:
            wrong.append(what)

    rows = browser.evaluate(VISIBLE)
    expect("the table has no rows", rows > 0)
    expect("the form is not there", browser.evaluate("document.querySelector('form.find').checkVisibility()"))
    title = browser.evaluate("document.querySelector('table.find tbody th a').textContent")
    search = "const q = document.querySelector('form.find [name=q]'); q.value = %s;" \
             "q.dispatchEvent(new Event('input', { bubbles: true }));"
    browser.evaluate("{" + search % json.dumps(title) + "}")
    found = browser.evaluate(VISIBLE)
    expect(f"a search for {title!r} shows {found} rows", 1 <= found < max(rows, 2))
    expect("the address does not hold the search", "q=" in browser.evaluate("location.hash"))
    said = browser.evaluate("document.querySelector('form.find output').textContent")
    expect(f"the number of rows is said as {said!r}", said.startswith(str(found)) or found == rows)
    browser.evaluate("document.querySelector('form.find [type=reset]').click()")
    browser.evaluate("new Promise(done => setTimeout(done, 20))")
    expect("clearing does not bring the rows back", browser.evaluate(VISIBLE) == rows)
    word = browser.evaluate("document.querySelector('td[data-t=level]').dataset.o")
    alike = browser.evaluate(f"document.querySelectorAll('td[data-t=level][data-o={word}]').length")
    wrong.extend(browser.open(f"{address}#level={word}"))
    expect("a fragment does not filter", browser.evaluate(VISIBLE) == alike)
    wrong.extend(browser.open(f"{address}#q=no-rule-says-this"))
    expect("a search for nothing shows rows", browser.evaluate(VISIBLE) == 0)
    wrong.extend(browser.open(address))
    for wanted in ("ascending", "descending"):
        browser.evaluate("document.querySelector('table.find thead button').focus()")
        browser.press("Enter", 13)
        expect(f"a heading does not sort {wanted}",
               browser.evaluate("document.querySelector('table.find thead th').getAttribute('aria-sort')") == wanted)
        titles = browser.evaluate("[...document.querySelectorAll('table.find tbody th')].map(one => one.textContent)")
        ordered = browser.evaluate(f"{json.dumps(titles)}.sort(new Intl.Collator('en', {{ numeric: true }}).compare)")
        expect(f"the rows are not {wanted}", titles == (ordered if wanted == "ascending" else ordered[::-1]))
    wrong.extend(browser.troubles(address))
    browser.call("Emulation.setScriptExecutionDisabled", value=True)
    browser.open(address, waits=False)
    expect("without scripts rows are missing", browser.evaluate(VISIBLE) == rows)
    expect("without scripts the form is there and dead",
           not browser.evaluate("document.querySelector('form.find').checkVisibility()"))
    browser.call("Emulation.setScriptExecutionDisabled", value=False)
    return [f"{name}: {what}" for what in wrong]


def check_findings(browser, address, name):
    """Filters, and links from findings to their rules, on a page with findings"""
    wrong = browser.open(address)

    def expect(what, is_so):
        if not is_so:
            wrong.append(what)

    rows = browser.evaluate(VISIBLE)
    expect("the table has no rows", rows > 0)
    choose = "const s = document.querySelector('form.find [name=%s]'); s.selectedIndex = 1;" \
             "s.dispatchEvent(new Event('input', { bubbles: true })); s.value"
    alike = "[...document.querySelectorAll('table.find [data-t=%s]')].filter(one => one.dataset.o === %s).length"
    for field in ("level", "host", "rule"):
        value = browser.evaluate("{" + choose % field + "}")
        fitting = browser.evaluate(alike % (field, json.dumps(value)))
        # No match may have the most severe level.
        expect(f"the filter of the {field} {value!r} shows {browser.evaluate(VISIBLE)} rows and not {fitting}",
               browser.evaluate(VISIBLE) == fitting and (fitting > 0 or field == "level"))
        browser.evaluate("document.querySelector('form.find [type=reset]').click()")
        browser.evaluate("new Promise(done => setTimeout(done, 20))")
        expect(f"clearing the {field} does not bring the rows back", browser.evaluate(VISIBLE) == rows)
    expect("a finding leads to no rule", browser.evaluate(
        "[...document.querySelectorAll('table.find td a')].every(one => !one.hash || one.pathname !== location.pathname"
        " || document.getElementById(one.hash.slice(1)))"))
    expect("a host has no line of time", browser.evaluate(
        "document.querySelectorAll('td.time svg').length === document.querySelectorAll('td.time').length"))
    wrong.extend(browser.troubles(address))
    browser.call("Emulation.setScriptExecutionDisabled", value=True)
    browser.open(address, waits=False)
    expect("without scripts rows are missing", browser.evaluate(VISIBLE) == rows)
    browser.call("Emulation.setScriptExecutionDisabled", value=False)
    return [f"{name}: {what}" for what in wrong]


def main():
    reader = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    reader.add_argument("folder", type=pathlib.Path)
    reader.add_argument("--screenshots", type=pathlib.Path)
    reader.add_argument("--page", action="append", default=[], help="only this page, by its path; repeatable")
    options = reader.parse_args()
    program = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if program is None:
        raise SystemExit("there is no chromium")
    folder = options.folder.resolve()
    pages = options.page or sorted(str(path.relative_to(folder)) for path in folder.rglob("*.html"))
    for name in pages:
        if not (folder / name).is_file():
            raise SystemExit(f"there is no page {name} in {folder}")
    if not pages:
        raise SystemExit(f"there is no page in {folder}")
    if options.screenshots:
        options.screenshots.mkdir(parents=True, exist_ok=True)
    wrong = []
    # A browser that hangs ends the check; one that dies slowly may still write to its profile.
    signal.alarm(TIME + 2 * len(pages))
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        browser = Browser(program, profile)
        try:
            for name in pages:
                address = (folder / name).as_uri()
                wrong += check_looks(browser, address, name, options.screenshots)
                browser.look(1280, "light")
                wrong += check_keyboard(browser, address, name)
                try:
                    if name == "index.html":
                        wrong += check_table(browser, address, name)
                    elif browser.evaluate("Boolean(document.querySelector('form.find [name=host]'))"):
                        wrong += check_findings(browser, address, name)
                except Fault as fault:
                    wrong.append(f"{name}: {fault}")
        finally:
            browser.end()
    for what in wrong:
        print(what[:300])
    print(f"{len(pages)} pages at {len(WIDTHS)} widths, light and dark: {len(wrong)} faults")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
