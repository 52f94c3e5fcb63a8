"""Draws the wiring picture of every MicroPython board, from the data in boards/: python docs/boards/draw.py

Three columns: what is at the terminal, what lies between, the board. Every wire has a row of its own: none crosses
another.
"""

import runpy
import sys
from html import escape
from pathlib import Path

HERE = Path(__file__).resolve().parent
BOARDS = HERE.parent.parent / "boards"
WIDTH = 1120
LEFT, LEFT_END = 30, 230  # the terminal's column
MIDDLE, MIDDLE_END = 430, 620  # the converter's
RIGHT, RIGHT_END = 850, 1090  # the board's
ROW = 34
INK, SOFT = "#1f2933", "#52606d"
RED, BLACK, BLUE, GREEN, ORANGE, VIOLET = "#c62828", "#1f2933", "#1565c0", "#2e7d32", "#b85c00", "#6a1b9a"

# How a board's own pins are called on it.
PICO = {0: "GP0 · 1", 1: "GP1 · 2", 4: "GP4 · 6", 5: "GP5 · 7", 26: "GP26 · 31"}
KINDS = {
    "rp2040_pico": ("Raspberry Pi Pico", PICO, "3V3(OUT) · 36", "GND · 3", "AGND · 33"),
    "pico_w": ("Raspberry Pi Pico W", PICO, "3V3(OUT) · 36", "GND · 3", "AGND · 33"),
    "esp32_devkit": ("ESP32-DevKitC", {}, "3V3", "GND", "GND"),
    "esp32_s3": ("ESP32-S3-DevKitC-1", {}, "3V3", "GND", "GND"),
    "stm32_pybd": ("Pyboard D (PYBD-SF6)", {}, "3V3", "GND", "GND"),
}
OWN_PINS = {1: ("Y1", "Y2"), 4: ("X1", "X2")}  # of a PYBD's UARTs


class Picture:
    def __init__(self):
        self.parts = []

    def add(self, text):
        self.parts.append(text)

    def box(self, x, y, width, height, title, fill="#ffffff", dashed=False):
        dash = ' stroke-dasharray="7 5"' if dashed else ""
        self.add(
            f'<rect x="{x}" y="{y}" width="{width}" height="{height}" rx="8" fill="{fill}" stroke="{INK}"'
            f' stroke-width="1.5"{dash}/>'
        )
        for number, line in enumerate(title.split("\n")):
            self.text(
                x + width / 2, y + 22 + 18 * number, line, "middle", bold=not number, colour=SOFT if number else INK
            )

    def text(self, x, y, text, anchor="start", bold=False, colour=INK, size=14):
        weight = ' font-weight="600"' if bold else ""
        self.add(
            f'<text x="{x:g}" y="{y:g}" text-anchor="{anchor}" font-size="{size}"{weight} fill="{colour}">'
            f"{escape(text)}</text>"
        )

    def wire(self, points, colour, dashed=False):
        dash = ' stroke-dasharray="7 5"' if dashed else ""
        path = " ".join(f"{x:g},{y:g}" for x, y in points)
        self.add(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2.5"{dash}/>')

    def pin(self, x, y, label, side, colour):
        """A pin at the edge of a box, its name inside: `side` "left" edge or "right" edge."""
        self.add(f'<circle cx="{x}" cy="{y}" r="5" fill="{colour}"/>')
        self.text(x + (12 if side == "left" else -12), y + 5, label, "start" if side == "left" else "end", size=13)

    def arrow(self, x, y, to_right, colour):
        tip = 9 if to_right else -9
        self.add(f'<polygon points="{x},{y - 5} {x},{y + 5} {x + tip},{y}" fill="{colour}"/>')

    def resistor(self, x, y, label, upright=False):
        width, height = (16, 40) if upright else (56, 16)
        left, top = (x - 8, y) if upright else (x, y - 8)
        self.add(
            f'<rect x="{left}" y="{top}" width="{width}" height="{height}" fill="#fff8e1" stroke="{INK}" stroke-width="1.5"/>'
        )
        if upright:
            self.text(x + 14, y + 25, label, size=13)
        else:
            self.text(x + 28, y - 14, label, "middle", size=13)

    def capacitor(self, x, y, height, label):
        half = y + height / 2
        self.wire([(x, y), (x, half - 4)], BLACK)
        self.wire([(x, half + 4), (x, y + height)], BLACK)
        for at in (half - 4, half + 4):
            self.add(f'<line x1="{x - 11}" y1="{at:g}" x2="{x + 11}" y2="{at:g}" stroke="{INK}" stroke-width="2.5"/>')
        self.text(x + 16, half + 5, label, size=13)

    def dot(self, x, y):
        self.add(f'<circle cx="{x}" cy="{y}" r="4.5" fill="{INK}"/>')

    def svg(self, height, title):
        body = "\n".join(self.parts)
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}"'
            f' font-family="DejaVu Sans, Verdana, sans-serif" role="img">\n<title>{escape(title)}</title>\n'
            f'<rect width="{WIDTH}" height="{height}" fill="#fbfcfd"/>\n{body}\n</svg>\n'
        )


def ohms(value):
    return f"{value / 1000:g} kΩ" if value >= 1000 else f"{value} Ω"


def draw(name):
    """The SVG of one board."""
    data = runpy.run_path(str(BOARDS / (name + ".py")))
    title, names, volts, ground, ground_2 = KINDS[name]
    picture = Picture()

    def called(pin):
        return names.get(pin) or (f"GPIO{pin}" if isinstance(pin, int) else str(pin))

    def pair(what):
        wiring = data["UARTS"][what]
        tx, rx = (wiring["tx"], wiring["rx"]) if "tx" in wiring else OWN_PINS[wiring["id"]]
        return called(tx), called(rx)

    picture.text(30, 36, f"{title}: wiring", bold=True, size=20)
    picture.text(
        30, 60, "Terminal, till, board and supply share one ground. Dashed: only where the till is wired to the board."
    )
    top = 84

    # ---- supply and divider ----
    plus, minus = top + 56, top + 56 + 3 * ROW
    picture.box(LEFT, top, LEFT_END - LEFT, minus - top + 26, "Terminal's supply\n5 V")
    picture.pin(LEFT_END, plus, "+", "right", RED)
    picture.pin(LEFT_END, minus, "−", "right", BLACK)
    upper, lower = data["POWER"]["divider"]
    middle = 470
    picture.wire([(LEFT_END, plus), (middle - 110, plus)], RED)
    picture.resistor(middle - 110, plus, f"R1 {ohms(upper)} 0.1 %")
    picture.wire([(middle - 54, plus), (RIGHT, plus)], ORANGE)
    picture.dot(middle, plus)
    picture.wire([(middle, plus), (middle, plus + 28)], ORANGE)
    picture.resistor(middle, plus + 28, f"R2 {ohms(lower)} 0.1 %", upright=True)
    picture.wire([(middle, plus + 68), (middle, minus)], BLACK)
    picture.dot(middle, minus)
    picture.dot(middle + 170, plus)
    picture.capacitor(middle + 170, plus, minus - plus, "C 10 nF")
    picture.dot(middle + 170, minus)
    picture.wire([(LEFT_END, minus), (RIGHT, minus)], BLACK)

    # ---- terminal and till through one converter ----
    lines = minus + 108
    rows = [lines + ROW * number + (20 if number > 3 else 0) for number in range(8)]
    tx, rx = pair("terminal")
    till_tx, till_rx = pair("till")
    picture.box(
        LEFT, lines - 58, LEFT_END - LEFT, 3 * ROW + 46, "To the card terminal\nDB9 male, RS-232 ±12 V", "#e3f2fd"
    )
    picture.box(LEFT, rows[5] - 62, LEFT_END - LEFT, 3 * ROW + 48, "To the till\nDB9 female, RS-232", "#e3f2fd", True)
    picture.box(MIDDLE, lines - 58, MIDDLE_END - MIDDLE, 8 * ROW + 66, "MAX3232\nor a module with one", "#f1f8e9")
    for row, left, inner, outer, right, colour, to_right, dashed in (
        (0, "2 terminal sends", "13 R1IN", "12 R1OUT", rx, BLUE, True, False),
        (1, "3 terminal hears", "14 T1OUT", "11 T1IN", tx, GREEN, False, False),
        (2, "5 GND", "15 GND", "15 GND", ground, BLACK, None, False),
        (4, None, None, "16 VCC", volts, RED, None, False),
        (5, "3 till sends", "8 R2IN", "9 R2OUT", till_rx, VIOLET, True, True),
        (6, "2 till hears", "7 T2OUT", "10 T2IN", till_tx, ORANGE, False, True),
        (7, "5 GND", "GND", None, None, BLACK, None, True),
    ):
        y = rows[row]
        if row == 4:
            y = rows[3]
        if left:
            picture.wire([(LEFT_END, y), (MIDDLE, y)], colour, dashed)
            picture.pin(LEFT_END, y, left, "right", colour)
            picture.pin(MIDDLE, y, inner, "left", colour)
            if to_right is not None:
                picture.arrow((LEFT_END + MIDDLE) / 2, y, to_right, colour)
        if outer:
            picture.wire([(MIDDLE_END, y), (RIGHT, y)], colour, dashed)
            picture.pin(MIDDLE_END, y, outer, "right", colour)
            picture.pin(RIGHT, y, right, "left", colour)
            if to_right is not None:
                picture.arrow((MIDDLE_END + RIGHT) / 2, y, to_right, colour)

    for line, text in enumerate(("100 nF each: 1 to 3, 4 to 5,", "and 2, 6, 16 to GND")):
        picture.text(MIDDLE + 16, rows[3] + 26 + 16 * line, text, size=12, colour=SOFT)

    # ---- the board, its light and the laptop ----
    pins = data["LIGHT"]["pins"]
    outside = len(pins) == 3 and not isinstance(pins[0], str)
    light = rows[7] + (84 if outside else 30)
    bottom = light + (5 * ROW if outside else ROW) + 44
    picture.box(RIGHT, top, RIGHT_END - RIGHT, bottom - top, title, "#ede7f6")
    picture.pin(RIGHT, plus, called(data["POWER"]["pin"]), "left", ORANGE)
    picture.pin(RIGHT, minus, ground_2, "left", BLACK)
    for row, label, colour in (
        (0, rx, BLUE),
        (1, tx, GREEN),
        (2, ground, BLACK),
        (3, volts, RED),
        (5, till_rx, VIOLET),
    ):
        picture.pin(RIGHT, rows[row], label, "left", colour)
    picture.pin(RIGHT, rows[6], till_tx, "left", ORANGE)
    if outside:
        left = 470
        picture.box(left - 40, light - 26, 190, 4 * ROW + 30, "", "#fffde7")
        picture.text(left - 24, light - 4, "Light: RGB LED", size=13, bold=True)
        picture.text(left - 24, light + 14, "common cathode", size=13, colour=SOFT)
        for number, (pin, colour, word) in enumerate(
            zip(pins, (RED, GREEN, BLUE), ("red", "green", "blue"), strict=True)
        ):
            y = light + 36 + number * (ROW - 4)
            picture.pin(left + 150, y, word, "right", colour)
            picture.wire([(left + 150, y), (RIGHT, y)], colour)
            picture.resistor(left + 240, y, "")
            picture.text(left + 268, y + 4, "330 Ω", "middle", size=11)
            picture.pin(RIGHT, y, called(pin), "left", colour)
        y = light + 36 + 3 * (ROW - 4)
        picture.pin(left + 150, y, "cathode", "right", BLACK)
        picture.wire([(left + 150, y), (RIGHT, y)], BLACK)
        picture.pin(RIGHT, y, "GND", "left", BLACK)
    else:
        picture.text(RIGHT + 16, light + 20, "Light: the LED on the board", size=13, colour=SOFT)
    y = bottom - 24
    picture.box(LEFT, y - 22, LEFT_END - LEFT, 44, "")
    picture.text((LEFT + LEFT_END) / 2, y + 5, "Laptop or charger", "middle", bold=True)
    picture.wire([(LEFT_END, y), (RIGHT, y)], SOFT)
    picture.text((LEFT_END + 420) / 2, y - 8, "USB: link and supply", "middle", size=13, colour=SOFT)
    picture.pin(RIGHT, y, "USB (not the socket UART)" if name == "esp32_s3" else "USB", "left", SOFT)
    return picture.svg(bottom + 30, f"Wiring of {title} to a card terminal, a till and its supply")


def main():
    for name in sys.argv[1:] or KINDS:
        (HERE / (name + ".svg")).write_text(draw(name))


if __name__ == "__main__":
    main()
