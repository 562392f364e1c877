"""Draws curves as SVG, with nothing but Python's own library.

Colours are of middle lightness and there is no background, so that a picture can be read on a light page and on a dark one.
"""

import html
import math

TEXT, GRID = "#7d8590", "#7d859055"
COLOURS = ("#2f81f7", "#d9730d", "#2da44e", "#a371f7")
WIDTH, HEIGHT = 300, 200
LEFT, RIGHT, TOP, BOTTOM = 56, 20, 78, 40


def short(value):
    """1,000 as 1 k, 1,500,000 as 1.5 M."""
    for size, unit in ((1_000_000, " M"), (1_000, " k")):
        if value >= size * 0.9995:
            return f"{value / size:.3g}{unit}"
    return f"{value:.3g}"


class Scale:
    """From values to places on one axis."""

    def __init__(self, values, begin, end, is_log):
        self.begin, self.end, self.is_log = begin, end, is_log
        if is_log:
            self.low, self.high = math.floor(math.log10(min(values)) + 1e-9), math.ceil(math.log10(max(values)) - 1e-9)
            self.high = max(self.high, self.low + 1)
        else:
            self.step = self.nice(max(values) / 4)
            self.low, self.high = 0, math.ceil(max(values) * 1.02 / self.step) * self.step

    @staticmethod
    def nice(step):
        size = 10 ** math.floor(math.log10(step))
        return next(size * times for times in (1, 2, 2.5, 5, 10) if step <= size * times * 1.0001)

    def ticks(self):
        if self.is_log:
            return [10.0**power for power in range(self.low, self.high + 1)]
        return [self.step * number for number in range(round(self.high / self.step) + 1)]

    def place(self, value):
        at = math.log10(value) if self.is_log else value
        return self.begin + (at - self.low) / (self.high - self.low) * (self.end - self.begin)


def text(x, y, words, anchor="middle", colour=TEXT, size=11, weight="normal"):
    return (f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="{colour}" font-size="{size}" '
            f'font-weight="{weight}">{html.escape(words)}</text>')


def line(x1, y1, x2, y2, colour=GRID, more=""):
    return f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="{colour}"{more}/>'


def curve(points, colour, dashes=""):
    places = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    return f'<polyline points="{places}" fill="none" stroke="{colour}" stroke-width="2"{dashes}/>'


def axes(panel, across, up):
    parts = []
    for tick in up.ticks():
        y = up.place(tick)
        parts += [line(LEFT, y, LEFT + WIDTH, y), text(LEFT - 6, y + 4, short(tick), "end")]
    for tick in panel.get("ticks") or across.ticks():
        x = across.place(tick)
        parts += [line(x, TOP, x, TOP + HEIGHT), text(x, TOP + HEIGHT + 16, short(tick))]
    parts.append(text(LEFT + WIDTH / 2, TOP + HEIGHT + 33, panel["across"]))
    return parts


def series(number, points, highest, across, up):
    """One curve with a value at each point: above it where no other curve is higher, or there is no room below."""
    colour = COLOURS[number % len(COLOURS)]
    places = [(across.place(x), up.place(y)) for x, y in points]
    parts = [curve(places, colour)]
    for place, ((x, y), (along, value)) in enumerate(zip(places, points)):
        # The first does not stand in the axis's own numbers.
        anchor = "start" if place == 0 else "middle"
        parts.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{colour}"/>')
        above = value >= highest[along] or y > TOP + HEIGHT - 16
        parts.append(text(x, y + (-8 if above else 16), short(value), anchor, colour, 10))
    return parts


def panel_of(panel, x):
    """One panel: {title, across, series: {name: [(x, y)]}, log: (across, up)?, ticks: those across?, even: a curve's name?}."""
    points = [point for of in panel["series"].values() for point in of]
    is_log = panel.get("log", (True, False))
    across = Scale([x for x, _ in points], LEFT, LEFT + WIDTH, is_log[0])
    up = Scale([y for _, y in points], TOP + HEIGHT, TOP, is_log[1])
    highest = {x: max(y for at, y in points if at == x) for x, _ in points}
    parts = [text(LEFT, 18, panel["title"], "start", size=13, weight="bold"), *axes(panel, across, up)]
    for number, (name, of) in enumerate(panel["series"].items()):
        parts.append(text(LEFT, 35 + 14 * number, f"● {name}", "start", COLOURS[number % len(COLOURS)]))
        parts += series(number, of, highest, across, up)
    if of := panel["series"].get(panel.get("even")):
        parts.append(even(of, across, up))
    return f'<g transform="translate({x} 0)">{"".join(parts)}</g>'


def even(points, across, up):
    """What the curve would be if it grew evenly from its first point, as far as the panel goes."""
    (x, y), most = points[0], 10**up.high if up.is_log else up.high
    ends = [(across.place(at), up.place(y * at / x)) for at, _ in points if y * at / x <= most]
    return curve(ends, TEXT, ' stroke-dasharray="3 4" stroke-opacity="0.7"')


def picture(title, panels):
    """A picture of panels side by side; its title is for those who do not see it."""
    wide = LEFT + WIDTH + RIGHT
    width, height = wide * len(panels), TOP + HEIGHT + BOTTOM + 6
    drawn = "\n".join(panel_of(panel, wide * number) for number, panel in enumerate(panels))
    return (f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" role="img" '
            f'font-family="system-ui, sans-serif">\n<title>{html.escape(title)}</title>\n{drawn}\n</svg>\n')
